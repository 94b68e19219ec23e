"""Statistics of Arabic words: inverse document frequencies, and which words are verbs.

Words are identified by a hash of their stem (Weinberger et al., "Feature hashing", 2009), which keeps the table small;
verbs by a longer hash of the whole word.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from wusum.model.errors import ModelError
from wusum.model.text.cache import CACHE_MAX_LETTERS, CACHE_SIZE

BUCKETS = 1 << 18

MIN_FUTURE_LETTERS = 4
"""A word of no more letters has no sign of the future: سيرة."""


class WordStatistics:
    """The inverse document frequency of stems, and a set of verbs."""

    def __init__(self, idf: NDArray[np.float32], verbs: Iterable[int] = ()) -> None:
        """Take `idf` [BUCKETS] by the hash of a stem, and `verbs` as hashes of normalised words."""
        self._idf: list[float] = idf.tolist()
        self._verbs = frozenset(verbs)
        self._cached_key_idf = lru_cache(CACHE_SIZE)(self._key_idf)

    @classmethod
    def count(cls, articles: Iterable[Iterable[str]], verbs: Iterable[str] = ()) -> WordStatistics:
        """Count the stems of articles; `verbs` are normalised words with their clitics."""
        counts = np.zeros(BUCKETS, np.int64)
        total = 0
        for stems in articles:
            counts[[hash_word(stem) % BUCKETS for stem in set(stems)]] += 1
            total += 1
        # In half precision, as they are saved: what is fitted with them meets the same numbers in use.
        idf = np.log((total + 1) / (counts + 1)).astype(np.float16).astype(np.float32)
        return cls(idf, map(hash_word, verbs))

    @classmethod
    def empty(cls) -> WordStatistics:
        """Return statistics for which every word is common, and none is a verb."""
        return cls(np.zeros(BUCKETS, np.float32))

    @classmethod
    def load(cls, path: Path) -> WordStatistics:
        """Read the file that `save` wrote; raises ModelError if it is damaged."""
        try:
            arrays = load_file(path)
            idf, verbs = arrays["idf"], arrays["verbs"]
            if idf.shape != (BUCKETS,) or verbs.ndim != 1:
                raise ValueError(f"tables of shape {idf.shape} and {verbs.shape}")
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise ModelError(f"{path}: damaged, or not of this model ({error}); install it again") from error
        return cls(idf.astype(np.float32), verbs.tolist())

    def save(self, path: Path) -> None:
        """Write `word_statistics.safetensors` of a model, in half precision."""
        verbs = np.array(sorted(self._verbs), np.uint32)
        save_file({"idf": np.array(self._idf, np.float16), "verbs": verbs}, path)

    def idf(self, stem: str) -> float:
        """Return the inverse document frequency of a stem."""
        return self._idf[hash_word(stem) % BUCKETS]

    def key_idf(self, key: str) -> tuple[float, float, float]:
        """Return mean, least and sum of the inverse document frequencies of the words of a match key."""
        return self._cached_key_idf(key) if len(key) <= 2 * CACHE_MAX_LETTERS else self._key_idf(key)

    def _key_idf(self, key: str) -> tuple[float, float, float]:
        values = [self.idf(stem) for stem in key.split(" ")]
        return sum(values) / len(values), min(values), sum(values)

    def is_verb(self, word: str) -> bool:
        """Whether a normalised word is a verb, as it stands or behind a conjunction or the sign of the future."""
        future = len(word) > MIN_FUTURE_LETTERS and word.startswith(("سي", "ست"))
        stuck = (future or word.startswith("و")) and hash_word(word[1:]) in self._verbs
        return stuck or hash_word(word) in self._verbs


def hash_word(word: str) -> int:
    """Return a 32-bit hash of a word, the same on every machine."""
    return zlib.crc32(word.encode(errors="surrogatepass"))
