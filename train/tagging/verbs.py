"""Find the verbs among the words of news, so that clauses (يحل منتخب بوتسوانا) are not taken for tags.

No dictionary is needed: an imperfect occurs with both prefixes (يكتب، تكتب), a perfect with and without its feminine
ending (كتب، كتبت), and neither ever with an article. Words that editors' tags often contain are names that look like
verbs (تونس، يونس).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.words import words

SHORTEST = 3
"""Letters of the shortest verb."""

MIN_IMPERFECT, MIN_OTHER_PREFIX = 5, 3
"""Fewest occurrences of an imperfect in the third person, and with the other prefix."""

MIN_PERFECT, MIN_FEMININE, MIN_FEMININE_SHARE = 10, 5, 0.1
"""Fewest occurrences of a perfect, of its feminine form, and of that as a share of the former."""

MAX_ARTICLE_SHARE = 0.02
"""Occurrences of a verb with the article, for each without: more are no mistakes."""

NAME_MAX_WORDS, NAME_MIN_TAGS, NAME_MIN_SHARE = 3, 2, 0.02
"""A word is a name if this many tags of at most this many words contain it, also as a share of its occurrences."""


def find_verbs(counts: Counter[str], vocabulary: Vocabulary) -> set[str]:
    """Return the verbs among words, given how often each occurs, normalised and with its clitics."""
    named = _in_tags(vocabulary)
    found = {*_imperfect(counts), *_perfect(counts)}
    return {v for v in found if named[v] < NAME_MIN_TAGS or named[v] < NAME_MIN_SHARE * counts[v]}


def _imperfect(counts: Counter[str]) -> Iterator[str]:
    for word, times in counts.items():
        other = "ت" + word[1:]
        third = word[0] == "ي" and len(word) >= SHORTEST and times >= MIN_IMPERFECT and _without_article(word, counts)
        if third and counts[other] >= MIN_OTHER_PREFIX:
            yield from (form for form in (word, other) if form == word or _without_article(form, counts))


def _perfect(counts: Counter[str]) -> Iterator[str]:
    for word, times in counts.items():
        feminine = word + "ت"
        # Words that may begin with a proclitic or an imperfect's prefix prove nothing; nor do nouns with an ending.
        if len(word) < SHORTEST or times < MIN_PERFECT or word[0] in "يوفلبك" or word.startswith("ال"):
            continue
        often = counts[feminine] >= max(MIN_FEMININE, MIN_FEMININE_SHARE * times)
        noun = counts[f"ال{word}ه"] or counts[f"ال{feminine}"] or counts[f"{word}ه"] >= times / 2
        if often and not noun and _without_article(word, counts):
            yield from (word, feminine)


def _without_article(word: str, counts: Counter[str]) -> bool:
    return counts["ال" + word] < MAX_ARTICLE_SHARE * counts[word]


def _in_tags(vocabulary: Vocabulary) -> Counter[str]:
    """Count the articles whose short tags contain each word."""
    named: Counter[str] = Counter()
    for entry in vocabulary.entries:
        parts = words(entry.text)
        if len(parts) <= NAME_MAX_WORDS:
            for part in parts:
                named[part.text] += entry.tagged
    return named
