"""How like the encoder reads an article and a term that it has not learned to give."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from wusum.model.vocabulary import Vocabulary

FLOOR = 0.1
"""Added to what the logarithm is taken of: nothing in common is no more than that much against a term."""

KEPT = 8192
"""Terms whose reading is kept; each takes four bytes a label of the tag head."""


class Likeness:
    """What a term of one's own and an article have in common, as far as known tags tell.

    Both are read by the network. If an article is of known tag t with probability p(t), a term with q(t), and an
    editor gives t so often as f(t) says, then both are of one tag sum(p(t) q(t) / f(t)) times as often as by chance.
    """

    def __init__(self, read: Callable[[Sequence[str]], NDArray[np.float32]], known: Vocabulary) -> None:
        """`read` gives the logits [texts, labels] of the tag head; `known` says how often its labels were given."""
        self._read = read
        given = {entry.label: entry.tagged for entry in known.entries if entry.label >= 0}
        counts = np.ones(max(given, default=-1) + 1)
        for label, times in given.items():
            counts[label] = max(times, 1)
        self._frequency = counts / max(counts.sum(), 1.0)
        self._readings: dict[str, NDArray[np.float32]] = {}

    def of(self, logits: NDArray[np.float32], terms: Sequence[str]) -> NDArray[np.float64]:
        """The log [terms] of how much likelier than by chance an article of these logits [labels] and each term are of
        one tag; 0 where the head has no labels, or none that are known."""
        if len(logits) != len(self._frequency) or len(logits) < 2:
            return np.zeros(len(terms))
        if len(self._readings) + len(terms) > KEPT:
            self._readings = {}
        kept = self._readings
        if new := [term for term in dict.fromkeys(terms) if term not in kept]:
            likelier = _softmax(self._read(new)) / self._frequency
            kept |= dict(zip(new, likelier.astype(np.float32), strict=True))
        article = _softmax(logits)
        # One by one, so that the other terms of an article do not change a sum in its last bit.
        return np.log(FLOOR + np.array([float(kept[term] @ article) for term in terms]))


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
