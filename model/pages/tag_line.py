"""A page's tag line → its tags, even where nothing but spaces separates them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from wusum.model.pages.splitter import MAX_TAG_WORDS, Phrases, best_cuts, boundary_scores, folded
from wusum.model.text.normalisation import normalise
from wusum.model.text.words import match_key, strip_clitics, words

MAX_LINE = 10_000
"""Characters of a tag line that are read: a hostile page stays cheap."""
MAX_EVIDENCE = 200_000
"""Characters of the page that are searched for the phrases of its tag line."""


def _keys(names: str) -> frozenset[str]:
    return frozenset(map(match_key, names.split("|")))


_ONLY_SECTIONS = _keys(
    "أخبار|أخبار العالم|أخبار العالم العربي|أخبار عربية|أخبار عالمية|أخبار عربية وعالمية|أخبار محلية|أخبار دولية|"
    "أخبار الشرق الأوسط|أخبار الرياضة|أخبار رياضية|أخبار الاقتصاد|أخبار اقتصادية|أخبار سياسية|أخبار الفن|"
    "أخبار متفرقة|عربي ودولي|عربية ودولية|عرب وعالم|محليات|مال وأعمال|مال وأسواق|صحة وطب|صحة وجمال|ثقافة وفن|"
    "ثقافة وفنون|ثقافة وأدب|فن وثقافة|منوعات|علوم وتكنولوجيا|سياحة وسفر|دنيا ودين"
)
SECTIONS = _ONLY_SECTIONS | _keys(
    "العالم|العالم العربي|سياسة|اقتصاد|أسواق|رياضة|صحة|ثقافة|فن|فنون|تكنولوجيا|علوم|تقنية|مجتمع|حوادث|رأي|آراء|"
    "مقالات|تقارير|تحقيقات|بيئة|مناخ|سياحة|سيارات|مرأة|أسرة|تعليم|دين|الشرق الأوسط"
)
"""Names of newspaper sections, as match keys; editors give some of them as tags too, but not `_ONLY_SECTIONS`."""
_LONGEST_SECTION = max(len(name.split()) for name in SECTIONS)

_MENU = folded("ملفات الرئيسية القائمة")  # words of a site's menu that scrapers leave in front of the tags

_CERTAIN = 20.0  # log odds

_HARD_SEPARATOR = re.compile(r"[|،؛;•·●▪■\t\r\n]|,(?!\d)|(?<!\d),")
_DASH = re.compile(r"\s[-–—/\\]\s")
_EDGE = " \t\r\n\u00a0\u200e\u200f\u202a\u202b\u202c\ufeff.،,:؛;|#_*-–—•·"


class TagLine(NamedTuple):
    """The tags of a line in order of first occurrence, and the section named at its end ("" for none)."""

    tags: tuple[str, ...] = ()
    section: str = ""


def parse_tags(line: str, text: str) -> TagLine:
    """Cut a tag line, or a list of one tag a line, into tags.

    `text` is the page's running text: where nothing but spaces separates the tags, what stands together in it and
    what does not shows their boundaries.
    """
    line = line[:MAX_LINE]
    items = _HARD_SEPARATOR.split(line)
    if "#" in line:
        return _hashtags(items)
    if len(items) == 1:
        dashed = _DASH.split(line)
        items = dashed if len(line.split()) <= MAX_TAG_WORDS * (len(dashed) - 1) else re.split(r"\s{2,}", line.strip())
    items = [item for item in (item.strip(_EDGE) for item in items) if item]
    if items and normalise(items[0]) in _MENU:
        items = items[1:]
    if len(items) > 1 and match_key(items[-1]) in _ONLY_SECTIONS:
        return TagLine(_distinct(items[:-1]), _clean(items[-1]))
    if len(items) != 1:
        return TagLine(_distinct(items))
    return _segment(items[0].split(), Phrases(text[:MAX_EVIDENCE]))


def _clean(tag: str) -> str:
    return " ".join(tag.replace("_", " ").strip(_EDGE).split())


def _distinct(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags as they are shown, the first of those that match, in order."""
    first: dict[str, str] = {}
    for tag in map(_clean, tags):
        first.setdefault(match_key(tag), tag)
    first.pop("", None)
    return tuple(first.values())


def _hashtags(items: Sequence[str]) -> TagLine:
    """#وزارة_الخارجية #موسكو سياسة: a hashtag ends at a space, so that words after the last can only be a section."""
    tags: list[str] = []
    rest = ""
    for item in items:
        before, *chunks = item.split("#")
        tags.append(before)
        for chunk in chunks:
            tag, _, rest = chunk.strip().partition(" ")
            tags.append(tag)
    return TagLine(_distinct(tags), _clean(rest) if match_key(rest) in SECTIONS else "")


def _segment(line: list[str], phrases: Phrases) -> TagLine:
    """A line of words without separators → tags and section."""
    plain = ["".join(word.text for word in words(token)) for token in line]
    skip = _menu_length(plain, phrases)
    line, plain = line[skip:], plain[skip:]
    scores = boundary_scores(plain, phrases)
    for i, token in enumerate(line):
        if "_" in token:  # a whole tag
            scores[max(i - 1, 0) : i + 1] = [_CERTAIN] * len(scores[max(i - 1, 0) : i + 1])
    section = _section_length(line, scores)
    tagged = len(line) - section
    border = _border(plain[:tagged])
    # A line often ends in a repetition of its beginning. A single word does so by chance (غزة … قطاع غزة).
    if border and scores[tagged - border - 1] + border > 1:
        tagged -= border
        if border < tagged:
            scores[border - 1] += border
    cuts = [0, *best_cuts(scores[: max(tagged - 1, 0)]), tagged]
    tags = (" ".join(line[start:end]) for start, end in pairwise(cuts))
    return TagLine(_distinct(tags), _clean(" ".join(line[len(line) - section :])))


def _menu_length(plain: Sequence[str], phrases: Phrases) -> int:
    """Number of leading words that are a menu's: known ones, or one repeated on the spot that the text lacks."""
    skip = 0
    while skip < len(plain):
        word = plain[skip]
        run = next((i for i in range(skip, len(plain)) if plain[i] != word), len(plain)) - skip
        if word not in _MENU and (run < 2 or phrases.words[strip_clitics(word)]):
            break
        skip += run
    return skip


def _section_length(line: Sequence[str], scores: Sequence[float]) -> int:
    """Number of words at the end of the line that name a section."""
    for length in range(_LONGEST_SECTION, 0, -1):
        if length <= len(line) and match_key(" ".join(line[-length:])) in SECTIONS:
            # كأس العالم ends in a section's name and has none.
            return length if length == len(line) or scores[-length] > -1 else 0
    return 0


def _border(plain: Sequence[str]) -> int:
    """Length of the longest proper prefix that is a suffix too (Knuth, Morris and Pratt's failure function)."""
    failure = [0] * len(plain)
    for i in range(1, len(plain)):
        k = failure[i - 1]
        while k and plain[i] != plain[k]:
            k = failure[k - 1]
        failure[i] = k + (plain[i] == plain[k])
    return failure[-1] if failure else 0
