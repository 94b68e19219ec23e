"""Features of how central a candidate is to an article, and of how likely its words make a tag; no proposals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

import numpy as np

from wusum.model.tagging.candidates import Candidate, Candidates, Columns, Document, Feature
from wusum.model.tagging.tag_words import CONTINUES, TagWords
from wusum.model.text.word_statistics import WordStatistics

NO_NEIGHBOUR = -12.0
"""Stands in for the share of a word that is not there."""


class Centrality:
    """Measures where the words of a candidate stand in the article, and what tags they are in elsewhere."""

    features = (
        Feature("shape", "log of how likely its words make a tag"),
        Feature("rarest_count", "log of the occurrences in the body of its rarest word"),
        Feature("title_share", "share of its words that stand in the title"),
        Feature("reach", "share of the body before its last mention, 1 without any"),
        Feature("relative_position", "share of the body before its first mention, 1 without any"),
        Feature("word_before", "log share in which the word before its first mention continues a tag"),
        Feature("word_after", "the same for the word after it"),
        Feature("absent_share", "share of the training articles with the tag in which it does not stand"),
    )

    def __init__(self, tag_words: TagWords, statistics: WordStatistics) -> None:
        """Take what words make tags, and the inverse document frequencies of words."""
        self._tag_words, self._statistics = tag_words, statistics

    def propose(self, document: Document) -> Iterable[Candidate]:
        """Propose nothing: `NewPhrases` proposes likely phrases."""
        return ()

    def measure(self, document: Document, candidates: Candidates) -> Columns:
        """Return the places of each candidate's words."""
        body = Counter(reading for lexeme in document.body.lexemes for reading in lexeme.readings)
        title = {reading for lexeme in document.title.lexemes for reading in lexeme.readings}
        lexemes, roles = document.body.lexemes, self._tag_words.roles
        rows = []
        for key, (_, mentions) in zip(candidates.keys, candidates, strict=True):
            words = key.split(" ")
            rarest = max(words, key=self._statistics.idf) if len(words) > 1 else key
            before = after = NO_NEIGHBOUR
            first = last = 1.0
            if mentions.body:
                start, end = mentions.body[0]
                if start:
                    before = roles(lexemes[start - 1])[CONTINUES]
                if end + 1 < len(lexemes):
                    after = roles(lexemes[end + 1])[CONTINUES]
                first, last = start / len(lexemes), mentions.body[-1][0] / len(lexemes)
            rows.append(
                (
                    self._tag_words.score(key),
                    math.log1p(body[rarest]),
                    sum(word in title for word in words) / len(words),
                    last,
                    first,
                    before,
                    after,
                )
            )
        _, tagged, prior, _ = candidates.counts.T
        names = [feature.name for feature in self.features[:-1]]
        columns = dict(zip(names, np.array(rows, np.float64).reshape(-1, len(names)).T, strict=True))
        return {**columns, "absent_share": (tagged - prior) / np.maximum(tagged, 1)}
