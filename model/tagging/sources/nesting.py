"""Which candidates are parts of others: no proposals, only features."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from wusum.model.tagging.candidates import Candidate, Candidates, Columns, Document, Feature
from wusum.model.tagging.sources.tag_head import NO_LABEL, head_log_probabilities
from wusum.model.text.words import CACHE_MAX_LETTERS, CACHE_SIZE


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
        heads = np.append(document.memo(self, head_log_probabilities), NO_LABEL)[candidates.counts[:, 3]].tolist()
        mentions, present = candidates.mentions.tolist(), candidates.present.tolist()
        places = {key: n for n, key in enumerate(candidates.keys)}
        count = len(places)
        within, around, share, likeliest = [0] * count, [0] * count, [0.0] * count, [NO_LABEL] * count
        for whole, key in enumerate(candidates.keys):
            for part in [places[own] for own in parts(key) if own in places]:
                within[whole] += 1
                likeliest[whole] = max(likeliest[whole], heads[part])
                if present[whole]:
                    around[part] += 1
                    share[part] = max(share[part], min(mentions[whole] / max(mentions[part], 1), 1.0))
        columns = {"parts": within, "wholes": around, "whole_share": share, "part_head": likeliest}
        return {name: np.array(column) for name, column in columns.items()}


def parts(key: str) -> tuple[str, ...]:
    """Return the runs of words of a match key that are shorter than the key."""
    if " " not in key:
        return ()
    return _cached_parts(key) if len(key) <= 2 * CACHE_MAX_LETTERS else _parts(key)


def _parts(key: str) -> tuple[str, ...]:
    found = key.split(" ")
    sizes = range(1, len(found))
    return tuple(" ".join(found[at : at + size]) for size in sizes for at in range(len(found) - size + 1))


_cached_parts = lru_cache(CACHE_SIZE)(_parts)
