"""Normalisation of Arabic spelling for matching, with offsets into the given text.

This strong normalisation decides whether two spellings are the same tag. The weaker one for the input of the encoder is
part of `tokenizer.json`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_TATWEEL = 0x0640
_MARKS = (*range(0x0610, 0x061B), *range(0x064B, 0x0660), 0x0670, *range(0x06D6, 0x06DD), *range(0x06DF, 0x06E5),
          *range(0x06E7, 0x06E9), *range(0x06EA, 0x06EE))  # fmt: skip
_INVISIBLE = (0x00AD, 0x061C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF)
_LETTERS = {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ة": "ه", "ک": "ك", "ۀ": "ه", "ہ": "ه"}


def _table() -> dict[int, str | None]:
    table: dict[int, str | None] = {}
    # Some PDF and CMS exports write plain letters as presentation forms (ﻻ, ﷲ …).
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
INNER_MARKS = "".join(map(re.escape, map(chr, (*_MARKS, *_INVISIBLE))))
"""Diacritics and invisible characters, as part of a character class of a regular expression."""
ERASED_LETTERS = tuple(chr(code) for code, plain in _TABLE.items() if not plain and chr(code).isalnum())
"""Letters that normalisation removes: tatweel, alone or with a mark."""
_ARABIC = re.compile(
    r"[\u0620-\u063f\u0641-\u064a\u0671-\u06d3\ufb50-\ufbb1\ufbd3-\ufd3d\ufd50-\ufdc7\ufdf0-\ufdfb\ufe70-\ufefc]+"
)
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Normalised:
    """A normalised text, aligned with the given one.

    `text[i]` comes from the slice `starts[i]:ends[i]` of the given text, which includes the marks that follow it.
    """

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the offsets in the given text of `text[start:end]`; raises ValueError if there is no such slice."""
        if not 0 <= start < end <= len(self.text):
            raise ValueError(f"no span {start}:{end} in a text of {len(self.text)} characters")
        return self.starts[start], self.ends[end - 1]


def normalise(text: str) -> str:
    """Return a text with spelling variants folded.

    Diacritics, tatweel and invisible characters are removed; أإآ become ا, ى becomes ي and ة becomes ه; digits become
    ASCII, Latin letters lower case.
    """
    return text.translate(_TABLE)


def align(text: str) -> Normalised:
    """Return `normalise(text)` aligned with the given text."""
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


def arabic_share(text: str) -> float:
    """Return the share of Arabic letters among all letters of a text, 0.0 if it has no letters."""
    text = text.replace(" ", "")
    rest = _ARABIC.sub("", text)  # whole runs at once: far fewer steps than letters
    arabic = len(text) - len(rest)
    letters = arabic + len(_LETTER.findall(rest))
    return arabic / letters if letters else 0.0
