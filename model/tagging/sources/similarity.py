"""Similarity of an article and a term that the model was not trained to give, judged through the tag head."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence

import numpy as np
from numpy.typing import NDArray

from wusum.model.network.outputs import log_softmax
from wusum.model.tagging.candidates import Candidates, Document
from wusum.model.tagging.vocabulary import Vocabulary

TagLogits = Callable[[Sequence[str]], NDArray[np.float32]]
"""Returns the logits [texts, labels] of the tag head for texts."""

WEIGHT = 0.3
"""Weight of the log similarity in the log odds of a term."""

FLOOR = 0.1
"""Added to the similarity before its logarithm is taken, so that no term is ruled out by it."""

CACHED_TERMS = 8192
"""Terms whose probabilities are cached; each takes four bytes a label of the tag head."""

BATCH_TERMS = 256
"""Terms that the network reads at once."""


class TermSimilarity:
    """Adds to the log odds of unknown terms that stand in an article.

    Article and term are both read by the network. If the article has known tag t with probability p(t), the term with
    q(t), and editors give t to a share f(t) of the articles, then both have one tag sum(p(t) q(t) / f(t)) times as
    often as by chance.
    """

    name = "similarity"
    """Its name in explanations."""

    def __init__(self, tag_logits: TagLogits, known: Vocabulary, unknown: Container[str]) -> None:
        """Compare terms whose match keys are in `unknown`; `known` says how often the head's labels were given."""
        self._tag_logits, self._unknown = tag_logits, unknown
        given = {entry.label: max(entry.tagged, 1) for entry in known.entries if entry.label >= 0}
        self._given = np.array([given.get(label, 1) for label in range(max(given, default=-1) + 1)])
        self._probabilities: dict[str, NDArray[np.float32]] = {}

    def log_odds(self, document: Document, candidates: Candidates) -> NDArray[np.float64]:
        """Return what is added to the log odds of each candidate [candidates], 0 for a known one."""
        added = np.zeros(len(candidates))
        rows = [n for n, key in enumerate(candidates.keys) if key in self._unknown]
        if rows:
            terms = [candidates[n].entry.text for n in rows]
            added[rows] = WEIGHT * self.log_similarity(document.output.tag_logits, terms)
        return added

    def log_similarity(self, logits: NDArray[np.float32], terms: Sequence[str]) -> NDArray[np.float64]:
        """Return the log similarity [terms] of terms and an article with tag logits [labels].

        It is 0 for every term if the head has fewer than two labels.
        """
        if len(logits) < 2:
            return np.zeros(len(terms))
        counts = np.ones(len(logits))
        counts[: len(self._given)] = self._given[: len(logits)]
        article = np.exp(log_softmax(logits)) * counts.sum() / counts
        cached = self._probabilities
        for start in range(0, len(terms), BATCH_TERMS):
            part = dict.fromkeys(terms[start : start + BATCH_TERMS])
            new = [term for term in part if term not in cached]
            for term, row in zip(new, self._tag_logits(new) if new else (), strict=True):
                cached[term] = np.exp(log_softmax(row)).astype(np.float32)
        # One by one, so that the other terms of an article do not change the last bit of a sum.
        similarity = np.log(FLOOR + np.array([float(cached[term] @ article) for term in terms]))
        if len(cached) > CACHED_TERMS:
            self._probabilities = {}
        return similarity
