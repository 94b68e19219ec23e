"""Standard measures of topics and tags, for one article or a set of articles."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def micro_f1(pairs: Sequence[tuple[Set[str], Set[str]]]) -> float:
    """Return the F1 over all labels of pairs (predicted, gold); 0 if there are no labels."""
    common = sum(len(predicted & gold) for predicted, gold in pairs)
    total = sum(len(predicted) + len(gold) for predicted, gold in pairs)
    return 2 * common / total if total else 0.0


def f1_at(gold: Collection[str], ranked: Sequence[str], k: int) -> float:
    """Return the F1 of the first `k` tags of one article, as in keyphrase extraction: 2 · hits / (k + gold).

    The divisor counts `k` tags even if fewer were ranked, so ranking fewer is not rewarded.
    """
    return 2 * len(set(gold).intersection(ranked[:k])) / (k + len(gold))


def precision_at(gold: Collection[str], ranked: Sequence[str], k: int) -> float:
    """Return the share of gold tags among the first `k`; the divisor is `k` even if fewer were ranked."""
    return len(set(gold).intersection(ranked[:k])) / k


def recall_at(gold: Collection[str], ranked: Sequence[str], k: int) -> float:
    """Return the share of the gold tags, which must not be empty, that are among the first `k`."""
    return len(set(gold).intersection(ranked[:k])) / len(gold)


def f1_of_all(gold: Collection[str], given: Sequence[str]) -> float:
    """Return F1@M: the F1 of as many tags as the system chooses to give (Yuan et al., ACL 2020)."""
    return 2 * len(set(gold).intersection(given)) / (len(given) + len(gold))


def r_precision(gold: Collection[str], ranked: Sequence[str]) -> float:
    """Return the precision of the first tags, as many as there are gold ones, of which there must be one."""
    return precision_at(gold, ranked, len(gold))


def ndcg_at(gold: Collection[str], ranked: Sequence[str], k: int) -> float:
    """Return the normalised discounted cumulative gain of the first `k`, with gains of 1.

    Järvelin and Kekäläinen, ACM Transactions on Information Systems 2002. `gold` must not be empty.
    """
    expected = set(gold)
    gain = sum(1 / math.log2(place + 2) for place, tag in enumerate(ranked[:k]) if tag in expected)
    best = sum(1 / math.log2(place + 2) for place in range(min(k, len(expected))))
    return gain / best


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of similar confidence: their number, mean confidence and accuracy."""

    count: int
    confidence: float
    accuracy: float


def reliability(confidence: NDArray[np.floating], correct: NDArray[np.bool_], bins: int = 15) -> list[Bin]:
    """Return the non-empty bins of equal width; `confidence` and `correct` are [answers]."""
    place = _places(confidence, bins)
    return [
        Bin(int(inside.sum()), float(confidence[inside].mean()), float(correct[inside].mean()))
        for inside in (place == number for number in range(bins))
        if inside.any()
    ]


def calibration_error(confidence: NDArray[np.floating], correct: NDArray[np.bool_], bins: int = 15) -> float:
    """Return the expected calibration error: the mean distance of confidence and accuracy (Guo et al., ICML 2017).

    It is biased: chance alone makes it positive for a calibrated system, and higher in each resample of its answers.
    """
    return sum(b.count * abs(b.confidence - b.accuracy) for b in reliability(confidence, correct, bins)) / len(correct)


def chance_calibration_error(
    confidence: NDArray[np.floating], *, bins: int = 15, level: float = 0.95, resamples: int = 1000, seed: int = 13
) -> float:
    """Return the calibration error that a calibrated system of this confidence [answers] exceeds with 1 - `level`.

    Consistency resampling (Bröcker and Smith, Weather and Forecasting 2007): answers are drawn as correct with the
    probability that their confidence says.
    """
    generator = np.random.default_rng(seed)
    inside = _places(confidence, bins)[:, None] == np.arange(bins)
    gaps = ((confidence - (generator.random(len(confidence)) < confidence)) @ inside for _ in range(resamples))
    return float(np.quantile([np.abs(gap).sum() / len(confidence) for gap in gaps], level))


def _places(confidence: NDArray[np.floating], bins: int) -> NDArray[np.intp]:
    """Return the number of the bin of each answer [answers]; a confidence of 1 belongs to the last."""
    return np.minimum((confidence * bins).astype(np.intp), bins - 1)


def coverage_accuracy(confidence: NDArray[np.floating], correct: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return rows (coverage, accuracy) [answers, 2] of the 1, 2, … most confident answers."""
    ordered = correct[np.argsort(-confidence, kind="stable")]
    counts = np.arange(1, len(ordered) + 1)
    return np.stack([counts / len(ordered), np.cumsum(ordered) / counts], axis=1)
