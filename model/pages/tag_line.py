"""Cut a page's tag line into tags, even where only spaces separate them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from wusum.model.pages.splitter import MAX_TAG_WORDS, Phrases, best_cuts, boundary_scores, normalised_words, plain_words
from wusum.model.text.normalisation import normalise
from wusum.model.text.words import match_key, strip_clitics

MAX_LINE = 10_000
"""Characters of a tag line that are parsed, which limits the cost of a hostile page."""
MAX_EVIDENCE = 200_000
"""Characters of the page whose words and pairs are counted to find the boundaries of its tags."""


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
"""Match keys of newspaper sections. Editors use some of them as tags, too, but never those of `_ONLY_SECTIONS`."""
_LONGEST_SECTION = max(len(name.split()) for name in SECTIONS)

_MENU = normalised_words("ملفات الرئيسية القائمة")  # words of a site's menu that scrapers leave before the tags

_CERTAIN = 20.0  # log odds

HARD_SEPARATOR = re.compile(r"[|،؛;•·●▪■\t\r\n]|,(?!\d)|(?<!\d),")
"""A separator that always ends a tag: any of these marks, a tab or a line break; commas only outside numbers."""
_DASH = re.compile(r"\s[-–—/\\]\s")
_EDGE = " \t\r\n\u00a0\u200e\u200f\u202a\u202b\u202c\ufeff.،,:؛;|#_*-–—•·"


class TagLine(NamedTuple):
    """The tags of a line in order of first occurrence, and the section that its end names ("" if it names none)."""

    tags: tuple[str, ...] = ()
    section: str = ""


def parse_tags(line: str, text: str) -> TagLine:
    """Cut a tag line, or a list of one tag a line, into tags.

    `text` is the rest of the page. Where only spaces separate the tags, it shows which words belong together. Return
    each tag once, without surrounding punctuation, and the section that the line ends with. Any line is accepted.
    """
    line = line[:MAX_LINE]
    items = HARD_SEPARATOR.split(line)
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
    """Return the tags as displayed, in order, only the first of those with the same match key."""
    first: dict[str, str] = {}
    for tag in map(_clean, tags):
        first.setdefault(match_key(tag), tag)
    first.pop("", None)
    return tuple(first.values())


def _hashtags(items: Sequence[str]) -> TagLine:
    """Parse a line such as #وزارة_الخارجية #موسكو سياسة.

    A hashtag ends at a space, so the words after the last one can only be a section.
    """
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
    """Cut a line of words without separators into tags and section."""
    plain = plain_words(line)
    skip = _menu_length(plain, phrases)
    line, plain = line[skip:], plain[skip:]
    scores = boundary_scores(plain, phrases)
    for i, token in enumerate(line):
        if "_" in token:  # the token is a whole tag
            scores[max(i - 1, 0) : i + 1] = [_CERTAIN] * len(scores[max(i - 1, 0) : i + 1])
    section = _section_length(line, scores)
    tagged = len(line) - section
    border = _border(plain[:tagged])
    # A line often ends by repeating its beginning. A single word may recur by chance (غزة … قطاع غزة).
    if border and scores[tagged - border - 1] + border > 1:
        tagged -= border
        if border < tagged:
            scores[border - 1] += border
    cuts = [0, *best_cuts(scores[: max(tagged - 1, 0)]), tagged]
    tags = (" ".join(line[start:end]) for start, end in pairwise(cuts))
    return TagLine(_distinct(tags), _clean(" ".join(line[len(line) - section :])))


def _menu_length(plain: Sequence[str], phrases: Phrases) -> int:
    """Return how many leading words belong to a menu.

    These are known menu words, and a word repeated immediately that does not occur in the text.
    """
    skip = 0
    while skip < len(plain):
        word = plain[skip]
        run = next((i for i in range(skip, len(plain)) if plain[i] != word), len(plain)) - skip
        if word not in _MENU and (run < 2 or phrases.words[strip_clitics(word)]):
            break
        skip += run
    return skip


def _section_length(line: Sequence[str], scores: Sequence[float]) -> int:
    """Return how many words at the end of the line name a section."""
    for length in range(_LONGEST_SECTION, 0, -1):
        if length <= len(line) and match_key(" ".join(line[-length:])) in SECTIONS:
            # كأس العالم ends with the name of a section but is a tag.
            return length if length == len(line) or scores[-length] > -1 else 0
    return 0


def _border(plain: Sequence[str]) -> int:
    """Return the length of the longest proper prefix that is also a suffix.

    The failure function of Knuth, Morris and Pratt, "Fast pattern matching in strings", SIAM J. Comput. 1977.
    """
    failure = [0] * len(plain)
    for i in range(1, len(plain)):
        k = failure[i - 1]
        while k and plain[i] != plain[k]:
            k = failure[k - 1]
        failure[i] = k + (plain[i] == plain[k])
    return failure[-1] if failure else 0
