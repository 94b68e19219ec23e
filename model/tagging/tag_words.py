"""The words that tags are made of: how often each begins, continues or ends a tag where it stands in an article.

Fitted by `wusum.train.tagging.tag_words` on tagged articles. Words tell whether a phrase can be a tag, whoever it is
about: محمد and وزارة begin tags, قال and أمس do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from wusum.model.errors import ModelError
from wusum.model.tagging.candidates import Document
from wusum.model.text.cache import CACHE_MAX_LETTERS, CACHE_SIZE
from wusum.model.text.lexicon import Lexeme, TokenisedText
from wusum.model.text.word_statistics import hash_word
from wusum.model.text.words import PHRASE_BREAK

ROLES = (BEGINS, CONTINUES, ENDS, ALONE) = (0, 1, 2, 3)
"""What a word can be in a tag: the first of several, one between, the last of several, the only one."""

MIN_SCORE = -7.0
"""Least score of a phrase that is proposed."""

MAX_WORDS = 6
"""Words of the longest phrase that is proposed."""

MAX_TEXT_WORDS = 400
"""Words of a title and of a body, from their beginnings, in which phrases are looked for."""

MAX_PHRASES = 60
"""Phrases of an article."""


class LikelyPhrase(NamedTuple):
    """Words `first` to `last` of a text that may be a tag, and the log of how likely its words make one."""

    score: float
    text: TokenisedText
    first: int
    last: int


class TagWords:
    """For each word, the shares of its occurrences in which it has each role in a tag of the article."""

    def __init__(self, words: NDArray[np.uint32], shares: NDArray[np.float16]) -> None:
        """Take the hashes of stems in ascending order [words] and the logs of their shares [words + 1, roles].

        The last row is for words that are not among them.
        """
        self.words, self.shares = words, shares
        rows: list[list[float]] = shares.astype(np.float64).tolist()
        self._unknown: list[float] = rows.pop()
        self._rows: dict[int, list[float]] = dict(zip(words.tolist(), rows, strict=True))
        self._cached_score = lru_cache(CACHE_SIZE)(self._score)

    @classmethod
    def none(cls) -> TagWords:
        """Return shares of no word, by which no phrase can be a tag."""
        return cls(np.zeros(0, np.uint32), np.full((1, len(ROLES)), MIN_SCORE, np.float16))

    @classmethod
    def load(cls, path: Path) -> TagWords:
        """Read the file that `save` wrote; raises ModelError if it is damaged."""
        try:
            arrays = load_file(path)
            words, shares = arrays["words"], arrays["shares"]
            if (
                words.dtype != np.dtype(np.uint32)
                or shares.dtype != np.dtype(np.float16)
                or words.ndim != 1
                or (np.diff(words.astype(np.int64)) <= 0).any()
                or shares.shape != (len(words) + 1, len(ROLES))
                or not np.isfinite(shares).all()
            ):
                raise ValueError(f"tables of shape {words.shape} and {shares.shape}")
        except (OSError, ValueError, TypeError, KeyError, SafetensorError) as error:
            raise ModelError(f"{path}: damaged, or not of this model ({error}); install it again") from error
        return cls(words, shares)

    def save(self, path: Path) -> None:
        """Write `tag_words.safetensors` of a model."""
        save_file({"words": self.words, "shares": self.shares}, path)

    def score(self, key: str) -> float:
        """Return the log of how likely the words of a match key make a tag; one word counts like two."""
        return self._cached_score(key) if len(key) <= 2 * CACHE_MAX_LETTERS else self._score(key)

    def _score(self, key: str) -> float:
        rows = [self._rows.get(hash_word(word), self._unknown) for word in key.split(" ")]
        if len(rows) == 1:
            return 2 * rows[0][ALONE]
        return rows[0][BEGINS] + sum(row[CONTINUES] for row in rows[1:-1]) + rows[-1][ENDS]

    def roles(self, lexeme: Lexeme) -> list[float]:
        """Return the logs of the shares [roles] of a word."""
        return self._rows.get(lexeme.hash, self._unknown)

    def phrases(self, document: Document) -> list[LikelyPhrase]:
        """Return the phrases of title and body whose words most likely make a tag, each once, best first."""
        found = [*self._phrases(document.title), *self._phrases(document.body)]
        distinct: dict[tuple[int, ...], LikelyPhrase] = {}
        for phrase in sorted(found, key=lambda phrase: -phrase.score):
            words = phrase.text.lexemes[phrase.first : phrase.last + 1]
            distinct.setdefault(tuple(lexeme.hash for lexeme in words), phrase)
            if len(distinct) == MAX_PHRASES:
                break
        return list(distinct.values())

    def _phrases(self, text: TokenisedText) -> Iterator[LikelyPhrase]:
        roles = np.array(list(map(self.roles, text.lexemes[:MAX_TEXT_WORDS]))).reshape(-1, len(ROLES))
        breaks = np.cumsum([gap != " " and bool(PHRASE_BREAK.search(gap)) for gap in text.gaps[: len(roles)]])
        before = np.concatenate([[0.0], np.cumsum(roles[:, CONTINUES])])
        for size in range(1, min(MAX_WORDS, len(roles)) + 1):
            first = np.arange(len(roles) - size + 1)
            last = first + size - 1
            if size == 1:
                scores = 2 * roles[:, ALONE]
            else:
                scores = roles[first, BEGINS] + before[last] - before[first + 1] + roles[last, ENDS]
            whole = (scores >= MIN_SCORE) & (breaks[first] == breaks[last])
            for place in np.flatnonzero(whole).tolist():
                yield LikelyPhrase(float(scores[place]), text, place, place + size - 1)
