"""How rare words are, and the phrases of an article that are rare elsewhere: what it is about, known before or not.

Words are known by a hash of their stem (Weinberger et al., "Feature hashing", 2009), so that the table is small.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from wusum.model.runtime import ModelError
from wusum.model.spans import BREAK
from wusum.model.text import Word, strip_clitics

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

TITLE = 1.5
"""How much more a phrase of the title counts."""


class Rarity:
    """The inverse document frequency of words."""

    def __init__(self, idf: NDArray[np.float32]) -> None:
        """`idf` [BUCKETS], by the hash of a word's stem."""
        self._idf: list[float] = idf.tolist()

    @classmethod
    def of(cls, articles: Iterable[Iterable[str]]) -> Rarity:
        """That in some articles, each the stems of its words."""
        seen = np.zeros(BUCKETS, np.int64)
        total = 0
        for stems in articles:
            seen[[bucket(stem) for stem in set(stems)]] += 1
            total += 1
        return cls(np.log((total + 1) / (seen + 1)).astype(np.float32))

    @classmethod
    def none(cls) -> Rarity:
        """One for which all words are common, so that nothing is a key phrase."""
        return cls(np.zeros(BUCKETS, np.float32))

    @classmethod
    def load(cls, folder: Path) -> Rarity:
        """Read `rarity.safetensors`; raises ModelError for one that is damaged."""
        try:
            idf = load_file(folder / FILE)["idf"]
            if idf.shape != (BUCKETS,):
                raise ValueError(f"a table of shape {idf.shape}")
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise ModelError(f"{folder / FILE}: damaged, or not of this model ({error}); install it again") from error
        return cls(idf.astype(np.float32))

    def save(self, folder: Path) -> None:
        """Write `rarity.safetensors`, in half precision."""
        save_file({"idf": np.array(self._idf, np.float16)}, folder / FILE)

    def __call__(self, stem: str) -> float:
        """The inverse document frequency of a word by its stem."""
        return self._idf[bucket(stem)]


def bucket(stem: str) -> int:
    """Where a word stands in the table."""
    return zlib.crc32(stem.encode(errors="surrogatepass")) % BUCKETS


def key_phrases(
    rarity: Rarity, title: str, title_words: Sequence[Word], body: str, body_words: Sequence[Word]
) -> list[str]:
    """The phrases of an article that are frequent in it and made of rare words (TF-IDF), as they first stand there.

    None goes across a sentence end or other sign; none begins or ends with a common or short word or with a number.
    """
    found: dict[str, tuple[float, str]] = {}
    for text, parts, worth in ((title, title_words, TITLE), (body, body_words[:READ], 1.0)):
        stems = [strip_clitics(word.text) for word in parts]
        rare = [rarity(stem) for stem in stems]
        edge = [r > COMMON and len(s) > 2 and not s.isdigit() for s, r in zip(stems, rare, strict=True)]
        for first in range(len(parts)):
            if not edge[first]:
                continue
            size = 0
            for last in range(first, len(parts)):
                size += stems[last] != SON
                if size > LONGEST or (last > first and BREAK.search(text, parts[last - 1].end, parts[last].start)):
                    break
                if edge[last]:
                    key = " ".join(stems[first : last + 1])
                    before, form = found.get(key) or (0.0, text[parts[first].start : parts[last].end])
                    found[key] = before + worth * math.fsum(rare[first : last + 1]), form
    best = sorted(found, key=lambda key: (-found[key][0], key))[:MOST]
    return [found[key][1] for key in best]
