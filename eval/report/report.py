"""The report of an evaluation: `metrics.json` for programs, `report.html` for people, one file that needs no other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from wusum.eval.config import EvalConfig
from wusum.eval.gold import own, read, with_tags
from wusum.eval.measures.answers import Answers, Classification, Labelling, Score, Tagging, to_json
from wusum.eval.measures.metrics import coverage_accuracy, reliability
from wusum.eval.report.charts import bars, lines
from wusum.eval.runner import Evaluation
from wusum.train.data.corpora import LabelMap

WORST = 30
EXCERPT = 320
"""Characters of an article that are shown with an error."""

AVERAGED = ("topics", "transfer")
"""Suites whose corpora are averaged, too."""

CALIBRATED = 0.03
"""Calibration error up to which a confidence can be taken at its word."""

SURE = 0.05
"""p-value below which a difference counts."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a suite says about the model, in words."""

    suite: str
    good: bool | None
    """Whether it beats every baseline for sure; None where there is none to beat, or chance may be the reason."""
    text: str


def metrics_json(evaluation: Evaluation) -> dict[str, Any]:
    """Every number, and what they depend on."""
    return {
        "about": evaluation.about,
        "scores": [asdict(score) for score in evaluation.scores()],
        "comparisons": evaluation.comparisons(),
        "per_class": {
            f"{a.key.suite}/{a.key.corpus}": a.per_class()
            for a in _ours(evaluation)
            if isinstance(a, (Classification, Labelling)) and not a.key.variant
        },
        "verdicts": [asdict(verdict) for verdict in verdicts(evaluation)],
    }


