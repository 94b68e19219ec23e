"""Tags that the network's tag head predicts, whether they stand in the article or not."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from wusum.model.tagging.candidates import NO_LABEL, Candidate, Candidates, Columns, Document, Feature
from wusum.model.tagging.entry import Mentions
from wusum.model.tagging.tf_idf import largest
from wusum.model.tagging.vocabulary import Vocabulary

MAX_PROPOSALS = 10
"""Tags that the head proposes for an article."""


class TagHead:
    """Proposes the likeliest labels of the tag head that are subjects of the vocabulary."""

    features = (
        Feature("head", "log probability under the tag head", from_network=True),
        Feature("head_present", "the same if the tag stands in the article, else 0", from_network=True),
        Feature("unlabelled", "1 if the tag is too rare for the head", from_network=True),
        Feature("head_best", "log probability of the head's first tag", from_network=True),
    )

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Propose entries of `vocabulary`."""
        self.vocabulary = vocabulary
        labels = sorted(entry.label for entry in vocabulary.entries if entry.subject and entry.label >= 0)
        self._subjects = np.array(labels, np.int64)

    def propose(self, document: Document) -> Iterable[Candidate]:
        """Return the likeliest entries, best first."""
        log_p = document.head_log_probabilities()
        labels = self._subjects[self._subjects < len(log_p)]
        for label in labels[largest(log_p[labels], MAX_PROPOSALS)].tolist():
            if (number := self.vocabulary.of_label(label)) is not None:
                yield Candidate(self.vocabulary.entries[number], Mentions())

    def measure(self, document: Document, candidates: Candidates) -> Columns:
        """Return what the head says of each candidate."""
        log_p = document.head_log_probabilities()
        label = candidates.counts[:, 3]
        heads = np.append(log_p, NO_LABEL)[label]  # label -1 is the last
        return {
            "head": heads,
            "head_present": np.where(candidates.present, heads, 0.0),
            "unlabelled": label < 0,
            "head_best": np.full(len(candidates), log_p.max(initial=NO_LABEL)),
        }
