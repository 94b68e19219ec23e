"""Near-duplicates among documents, found by the word shingles that they share."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from wusum.model.text.words import words

SHINGLE_WORDS = 8
"""Words of a shingle: a run of words that two documents must share to count as sharing text."""

SAMPLED = 8
"""One shingle in this many is remembered, chosen by its hash: the same ones of every copy."""


class Deduplicator:
    """Remembers shingles of the documents that it has let through."""

    def __init__(self, max_shared: float) -> None:
        """Refuse a document if more than the share `max_shared` of its sampled shingles is known."""
        self.max_shared = max_shared
        self._known: set[int] = set()

    def is_new(self, text: str) -> bool:
        """Return whether a document shares little with those before; if so, remember it."""
        sampled = sampled_shingles([word.text for word in words(text)])
        if sampled and len(self._known.intersection(sampled)) > self.max_shared * len(sampled):
            return False
        self._known.update(sampled)
        return True


def sampled_shingles(document: Sequence[str]) -> set[int]:
    """Return 64-bit hashes of one in SAMPLED of the shingles of a document, given its words; of a short one, a hash."""
    hashes = np.array([zlib.crc32(word.encode()) for word in document], np.uint64)
    if len(hashes) < SHINGLE_WORDS:
        return {hash(tuple(document))} if document else set()
    mixed = np.zeros(len(hashes) - SHINGLE_WORDS + 1, np.uint64)
    for offset in range(SHINGLE_WORDS):  # a polynomial in the words, over the integers modulo 2^64
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + hashes[offset : offset + len(mixed)]
    mixed ^= mixed >> np.uint64(29)
    chosen = mixed[mixed % np.uint64(SAMPLED) == 0]
    return set((chosen if len(chosen) else mixed.min(keepdims=True)).tolist())
