"""Measures of topics and tags."""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set


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
