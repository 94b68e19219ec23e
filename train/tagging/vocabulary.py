"""Build the tag vocabulary: the tags that editors give, their usual spelling, and their counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import replace

from wusum.model.tagging.entry import Entry
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.lexicon import plain_lexicon
from wusum.model.text.words import MAX_PHRASE_WORDS, match_key
from wusum.train.data.corpora import Example

MIN_ABSENT = 2
"""Fewest articles that have a subject without naming it."""

ABSENT_SHARE = 0.25
"""Least share of the articles with a subject that do not name it."""


def build_vocabulary(
    tagged: Iterable[Example], labels: Sequence[str], names: Container[str] = frozenset()
) -> Vocabulary:
    """Return the vocabulary of tagged articles; `labels` are the tags of the network's head in its order.

    What is a subject is told by the articles whose topics were found by reading, if there are any: an outlet's editors
    give names that the article does not have, too. `names` are match keys that are none.
    """
    articles = list(tagged)
    spellings: dict[str, Counter[str]] = {}
    for article in articles:
        for tag in article.tags or ():
            spellings.setdefault(match_key(tag), Counter())[tag] += 1
    of_label = {match_key(text): label for label, text in enumerate(labels)}
    entries = [
        Entry(key, forms.most_common(1)[0][0], 0, forms.total(), 0, of_label.get(key, -1))
        for key, forms in spellings.items()
        if _usable(key)
    ]
    bare = Vocabulary(entries)
    present, given, absent, read = Counter[int](), Counter[int](), Counter[int](), Counter[int]()
    has_read = any(article.topics for article in articles)
    for article in articles:
        keys = set(map(match_key, article.tags or ()))
        found = bare.find(plain_lexicon().tokenise(article.text))
        for i in found:
            present[i] += 1
            given[i] += bare.entries[i].key in keys
        if article.topics or not has_read:
            numbers = [number for key in keys if (number := bare.index(key)) is not None]
            read.update(numbers)
            absent.update(i for i in numbers if i not in found)
    return Vocabulary(
        replace(
            entry,
            present=present[i],
            prior=given[i],
            subject=absent[i] >= MIN_ABSENT and absent[i] >= ABSENT_SHARE * read[i] and entry.key not in names,
        )
        for i, entry in enumerate(bare.entries)
    )


def _usable(key: str) -> bool:
    """Whether a tag is usable: not a bare number or letter, not a sentence."""
    return len(key) > 1 and not key.replace(" ", "").isdigit() and key.count(" ") < MAX_PHRASE_WORDS
