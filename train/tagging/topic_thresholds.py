"""Thresholds of topics, fitted on validation articles whose topics are all known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

STEP = 0.05
"""Distance of the values that a threshold can have."""

STEPS = [round(float(step), 2) for step in np.arange(0.1, 0.5, STEP)]
"""The values that are tried; if the first or the last of them is the best, values beyond it are tried as well."""


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


def fit_sure_score(scores: NDArray[np.float32], right: NDArray[np.bool_], share: float) -> float:
    """Return the least score at or above which at least this share of the first topics is right, in hundredths.

    `scores` and `right` [articles] are of the first topic of each article. It is 1 if no score is high enough.
    """
    for step in range(100):
        above = scores >= step / 100
        if above.any() and right[above].mean() >= share:
            return step / 100
    return 1.0


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
