"""The report of an evaluation: `metrics.json`, `report.html`, and `answers.jsonl`, by which two runs are compared."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Classification, Labelling, to_json
from wusum.eval.measures.evaluation import Evaluation
from wusum.eval.report.errors import worst_errors
from wusum.eval.report.figures import figures
from wusum.eval.report.tables import confusion_matrices, interval_text, score_tables
from wusum.eval.report.verdicts import verdicts


def metrics_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return every number, and everything that the numbers depend on."""
    return {
        "about": evaluation.about,
        "scores": [asdict(score) for score in evaluation.scores()],
        "comparisons": evaluation.comparisons(),
        "per_class": {
            f"{answers.key.suite}/{answers.key.corpus}": answers.per_class()
            for answers in evaluation.model_answers()
            if isinstance(answers, (Classification, Labelling)) and not answers.key.variant
        },
        "confusions": confusion_matrices(evaluation),
        "verdicts": [asdict(verdict) for verdict in verdicts(evaluation)],
    }


def write_report(evaluation: Evaluation, config: EvalConfig, folder: Path) -> None:
    """Write `metrics.json`, `answers.jsonl` and `report.html`, which needs no other file, to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = metrics_json(evaluation)
    (folder / "metrics.json").write_text(json.dumps(numbers, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    lines = [json.dumps(to_json(answers), ensure_ascii=False) for answers in evaluation.answers]
    (folder / "answers.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    environment = Environment(
        loader=PackageLoader("wusum.eval.report", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["interval"] = lambda score: interval_text(score.low, score.high)
    page = environment.get_template("report.html.j2").render(
        about=evaluation.about,
        quick=config.quick,
        verdicts=numbers["verdicts"],
        suites=score_tables(evaluation.scores(), numbers["comparisons"]),
        figures=figures(evaluation),
        confusions=numbers["confusions"],
        per_class=numbers["per_class"],
        errors=worst_errors(evaluation, config),
    )
    (folder / "report.html").write_text(page, encoding="utf-8")
