"""The layout of a scraped news page: where the body ends, and the contents below each marker after it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from wusum.model.pages.markers import (
    BLANK_PATTERN,
    BULLETS,
    EDGE_CHARS,
    MAX_SOURCE,
    SENTENCE_ENDINGS,
    SPACE_CHARS,
    MarkerKind,
    find_markers,
)
from wusum.model.pages.tag_line import MAX_LINE, TagLine, parse_tags

MAX_MARKERS = 500
"""Markers after which the rest are read as text: no article page has that many, and it limits a hostile page's cost."""
MAX_HEADLINE = 100
"""Characters of the longest first line that can be the page's headline."""
MAX_RELATED_HEADLINE = 200
"""The same for a related article, whose first line is in the place of a headline."""
MAX_TAG_ITEM = 80
"""Characters of the longest line in a list of one tag a line."""
MAX_HEADLINES = 100
"""Most lines that are read below one marker of headlines."""
MIN_PROSE = 400
"""Characters of prose after a source or tag line that show that the line is inside the article."""

_ARTICLE_KINDS = (MarkerKind.SOURCE, MarkerKind.TAGS)
_LINE = re.compile(r"[^\r\n]+")
_BULLET = re.compile(rf"{BLANK_PATTERN}*+(?:[{BULLETS}*+–—-]|\d{{1,2}}[.)-](?=\s))")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class ArticleSpan:
    """An article of the page: its headline, its body `raw[start:end]` and its source ("" if none is given)."""

    title: str
    start: int
    end: int
    source: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A parsed page: the main article, its tag line, other articles in full and headlines of others."""

    main: ArticleSpan
    tags: TagLine
    related: tuple[ArticleSpan, ...]
    similar: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Block:
    """A marker at `start`, its value, and the text after the value up to the next marker: `raw[below:end]`."""

    kind: MarkerKind
    start: int
    value: str
    below: int
    end: int
    length: int  # of that text, stripped


def parse_page(raw: str) -> Page:
    """Parse a page. Any text is accepted: without markers, all of it is the body, which may be empty."""
    blocks = list(_blocks(raw))
    opening = _count_opening(raw, blocks)
    closing = next((i for i in range(opening, len(blocks)) if not _is_inside_body(raw, blocks[i:])), len(blocks))
    end = blocks[closing].start if closing < len(blocks) else len(raw)
    if opening:
        title, start = raw[: blocks[0].start].strip(EDGE_CHARS), blocks[opening - 1].below
    else:
        title, start = find_headline(raw, 0, end) if blocks else ("", 0)
    source = next((block.value for block in blocks[:opening] if block.kind is MarkerKind.SOURCE), "")
    related: list[ArticleSpan] = []
    similar: list[str] = []
    for block in blocks[closing:]:
        # A source below a related article belongs to that article.
        if block.kind is MarkerKind.SOURCE and related:
            related[-1] = replace(related[-1], source=related[-1].source or block.value)
        elif block.kind is MarkerKind.SOURCE:
            source = source or block.value
        elif block.kind is MarkerKind.RELATED and _has_prose(raw, block.below, block.end):
            related.append(_related(raw, block))
        elif block.kind is not MarkerKind.TAGS:
            similar += _listed_headlines(raw, block)
    main = ArticleSpan(title, *_stripped(raw, start, end), source)
    return Page(main, _tags(raw, blocks, closing), tuple(related), tuple(similar))


def _blocks(raw: str) -> Iterator[_Block]:
    """Yield the blocks of a page in order."""
    markers = list(islice(find_markers(raw), MAX_MARKERS))
    ends = [*(marker.start for marker in markers), len(raw)][1:]
    for (kind, start, value, below), end in zip(markers, ends, strict=True):
        if not value and kind is MarkerKind.SOURCE:
            value, below = _source_below(raw, below, end)
        elif not value and kind is MarkerKind.TAGS:
            value, below = _tags_below(raw, below, end)
        yield _Block(kind, start, value, below, end, len(raw[below:end].strip(EDGE_CHARS)))


def _lines(raw: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Yield the lines of `raw[start:end]` that are not blank: stripped text, start and end of the line."""
    for line in _LINE.finditer(raw, start, end):
        if text := line.group().strip(EDGE_CHARS):
            yield text, line.start(), line.end()


def _is_headline(text: str) -> bool:
    return len(text) <= MAX_HEADLINE and not text.endswith(SENTENCE_ENDINGS) and bool(_LETTER.search(text))


def _has_prose(raw: str, start: int, end: int) -> bool:
    """Return whether `raw[start:end]` contains prose and not only headlines."""
    return any(not _BULLET.match(text) and not _is_headline(text) for text, _, _ in _lines(raw, start, end))


