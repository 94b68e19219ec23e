"""Measures of topics and tags."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def f1_at(gold: Collection[str], ranked: Sequence[str], k: int) -> float:
    """F1 of the first `k` tags of one article, as in keyphrase extraction: 2 · hits / (k + gold).

    The divisor is `k` even where fewer were given: to give fewer is not rewarded. `gold` must not be empty.
    """
    return 2 * len(set(gold).intersection(ranked[:k])) / (k + len(gold))
