"""Build the tag vocabulary: the tags that editors give, their usual spelling, and their counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from wusum.model.tagging.entry import Entry
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.lexicon import plain_lexicon
from wusum.model.text.words import MAX_PHRASE_WORDS, match_key
from wusum.train.data.corpora import Example


def build_vocabulary(tagged: Iterable[Example], labels: Sequence[str]) -> Vocabulary:
    """Return the vocabulary of tagged articles; `labels` are the tags of the network's head in its order."""
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
    present, given = Counter[int](), Counter[int]()
    for article in articles:
        keys = set(map(match_key, article.tags or ()))
        for i in bare.find(plain_lexicon().tokenise(article.text)):
            present[i] += 1
            given[i] += bare.entries[i].key in keys
    return Vocabulary(replace(entry, present=present[i], prior=given[i]) for i, entry in enumerate(bare.entries))


def _usable(key: str) -> bool:
    """Whether a tag is usable: not a bare number or letter, not a sentence."""
    return len(key) > 1 and not key.replace(" ", "").isdigit() and key.count(" ") < MAX_PHRASE_WORDS
