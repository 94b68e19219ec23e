"""Candidates for the tags of an article, and the features by which they are ranked (`ranking.py` names them)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wusum.model.network.spans import KINDS, UNMARKED, Phrase
from wusum.model.tagging.trees import FEATURES
from wusum.model.tagging.vocabulary import Entry, Mentions
from wusum.model.text.normalisation import CACHED, CACHED_LETTERS
from wusum.model.text.word_statistics import Rarity

NO_HEAD = -8.0
"""Stands for the log probability under the tag head of a tag that has no label in it."""

LAST_RANK = 30
"""Where the ranks by TF-IDF end: behind it all are equal."""


class Candidate(NamedTuple):
    """A tag that an article may get."""

    entry: Entry
    mentions: Mentions


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of an article and of its candidates, beside where they stand."""

    counts: NDArray[np.int64]
    """Of each candidate [candidates, 5] as in `Vocabulary.counts`."""
    shares: NDArray[np.float64]
    nearest: NDArray[np.float64]
    """What similar articles say of each [candidates] (`memory.py`)."""
    words: NDArray[np.float64]
    """What the article's words say of each [candidates] (`linear.py`)."""
    phrases: Mapping[str, Phrase]
    """What the span head found, by match key."""
    log_p: NDArray[np.float64]
    """Log probabilities [labels] of the tag head."""
    familiar: float
    """How similar the most similar article is that has been tagged."""
    size: int
    """Characters of the body."""


def feature_table(found: Sequence[Candidate], evidence: Evidence, rarity: Rarity) -> NDArray[np.float64]:
    """The features [candidates, features] of the candidates of an article, in the order of FEATURES."""
    if not found:
        return np.zeros((0, len(FEATURES)))
    keys = [candidate.entry.key for candidate in found]
    places = ((len(m.body), m.body[0][0] if m.body else -1, m.in_title) for _, m in found)
    times, first, in_title = np.fromiter(chain.from_iterable(places), np.int64).reshape(-1, 3).T
    given_there, tagged, prior, label, length = evidence.counts.T
    seen = times + in_title
    present = seen > 0
    heads = np.append(evidence.log_p, NO_HEAD)[label]  # of label -1 the last
    odds = np.full((len(found), len(KINDS)), UNMARKED)
    for number, key in enumerate(keys):
        if phrase := evidence.phrases.get(key):
            odds[number] = phrase.odds
    rare, commonest, together = np.fromiter(chain.from_iterable(map(rarity.of_key, keys)), np.float64).reshape(-1, 3).T
    keyness = np.log(np.where(present, seen, 0.5) * together + 0.1)
    rank = np.argsort(np.argsort(-keyness, kind="stable"), kind="stable")
    columns = (
        present,
        np.where(present, np.log((prior + 0.2) / (given_there - prior + 4.0)), 0.0),
        np.log(np.maximum(times, 1)),
        np.log(2 + first),  # 0 where it does not stand in the body
        in_title,
        heads,
        np.where(present, heads, 0.0),
        label < 0,
        np.log(1 + tagged),
        length,
        length == 1,
        tagged == 1,
        *odds.T,
        tagged == 0,
        np.log(0.005 + evidence.shares),
        evidence.nearest,
        evidence.words,
        evidence.familiar,
        evidence.log_p.max(initial=NO_HEAD),
        math.log(1 + evidence.size),
        rare,
        commonest,
        keyness,
        np.minimum(rank, LAST_RANK),
        *_nested(keys, times.tolist(), present.tolist(), heads.tolist()),
    )
    table = np.empty((len(FEATURES), len(found)))
    for row, column in zip(table, columns, strict=True):
        row[:] = column
    return table.T


def log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """The log probabilities [labels] of logits."""
    if not len(logits):
        return np.zeros(0)
    shifted = logits.astype(np.float64) - logits.max(initial=0)
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))


def parts(key: str) -> tuple[str, ...]:
    """The runs of words of a key that are shorter than it."""
    if " " not in key:
        return ()
    return _cached_parts(key) if len(key) <= 2 * CACHED_LETTERS else _parts(key)


def _parts(key: str) -> tuple[str, ...]:
    found = key.split(" ")
    sizes = range(1, len(found))
    return tuple(" ".join(found[at : at + size]) for size in sizes for at in range(len(found) - size + 1))


_cached_parts = lru_cache(CACHED)(_parts)


def _nested(
    keys: Sequence[str], times: Sequence[int], present: Sequence[bool], heads: Sequence[float]
) -> tuple[list[int], list[int], list[float], list[float]]:
    """What candidates are parts of others: features [4][candidates]."""
    places = {key: n for n, key in enumerate(keys)}
    count = len(keys)
    within, around, share, likeliest = [0] * count, [0] * count, [0.0] * count, [NO_HEAD] * count
    for whole, key in enumerate(keys):
        for part in [places[own] for own in parts(key) if own in places]:
            within[whole] += 1
            likeliest[whole] = max(likeliest[whole], heads[part])
            if present[whole]:
                around[part] += 1
                share[part] = max(share[part], min(times[whole] / max(times[part], 1), 1.0))
    return within, around, share, likeliest
