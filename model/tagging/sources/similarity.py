"""How like the encoder reads an article and a term that it has not learned to give."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from wusum.model.tagging.features import log_softmax
from wusum.model.tagging.vocabulary import Vocabulary

Reader = Callable[[Sequence[str]], NDArray[np.float32]]
"""Gives the logits [texts, labels] of the tag head of texts."""

FLOOR = 0.1
"""Added to what the logarithm is taken of: nothing in common is no more than that much against a term."""

KEPT = 8192
"""Terms whose readings are kept from article to article; each takes four bytes a label of the tag head."""

AT_ONCE = 256
"""Terms that are read at once."""


class Likeness:
    """What a term of one's own and an article have in common, as far as known tags tell.

    Both are read by the network. If an article is of known tag t with probability p(t), a term with q(t), and an
    editor gives t so often as f(t) says, then both are of one tag sum(p(t) q(t) / f(t)) times as often as by chance.
    """

    def __init__(self, read: Reader, known: Vocabulary) -> None:
        """`known` says how often the labels of the tag head were given."""
        self._read = read
        given = {entry.label: max(entry.tagged, 1) for entry in known.entries if entry.label >= 0}
        self._given = np.array([given.get(label, 1) for label in range(max(given, default=-1) + 1)])
        self._readings: dict[str, NDArray[np.float32]] = {}

    def of(self, logits: NDArray[np.float32], terms: Sequence[str]) -> NDArray[np.float64]:
        """The log [terms] of how much likelier than by chance an article of these logits [labels] and each term are of
        one tag; 0 where the head has fewer than two labels."""
        if len(logits) < 2:
            return np.zeros(len(terms))
        counts = np.ones(len(logits))
        counts[: len(self._given)] = self._given[: len(logits)]
        article = np.exp(log_softmax(logits)) * counts.sum() / counts
        kept = self._readings
        for start in range(0, len(terms), AT_ONCE):
            part = dict.fromkeys(terms[start : start + AT_ONCE])
            new = [term for term in part if term not in kept]
            for term, row in zip(new, self._read(new) if new else (), strict=True):
                kept[term] = np.exp(log_softmax(row)).astype(np.float32)
        # One by one, so that the other terms of an article do not change a sum in its last bit.
        told = np.log(FLOOR + np.array([float(kept[term] @ article) for term in terms]))
        if len(kept) > KEPT:
            self._readings = {}
        return told
