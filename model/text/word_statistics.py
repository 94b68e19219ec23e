"""How rare words are, and which are verbs.

Words are known by a hash of their stem (Weinberger et al., "Feature hashing", 2009), so that the table is small;
verbs by a longer one of the whole word.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from wusum.model.errors import ModelError
from wusum.model.text.normalisation import CACHED, CACHED_LETTERS, hashed

FILE = "rarity.safetensors"

BUCKETS = 1 << 18

SHORT = 4
"""Letters of a word that has no sign of the future: سيرة."""


class Rarity:
    """The inverse document frequency of words, and which of them are verbs."""

    def __init__(self, idf: NDArray[np.float32], verbs: Iterable[int] = ()) -> None:
        """`idf` [BUCKETS], by the hash of a word's stem; `verbs` are hashes of normalised words."""
        self._idf: list[float] = idf.tolist()
        self._verbs = frozenset(verbs)
        self._cached_of_key = lru_cache(CACHED)(self._of_key)

    @classmethod
    def of(cls, articles: Iterable[Iterable[str]], verbs: Iterable[str] = ()) -> Rarity:
        """That in some articles, each the stems of its words, with verbs as they are found in text, normalised."""
        seen = np.zeros(BUCKETS, np.int64)
        total = 0
        for stems in articles:
            seen[[hashed(stem) % BUCKETS for stem in set(stems)]] += 1
            total += 1
        # In half precision, as they are saved: what is fitted with them has the numbers that it will have in use.
        return cls(np.log((total + 1) / (seen + 1)).astype(np.float16).astype(np.float32), map(hashed, verbs))

    @classmethod
    def none(cls) -> Rarity:
        """One for which all words are common, so that nothing is a key phrase."""
        return cls(np.zeros(BUCKETS, np.float32))

    @classmethod
    def load(cls, folder: Path) -> Rarity:
        """Read `rarity.safetensors`; raises ModelError for one that is damaged."""
        try:
            arrays = load_file(folder / FILE)
            idf, verbs = arrays["idf"], arrays["verbs"]
            if idf.shape != (BUCKETS,) or verbs.ndim != 1:
                raise ValueError(f"tables of shape {idf.shape} and {verbs.shape}")
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise ModelError(f"{folder / FILE}: damaged, or not of this model ({error}); install it again") from error
        return cls(idf.astype(np.float32), verbs.tolist())

    def save(self, folder: Path) -> None:
        """Write `rarity.safetensors`, in half precision."""
        verbs = np.array(sorted(self._verbs), np.uint32)
        save_file({"idf": np.array(self._idf, np.float16), "verbs": verbs}, folder / FILE)

    def __call__(self, stem: str) -> float:
        """The inverse document frequency of a word by its stem."""
        return self.of_hash(hashed(stem))

    def of_hash(self, number: int) -> float:
        """The same by the hash of its stem."""
        return self._idf[number % BUCKETS]

    def of_key(self, key: str) -> tuple[float, float, float]:
        """The inverse document frequencies of the words of a match key: their mean, the least of them and their sum."""
        return self._cached_of_key(key) if len(key) <= 2 * CACHED_LETTERS else self._of_key(key)

    def _of_key(self, key: str) -> tuple[float, float, float]:
        rare = [self(stem) for stem in key.split(" ")]
        return sum(rare) / len(rare), min(rare), sum(rare)

    def is_verb(self, word: str) -> bool:
        """Whether a normalised word is a verb, as it stands or after a conjunction or the sign of the future."""
        future = len(word) > SHORT and word.startswith(("سي", "ست"))
        stuck = (future or word.startswith("و")) and hashed(word[1:]) in self._verbs
        return stuck or hashed(word) in self._verbs
