"""Normalisation for matching: words, keys and clitics, each with offsets into the given text.

This is the *strong* normalisation, used to decide that two spellings are one tag. The weaker one, for the
encoder's input, lives in `tokenizer.json` and travels with the model.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

_TATWEEL = 0x0640
_MARKS = (*range(0x0610, 0x061B), *range(0x064B, 0x0660), 0x0670, *range(0x06D6, 0x06DD), *range(0x06DF, 0x06E5),
          *range(0x06E7, 0x06E9), *range(0x06EA, 0x06EE))  # fmt: skip
_INVISIBLE = (0x00AD, 0x061C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF)
_LETTERS = {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ة": "ه", "ک": "ك", "ۀ": "ه", "ہ": "ه"}


def _table() -> dict[int, str | None]:
    table: dict[int, str | None] = {}
    # Presentation forms (ﻻ, ﷲ …) are how some PDF and CMS exports write plain letters.
    for code in (*range(0xFB50, 0xFE00), *range(0xFE70, 0xFEFD)):
        plain = unicodedata.normalize("NFKC", chr(code))
        if plain != chr(code) and not plain.startswith(" "):
            table[code] = plain.translate({**{ord(a): b for a, b in _LETTERS.items()}, **dict.fromkeys(_MARKS)})
    table.update({ord(a): b for a, b in _LETTERS.items()})
    for zero in (0x0660, 0x06F0, 0xFF10):  # Arabic-Indic, Persian and full-width digits
        table.update({zero + d: str(d) for d in range(10)})
    table.update({code: chr(code).lower() for code in range(ord("A"), ord("Z") + 1)})
    table.update(dict.fromkeys((_TATWEEL, *_MARKS, *_INVISIBLE)))
    return table


_TABLE = _table()
_INSIDE = "".join(map(re.escape, map(chr, (_TATWEEL, *_MARKS, *_INVISIBLE))))
_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{_INSIDE}])*")
_ARABIC = re.compile(
    r"[\u0620-\u063f\u0641-\u064a\u0671-\u06d3\ufb50-\ufbb1\ufbd3-\ufd3d\ufd50-\ufdc7\ufdf0-\ufdfb\ufe70-\ufefc]+"
)
_LETTER = re.compile(r"[^\W\d_]")
_CLITICS = ("وال", "بال", "كال", "فال", "لل", "ال", "و")
MIN_STEM = 3
"""A clitic comes off only when at least this many letters remain."""

CACHED, CACHED_LETTERS = 1 << 16, 24
"""What has been made of so many words is kept, of those of so few letters: most of a text are words seen before."""


@dataclass(frozen=True, slots=True)
class Normalised:
    """A normalised text and, for each of its characters, where it stood in the given text.

    `starts[i]:ends[i]` is the slice of the given text that became `text[i]`, with the marks that follow it.
    """

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the given text of `text[start:end]`; raises ValueError for an empty or outside slice."""
        if not 0 <= start < end <= len(self.text):
            raise ValueError(f"no span {start}:{end} in a text of {len(self.text)} characters")
        return self.starts[start], self.ends[end - 1]


class Word(NamedTuple):
    """A word in normalised spelling, with its character offsets in the given text."""

    text: str
    start: int
    end: int


def normalise(text: str) -> str:
    """Fold spelling variants: no diacritics, tatweel or invisible marks; أإآ→ا, ى→ي, ة→ه; ASCII digits, lower case."""
    return text.translate(_TABLE)


def align(text: str) -> Normalised:
    """`normalise(text)` with its map back to the given text."""
    chars: list[str] = []
    starts: list[int] = []
    for index, char in enumerate(text):
        for plain in char.translate(_TABLE):
            chars.append(plain)
            starts.append(index)
    ends = [0] * len(starts)
    following = len(text)
    for i in range(len(starts) - 1, -1, -1):
        ends[i] = following
        if i and starts[i - 1] != starts[i]:
            following = starts[i]
    return Normalised("".join(chars), tuple(starts), tuple(ends))


def words(text: str) -> list[Word]:
    """The words of a text, in order: runs of letters and digits, with the marks inside them."""
    made = []
    for found in _WORD.finditer(text):
        word = found[0]
        if plain := _folded(word) if len(word) <= CACHED_LETTERS else normalise(word):
            made.append(tuple.__new__(Word, (plain, *found.span())))  # as Word(…), in half the time
    return made


_folded = lru_cache(CACHED)(normalise)


@lru_cache(8)
def phrase_words(text: str) -> tuple[Word, ...]:
    """The words of a phrase, which several questions are asked about, one after the other."""
    return tuple(words(text))


def strip_clitics(word: str) -> str:
    """A normalised word without a leading conjunction, preposition and article (وال، بال، كال، فال، لل، ال، و).

    The list is the matching protocol of the evaluation, not a morphological analysis: وزير becomes زير on both
    sides of a comparison. Use it to compare, never to display.
    """
    return _cached_stem(word) if len(word) <= CACHED_LETTERS else _stem(word)


def _stem(word: str) -> str:
    for clitic in _CLITICS:
        if word.startswith(clitic) and len(word) - len(clitic) >= MIN_STEM:
            return word[len(clitic) :]
    return word


_cached_stem = lru_cache(CACHED)(_stem)


def hashed(word: str) -> int:
    """A word as a number of 32 bits, the same on every machine."""
    return _cached_hash(word) if len(word) <= CACHED_LETTERS else _crc32(word)


def _crc32(word: str) -> int:
    return zlib.crc32(word.encode(errors="surrogatepass"))


_cached_hash = lru_cache(CACHED)(_crc32)


def match_key(text: str) -> str:
    """What two spellings of one tag have in common: normalised words without clitics, joined by spaces."""
    return " ".join(strip_clitics(word.text) for word in words(text))


def arabic_share(text: str) -> float:
    """Share of Arabic letters among all letters of a text, 0.0 where it has none."""
    text = text.replace(" ", "")
    rest = _ARABIC.sub("", text)  # in runs, a few for each line: far fewer steps than letters
    arabic = len(text) - len(rest)
    letters = arabic + len(_LETTER.findall(rest))
    return arabic / letters if letters else 0.0