def write_report(evaluation: Evaluation, config: EvalConfig, folder: Path) -> None:
    """Write `metrics.json`, `report.html`, and `answers.jsonl`, by which two runs are compared, to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = metrics_json(evaluation)
    (folder / "metrics.json").write_text(json.dumps(numbers, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    lines = [json.dumps(to_json(answers), ensure_ascii=False) for answers in evaluation.answers]
    (folder / "answers.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    environment = Environment(
        loader=PackageLoader("wusum.eval.report", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    page = environment.get_template("report.html.j2").render(
        about=evaluation.about,
        quick=config.quick,
        verdicts=verdicts(evaluation),
        suites=_tables(evaluation.scores(), numbers["comparisons"]),
        charts=charts(evaluation),
        confusions=_confusions(evaluation),
        per_class=numbers["per_class"],
        errors=worst_errors(evaluation, config),
    )
    (folder / "report.html").write_text(page, encoding="utf-8")


def verdicts(evaluation: Evaluation) -> list[Verdict]:
    """For each suite whether the model beats its baselines, and where it does not."""
    found = []
    comparisons = evaluation.comparisons()
    for suite in dict.fromkeys(answers.key.suite for answers in evaluation.answers):
        rows = [row for row in comparisons if row["suite"] == suite]
        if not rows:
            scores = [
                s for a in _ours(evaluation) if a.key.suite == suite for s in a.scores() if s.metric == a.headline
            ]
            text = f"No baseline to compare with: {'; '.join(_plainly(scores))}."
            silent, never = _silence(evaluation, suite)
            found.append(Verdict(suite, False if never else None, text + silent))
            continue
        lost = [row for row in rows if row["difference"] < 0 and row["p"] < SURE]
        open_ = [row for row in rows if row["p"] >= SURE]
        parts = [f"Better than the baseline, surely so, in {len(rows) - len(lost) - len(open_)} of {len(rows)} pairs."]
        for title, chosen in (("Worse", lost), ("No difference that could be told from chance", open_)):
            if chosen:
                named = ", ".join(f"{r['baseline']} on {r['corpus']} ({r['difference']:+.3f})" for r in chosen)
                parts.append(f"{title}: {named}.")
        silent, never = _silence(evaluation, suite)
        found.append(Verdict(suite, not (lost or open_ or never), " ".join(parts) + silent))
    if calibration := _calibration(evaluation):
        found.append(calibration)
    return found


def _silence(evaluation: Evaluation, suite: str) -> tuple[str, bool]:
    """In words to how many articles the model gave nothing, and whether that is all of some corpus."""
    texts, never = [], False
    for a in _ours(evaluation):
        if a.key.suite == suite and isinstance(a, (Labelling, Tagging)):
            given = a.ranked if isinstance(a, Tagging) else a.predicted
            if count := sum(not row for row in given):
                name = f"{a.key.corpus}, {a.key.variant}" if a.key.variant else a.key.corpus
                texts.append(f" Nothing was given to {count:,} of {len(given):,} articles ({name}).")
                never |= count == len(given)
    return "".join(texts), never


def _calibration(evaluation: Evaluation) -> Verdict | None:
    """Whether the model is as often right as it is sure, on the corpora of the topics suite; None without any."""
    rows = []
    for a in _ours(evaluation):
        if a.key.suite == "topics" and isinstance(a, Classification) and a.confidence is not None:
            score = next(s for s in a.scores() if s.metric == "ECE")
            rows.append((score, float(np.mean(a.confidence) - a.correct.mean())))
    if not rows:
        return None
    high = [(score, lean) for score, lean in rows if score.value > CALIBRATED]
    text = f"A calibration error (ECE) of at most {CALIBRATED} on {len(rows) - len(high)} of {len(rows)} corpora."
    if high:
        named = (f"{s.corpus} {s.value:.3f}, {'too sure' if lean > 0 else 'not sure enough'}" for s, lean in high)
        text += f" Above it: {'; '.join(named)}."
    bad = any(score.low > CALIBRATED for score, _ in high)
    return Verdict("calibration", False if bad else None if high else True, text)


def charts(evaluation: Evaluation) -> list[dict[str, str]]:
    """The pictures that people look at, each with its title."""
    found = []
    topics = [a for a in _ours(evaluation) if isinstance(a, Classification) and a.key.suite in ("topics", "transfer")]
    sure = [a for a in topics if a.confidence is not None]
    if sure:
        calibrated = {
            _label(a): [
                (b.confidence, b.accuracy) for b in reliability(np.array(a.confidence), a.correct) if b.count > 4
            ]
            for a in sure
        }
        covered = {_label(a): _thinned(coverage_accuracy(np.array(a.confidence), a.correct)) for a in sure}
        least = min(y for points in covered.values() for _, y in points)
        found.append(
            {"title": "Reliability: how often right, by how sure",
             "svg": lines(calibrated, "confidence", "accuracy", x_range=(0, 1), diagonal=True)}
        )  # fmt: skip
        found.append(
            {"title": "Accuracy among the surest answers",
             "svg": lines(covered, "share of articles answered", "accuracy", x_range=(0, 1), y_range=(least, 1.0))}
        )  # fmt: skip
    if loss := [(windows / 1000, value) for windows, value in evaluation.about["training_loss"]]:
        last, highest = loss[-1][0], max(value for _, value in loss)
        found.append(
            {"title": "Learning curve",
             "svg": lines({"training loss": loss}, "thousands of windows", "nats", x_range=(0, last), y_range=(0, highest))}  # noqa: E501
        )  # fmt: skip
    for corpus in dict.fromkeys(a.key.corpus for a in evaluation.answers if a.key.suite == "tags"):
        systems = [
            a for a in evaluation.answers if isinstance(a, Tagging) and a.key.corpus == corpus and a.key.suite == "tags"
        ]
        curves = {a.key.system: a.curve() for a in systems}
        highest = max(y for points in curves.values() for _, y in points)
        found.append(
            {"title": f"F1@k of tags, {corpus}",
             "svg": lines(curves, "k", "F1@k", x_range=(1, 15), y_range=(0, max(highest, 0.01)))}
        )  # fmt: skip
    robust = [a for a in evaluation.answers if a.key.suite == "robustness"]
    for corpus in dict.fromkeys(a.key.corpus for a in robust):
        values = {
            a.key.variant: (s.value, s.low, s.high)
            for a in robust
            if a.key.corpus == corpus
            for s in a.scores()
            if s.metric == a.headline
        }
        headline = next(a.headline for a in robust if a.key.corpus == corpus)
        found.append({"title": f"{headline} on disturbed articles, {corpus}", "svg": bars(values, headline)})
    return found


def worst_errors(evaluation: Evaluation, config: EvalConfig) -> list[dict[str, Any]]:
    """The wrong answers that the model was surest of, and the articles whose first five tags were all wrong.

    Of a user's own articles, those whose topics or first five tags were all wrong.
    """
    found: list[dict[str, Any]] = []
    missed: list[dict[str, Any]] = []
    for answers in _ours(evaluation):
        suite, corpus = answers.key.suite, answers.key.corpus
        if isinstance(answers, Classification) and suite == "topics" and answers.confidence is not None:
            texts = _texts(answers, config)
            rows = zip(answers.ids, answers.gold, answers.predicted, answers.confidence, strict=True)
            found += [
                {"corpus": corpus, "id": i, "gold": answers.classes[g], "given": answers.classes[p], "confidence": c,
                 "text": texts[i][:EXCERPT]}
                for i, g, p, c in rows if g != p
            ]  # fmt: skip
        elif isinstance(answers, (Tagging, Labelling)) and suite in ("tags", "own"):
            texts = _texts(answers, config)
            given = answers.ranked if isinstance(answers, Tagging) else answers.predicted
            missed += [
                {"corpus": corpus, "id": i, "gold": "، ".join(g), "given": "، ".join(r[:5]), "confidence": None,
                 "text": texts[i][:EXCERPT]}
                for i, g, r in zip(answers.ids, answers.gold, given, strict=True) if not set(g) & set(r[:5])
            ]  # fmt: skip
    found.sort(key=lambda row: row["confidence"], reverse=True)
    surest = found[: WORST - min(len(missed), WORST // 3)]
    return [*surest, *missed[: WORST - len(surest)]]


def _texts(answers: Answers, config: EvalConfig) -> dict[str, str]:
    """What the answers are about, by the ids of the articles."""
    suite, corpus = answers.key.suite, answers.key.corpus
    if suite == "own":
        return {e.id: e.text for e, _ in own(Path(config.labelled), LabelMap.load(config.topics))}
    rows = (with_tags if suite == "tags" else read)(config.data, corpus, config.split)
    return {e.id: e.text for e in rows}


def _tables(scores: Sequence[Score], comparisons: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each suite its rows: a corpus, a system, a variant, and its numbers by metric."""
    p_values = {(c["suite"], c["corpus"], c["baseline"]): c for c in comparisons}
    suites = []
    for suite in dict.fromkeys(score.suite for score in scores):
        chosen = [score for score in scores if score.suite == suite]
        rows: dict[tuple[str, str, str], dict[str, Any]] = {}
        for score in chosen:
            place = (score.corpus, score.system, score.variant)
            row = rows.setdefault(place, {"place": place, "articles": score.articles, "values": {}})
            row["values"][score.metric] = score
            row["comparison"] = p_values.get((suite, score.corpus, score.system))
        corpora = {score.corpus for score in chosen}
        for system in dict.fromkeys(score.system for score in chosen if suite in AVERAGED):
            theirs = [score for score in chosen if score.system == system]
            if {score.corpus for score in theirs} < corpora:
                continue  # a mean over fewer corpora is not to be put beside the others
            row = {"place": ("mean of corpora", system, ""), "comparison": None, "values": _means(theirs)}
            rows["mean of corpora", system, ""] = row | {"articles": 0}
        metrics = list(dict.fromkeys(score.metric for score in chosen))
        suites.append({"name": suite, "metrics": metrics, "rows": list(rows.values())})
    return suites


