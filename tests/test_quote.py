"""The numbers in README and model card are those of `metrics.json`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wusum.eval.quote import BEGIN, END, main, quoted, score_table
from wusum.model.manifest import model_fingerprint

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = ROOT / "model" / "weights"


def score(system: str, metric: str, value: float, variant: str = "") -> dict[str, object]:
    return {
        "suite": "topics", "corpus": "plain", "system": system, "variant": variant, "metric": metric, "value": value,
        "low": value - 0.01, "high": value + 0.01, "articles": 1234,
    }  # fmt: skip


METRICS = {
    "scores": [
        score(system, metric, value)
        for system, value in (("wusum", 0.9), ("majority", 0.2), ("linear", 0.85))
        for metric in ("accuracy", "macro-F1")
    ]
    + [score("wusum", "accuracy", 0.1, "no title")]
}


def test_a_table_has_the_best_baseline_beside() -> None:
    assert score_table(METRICS).splitlines()[2:] == [
        "| topics: plain | accuracy | 0.900 | 0.890 – 0.910 | 0.850 (linear) | 1,234 |",
        "| topics: plain | macro-F1 | 0.900 | 0.890 – 0.910 | 0.850 (linear) | 1,234 |",
    ]


def test_a_suite_without_baselines_has_none_beside() -> None:
    ours, theirs = (score(s, "micro-F1", v) | {"suite": "by-hand"} for s, v in (("wusum", 0.7), ("linear", 0.6)))
    row = "| topics labelled by hand: plain | micro-F1 | 0.700 | 0.690 – 0.710 |"
    assert score_table({"scores": [ours]}).splitlines()[2] == f"{row}  | 1,234 |"
    assert score_table({"scores": [ours, theirs]}).splitlines()[2] == f"{row} 0.600 (linear) | 1,234 |"


def test_a_page_gets_the_table_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    (tmp_path / "m.json").write_text(json.dumps(METRICS), encoding="utf-8")
    main([str(tmp_path / "m.json"), str(page)])
    made = page.read_text(encoding="utf-8")
    assert made == f"before\n{BEGIN}\n{score_table(METRICS)}\n{END}\nafter\n"
    assert quoted(made, score_table(METRICS)) == made
    with pytest.raises(ValueError, match="0 times"):
        quoted("no marks", "")


@pytest.mark.parametrize("name", ["README.md", "model/weights/README.md"])
def test_the_pages_quote_the_metrics_of_the_bundled_model(name: str) -> None:
    metrics = json.loads((WEIGHTS / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["about"]["model_fingerprint"] == model_fingerprint(WEIGHTS), "measure the bundled model anew"
    page = (ROOT / name).read_text(encoding="utf-8")
    assert quoted(page, score_table(metrics)) == page
