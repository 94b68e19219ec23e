"""Which of the scored candidates become tags: thresholds, and of several names of one thing only one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wusum.model.tagging.candidates import Candidate, Candidates
from wusum.model.tagging.entry import Entry
from wusum.model.text.titles import title_length
from wusum.model.text.words import match_key, subphrases, words

MIN_TAGS = 2
"""An article gets this many tags if as many stand in it and reach half the threshold."""

FULLER_SHARE = 0.5
"""Share of the score of a name that its fuller form needs to take its place."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Least scores of given tags."""

    present: float
    """For a tag that stands in the article."""
    absent: float
    """For a tag that does not."""


Distinct = Callable[[Candidates, Sequence[int], int], list[int]]
"""Takes candidates, some of their numbers in order, and a limit; returns the first that repeat none before."""


def select(
    candidates: Candidates,
    scores: NDArray[np.float64],
    thresholds: Thresholds,
    max_tags: int,
    min_score: float | None,
    distinct: Distinct,
) -> list[int]:
    """Return the numbers of the candidates to give, best first.

    A fuller name takes the place of its part if the part stands nowhere else, with the better score of both: `scores`
    is changed accordingly. Without `min_score` the thresholds hold, and half the threshold is enough if fewer than
    MIN_TAGS would be given.
    """
    fuller = fuller_names(candidates, scores)
    for part, whole in fuller.items():
        scores[whole] = max(scores[whole], scores[part])
    present, absent = (thresholds.present, thresholds.absent) if min_score is None else (min_score, min_score)
    stands = candidates.present
    ranked = sorted(range(len(candidates)), key=lambda n: (-scores[n], candidates.keys[n]))
    best = [n for n in ranked if n not in fuller]
    passing = [n for n in best if scores[n] >= (present if stands[n] else absent)]
    chosen = distinct(candidates, passing, max_tags)
    if min_score is None and len(chosen) < MIN_TAGS:
        spare = [n for n in best if stands[n] and present / 2 <= scores[n] < present]
        chosen = distinct(candidates, [*chosen, *spare], min(MIN_TAGS, max_tags))
    return sorted(chosen, key=best.index)


def fuller_names(candidates: Sequence[Candidate], scores: NDArray[np.float64]) -> dict[int, int]:
    """Map each candidate that stands in the body only as a part of another to that one, the fullest of several.

    A known tag gives way only to another known tag with at least FULLER_SHARE of its score: editors often prefer the
    short name.
    """
    places = {candidate.entry.key: n for n, candidate in enumerate(candidates) if candidate.mentions.body}
    chosen: dict[int, int] = {}
    for whole in sorted(places.values(), key=lambda n: -len(candidates[n].entry.key)):
        for key in subphrases(candidates[whole].entry.key):
            part = places.get(key)
            if part is None or len(candidates[part].mentions.body) > len(candidates[whole].mentions.body):
                continue
            known = candidates[whole].entry.tagged and scores[whole] >= FULLER_SHARE * scores[part]
            if known or not candidates[part].entry.tagged:
                chosen.setdefault(part, chosen.get(whole, whole))
    return chosen


def first(candidates: Sequence[Candidate], ranked: Sequence[int], most: int) -> list[int]:
    """Return the first candidates, whatever they say."""
    return list(ranked[:most])


def without_repeats(candidates: Sequence[Candidate], ranked: Sequence[int], most: int) -> list[int]:
    """Return the first candidates that do not merely repeat one before.

    A new phrase repeats a tag that is its part or its whole. A known tag repeats others by where they
    stand (`_repeats`). Any name behind a title (الرئيس الروسي فلاديمير بوتين) repeats the name without the title.
    """
    given: dict[str, int] = {}
    wholes: dict[str, list[int]] = {}
    for n in ranked:
        if len(given) == most:
            break
        entry, own = candidates[n].entry, subphrases(candidates[n].entry.key)
        within = [candidates[given[key]] for key in dict.fromkeys(own) if key in given]
        around = [candidates[whole] for whole in wholes.get(entry.key, ())]
        again = _repeats(candidates[n], within, around) if entry.tagged else bool(within or around)
        if not again and _untitled(entry) not in given:
            given[entry.key] = n
            for key in own:
                wholes.setdefault(key, []).append(n)
    return list(given.values())


def _repeats(candidate: Candidate, within: Sequence[Candidate], around: Sequence[Candidate]) -> bool:
    """Whether a known tag repeats its parts `within` or the wholes `around` it, judged by where they stand.

    A tag that does not stand in the body repeats any whole, and any part that is a name of several words. One that
    stands there repeats such a part if the part stands nowhere without it; if it has several words itself, it repeats a
    whole that does not stand in the article (الولايات المتحدة after الولايات المتحدة الأميركية).
    """
    places = candidate.mentions.body
    named = [part for part in within if " " in part.entry.key]
    if not places:
        return bool(named or around)
    alone = all(len(part.mentions.body) > len(places) for part in named)
    missing = [whole for whole in around if not (whole.mentions.body or whole.mentions.in_title)]
    hollow = " " in candidate.entry.key and bool(missing)
    return not alone or hollow


def _untitled(entry: Entry) -> str:
    """Return the match key of a tag without a title before a name."""
    found = words(entry.text)
    return match_key(entry.text[found[title_length([word.text for word in found], ())].start :])
