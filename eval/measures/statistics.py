"""Bootstrap intervals, and tests of whether two systems differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Statistic = Callable[[NDArray[np.intp]], float]
"""A measure of the articles with given indices, which may repeat."""


def interval(
    statistic: Statistic, articles: int, *, resamples: int = 1000, level: float = 0.95, seed: int = 13
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of a measure (Efron 1979).

    It holds the middle `level` of the measure's values on resamples of the articles.
    """
    generator = np.random.default_rng(seed)
    values = [statistic(generator.integers(0, articles, articles)) for _ in range(resamples)]
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def mean_interval(
    scores: NDArray[np.floating], *, resamples: int = 1000, level: float = 0.95, seed: int = 13
) -> tuple[float, float]:
    """Return the `interval` of the mean of scores [articles]."""
    return interval(
        lambda chosen: float(scores[chosen].mean()), len(scores), resamples=resamples, level=level, seed=seed
    )


def randomisation_test(
    one: NDArray[np.floating], other: NDArray[np.floating], *, rounds: int = 10_000, seed: int = 13
) -> float:
    """Return the two-sided p-value of the difference of two systems' mean scores on the same articles [articles].

    Approximate randomisation (Noreen 1989): the share of rounds in which the difference is as large after the two
    scores of each article were swapped with probability one half.
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
    """Return the p-value of `randomisation_test` for a ratio of sums such as micro-F1.

    `one` and `other` have rows (dividend, divisor) [articles, 2]. As Yeh (COLING 2000) tests F-scores, the rows of an
    article are swapped, and the ratio is computed from the new sums.
    """
    one_sum, other_sum, change = one.sum(0), other.sum(0), other - one

    def ratio(sums: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.asarray(sums[..., 0] / np.maximum(sums[..., 1], 1e-9))

    observed = abs(ratio(one_sum) - ratio(other_sum))
    generator = np.random.default_rng(seed)
    hits = 0
    for start in range(0, rounds, 500):
        moved = generator.integers(0, 2, (min(500, rounds - start), len(change))).astype(float) @ change
        hits += int((np.abs(ratio(one_sum + moved) - ratio(other_sum - moved)) >= observed - 1e-12).sum())
    return (hits + 1) / (rounds + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Holm, Scandinavian Journal of Statistics 1979).

    If those below a level count as significant, the chance that any of them is a false alarm is at most that level.
    """
    adjusted: dict[int, float] = {}
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min((len(p_values) - rank) * p_values[place], 1.0))
        adjusted[place] = highest
    return [adjusted[place] for place in range(len(p_values))]


def ratio_statistic(counts: NDArray[np.floating]) -> Statistic:
    """Return the statistic dividends / divisors, both summed, for rows of the two [articles, 2]; it is 0 for 0 / 0."""

    def statistic(chosen: NDArray[np.intp]) -> float:
        dividend, divisor = counts[chosen].sum(0)
        return float(dividend / divisor) if divisor else 0.0

    return statistic


def macro_f1_statistic(gold: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> Statistic:
    """Return the statistic macro-F1 for the gold and predicted classes of articles [articles, classes].

    It is the mean F1 of the classes that are gold at least once among the chosen articles, so that a class that a
    resample happens to lack does not count as one that the system failed at; 0 without gold classes.
    """
    correct, both = (gold & predicted).astype(float), gold.astype(float) + predicted

    def statistic(chosen: NDArray[np.intp]) -> float:
        times = np.bincount(chosen, minlength=len(gold)).astype(float)
        present = times @ gold > 0
        scores = 2 * (times @ correct)[present] / (times @ both)[present]
        return float(scores.mean()) if len(scores) else 0.0

    return statistic
