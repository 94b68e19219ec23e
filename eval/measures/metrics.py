"""Measures of topics and tags for one article or a set of them, as the field defines them."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def micro_f1(pairs: Sequence[tuple[Set[str], Set[str]]]) -> float:
    """F1 over all the labels of pairs (predicted, gold): twice the common ones over the sum of both counts."""
    common = sum(len(predicted & gold) for predicted, gold in pairs)
    total = sum(len(predicted) + len(gold) for predicted, gold in pairs)
    return 2 * common / total if total else 0.0


def f1_at(gold: Collection[str], ranked: Sequence[str], k: int) -> float:
    """F1 of the first `k` tags of one article, as in keyphrase extraction: 2 · hits / (k + gold).

    The divisor is `k` even where fewer were given: to give fewer is not rewarded. `gold` must not be empty.
    """
    return 2 * len(set(gold).intersection(ranked[:k])) / (k + len(gold))


def precision_at(gold: Collection[str], ranked: Sequence[str], k: int) -> float:
    """Share of right ones among the first `k`; the divisor is `k` even where fewer were given."""
    return len(set(gold).intersection(ranked[:k])) / k


def recall_at(gold: Collection[str], ranked: Sequence[str], k: int) -> float:
    """Share of the gold tags that are among the first `k`. `gold` must not be empty."""
    return len(set(gold).intersection(ranked[:k])) / len(gold)


def f1_of_all(gold: Collection[str], given: Sequence[str]) -> float:
    """F1@M: of all tags that a system gives, as many as it sees fit (Yuan et al., ACL 2020)."""
    return 2 * len(set(gold).intersection(given)) / (len(given) + len(gold))


def r_precision(gold: Collection[str], ranked: Sequence[str]) -> float:
    """Precision among as many tags as there are gold ones. `gold` must not be empty."""
    return precision_at(gold, ranked, len(gold))


def ndcg_at(gold: Collection[str], ranked: Sequence[str], k: int) -> float:
    """Normalised discounted cumulative gain of the first `k`, gains of one (Järvelin and Kekäläinen 2002)."""
    wanted = set(gold)
    gain = sum(1 / math.log2(place + 2) for place, tag in enumerate(ranked[:k]) if tag in wanted)
    best = sum(1 / math.log2(place + 2) for place in range(min(k, len(wanted))))
    return gain / best


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of like confidence: how many, how sure on average, and how often right."""

    count: int
    confidence: float
    accuracy: float


def reliability(confidence: NDArray[np.floating], correct: NDArray[np.bool_], bins: int = 15) -> list[Bin]:
    """The bins of equal width that hold an answer; `confidence` and `correct` are [answers]."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        Bin(int(inside.sum()), float(confidence[inside].mean()), float(correct[inside].mean()))
        for inside in (place == number for number in range(bins))
        if inside.any()
    ]


def calibration_error(confidence: NDArray[np.floating], correct: NDArray[np.bool_], bins: int = 15) -> float:
    """Expected calibration error: the mean distance of confidence and accuracy (Guo et al., ICML 2017)."""
    return sum(b.count * abs(b.confidence - b.accuracy) for b in reliability(confidence, correct, bins)) / len(correct)


def coverage_accuracy(confidence: NDArray[np.floating], correct: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Accuracy among the surest 1, 2, … of the answers, as rows (coverage, accuracy) [answers, 2]."""
    ordered = correct[np.argsort(-confidence, kind="stable")]
    counts = np.arange(1, len(ordered) + 1)
    return np.stack([counts / len(ordered), np.cumsum(ordered) / counts], axis=1)
