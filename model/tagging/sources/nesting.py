"""Which candidates are parts of others: no proposals, only features."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from wusum.model.tagging.candidates import NO_LABEL, Candidate, Candidates, Columns, Document, Feature
from wusum.model.text.words import subphrases


class Nesting:
    """Relates each candidate to those that are its parts and those that it is a part of."""

    features = (
        Feature("parts", "candidates that are a part of the tag"),
        Feature("wholes", "candidates in the article that have it as a part"),
        Feature("whole_share", "mentions of the most frequent of these for each mention of the tag, at most 1"),
        Feature("part_head", "log probability under the tag head of the likeliest of its parts", from_network=True),
    )

    def propose(self, document: Document) -> Iterable[Candidate]:
        """Propose nothing."""
        return ()

    def measure(self, document: Document, candidates: Candidates) -> Columns:
        """Return how each candidate is nested among the others."""
        heads = np.append(document.head_log_probabilities(), NO_LABEL)[candidates.counts[:, 3]].tolist()
        mentions, present = candidates.mentions.tolist(), candidates.present.tolist()
        places = {key: n for n, key in enumerate(candidates.keys)}
        count = len(places)
        within, around, share, likeliest = [0] * count, [0] * count, [0.0] * count, [NO_LABEL] * count
        for whole, key in enumerate(candidates.keys):
            for part in [places[own] for own in subphrases(key) if own in places]:
                within[whole] += 1
                likeliest[whole] = max(likeliest[whole], heads[part])
                if present[whole]:
                    around[part] += 1
                    share[part] = max(share[part], min(mentions[whole] / max(mentions[part], 1), 1.0))
        columns = {"parts": within, "wholes": around, "whole_share": share, "part_head": likeliest}
        return {name: np.array(column) for name, column in columns.items()}
