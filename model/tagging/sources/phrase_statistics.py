"""TF-IDF of candidates: how frequent they are in the article, and how rare their words are elsewhere."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import chain

import numpy as np

from wusum.model.tagging.candidates import Candidate, Candidates, Columns, Document, Feature
from wusum.model.text.word_statistics import WordStatistics

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
        """Propose nothing."""
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
