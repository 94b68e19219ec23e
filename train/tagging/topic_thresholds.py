"""Thresholds of topics beside the best one, fitted on validation articles whose topics were all labelled by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wusum.model.errors import CorpusError
from wusum.train.data.corpora import Example, LabelMap, examples

STEP = 0.05
"""Distance of the values that a threshold can have."""

STEPS = [round(float(step), 2) for step in np.arange(0.1, 0.5, STEP)]
"""The values that are tried; if the first or the last of them is the best, values beyond it are tried as well."""


def read_hand_labels(
    path: str | Path, data: Path, label_map: LabelMap, words: int
) -> tuple[list[Example], NDArray[np.bool_]]:
    """Return hand-labelled validation articles, cut to a number of words, and their topics [articles, topics].

    The file is JSON Lines with `corpus`, `id` and all `topics`. Raises CorpusError for an unknown article or topic.
    """
    labels = {row["id"]: row for row in _labels(path)}
    rows = [e for corpus in hand_corpora(path) for e in examples(data, corpus, ["validation"]) if e.id in labels]
    if missing := labels.keys() - {e.id for e in rows}:
        raise CorpusError(f"{path}: {min(missing)} is not a validation article in {data}")
    gold = np.zeros((len(rows), len(label_map.keys)), bool)
    for row, example in zip(gold, rows, strict=True):
        for topic in labels[example.id]["topics"]:
            if topic not in label_map.keys:
                raise CorpusError(f"{path}: {example.id}: no topic {topic!r}")
            row[label_map.keys.index(topic)] = True
    return [replace(e, body=" ".join(e.body.split()[:words])) for e in rows], gold


def hand_corpora(path: str | Path) -> list[str]:
    """Return the corpora of hand-labelled articles; raises CorpusError for a file of anything else."""
    return list(dict.fromkeys(row["corpus"] for row in _labels(path)))


def _labels(path: str | Path) -> list[dict[str, Any]]:
    try:
        rows = list(map(json.loads, Path(path).read_text(encoding="utf-8").splitlines()))
        return [{name: row[name] for name in ("corpus", "id", "topics")} for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorpusError(f"{path}: not a list of articles with their topics: {error!r}") from error


def fit_topic_thresholds(
    scores: NDArray[np.float32], gold: NDArray[np.bool_], min_articles: int
) -> tuple[float, dict[int, float], float]:
    """Return the shared threshold with the best micro-F1, better ones of single topics, and the micro-F1 they reach.

    `scores` and `gold` are [articles, topics]. A topic of fewer than `min_articles` articles has no threshold of its
    own. The best topic of an article counts as given in any case.
    """
    topics = np.arange(scores.shape[1])
    best = topics == scores.argmax(axis=1)[:, None]

    def micro_f1(thresholds: NDArray[np.float64]) -> float:
        found = (scores >= thresholds) | best
        return float(2 * (found & gold).sum() / (found.sum() + gold.sum()))

    shared = _best(lambda step: micro_f1(np.full(len(topics), step)), 0.25)
    thresholds = np.full(len(topics), shared)
    for topic in topics[gold.sum(axis=0) >= min_articles]:
        thresholds[topic] = _best(_of_topic(micro_f1, thresholds, topic), shared)
    own = {int(topic): float(thresholds[topic]) for topic in topics[thresholds != shared]}
    return shared, own, micro_f1(thresholds)


def _of_topic(
    measure: Callable[[NDArray[np.float64]], float], thresholds: NDArray[np.float64], topic: int
) -> Callable[[float], float]:
    """Return the measure of thresholds as a function of that of a single topic."""
    topics = np.arange(len(thresholds))
    return lambda step: measure(np.where(topics == topic, step, thresholds))


def _best(measure: Callable[[float], float], before: float) -> float:
    """Return the step with the best measure, among equals the one nearest to `before`."""
    measured = {step: measure(step) for step in STEPS}
    while True:
        best = min(measured, key=lambda step: (-measured[step], abs(step - before), step))
        beyond = round(best + {min(measured): -STEP, max(measured): STEP}.get(best, 0.0), 2)
        if beyond in measured or not 0 < beyond < 1:
            return best
        measured[beyond] = measure(beyond)
