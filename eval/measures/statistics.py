"""How sure a measured number is: bootstrap intervals, and a test of whether two systems differ."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Statistic = Callable[[NDArray[np.intp]], float]
"""A measure of the articles with some numbers, which may repeat."""


def interval(
    statistic: Statistic, articles: int, *, resamples: int = 1000, level: float = 0.95, seed: int = 13
) -> tuple[float, float]:
    """Percentile bootstrap (Efron 1979): the middle `level` of what the measure is on articles drawn anew."""
    generator = np.random.default_rng(seed)
    values = [statistic(generator.integers(0, articles, articles)) for _ in range(resamples)]
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def mean_interval(
    scores: NDArray[np.floating], *, resamples: int = 1000, level: float = 0.95, seed: int = 13
) -> tuple[float, float]:
    """`interval` of the mean of one score an article [articles]."""
    return interval(
        lambda chosen: float(scores[chosen].mean()), len(scores), resamples=resamples, level=level, seed=seed
    )


def randomisation_test(
    one: NDArray[np.floating], other: NDArray[np.floating], *, rounds: int = 10_000, seed: int = 13
) -> float:
    """Two-sided p-value of the difference of two systems' mean scores on the same articles [articles].

    Approximate randomisation (Noreen 1989): how often is the difference as great when each article's two scores are
    swapped by the toss of a coin?
    """
    difference = one - other
    observed = abs(difference.sum())
    generator = np.random.default_rng(seed)
    hits = 0
    for start in range(0, rounds, 500):
        signs = generator.choice((-1.0, 1.0), (min(500, rounds - start), len(difference)))
        hits += int((np.abs(signs @ difference) >= observed - 1e-12).sum())
    return (hits + 1) / (rounds + 1)


def ratio_randomisation_test(
    one: NDArray[np.floating], other: NDArray[np.floating], *, rounds: int = 10_000, seed: int = 13
) -> float:
    """`randomisation_test` of a ratio of sums, as micro-F1 is one, from rows (dividend, divisor) [articles, 2].

    As Yeh (COLING 2000) tests F-scores: the counts of an article are swapped, and the measure is made anew of the sums.
    """
    whole, theirs, change = one.sum(0), other.sum(0), other - one

    def ratio(sums: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.asarray(sums[..., 0] / np.maximum(sums[..., 1], 1e-9))

    observed = abs(ratio(whole) - ratio(theirs))
    generator = np.random.default_rng(seed)
    hits = 0
    for start in range(0, rounds, 500):
        moved = generator.integers(0, 2, (min(500, rounds - start), len(change))).astype(float) @ change
        hits += int((np.abs(ratio(whole + moved) - ratio(theirs - moved)) >= observed - 1e-12).sum())
    return (hits + 1) / (rounds + 1)


def macro_f1_statistic(gold: NDArray[np.intp], predicted: NDArray[np.intp], classes: int) -> Statistic:
    """Macro-F1 of chosen articles, from class numbers [articles]; a class that is nowhere counts as nought."""

    def statistic(chosen: NDArray[np.intp]) -> float:
        pairs = np.bincount(gold[chosen] * classes + predicted[chosen], minlength=classes * classes)
        table = pairs.reshape(classes, classes)
        both = table.sum(0) + table.sum(1)
        return float(np.mean(np.where(both > 0, 2 * table.diagonal() / np.maximum(both, 1), 0.0)))

    return statistic
