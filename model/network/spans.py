"""Decoding of the span head, which marks key phrases and names among the tokens of a window.

Each token has a mark of each kind: outside, beginning or inside of a phrase (BIO: Ramshaw and Marcus, "Text chunking
using transformation-based learning", 1995).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wusum.model.network.outputs import KINDS, Phrase
from wusum.model.text.words import MAX_PHRASE_WORDS, PHRASE_BREAK, match_key

MARKS = (OUTSIDE, BEGIN, INSIDE) = (0, 1, 2)
"""The marks in the order of the span head."""


OUTSIDE_PENALTY = 1.5
"""Subtracted from the logit of OUTSIDE, which favours recall: the ranking of tags drops unlikely phrases."""


_WITHIN_WORD = re.compile(r"\w\w")


class MarkedSpan(NamedTuple):
    """A marked span: number of its kind, offsets `[start, end)` in the text, and log odds that it is of that kind."""

    kind: int
    start: int
    end: int
    log_odds: float


def decode_spans(logits: NDArray[np.float32], offsets: Sequence[tuple[int, int]]) -> Iterator[MarkedSpan]:
    """Yield the marked spans of each kind in turn.

    `logits` are those of the span head [tokens, kinds * marks], `offsets` those of the tokens in their text. A span is
    as likely as its tokens are on average.
    """
    table = logits.reshape(len(logits), len(KINDS), len(MARKS)).astype(np.float64)
    odds = np.logaddexp(table[..., BEGIN], table[..., INSIDE]) - table[..., OUTSIDE]
    best = (table - np.array([OUTSIDE_PENALTY, 0.0, 0.0])).argmax(axis=2)
    for kind in range(len(KINDS)):
        column, log_odds = best[:, kind].tolist(), odds[:, kind].tolist()
        for first in np.flatnonzero(best[:, kind] == BEGIN).tolist():
            last = first
            while last + 1 < len(column) and column[last + 1] == INSIDE:
                last += 1
            mean = math.fsum(log_odds[first : last + 1]) / (last + 1 - first)
            yield MarkedSpan(kind, offsets[first][0], offsets[last][1], round(mean, 3))


def group_phrases(text: str, found: Iterable[MarkedSpan]) -> dict[str, Phrase]:
    """Return the phrases of a text by match key, from marked spans.

    Spans are extended to whole words. Those that cross punctuation, have more than MAX_PHRASE_WORDS words, fewer than
    two letters or only digits are dropped.
    """
    by_key: dict[str, Phrase] = {}
    for kind, start, end, log_odds in found:
        while _within_word(text, start):
            start -= 1
        while _within_word(text, end):
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


def _within_word(text: str, offset: int) -> bool:
    """Whether the characters before and after an offset belong to one word; not at the beginning or end of a text."""
    return bool(_WITHIN_WORD.fullmatch(text, offset - 1, offset + 1))
