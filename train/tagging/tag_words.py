"""Count how often words begin, continue and end tags."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from wusum.model.tagging.entry import Entry
from wusum.model.tagging.tag_words import ALONE, BEGINS, CONTINUES, ENDS, ROLES, TagWords
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.lexicon import plain_lexicon
from wusum.model.text.words import match_key
from wusum.train.data.corpora import Example

MIN_OCCURRENCES = 3
"""Fewest occurrences of a word that is counted by itself."""

WEIGHT = 2.0
"""Occurrences of a rare word that are added to those of every word."""

RoleCounts = tuple[NDArray[np.uint32], NDArray[np.int32]]
"""Hashes of an article's words [words], and how often each has each role, and stands there [words, roles + 1]."""


def count_roles(row: Example) -> RoleCounts:
    """Count the words of an article and their roles in its tags."""
    tags = Vocabulary(Entry(key, key, 0, 0, 0, -1) for key in dict.fromkeys(map(match_key, row.tags or ())) if key)
    counts: dict[int, list[int]] = {}
    for text in map(plain_lexicon().tokenise, (row.title, row.body)):
        for lexeme in text.lexemes:
            counts.setdefault(lexeme.hash, [0] * (len(ROLES) + 1))[-1] += 1
        found: set[tuple[int, int]] = set()
        for first, last in chain.from_iterable(tags.find(text).values()):
            inner = {(place, CONTINUES) for place in range(first + 1, last)}
            found |= {(first, ALONE)} if first == last else {(first, BEGINS), (last, ENDS), *inner}
        for place, role in found:
            counts[text.lexemes[place].hash][role] += 1
    table = np.array(list(counts.values()), np.int32).reshape(-1, len(ROLES) + 1)
    return np.array(list(counts), np.uint32), table


def fit_tag_words(articles: Iterable[RoleCounts]) -> TagWords:
    """Return the shares of words in the roles of tags, of the counts of some articles.

    Shares of rarer words are drawn to those of the rarest, which stand in for words that no article has.
    """
    parts: Sequence[RoleCounts] = list(articles)
    if not parts:
        return TagWords.none()
    words, places = np.unique(np.concatenate([part for part, _ in parts]), return_inverse=True)
    counts = np.zeros((len(words), len(ROLES) + 1))
    np.add.at(counts, places, np.concatenate([table for _, table in parts]))
    roles, total = counts[:, :-1], counts[:, -1]
    rare = total < MIN_OCCURRENCES
    few = (roles[rare].sum(axis=0) + 0.01) / (total[rare].sum() + 1)
    shares = np.concatenate([(roles + WEIGHT * few) / (total + WEIGHT)[:, None], few[None]])
    kept = np.append(~rare, True)
    return TagWords(words[~rare].astype(np.uint32), np.log(shares[kept]).astype(np.float16))
