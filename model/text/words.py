"""Words of a text: found with their offsets, stripped of clitics, joined into match keys."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from wusum.model.text.cache import CACHE_MAX_LETTERS, CACHE_SIZE
from wusum.model.text.normalisation import ERASED_LETTERS, INNER_MARKS, normalise

PROCLITICS = "وفبكل"
"""Conjunctions and prepositions that are written as one with the next word."""

MIN_STEM = 3
"""A clitic comes off only if at least this many letters remain."""

MAX_PHRASE_WORDS = 8
"""Words of the longest phrase that can be a tag."""


PHRASE_BREAK = re.compile(r"[.,:;!?()\[\]{}«»\"“”\n\u060c\u061b\u061f]|\s[-–—]|[-–—]\s")
"""Punctuation that no phrase crosses."""


_WORD = re.compile(rf"([^\W_]+(?:[{INNER_MARKS}]+[^\W_]*)*)")
_CLITICS = ("وال", "بال", "كال", "فال", "لل", "ال", "و")
_OPENINGS = frozenset(clitic[0] for clitic in _CLITICS)


class Word(NamedTuple):
    """A word in normalised spelling, with its character offsets in the given text."""

    text: str
    start: int
    end: int


def split_words(text: str) -> tuple[list[str], list[int], list[int], list[str]]:
    """Return the words of a text as written, their start and end offsets, and the gap before each word.

    A word is a run of letters and digits with the marks inside it. A run of tatweel alone is no word.
    """
    pieces = _WORD.split(text)
    places = list(accumulate(map(len, pieces)))
    found, starts, ends, gaps = pieces[1::2], places[:-1:2], places[1::2], pieces[:-1:2]
    if any(map(text.__contains__, ERASED_LETTERS)) and not all(map(normalise, found)):
        kept = [n for n, word in enumerate(found) if normalise(word)]
        found, starts, ends = [found[n] for n in kept], [starts[n] for n in kept], [ends[n] for n in kept]
        gaps = [text[end:start] for end, start in zip([0, *ends], starts, strict=False)]
    return found, starts, ends, gaps


def words(text: str) -> list[Word]:
    """Return the words of a text in order, normalised."""
    found, starts, ends, _ = split_words(text)
    plain = [_cached_normalise(word) if len(word) <= CACHE_MAX_LETTERS else normalise(word) for word in found]
    return list(map(Word, plain, starts, ends))


_cached_normalise = lru_cache(CACHE_SIZE)(normalise)


def strip_clitics(word: str) -> str:
    """Strip a leading conjunction, preposition and article (وال، بال، كال، فال، لل، ال، و) from a normalised word.

    This is the matching protocol of the evaluation, not a morphological analysis: وزير becomes زير on both sides of a
    comparison. Use it to compare, never to display.
    """
    if word[:1] in _OPENINGS:
        for clitic in _CLITICS:
            if word.startswith(clitic) and len(word) - len(clitic) >= MIN_STEM:
                return word[len(clitic) :]
    return word


def match_key(text: str) -> str:
    """Return the key that all spellings of one tag share: its normalised words without clitics, joined by spaces."""
    return " ".join(strip_clitics(word.text) for word in words(text))


def subphrases(key: str) -> tuple[str, ...]:
    """Return the runs of words of a match key that are shorter than the key."""
    if " " not in key:
        return ()
    return _cached_parts(key) if len(key) <= 2 * CACHE_MAX_LETTERS else _parts(key)


def _parts(key: str) -> tuple[str, ...]:
    found = key.split(" ")
    sizes = range(1, len(found))
    return tuple(" ".join(found[at : at + size]) for size in sizes for at in range(len(found) - size + 1))


_cached_parts = lru_cache(CACHE_SIZE)(_parts)
