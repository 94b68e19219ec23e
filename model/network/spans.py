"""Key phrases and names, as the span head marks them among the tokens of a window.

Each token has a mark of each kind: outside, beginning or inside of a phrase (BIO: Ramshaw and Marcus, "Text chunking
using transformation-based learning", 1995).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wusum.model.text.words import MAX_PHRASE_WORDS, match_key

KINDS = ("phrase", "name")
"""What is marked: what an editor would take for a tag, and names of people, places and organisations."""

MARKS = (OUTSIDE, BEGIN, INSIDE) = (0, 1, 2)
OUTSIDE_PENALTY = 1.5
"""What is taken off the logit of being outside: a phrase too many is for the ranking to drop."""

_JOINED = re.compile(r"\w\w")
PHRASE_BREAK = re.compile(r"[.,:;!?()\[\]{}«»\"“”\n\u060c\u061b\u061f]|\s[-–—]|[-–—]\s")
"""What no phrase goes across."""


@dataclass(slots=True)
class Phrase:
    """A phrase that the span head found in an article."""

    forms: Counter[str] = field(default_factory=Counter)
    """How it is written there."""
    log_odds: list[float] = field(default_factory=lambda: [MIN_LOG_ODDS] * len(KINDS))
    """For each kind the highest log odds that a mention of it is one."""


MIN_LOG_ODDS = -4.0
"""Log odds of a phrase that was not marked; no marked one has less."""


class MarkedSpan(NamedTuple):
    """Characters `[start, end)` of a text that have been marked, and the log odds that they are rightly so."""

    kind: int
    start: int
    end: int
    log_odds: float


def decode_spans(logits: NDArray[np.float32], offsets: Sequence[tuple[int, int]]) -> Iterator[MarkedSpan]:
    """What stands marked, from span logits [tokens, kinds * marks] and the offsets of the tokens in their text."""
    table = logits.reshape(len(logits), len(KINDS), len(MARKS)).astype(np.float64)
    odds = np.logaddexp(table[..., BEGIN], table[..., INSIDE]) - table[..., OUTSIDE]
    best = (table - np.array([OUTSIDE_PENALTY, 0.0, 0.0])).argmax(axis=2)
    for kind in range(len(KINDS)):
        column, worth = best[:, kind].tolist(), odds[:, kind].tolist()
        for first in np.flatnonzero(best[:, kind] == BEGIN).tolist():
            last = first
            while last + 1 < len(column) and column[last + 1] == INSIDE:
                last += 1
            mean = math.fsum(worth[first : last + 1]) / (last + 1 - first)
            yield MarkedSpan(kind, offsets[first][0], offsets[last][1], max(round(mean, 3), MIN_LOG_ODDS))


def group_phrases(text: str, found: Iterable[MarkedSpan]) -> dict[str, Phrase]:
    """The phrases of a text by their match keys: whole words, in one sentence, with a letter in them."""
    by_key: dict[str, Phrase] = {}
    for kind, start, end, log_odds in found:
        while start > 0 and _inside(text, start):
            start -= 1
        while end < len(text) and _inside(text, end):
            end += 1
        form = text[start:end].strip()
        if PHRASE_BREAK.search(form):
            continue
        key = match_key(form)
        if len(key) < 2 or key.count(" ") >= MAX_PHRASE_WORDS or key.replace(" ", "").isdigit():
            continue
        phrase = by_key.setdefault(key, Phrase())
        phrase.log_odds[kind] = max(phrase.log_odds[kind], log_odds)
        phrase.forms[form] += 1
    return by_key


def _inside(text: str, place: int) -> bool:
    """Whether a word goes on from the character before a place to the one there."""
    return bool(_JOINED.fullmatch(text, place - 1, place + 1))
