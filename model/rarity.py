"""How rare words are, and the phrases of an article that are rare elsewhere: what it is about, known before or not.

Words are known by a hash of their stem (Weinberger et al., "Feature hashing", 2009), so that the table is small;
verbs by a longer one of the whole word.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from heapq import nsmallest
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from wusum.model.runtime import ModelError
from wusum.model.spans import BREAK
from wusum.model.text import CACHED, CACHED_LETTERS, Word, hashed, strip_clitics

FILE = "rarity.safetensors"

BUCKETS = 1 << 18

COMMON = 1.9
"""A word less rare than this, which is in more than 15% of the articles, neither begins nor ends a phrase."""

LONGEST = 3
"""Words of the longest phrase, but for the SON in a name."""

SON = "بن"
"""What joins the parts of a name: of محمد بن سلمان neither is the name."""

READ = 400
"""Words of an article from which phrases are taken, from its beginning."""

MOST = 25
"""Phrases that are taken of an article."""

SHORT = 4
"""Letters of a word that has no sign of the future: سيرة."""

TITLE = 1.5
"""How much more a phrase of the title counts."""


class Rarity:
    """The inverse document frequency of words, and which of them are verbs."""

    def __init__(self, idf: NDArray[np.float32], verbs: Iterable[int] = ()) -> None:
        """`idf` [BUCKETS], by the hash of a word's stem; `verbs` are hashes of normalised words."""
        self._idf: list[float] = idf.tolist()
        self._verbs = frozenset(verbs)
        self._cached_of_key = lru_cache(CACHED)(self._of_key)
        self._cached_facts = lru_cache(CACHED)(self._facts)

    @classmethod
    def of(cls, articles: Iterable[Iterable[str]], verbs: Iterable[str] = ()) -> Rarity:
        """That in some articles, each the stems of its words, with verbs as they are found in text, normalised."""
        seen = np.zeros(BUCKETS, np.int64)
        total = 0
        for stems in articles:
            seen[[bucket(stem) for stem in set(stems)]] += 1
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
        return self._idf[bucket(stem)]

    def of_key(self, key: str) -> tuple[float, float, float]:
        """The inverse document frequencies of the words of a match key: their mean, the least of them and their sum."""
        return self._cached_of_key(key) if len(key) <= 2 * CACHED_LETTERS else self._of_key(key)

    def _of_key(self, key: str) -> tuple[float, float, float]:
        rare = [self(stem) for stem in key.split(" ")]
        return sum(rare) / len(rare), min(rare), sum(rare)

    def facts(self, word: str) -> tuple[str, float, bool, bool]:
        """The stem of a normalised word, how rare it is, whether it is a verb, and whether a phrase may begin or end
        with it: a word that is neither common, short, a number nor a verb."""
        return self._cached_facts(word) if len(word) <= CACHED_LETTERS else self._facts(word)

    def _facts(self, word: str) -> tuple[str, float, bool, bool]:
        stem = strip_clitics(word)
        rare, verb = self(stem), self.is_verb(word)
        return stem, rare, verb, rare > COMMON and len(stem) > 2 and not stem.isdigit() and not verb

    def is_verb(self, word: str) -> bool:
        """Whether a normalised word is a verb, as it stands or after a conjunction or the sign of the future."""
        future = len(word) > SHORT and word.startswith(("سي", "ست"))
        stuck = (future or word.startswith("و")) and hashed(word[1:]) in self._verbs
        return stuck or hashed(word) in self._verbs


def _apart(text: str, start: int, end: int) -> bool:
    """Whether a sign between two words keeps them from being of one phrase."""
    return text[start:end] != " " and bool(BREAK.search(text, start, end))


def bucket(stem: str) -> int:
    """Where a word stands in the table."""
    return hashed(stem) % BUCKETS


def key_phrases(
    rarity: Rarity, title: str, title_words: Sequence[Word], body: str, body_words: Sequence[Word]
) -> list[str]:
    """The phrases of an article that are frequent in it and made of rare words (TF-IDF), as they first stand there.

    None goes across a verb, a sentence end or other sign; none begins or ends with a common or short word or with a
    number.
    """
    found: dict[str, tuple[float, str]] = {}
    for text, parts, worth in ((title, title_words, TITLE), (body, body_words[:READ], 1.0)):
        facts = [rarity.facts(word.text) for word in parts]
        apart = [False, *(_apart(text, one.end, next_.start) for one, next_ in pairwise(parts))]
        for first in range(len(parts)):
            if not facts[first][3]:
                continue
            size, key, together = 0, "", 0.0
            for last in range(first, len(parts)):
                stem, rare, verb, edge = facts[last]
                size += stem != SON
                if size > LONGEST or verb or (last > first and apart[last]):
                    break
                key = f"{key} {stem}" if key else stem
                together += rare
                if edge:
                    before, form = found.get(key) or (0.0, text[parts[first].start : parts[last].end])
                    found[key] = before + worth * together, form
    best = nsmallest(MOST, found, key=lambda key: (-found[key][0], key))
    return [found[key][1] for key in best]
