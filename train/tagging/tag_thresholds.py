"""Thresholds of tags, fitted on tagged validation articles."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

import numpy as np

from wusum.model.tagger import Tagger
from wusum.model.tagging.ranker import TagRanker
from wusum.model.tagging.selection import MIN_TAGS, Thresholds
from wusum.model.text.words import match_key
from wusum.train.data.corpora import Example
from wusum.train.tagging.ranker import network_outputs

log = logging.getLogger(__name__)

STEPS = [round(float(step), 2) for step in np.arange(0.02, 1.0, 0.01)]
"""The values that a threshold can have."""

BELOW, ABOVE = [0.001, 0.002, 0.005, 0.01], [0.995, 0.998, 0.999]
"""More values, for a threshold that would be the first or the last of STEPS."""

TOLERANCE = 0.003
"""Thresholds whose mean F1 is this close to the best count as equally good."""

MAX_TAGS = 10
"""Tags of an article that count."""

Scored = tuple[str, float, bool]
"""Match key and score of a candidate, and whether it stands in the article."""

Ranked = list[tuple[set[str], list[Scored]]]
"""For each article the match keys of its tags, and its best candidates, best first."""


def fit_tag_thresholds(
    tagger: Tagger, ranker: TagRanker, rows: Sequence[Example], absent_precision: float
) -> Thresholds:
    """Return the thresholds of a ranker, fitted on validation articles with tags.

    The threshold of absent tags is the lowest at which a share `absent_precision` of them is right, or 1 if there is
    none. The threshold of present tags is the highest below it whose mean F1 is within TOLERANCE of the best: of the
    tags that a lower one adds, half were useless or wrong (`eval/tags_by_hand.md`). Every corpus counts the same
    for it, whatever its size; for the other, every tag.
    """
    parts: dict[str, list[Example]] = {}
    for row in rows:
        parts.setdefault(row.corpus, []).append(row)
    ranked = [_rank(tagger, ranker, part) for part in parts.values()]

    def lowest_absent(steps: Sequence[float]) -> float:
        return next((step for step in steps if _absent_precision(chain(*ranked), step) >= absent_precision), 1.0)

    absent = _widened(lowest_absent)

    def overall(present: float) -> float:
        return sum(mean_f1(part, present, absent) for part in ranked) / max(len(ranked), 1)

    def highest_present(steps: Sequence[float]) -> float:
        allowed = [step for step in steps if step < absent] or steps
        reached = {step: overall(step) for step in allowed}
        return max(step for step in reached if reached[step] >= max(reached.values()) - TOLERANCE)

    present = _widened(highest_present)
    for corpus, part in zip(parts, ranked, strict=True):
        log.info("%s: tags above %.3f, absent ones above %.3f: F1 %.4f", corpus, present, absent,
                 mean_f1(part, present, absent))  # fmt: skip
    return Thresholds(present, absent)


def _widened(choose: Callable[[Sequence[float]], float]) -> float:
    """Return the step that is chosen of STEPS, or of more of them if it is the first or the last."""
    chosen = choose(STEPS)
    if chosen <= STEPS[0]:
        return choose([*BELOW, *STEPS])
    if chosen >= STEPS[-1]:
        return choose([*STEPS, *ABOVE])
    return chosen


def mean_f1(ranked: Ranked, present: float, absent: float) -> float:
    """Return the mean F1 of the tags above these thresholds, repeats among them; 0 without articles."""
    total = 0.0
    for gold, tags in ranked:
        kept = [key for key, score, here in tags if score >= (present if here else absent)][:MAX_TAGS]
        if len(kept) < MIN_TAGS:
            spare = [key for key, score, here in tags if here and present / 2 <= score < present]
            kept = [*kept, *spare][:MIN_TAGS]
        total += 2 * len(gold.intersection(kept)) / (len(gold) + len(kept))
    return total / max(len(ranked), 1)


def _rank(tagger: Tagger, ranker: TagRanker, rows: Sequence[Example]) -> Ranked:
    ranked: Ranked = []
    for row, output in zip(rows, network_outputs(tagger, rows), strict=True):
        document = ranker.document(row.article(), output)
        candidates = ranker.candidates(document)
        scores = ranker.scores(ranker.table(document, candidates, ranker.trees.features)).tolist()
        scored: Iterable[Scored] = zip(candidates.keys, scores, candidates.present.tolist(), strict=True)
        tags = sorted(scored, key=lambda tag: (-tag[1], tag[0]))
        ranked.append((set(map(match_key, row.tags or ())), tags[: 2 * MAX_TAGS]))
    return ranked


def _absent_precision(ranked: Iterable[tuple[set[str], list[Scored]]], absent: float) -> float:
    """Return the share of right ones among the tags that do not stand in the article and reach a threshold, if any."""
    hits = [key in gold for gold, tags in ranked for key, score, here in tags if not here and score >= absent]
    return sum(hits) / len(hits) if hits else 0.0
