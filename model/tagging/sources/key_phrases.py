"""Key phrases by TF-IDF: runs of words that are frequent in the article and rare elsewhere."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import chain

import numpy as np

from wusum.model.network.spans import PHRASE_BREAK
from wusum.model.tagging.candidates import Candidate, Candidates, Columns, Document, Feature
from wusum.model.text.lexicon import TokenisedText
from wusum.model.text.word_statistics import WordStatistics

NAME_JOINER = "بن"
"""Joins the parts of a name: neither محمد nor سلمان alone is the name of محمد بن سلمان."""

MAX_PHRASE_WORDS = 3
"""Words of the longest phrase, not counting NAME_JOINER."""

MAX_BODY_WORDS = 400
"""Words of a body, from its beginning, in which phrases are looked for."""

MAX_PHRASES = 25
"""Phrases of an article."""

TITLE_WEIGHT = 1.5
"""Weight of a phrase of the title; one of the body has 1."""

LAST_RANK = 30
"""Rank by TF-IDF from which on all candidates count as equal."""


class PhraseStatistics:
    """Measures how frequent a candidate is in the article and how rare its words are; proposes nothing."""

    features = (
        Feature("body_size", "log of the characters of the body"),
        Feature("mean_idf", "mean inverse document frequency of its words"),
        Feature("min_idf", "least inverse document frequency of its words"),
        Feature("tf_idf", "log of its TF-IDF in the article"),
        Feature("tf_idf_rank", "its rank by TF-IDF among the candidates, from 0"),
    )

    def __init__(self, statistics: WordStatistics) -> None:
        """Take inverse document frequencies from `statistics`."""
        self._statistics = statistics

    def propose(self, document: Document) -> Iterable[Candidate]:
        """Propose nothing: `NewPhrases` proposes key phrases."""
        return ()

    def measure(self, document: Document, candidates: Candidates) -> Columns:
        """Return the TF-IDF of each candidate and what it is made of."""
        frequencies = chain.from_iterable(map(self._statistics.key_idf, candidates.keys))
        mean, least, total = np.fromiter(frequencies, np.float64).reshape(-1, 3).T
        tf_idf = np.log(np.where(candidates.present, candidates.occurrences, 0.5) * total + 0.1)
        rank = np.argsort(np.argsort(-tf_idf, kind="stable"), kind="stable")
        return {
            "body_size": np.full(len(candidates), math.log(1 + len(document.body.text))),
            "mean_idf": mean,
            "min_idf": least,
            "tf_idf": tf_idf,
            "tf_idf_rank": np.minimum(rank, LAST_RANK),
        }


def key_phrases(title: TokenisedText, body: TokenisedText) -> list[tuple[TokenisedText, int, int]]:
    """Return the phrases of an article with the highest TF-IDF, best first.

    Each is the title or the body, and the numbers of its first and last word where it first stands there. No phrase
    crosses a verb or punctuation; none begins or ends with a common or short word or a number.
    """
    weights: dict[str, float] = {}
    places: dict[str, tuple[TokenisedText, int, int]] = {}
    for text, weight, reach in ((title, TITLE_WEIGHT, None), (body, 1.0, MAX_BODY_WORDS)):
        words = [(lexeme.readings[0], lexeme.idf, lexeme.is_verb, lexeme.is_edge) for lexeme in text.lexemes[:reach]]
        broken = [gap != " " and bool(PHRASE_BREAK.search(gap)) for gap in text.gaps[:reach]]
        for first, opening in enumerate(words):
            if not opening[3]:
                continue
            size, key, total = 0, "", 0.0
            for last in range(first, len(words)):
                stem, idf, is_verb, is_edge = words[last]
                size += stem != NAME_JOINER
                if size > MAX_PHRASE_WORDS or is_verb or (last > first and broken[last]):
                    break
                key = f"{key} {stem}" if key else stem
                total += idf
                if is_edge:
                    if key in weights:
                        weights[key] += weight * total
                    else:
                        weights[key] = weight * total
                        places[key] = text, first, last
    least = sorted(weights.values(), reverse=True)[:MAX_PHRASES]
    best = sorted((-total, key) for key, total in weights.items() if total >= least[-1])[:MAX_PHRASES]
    return [places[key] for _, key in best]
