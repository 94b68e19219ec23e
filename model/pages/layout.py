"""The layout of a scraped news page: where the body ends, and what stands under each marker after it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from wusum.model.pages.markers import BLANK, BULLETS, EDGE, END_OF_SENTENCE, MAX_SOURCE, SPACE, Kind, find_markers
from wusum.model.pages.tag_line import MAX_LINE, TagLine, parse_tags

MAX_MARKERS = 500
"""Markers beyond this many are read as text: no article page has so many, and a hostile one stays cheap."""
MAX_HEADLINE = 100
"""Longest first line, in characters, that is taken for the page's headline."""
MAX_RELATED_HEADLINE = 200
"""The same for a related article, whose first line is a headline by its place."""
MAX_TAG_ITEM = 80
"""Longest line, in characters, of a list with one tag a line."""
MAX_HEADLINES = 100
"""Headlines of other articles that are kept from one list."""
MIN_STORY = 400
"""Running text, in characters, after a source or tag line that shows the line to stand inside the article."""

_OF_ARTICLE = (Kind.SOURCE, Kind.TAGS)
_LINE = re.compile(r"[^\r\n]+")
_BULLET = re.compile(rf"{BLANK}*+(?:[{BULLETS}*+–—-]|\d{{1,2}}[.)-](?=\s))")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Story:
    """A headline and the stretch of the page, `raw[start:end]`, that tells the story."""

    title: str
    start: int
    end: int
    source: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page taken apart: the main story, its tag line, other stories and mere headlines."""

    main: Story
    tags: TagLine
    related: tuple[Story, ...]
    similar: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Block:
    """A marker at `start`, the value it announces, and the text that follows the value: `raw[below:end]`."""

    kind: Kind
    start: int
    value: str
    below: int
    end: int
    length: int  # of that text, without white space around it


def parse_page(raw: str) -> Page:
    """Take a page apart. Any text will do: one without markers is all body, an empty one an empty body."""
    blocks = list(_blocks(raw))
    opening = _opening(raw, blocks)
    closing = next((i for i in range(opening, len(blocks)) if not _is_inside(raw, blocks[i:])), len(blocks))
    end = blocks[closing].start if closing < len(blocks) else len(raw)
    if opening:
        title, start = raw[: blocks[0].start].strip(EDGE), blocks[opening - 1].below
    else:
        title, start = find_headline(raw, 0, end) if blocks else ("", 0)
    source = next((block.value for block in blocks[:opening] if block.kind is Kind.SOURCE), "")
    related: list[Story] = []
    similar: list[str] = []
    for block in blocks[closing:]:
        # A source under a related article is that article's.
        if block.kind is Kind.SOURCE and related:
            related[-1] = replace(related[-1], source=related[-1].source or block.value)
        elif block.kind is Kind.SOURCE:
            source = source or block.value
        elif block.kind is Kind.RELATED and _runs_on(raw, block.below, block.end):
            related.append(_related(raw, block))
        elif block.kind is not Kind.TAGS:
            similar += _headlines(raw, block)
    main = Story(title, *_trimmed(raw, start, end), source)
    return Page(main, _tags(raw, blocks, closing), tuple(related), tuple(similar))


def _blocks(raw: str) -> Iterator[_Block]:
    """The markers of a page that can be structural, in order."""
    markers = list(islice(find_markers(raw), MAX_MARKERS))
    ends = [*(marker.start for marker in markers), len(raw)][1:]
    for (kind, start, value, below), end in zip(markers, ends, strict=True):
        if not value and kind is Kind.SOURCE:
            value, below = _source_below(raw, below, end)
        elif not value and kind is Kind.TAGS:
            value, below = _tags_below(raw, below, end)
        yield _Block(kind, start, value, below, end, len(raw[below:end].strip(EDGE)))


def _lines(raw: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """The lines of `raw[start:end]` that are not blank: stripped text, start and end of the line."""
    for line in _LINE.finditer(raw, start, end):
        if text := line.group().strip(EDGE):
            yield text, line.start(), line.end()


def _is_headline(text: str) -> bool:
    return len(text) <= MAX_HEADLINE and not text.endswith(END_OF_SENTENCE) and bool(_LETTER.search(text))


def _runs_on(raw: str, start: int, end: int) -> bool:
    """Whether `raw[start:end]` holds running text, not just headlines."""
    return any(not _BULLET.match(text) and not _is_headline(text) for text, _, _ in _lines(raw, start, end))


def _trimmed(raw: str, start: int, end: int) -> tuple[int, int]:
    """`start` and `end` without the white space inside them; marks of direction stay, they belong to a word."""
    text = raw[start:end].rstrip(SPACE)
    if not text.strip(EDGE):
        return start, start
    return start + len(text) - len(text.lstrip(SPACE)), start + len(text)


def _has_gap(raw: str, start: int, end: int) -> bool:
    """Whether a blank line lies between two lines."""
    return raw.count("\n", start, end) > 1 or raw.count("\r", start, end) > 1


def find_headline(raw: str, start: int, end: int) -> tuple[str, int]:
    """The headline that `raw[start:end]` opens with, "" for none, and where the text under it begins."""
    lines = list(islice(_lines(raw, start, end), 2))
    if len(lines) < 2 or not _is_headline(lines[0][0]) or not _has_gap(raw, lines[0][2], lines[1][1]):
        return "", start
    return lines[0][0], lines[0][2]


def _opening(raw: str, blocks: Sequence[_Block]) -> int:
    """Number of source and tag lines that stand above the article, under nothing but its headline."""
    count = next((i for i, block in enumerate(blocks) if block.kind not in _OF_ARTICLE), len(blocks))
    for i, block in enumerate(blocks[:count]):
        if _runs_on(raw, block.below, block.end):
            above = list(islice(_lines(raw, 0, blocks[0].start), 2))
            return i + 1 if not above or (len(above) == 1 and _is_headline(above[0][0])) else 0
    return 0


def _is_inside(raw: str, blocks: Sequence[_Block]) -> bool:
    """Whether the first of these blocks stands in the midst of the article, which goes on under it."""
    first = blocks[0]
    if first.kind in _OF_ARTICLE:
        last = next((block for block in blocks if block.length), first)
        return last.kind in _OF_ARTICLE and last.length >= MIN_STORY
    # A headline offered for reading between two paragraphs, or a whole box of them above the tags of this article.
    offered = first.kind is Kind.RELATED and bool(first.value)
    followed = offered or any(block.kind is Kind.TAGS for block in blocks)
    return followed and _runs_on(raw, first.below, first.end)


def _source_below(raw: str, below: int, end: int) -> tuple[str, int]:
    for text, _, line_end in islice(_lines(raw, below, end), 1):
        if len(text) <= MAX_SOURCE and not text.endswith(END_OF_SENTENCE):
            return text, line_end
    return "", below


def _tags_below(raw: str, below: int, end: int) -> tuple[str, int]:
    """The tags under a marker that has none on its line: bullets, a tag a line, or one line of them all."""
    items: list[str] = []
    bulleted, first = False, below
    for text, start, line_end in _lines(raw, below, end):
        bullet = _BULLET.match(text)
        ended = not bullet and (bulleted or _has_gap(raw, below, start))
        if items and (ended or len(text) > MAX_TAG_ITEM or start - first > MAX_LINE):
            break
        bulleted = bool(bullet)
        items.append(text[bullet.end() :] if bullet else text)
        below = line_end
    return "\n".join(items), below


def _tags(raw: str, blocks: Sequence[_Block], closing: int) -> TagLine:
    """The first tag line after the body, or else the first of all."""
    for block in (*blocks[closing:], *blocks[:closing]):
        if block.kind is Kind.TAGS and block.value:
            return parse_tags(block.value, f"{raw[: block.start]}\n{raw[block.below :]}")
    return TagLine()


def _related(raw: str, block: _Block) -> Story:
    title, start = block.value, block.below
    if not title:
        text, _, line_end = next(_lines(raw, block.below, block.end))
        more = raw[line_end : block.end].strip(EDGE)
        title, start = (text, line_end) if more and len(text) <= MAX_RELATED_HEADLINE else ("", block.below)
    return Story(title, *_trimmed(raw, start, block.end))


def _headlines(raw: str, block: _Block) -> list[str]:
    """The headlines on and under a marker; where some have bullets, lines without are no headlines."""
    lines = [text for text, _, _ in islice(_lines(raw, block.below, block.end), MAX_HEADLINES)]
    bullets = [(text, bullet.end()) for text in lines if (bullet := _BULLET.match(text))]
    listed = [text[end:].strip(EDGE) for text, end in bullets] if bullets else lines
    return [text for text in (block.value, *listed) if text]
