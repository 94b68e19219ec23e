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
from itertools import accumulate
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
            letters = {ord(a): b for a, b in _LETTERS.items()}
            table[code] = plain.translate({**letters, **dict.fromkeys((_TATWEEL, *_MARKS))})
    table.update({ord(a): b for a, b in _LETTERS.items()})
    for zero in (0x0660, 0x06F0, 0xFF10):  # Arabic-Indic, Persian and full-width digits
        table.update({zero + d: str(d) for d in range(10)})
    table.update({code: chr(code).lower() for code in range(ord("A"), ord("Z") + 1)})
    table.update(dict.fromkeys((_TATWEEL, *_MARKS, *_INVISIBLE)))
    return table


_TABLE = _table()
_INSIDE = "".join(map(re.escape, map(chr, (_TATWEEL, *_MARKS, *_INVISIBLE))))
_NOTHING = tuple(chr(code) for code, plain in _TABLE.items() if not plain and chr(code).isalnum())
"""Letters of which nothing is left: tatweel, alone or under a mark."""
_WORD = re.compile(rf"([^\W_]+(?:[{_INSIDE}]+[^\W_]*)*)")
_ARABIC = re.compile(
    r"[\u0620-\u063f\u0641-\u064a\u0671-\u06d3\ufb50-\ufbb1\ufbd3-\ufd3d\ufd50-\ufdc7\ufdf0-\ufdfb\ufe70-\ufefc]+"
)
_LETTER = re.compile(r"[^\W\d_]")
_CLITICS = ("وال", "بال", "كال", "فال", "لل", "ال", "و")
_OPENINGS = frozenset(clitic[0] for clitic in _CLITICS)
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


def split(text: str) -> tuple[list[str], list[int], list[int], list[str]]:
    """The words of a text as they are written, runs of letters and digits with the marks inside them; where they start
    and end, and what stands before each. A run of tatweel alone is no word."""
    pieces = _WORD.split(text)
    places = list(accumulate(map(len, pieces)))
    found, starts, ends, gaps = pieces[1::2], places[:-1:2], places[1::2], pieces[:-1:2]
    if any(map(text.__contains__, _NOTHING)) and not all(map(normalise, found)):
        kept = [n for n, word in enumerate(found) if normalise(word)]
        found, starts, ends = [found[n] for n in kept], [starts[n] for n in kept], [ends[n] for n in kept]
        gaps = [text[end:start] for end, start in zip([0, *ends], starts, strict=False)]
    return found, starts, ends, gaps


def words(text: str) -> list[Word]:
    """The words of a text, in order, normalised."""
    found, starts, ends, _ = split(text)
    plain = [_folded(word) if len(word) <= CACHED_LETTERS else normalise(word) for word in found]
    return list(map(Word, plain, starts, ends))


_folded = lru_cache(CACHED)(normalise)


def strip_clitics(word: str) -> str:
    """A normalised word without a leading conjunction, preposition and article (وال، بال، كال، فال، لل، ال، و).

    The list is the matching protocol of the evaluation, not a morphological analysis: وزير becomes زير on both
    sides of a comparison. Use it to compare, never to display.
    """
    if word[:1] in _OPENINGS:
        for clitic in _CLITICS:
            if word.startswith(clitic) and len(word) - len(clitic) >= MIN_STEM:
                return word[len(clitic) :]
    return word


def hashed(word: str) -> int:
    """A word as a number of 32 bits, the same on every machine."""
    return zlib.crc32(word.encode(errors="surrogatepass"))


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
