"""The charts of a report."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wusum.eval.measures.answers import Answers, Classification, Tagging
from wusum.eval.measures.evaluation import Evaluation
from wusum.eval.measures.metrics import coverage_accuracy, reliability
from wusum.eval.report.charts import bar_chart, line_chart

MIN_BIN = 5
"""Fewest answers of a bin that the reliability diagram shows."""

MIN_COVERAGE = 0.05
"""Coverage at which the curve of accuracy begins."""

MAX_POINTS = 60
"""Most points of a curve."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with its title."""

    title: str
    svg: str


def figures(evaluation: Evaluation) -> list[Figure]:
    """Return all charts for which the evaluation has answers."""
    return [
        *_confidence_figures(evaluation),
        *_learning_curve(evaluation),
        *_tag_figures(evaluation),
        *_robustness_figures(evaluation),
    ]


def _confidence_figures(evaluation: Evaluation) -> list[Figure]:
    calibrated, covered = {}, {}
    for answers in evaluation.model_answers():
        if not isinstance(answers, Classification) or answers.key.suite not in ("topics", "transfer"):
            continue
        if answers.confidence is not None:
            confidence, name = np.array(answers.confidence), _label(answers)
            bins = reliability(confidence, answers.correct)
            calibrated[name] = [(b.confidence, b.accuracy) for b in bins if b.count >= MIN_BIN]
            covered[name] = _thinned(coverage_accuracy(confidence, answers.correct))
    if not covered:
        return []
    lowest = min(y for points in covered.values() for _, y in points)
    reliable = line_chart(calibrated, "confidence", "accuracy", x_range=(0, 1), diagonal=True)
    accurate = line_chart(covered, "share of articles answered", "accuracy", x_range=(0, 1), y_range=(lowest, 1.0))
    return [
        Figure("Reliability: accuracy by confidence", reliable),
        Figure("Accuracy of the most confident answers", accurate),
    ]


def _learning_curve(evaluation: Evaluation) -> list[Figure]:
    loss = [(windows / 1000, value) for windows, value in evaluation.about["training_loss"]]
    if not loss:
        return []
    ranges = (0, loss[-1][0]), (0, max(value for _, value in loss))
    series = {"training loss": loss}
    svg = line_chart(series, "thousands of windows", "nats", x_range=ranges[0], y_range=ranges[1])
    return [Figure("Learning curve", svg)]


def _tag_figures(evaluation: Evaluation) -> list[Figure]:
    curves: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for answers in evaluation.answers:
        if isinstance(answers, Tagging) and answers.key.suite == "tags":
            curves.setdefault(answers.key.corpus, {})[answers.key.system] = answers.curve()
    found = []
    for corpus, series in curves.items():
        highest = max(y for points in series.values() for _, y in points)
        svg = line_chart(series, "k", "F1@k", x_range=(1, 15), y_range=(0, max(highest, 0.01)))
        found.append(Figure(f"F1@k of tags, {corpus}", svg))
    return found


def _robustness_figures(evaluation: Evaluation) -> list[Figure]:
    values: dict[tuple[str, str], dict[str, tuple[float, float | None, float | None]]] = {}
    for answers in evaluation.answers:
        if answers.key.suite == "robustness":
            score = next(score for score in answers.scores() if score.metric == answers.headline)
            variants = values.setdefault((answers.key.corpus, answers.headline), {})
            variants[answers.key.variant] = score.value, score.low, score.high
    return [
        Figure(f"{headline} on disturbed articles, {corpus}", bar_chart(variants, headline))
        for (corpus, headline), variants in values.items()
    ]


def _label(answers: Answers) -> str:
    return answers.key.corpus if answers.key.suite == "topics" else f"{answers.key.corpus} (left out)"


def _thinned(points: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Return at most MAX_POINTS points (coverage, accuracy) of a curve [answers, 2], without its rough beginning."""
    kept = points[points[:, 0] >= MIN_COVERAGE]
    places = np.unique(np.linspace(0, len(kept) - 1, min(MAX_POINTS, len(kept))).astype(int))
    return [(float(x), float(y)) for x, y in kept[places]]
