"""The tables of a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

from wusum.eval.measures.answers import Classification, Score
from wusum.eval.measures.evaluation import Evaluation

AVERAGED_SUITES = ("topics", "transfer")
"""Suites with a row for the mean of all corpora."""


def score_tables(scores: Sequence[Score], comparisons: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return for each suite its name, its metrics, and a row for each corpus, system and variant."""
    compared = {(c["suite"], c["corpus"], c["baseline"]): c for c in comparisons}
    tables = []
    for suite in dict.fromkeys(score.suite for score in scores):
        chosen = [score for score in scores if score.suite == suite]
        rows: dict[tuple[str, str, str], dict[str, Any]] = {}
        for score in chosen:
            place = (score.corpus, score.system, score.variant)
            row = rows.setdefault(place, {"place": place, "articles": score.articles, "values": {}})
            row["values"][score.metric] = score
            row["comparison"] = compared.get((suite, score.corpus, score.system))
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
            rows.append({"place": place, "comparison": None, "values": _means(own), "articles": 0})
    return rows


def _means(scores: Sequence[Score]) -> dict[str, Score]:
    """Return the mean of each metric over corpora, which have equal weight; such a mean has no interval."""
    made = {}
    for metric in dict.fromkeys(score.metric for score in scores):
        mean = fmean(score.value for score in scores if score.metric == metric)
        made[metric] = replace(scores[0], corpus="mean", metric=metric, value=mean, low=mean, high=mean)
    return made


def confusion_matrices(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return the model's confusion matrix on each corpus; a cell is the number of articles and its share of the row."""
    return [
        {
            "corpus": answers.key.corpus,
            "classes": answers.classes,
            "rows": [[(int(count), float(count / max(row.sum(), 1))) for count in row] for row in answers.confusion()],
        }
        for answers in evaluation.model_answers()
        if isinstance(answers, Classification) and answers.key.suite == "topics"
    ]