def _stripped(raw: str, start: int, end: int) -> tuple[int, int]:
    """Return the bounds of `raw[start:end]` without white space; direction marks stay, since they belong to a word."""
    text = raw[start:end].rstrip(SPACE_CHARS)
    if not text.strip(EDGE_CHARS):
        return start, start
    return start + len(text) - len(text.lstrip(SPACE_CHARS)), start + len(text)


def _has_blank_line(raw: str, start: int, end: int) -> bool:
    """Return whether `raw[start:end]`, the text between two lines, contains a blank line."""
    return raw.count("\n", start, end) > 1 or raw.count("\r", start, end) > 1


def find_headline(raw: str, start: int, end: int) -> tuple[str, int]:
    """Return the headline at the beginning of `raw[start:end]`, "" for none, and the start of the text below it."""
    lines = list(islice(_lines(raw, start, end), 2))
    if len(lines) < 2 or not _is_headline(lines[0][0]) or not _has_blank_line(raw, lines[0][2], lines[1][1]):
        return "", start
    return lines[0][0], lines[0][2]


def _count_opening(raw: str, blocks: Sequence[_Block]) -> int:
    """Return the number of source and tag lines above the body, which only its headline may precede."""
    count = next((i for i, block in enumerate(blocks) if block.kind not in _ARTICLE_KINDS), len(blocks))
    for i, block in enumerate(blocks[:count]):
        if _has_prose(raw, block.below, block.end):
            above = list(islice(_lines(raw, 0, blocks[0].start), 2))
            return i + 1 if not above or (len(above) == 1 and _is_headline(above[0][0])) else 0
    return 0


def _is_inside_body(raw: str, blocks: Sequence[_Block]) -> bool:
    """Return whether the body continues below the first of these blocks."""
    first = blocks[0]
    if first.kind in _ARTICLE_KINDS:
        last = next((block for block in blocks if block.length), first)
        return last.kind in _ARTICLE_KINDS and last.length >= MIN_PROSE
    # A headline recommended between two paragraphs, or a box of headlines above the tags of this article.
    recommended = first.kind is MarkerKind.RELATED and bool(first.value)
    followed = recommended or any(block.kind is MarkerKind.TAGS for block in blocks)
    return followed and _has_prose(raw, first.below, first.end)


def _source_below(raw: str, below: int, end: int) -> tuple[str, int]:
    """Return the source on the line below its marker, "" if that line is too long for one, and the line's end."""
    for text, _, line_end in islice(_lines(raw, below, end), 1):
        if len(text) <= MAX_SOURCE and not text.endswith(SENTENCE_ENDINGS):
            return text, line_end
    return "", below


def _tags_below(raw: str, below: int, end: int) -> tuple[str, int]:
    """Return the tags below a marker and where they end: as bullets, one tag a line, or all on one line."""
    items: list[str] = []
    bulleted, first = False, below
    for text, start, line_end in _lines(raw, below, end):
        bullet = _BULLET.match(text)
        ended = not bullet and (bulleted or _has_blank_line(raw, below, start))
        if items and (ended or len(text) > MAX_TAG_ITEM or start - first > MAX_LINE):
            break
        bulleted = bool(bullet)
        items.append(text[bullet.end() :] if bullet else text)
        below = line_end
    return "\n".join(items), below


def _tags(raw: str, blocks: Sequence[_Block], closing: int) -> TagLine:
    """Return the tags of the first tag line after the body, or of the first one on the page if there is none."""
    for block in (*blocks[closing:], *blocks[:closing]):
        if block.kind is MarkerKind.TAGS and block.value:
            return parse_tags(block.value, f"{raw[: block.start]}\n{raw[block.below :]}")
    return TagLine()


def _related(raw: str, block: _Block) -> ArticleSpan:
    title, start = block.value, block.below
    if not title:
        text, _, line_end = next(_lines(raw, block.below, block.end))
        more = raw[line_end : block.end].strip(EDGE_CHARS)
        title, start = (text, line_end) if more and len(text) <= MAX_RELATED_HEADLINE else ("", block.below)
    return ArticleSpan(title, *_stripped(raw, start, block.end))


def _listed_headlines(raw: str, block: _Block) -> list[str]:
    """Return the headlines on and below a marker. If some lines have bullets, lines without are not headlines."""
    lines = [text for text, _, _ in islice(_lines(raw, block.below, block.end), MAX_HEADLINES)]
    bullets = [(text, bullet.end()) for text in lines if (bullet := _BULLET.match(text))]
    listed = [text[end:].strip(EDGE_CHARS) for text, end in bullets] if bullets else lines
    return [text for text in (block.value, *listed) if text]