def _means(scores: Sequence[Score]) -> dict[str, Score]:
    """The mean of each measure over the corpora; not over articles, so without an interval."""
    made = {}
    for metric in dict.fromkeys(score.metric for score in scores):
        values = [score.value for score in scores if score.metric == metric]
        mean = float(np.mean(values))
        made[metric] = replace(scores[0], corpus="mean", metric=metric, value=mean, low=mean, high=mean)
    return made


def _confusions(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Confusion matrices of the model, each cell with its share of the gold class."""
    return [
        {
            "corpus": a.key.corpus,
            "classes": a.classes,
            "rows": [[(int(count), float(count / max(row.sum(), 1))) for count in row] for row in a.confusion()],
        }
        for a in _ours(evaluation)
        if isinstance(a, Classification) and a.key.suite == "topics"
    ]


def _ours(evaluation: Evaluation) -> list[Answers]:
    return [answers for answers in evaluation.answers if answers.key.system == "wusum"]


def _label(answers: Answers) -> str:
    return answers.key.corpus if answers.key.suite == "topics" else f"{answers.key.corpus} (left out)"


def _plainly(scores: Sequence[Score]) -> Iterator[str]:
    """For each corpus its score, or of its variants the first, which is none, and the lowest."""
    for corpus in dict.fromkeys(score.corpus for score in scores):
        first, *others = (score for score in scores if score.corpus == corpus)
        text = f"{corpus} {first.metric} {first.value:.3f}"
        lowest = min(others, key=lambda score: score.value, default=None)
        yield f"{text} {first.variant}, {lowest.value:.3f} at the lowest ({lowest.variant})" if lowest else text


def _thinned(points: Any, most: int = 60) -> list[tuple[float, float]]:
    """A curve's points from a twentieth of the coverage on, few enough for a picture."""
    kept = points[points[:, 0] >= 0.05]
    places = np.unique(np.linspace(0, len(kept) - 1, min(most, len(kept))).astype(int))
    return [(float(x), float(y)) for x, y in kept[places]]
