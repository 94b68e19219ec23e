"""Names among the tags, judged by sentences in which persons, places and organisations are marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from wusum.model.tagging.entry import Entry
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.lexicon import plain_lexicon
from wusum.train.data.corpora import Example

NAME_SHARE = 0.2
"""Least share of the occurrences of a name that are marked; many look like an adjective, too (السعودية)."""


def names_among(keys: Iterable[str], sentences: Iterable[Example]) -> frozenset[str]:
    """Return the match keys that sentences mark as names often enough.

    One that stands in no sentence is a name if its first word begins names often enough: وزارة, سلطنة.
    """
    tags = Vocabulary(Entry(key, key, 0, 0, 0, -1) for key in dict.fromkeys(keys))
    standing, marked, words, openings = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for sentence in sentences:
        text = plain_lexicon().tokenise(sentence.body)
        ends = dict(sentence.names or ())
        for lexeme, start in zip(text.lexemes, text.starts, strict=True):
            for reading in lexeme.readings:
                words[reading] += 1
                openings[reading] += start in ends
        for number, mentions in tags.find(text).items():
            key = tags.entries[number].key
            standing[key] += len(mentions)
            marked[key] += sum(ends.get(text.starts[first]) == text.ends[last] for first, last in mentions)

    def is_name(key: str) -> bool:
        if standing[key]:
            return marked[key] >= NAME_SHARE * standing[key]
        opening = key.split(" ")[0]
        return words[opening] > 0 and openings[opening] >= NAME_SHARE * words[opening]

    return frozenset(entry.key for entry in tags.entries if is_name(entry.key))
