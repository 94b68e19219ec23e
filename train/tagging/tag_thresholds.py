"""Thresholds of tags, fitted on tagged validation articles."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from wusum.model.tagger import Tagger
from wusum.model.tagging.ranker import TagRanker
from wusum.model.tagging.selection import MIN_TAGS, Thresholds
from wusum.model.text.words import match_key
from wusum.train.data.corpora import Example
from wusum.train.tagging.ranker import network_outputs

log = logging.getLogger(__name__)

TOLERANCE = 0.003
"""Mean F1 on validation articles that is given up for a higher threshold: elsewhere more of the tags are wrong."""

Scored = tuple[str, float, bool]
"""Match key and score of a candidate, and whether it stands in the article."""


def fit_tag_thresholds(
    tagger: Tagger, ranker: TagRanker, rows: Sequence[Example], absent_precision: float, most: int = 10
) -> Thresholds:
    """Return the thresholds of a ranker.

    The threshold of absent tags is the lowest at which a share `absent_precision` of them is right. The threshold of
    present tags is the highest whose mean F1 of `most` tags, repeats among them, is within TOLERANCE of the best, and
    below that of absent ones.
    """
    ranked: list[tuple[set[str], list[Scored]]] = []
    for row, output in zip(rows, network_outputs(tagger, rows), strict=True):
        document = ranker.document(row.article(), output)
        candidates = ranker.candidates(document)
        scores = ranker.scores(ranker.table(document, candidates, ranker.trees.features)).tolist()
        tags = sorted(
            zip(candidates.keys, scores, candidates.present.tolist(), strict=True), key=lambda t: (-t[1], t[0])
        )
        ranked.append((set(map(match_key, row.tags or ())), tags[: 2 * most]))

    def precision(absent: float) -> float:
        hits = [key in gold for gold, tags in ranked for key, score, here in tags if not here and score >= absent]
        return sum(hits) / len(hits) if hits else 1.0

    def mean_f1(present: float, absent: float) -> float:
        total = 0.0
        for gold, tags in ranked:
            kept = [key for key, score, here in tags if score >= (present if here else absent)][:most]
            if len(kept) < MIN_TAGS:
                spare = [key for key, score, here in tags if here and present / 2 <= score < present]
                kept = [*kept, *spare][:MIN_TAGS]
            total += 2 * len(gold.intersection(kept)) / (len(gold) + len(kept))
        return total / len(ranked)

    steps = [round(float(t), 2) for t in np.arange(0.02, 1.0, 0.01)]
    absent = next((t for t in steps if precision(t) >= absent_precision), 1.0)
    reached = {t: mean_f1(t, absent) for t in steps if t < max(absent, steps[1])}
    present = max(t for t in reached if reached[t] >= max(reached.values()) - TOLERANCE)
    log.info("tags above %.2f, absent ones above %.2f: mean F1 %.4f", present, absent, reached[present])
    return Thresholds(present, absent)
