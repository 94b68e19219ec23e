"""The markers of a scraped page: lines that introduce the source, the tags or other articles, in any spelling."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from typing import Final, NamedTuple

from wusum.model.text.normalisation import normalise

MAX_SOURCE: Final = 80
"""Characters of the longest name of a source."""


class MarkerKind(StrEnum):
    """The content that a marker introduces."""

    SOURCE = "source"
    TAGS = "tags"
    RELATED = "related"
    SIMILAR = "similar"


class Marker(NamedTuple):
    """A marker at `start`, and the value on its line ("" for none), which ends at `end`."""

    kind: MarkerKind
    start: int
    value: str
    end: int


MARKER_PATTERNS: Final = {
    MarkerKind.SOURCE: "(ال)?(مصدر( الخبر)?|مصادر)",
    MarkerKind.TAGS: "(ال)?(كلمات (ال)?(دلاليه|مفتاحيه)|وسوم)|tags|keywords",
    MarkerKind.RELATED: "(اقرا|اقراوا|اقرؤوا|طالع|شاهد) ايضا",
    MarkerKind.SIMILAR: "(ال)?(مقالات|مواضيع|موضوعات|اخبار|مواد) ((ال)?(مشابهه|متعلقه|مرتبطه)|ذات (ال)?صله)",
}
"""Patterns of the markers in the spelling of `normalise`, made of letters, spaces, groups, `?` and `|` only."""

_INVISIBLE = "".join(map(chr, (0x061C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF)))
SPACE_CHARS: Final = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\ufeff"
"""White space and the byte order mark, which used to count as white space."""
EDGE_CHARS: Final = SPACE_CHARS + _INVISIBLE
"""Characters that may surround a line: white space and direction marks."""
BLANK_PATTERN: Final = rf"(?:[^\S\r\n]|[{_INVISIBLE}])"
"""Regular expression of one such character, line ends excepted."""
BULLETS: Final = "•·●▪■◦‣"
SENTENCE_ENDINGS: Final = (".", "،", ",", ":", ";", "؛")

_REST_OF_LINE = re.compile(r"[^\r\n]*")


def find_markers(raw: str) -> Iterator[Marker]:
    """Yield the markers of a page, in order."""
    for found in _pattern().finditer(raw):
        kind = next(kind for kind in MarkerKind if found[kind] is not None)
        rest = _REST_OF_LINE.match(raw, found.end())
        end = rest.end() if rest else found.end()
        value = raw[found.end() : end].strip(EDGE_CHARS)
        if not value or _is_marker(kind, found, value):
            yield Marker(kind, found.start(), value, end)


def _is_marker(kind: MarkerKind, found: re.Match[str], value: str) -> bool:
    """Return whether a line that begins like a marker is one, and not a sentence that begins with the same words."""
    if found["colon"]:
        return kind is not MarkerKind.SOURCE or len(value) <= MAX_SOURCE
    return (
        kind in (MarkerKind.TAGS, MarkerKind.RELATED)
        and not found[kind].isascii()
        and not value.endswith(SENTENCE_ENDINGS)
    )


@cache  # takes some 30 ms, which only the parser of pages should cost
def _pattern() -> re.Pattern[str]:
    kinds = "|".join(f"(?P<{kind}>{_any_spelling_pattern(spelling)})" for kind, spelling in MARKER_PATTERNS.items())
    # A marker is at the start of a line; only bullets and brackets may precede it.
    return re.compile(
        rf"(?<![^\r\n])(?:{BLANK_PATTERN}|[{BULLETS}*>#|\[(-])*+(?:{kinds})"
        rf"(?!\w)(?:{BLANK_PATTERN}|[\])*])*+(?P<colon>[:：]|[-–—|](?=\s))?(?:{BLANK_PATTERN}|\*)*+"
    )


def _any_spelling_pattern(pattern: str) -> str:
    """Return a regular expression of any spelling: every variant of each letter, followed by any diacritics."""
    folded = {chr(code): normalise(chr(code)) for code in (*range(0x0600, 0x0700), *range(0x200B, 0x2070), 0xFEFF)}
    marks = "[" + "".join(re.escape(char) for char, plain in folded.items() if not plain) + "]*+"

    def variants(char: str) -> str:
        if char.isalpha():
            same = {char, char.upper(), *(variant for variant, plain in folded.items() if plain == char)}
            return f"[{''.join(sorted(same))}]{marks}"
        return {" ": rf"{BLANK_PATTERN}++", "(": "(?:"}.get(char, char)

    return "".join(map(variants, pattern))
