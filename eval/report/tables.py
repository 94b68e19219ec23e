"""The tables of a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

from wusum.eval.measures.answers import Classification, Labelling, Score, p_value
from wusum.eval.measures.evaluation import Evaluation, value_of
from wusum.eval.measures.statistics import holm

AVERAGED_SUITES = ("topics", "transfer")
"""Suites with a row for the mean of all corpora."""


CONFUSED_SUITES = ("topics", "annotated")
"""Suites with confusion matrices."""


def interval_text(low: float | None, high: float | None, digits: int = 3) -> str:
    """Return an interval with so many decimal digits; a dash for a score without one."""
    return "–" if low is None or high is None else f"{low:.{digits}f} – {high:.{digits}f}"


def score_tables(scores: Sequence[Score], comparisons: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return for each suite its name, its metrics, and a row for each corpus, system and variant.

    The row of a baseline has its comparisons with the model, one for each measure that they are compared by.
    """
    compared: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for c in comparisons:
        compared.setdefault((c["suite"], c["corpus"], c["baseline"]), []).append(c)
    tables = []
    for suite in dict.fromkeys(score.suite for score in scores):
        chosen = [score for score in scores if score.suite == suite]
        rows: dict[tuple[str, str, str], dict[str, Any]] = {}
        for score in chosen:
            place = (score.corpus, score.system, score.variant)
            row = rows.setdefault(place, {"place": place, "articles": score.articles, "values": {}})
            row["values"][score.metric] = score
            row["comparisons"] = compared.get((suite, score.corpus, score.system), [])
        means = _mean_rows(chosen) if suite in AVERAGED_SUITES else []
        metrics = list(dict.fromkeys(score.metric for score in chosen))
        tables.append({"name": suite, "metrics": metrics, "rows": [*rows.values(), *means]})
    return tables


def _mean_rows(scores: Sequence[Score]) -> list[dict[str, Any]]:
    """Return a row for the mean of each system that was measured on all corpora."""
    corpora = {score.corpus for score in scores}
    rows = []
    for system in dict.fromkeys(score.system for score in scores):
        own = [score for score in scores if score.system == system]
        if {score.corpus for score in own} == corpora:
            place = ("mean of corpora", system, "")
            rows.append({"place": place, "comparisons": [], "values": _means(own), "articles": 0})
    return rows


def _means(scores: Sequence[Score]) -> dict[str, Score]:
    """Return the mean of each metric over corpora, which have equal weight; such a mean has no interval."""
    made = {}
    for metric in dict.fromkeys(score.metric for score in scores):
        mean = fmean(score.value for score in scores if score.metric == metric)
        made[metric] = replace(scores[0], corpus="mean", metric=metric, value=mean, low=None, high=None)
    return made


def model_comparison(one: Evaluation, other: Evaluation) -> list[dict[str, Any]]:
    """Return the values, and the p-values of their differences, of two models by each measure of `compared`.

    Raises ValueError if the two have answers of one suite and corpus, but on different articles.
    """
    rows: list[dict[str, Any]] = []
    for ours in one.model_answers():
        key = ours.key
        theirs = other.find(key.suite, key.corpus, variant=key.variant)
        if theirs is None:
            continue
        corpus = f"{key.corpus}, {key.variant}" if key.variant else key.corpus
        for metric in ours.compared:
            values = {"one": value_of(ours, metric), "other": value_of(theirs, metric)}
            row = {"suite": key.suite, "corpus": corpus, "metric": metric, **values}
            rows.append(row | {"p": p_value(ours, theirs, metric)})
    corrected = holm([row["p"] for row in rows])
    return [row | {"p_holm": p} for row, p in zip(rows, corrected, strict=True)]


def confusion_matrices(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return the model's confusion matrices: the place, the classes, and a row of counts for each gold class.

    Where articles have several topics, the first ones count.
    """
    return [
        {
            "place": f"{answers.key.suite}/{answers.key.corpus}",
            "classes": answers.classes,
            "rows": answers.confusion().tolist(),
        }
        for answers in evaluation.model_answers()
        if isinstance(answers, (Classification, Labelling)) and answers.key.suite in CONFUSED_SUITES
    ]
