"""Tags of the training articles that stand in the article."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from wusum.model.tagging.candidates import Candidate, Candidates, Columns, Document, Feature, standing
from wusum.model.tagging.vocabulary import Vocabulary


class KnownTags:
    """Proposes the entries of a vocabulary that stand in the title or body."""

    features = (
        Feature("present", "1 if the tag stands in the title or body"),
        Feature("prior", "log odds that an article in which the tag stands has it"),
        Feature("frequency", "log of its mentions in the body"),
        Feature("position", "log of the words before its first mention"),
        Feature("in_title", "1 if it stands in the title"),
        Feature("popularity", "log of the training articles that have it"),
        Feature("word_count", "its words"),
        Feature("single_word", "1 if it is one word"),
        Feature("given_once", "1 if only one training article has it"),
        Feature("new", "1 if no training article has it"),
    )

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Look for the entries of `vocabulary`."""
        self.vocabulary = vocabulary

    def propose(self, document: Document) -> Iterable[Candidate]:
        """Return the entries that stand in the body, in order of their first mention, then those in the title alone."""
        return standing(self.vocabulary, document)

    def measure(self, document: Document, candidates: Candidates) -> Columns:
        """Return what the training articles and the mentions say of each candidate."""
        articles, tagged, prior, _ = candidates.counts.T
        length = np.array([key.count(" ") + 1 for key in candidates.keys])
        odds = np.log((prior + 0.2) / (articles - prior + 4.0))
        return {
            "present": candidates.present,
            "prior": np.where(candidates.present, odds, 0.0),
            "frequency": np.log(np.maximum(candidates.mentions, 1)),
            "position": np.log(2 + candidates.first_word),  # 0 if it does not stand in the body
            "in_title": candidates.in_title,
            "popularity": np.log(1 + tagged),
            "word_count": length,
            "single_word": length == 1,
            "given_once": tagged == 1,
            "new": tagged == 0,
        }
