"""The markers of a scraped page: lines that announce the source, the tags or other articles, in any spelling."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from typing import Final, NamedTuple

from wusum.model.text.normalisation import normalise

MAX_SOURCE: Final = 80
"""Longest name of a source, in characters."""


class Kind(StrEnum):
    """What a marker announces."""

    SOURCE = "source"
    TAGS = "tags"
    RELATED = "related"
    SIMILAR = "similar"


class Marker(NamedTuple):
    """A marker at `start`, and the value on its line, which ends at `end`."""

    kind: Kind
    start: int
    value: str
    end: int


SPELLINGS: Final = {
    Kind.SOURCE: "(ال)?(مصدر( الخبر)?|مصادر)",
    Kind.TAGS: "(ال)?(كلمات (ال)?(دلاليه|مفتاحيه)|وسوم)|tags|keywords",
    Kind.RELATED: "(اقرا|اقراوا|اقرؤوا|طالع|شاهد) ايضا",
    Kind.SIMILAR: "(ال)?(مقالات|مواضيع|موضوعات|اخبار|مواد) ((ال)?(مشابهه|متعلقه|مرتبطه)|ذات (ال)?صله)",
}
"""Markers in the spelling of `normalise`, as patterns of letters, spaces, groups, `?` and `|`."""

_INVISIBLE = "".join(map(chr, (0x061C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF)))
SPACE: Final = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\ufeff"
"""White space, and the byte order mark that was white space once."""
EDGE: Final = SPACE + _INVISIBLE
"""What may stand around a line: white space and marks of direction."""
BLANK: Final = rf"(?:[^\S\r\n]|[{_INVISIBLE}])"
"""A pattern of any of these but the end of a line."""
BULLETS: Final = "•·●▪■◦‣"
END_OF_SENTENCE: Final = (".", "،", ",", ":", ";", "؛")

_REST_OF_LINE = re.compile(r"[^\r\n]*")


def find_markers(raw: str) -> Iterator[Marker]:
    """The markers of a page, in order."""
    for found in _pattern().finditer(raw):
        kind = next(kind for kind in Kind if found[kind] is not None)
        rest = _REST_OF_LINE.match(raw, found.end())
        end = rest.end() if rest else found.end()
        value = raw[found.end() : end].strip(EDGE)
        if not value or _announces(kind, found, value):
            yield Marker(kind, found.start(), value, end)


def _announces(kind: Kind, found: re.Match[str], value: str) -> bool:
    """Whether a line that begins like a marker is one, and not a sentence that begins with the same words."""
    if found["colon"]:
        return kind is not Kind.SOURCE or len(value) <= MAX_SOURCE
    return kind in (Kind.TAGS, Kind.RELATED) and not found[kind].isascii() and not value.endswith(END_OF_SENTENCE)


@cache  # some 30 ms of work, for those who read pages only
def _pattern() -> re.Pattern[str]:
    kinds = "|".join(f"(?P<{kind}>{_any_spelling(spelling)})" for kind, spelling in SPELLINGS.items())
    # A marker stands at the start of a line, behind nothing but bullets and brackets.
    return re.compile(
        rf"(?<![^\r\n])(?:{BLANK}|[{BULLETS}*>#|\[(-])*+(?:{kinds})"
        rf"(?!\w)(?:{BLANK}|[\])*])*+(?P<colon>[:：]|[-–—|](?=\s))?(?:{BLANK}|\*)*+"
    )


def _any_spelling(pattern: str) -> str:
    """A pattern of normalised letters as one of given text: every variant of each letter, with any marks after it."""
    folded = {chr(code): normalise(chr(code)) for code in (*range(0x0600, 0x0700), *range(0x200B, 0x2070), 0xFEFF)}
    marks = "[" + "".join(re.escape(char) for char, plain in folded.items() if not plain) + "]*+"

    def variants(char: str) -> str:
        if char.isalpha():
            same = {char, char.upper(), *(variant for variant, plain in folded.items() if plain == char)}
            return f"[{''.join(sorted(same))}]{marks}"
        return {" ": rf"{BLANK}++", "(": "(?:"}.get(char, char)

    return "".join(map(variants, pattern))
