"""Which words of news are verbs, as the forms tell that they are found in: a clause is no tag (يحل منتخب بوتسوانا).

No dictionary: an imperfect is found with both prefixes (يكتب، تكتب), a perfect with and without its feminine ending
(كتب، كتبت), and neither ever with an article. What editors' tags often contain is a name that looks so (تونس، يونس).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.words import words

SHORTEST = 3
"""Letters of the shortest verb."""

IMPERFECT, OTHER_PREFIX = 5, 3
"""How often an imperfect must be found in the third person, and with the other prefix."""

PERFECT, FEMININE, FEMININE_SHARE = 10, 5, 0.1
"""How often a perfect must be found, and with the feminine ending, and that as a share of itself."""

ARTICLE_SHARE = 0.02
"""A verb is found with the article less often than this, as a share of without: by mistake."""

NAMED_WORDS, NAMED_TIMES, NAMED_SHARE = 3, 2, 0.02
"""A name is what tags of so many words at most contain so often, and for each time that it is found in text."""


def verbs(counts: Counter[str], vocabulary: Vocabulary) -> set[str]:
    """The verbs among the words of some text, with how often each is found, normalised, clitics and all."""
    named = _in_tags(vocabulary)
    found = {*_imperfect(counts), *_perfect(counts)}
    return {v for v in found if named[v] < NAMED_TIMES or named[v] < NAMED_SHARE * counts[v]}


def _imperfect(counts: Counter[str]) -> Iterator[str]:
    for word, times in counts.items():
        other = "ت" + word[1:]
        third = word[0] == "ي" and len(word) >= SHORTEST and times >= IMPERFECT and _without_article(word, counts)
        if third and counts[other] >= OTHER_PREFIX:
            yield from (form for form in (word, other) if form == word or _without_article(form, counts))


def _perfect(counts: Counter[str]) -> Iterator[str]:
    for word, times in counts.items():
        feminine = word + "ت"
        # A first letter that may be stuck on, or an imperfect's, tells nothing; nor does a noun's ending beside.
        if len(word) < SHORTEST or times < PERFECT or word[0] in "يوفلبك" or word.startswith("ال"):
            continue
        often = counts[feminine] >= max(FEMININE, FEMININE_SHARE * times)
        noun = counts[f"ال{word}ه"] or counts[f"ال{feminine}"] or counts[f"{word}ه"] >= times / 2
        if often and not noun and _without_article(word, counts):
            yield from (word, feminine)


def _without_article(word: str, counts: Counter[str]) -> bool:
    return counts["ال" + word] < ARTICLE_SHARE * counts[word]


def _in_tags(vocabulary: Vocabulary) -> Counter[str]:
    """How often each word is in a short tag that an article was given."""
    named: Counter[str] = Counter()
    for entry in vocabulary.entries:
        parts = words(entry.text)
        if len(parts) <= NAMED_WORDS:
            for part in parts:
                named[part.text] += entry.tagged
    return named
