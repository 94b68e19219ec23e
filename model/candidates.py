"""Candidates for the tags of an article, and the features by which they are ranked (`ranking.py` names them)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wusum.model.memory import UNHEARD, Vote
from wusum.model.ranking import FEATURES
from wusum.model.rarity import Rarity
from wusum.model.spans import UNMARKED, Phrase
from wusum.model.text import CACHED, CACHED_LETTERS
from wusum.model.vocabulary import Entry, Mentions

NO_HEAD = -8.0
"""Stands for the log probability under the tag head of a tag that has no label in it."""

LAST_RANK = 30
"""Where the ranks by TF-IDF end: behind it all are equal."""


class Candidate(NamedTuple):
    """A tag that an article may get."""

    entry: Entry
    mentions: Mentions
    phrase: Phrase | None = None
    """As the span head found it, if it did."""
    vote: Vote = UNHEARD
    """What similar articles say of it."""
    words: float = 0.0
    """What the article's words say of it (`linear.py`)."""


def feature_table(
    found: Sequence[Candidate], log_p: NDArray[np.float64], familiar: float, size: int, rarity: Rarity
) -> NDArray[np.float64]:
    """The features [candidates, features] of the candidates of an article, in the order of FEATURES.

    `log_p` are log probabilities of the tag head, `familiar` says how similar the most similar article is that has
    been tagged, `size` is the characters of the body.
    """
    if not found:
        return np.zeros((0, len(FEATURES)))
    whole = familiar, float(log_p.max(initial=NO_HEAD)), math.log(1 + size)
    table = np.array([(*_own(candidate, log_p), *whole, *_rarity(candidate, rarity)) for candidate in found])
    rank = np.argsort(np.argsort(-table[:, -1], kind="stable"), kind="stable")
    return np.column_stack([table, np.minimum(rank, LAST_RANK), _nested(found, log_p)])


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


def _own(candidate: Candidate, log_p: NDArray[np.float64]) -> list[float]:
    """What is told by a candidate alone."""
    entry, mentions = candidate.entry, candidate.mentions
    present = bool(mentions.body or mentions.in_title)
    head = _head(entry, log_p)
    size = entry.key.count(" ") + 1
    phrase, name = candidate.phrase.odds if candidate.phrase else (UNMARKED, UNMARKED)
    return [
        float(present),
        math.log((entry.prior + 0.2) / (entry.present - entry.prior + 4.0)) if present else 0.0,
        math.log(max(len(mentions.body), 1)),
        math.log(2 + mentions.body[0][0]) if mentions.body else 0.0,
        float(mentions.in_title),
        head,
        head if present else 0.0,
        float(entry.label < 0),
        math.log(1 + entry.tagged),
        float(size),
        float(size == 1),
        float(entry.tagged == 1),
        phrase,
        name,
        float(entry.tagged == 0),
        math.log(0.005 + candidate.vote.share),
        candidate.vote.nearest,
        candidate.words,
    ]


def _rarity(candidate: Candidate, rarity: Rarity) -> tuple[float, float, float]:
    """How rare its words are on average, the least rare one, and the log of TF-IDF."""
    mean, least, together = rarity.of_key(candidate.entry.key)
    times = len(candidate.mentions.body) + candidate.mentions.in_title
    return mean, least, math.log((times or 0.5) * together + 0.1)


def _nested(found: Sequence[Candidate], log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    """What candidates are parts of others [candidates, features]."""
    places = {candidate.entry.key: n for n, candidate in enumerate(found)}
    table = np.tile([0.0, 0.0, 0.0, NO_HEAD], (len(found), 1))
    for whole, candidate in enumerate(found):
        times = len(candidate.mentions.body)
        for part in (places[key] for key in parts(candidate.entry.key) if key in places):
            table[whole, 0] += 1
            table[whole, 3] = max(table[whole, 3], _head(found[part].entry, log_p))
            if times or candidate.mentions.in_title:
                table[part, 1] += 1
                share = times / max(len(found[part].mentions.body), 1)
                table[part, 2] = max(table[part, 2], min(share, 1.0))
    return table


def _head(entry: Entry, log_p: NDArray[np.float64]) -> float:
    """The log probability of a tag under the tag head."""
    return float(log_p[entry.label]) if entry.label >= 0 else NO_HEAD
