"""The units of a text, to which marks of a passage refer: words and punctuation marks.

They are the same for every tokenizer and every spelling, so that a student can learn what a teacher with another
tokenizer says about each of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from wusum.model.network.outputs import KINDS
from wusum.model.network.spans import BEGIN, INSIDE, MARKS, OUTSIDE
from wusum.model.text.normalisation import INNER_MARKS

_UNIT = re.compile(rf"[\w{INNER_MARKS}]+|[^\w\s]")


def units(text: str) -> list[tuple[int, int]]:
    """Return the offsets of the units of a text: runs of letters, digits and their marks, and single other signs."""
    return [unit.span() for unit in _UNIT.finditer(text)]


def unit_numbers(encoding: Encoding, places: Sequence[tuple[int, int]]) -> NDArray[np.uint16]:
    """Return for each token the number of the unit with its first character, or of the next unit if that is a space.

    `places` are the offsets of the units.
    """
    begins = [begin for begin, _ in encoding.offsets]
    found = np.searchsorted([end for _, end in places], begins, side="right")
    return np.minimum(found, len(places) - 1).astype(np.uint16)


def unit_marks(
    places: Sequence[tuple[int, int]], encoding: Encoding, marks: NDArray[np.float16]
) -> NDArray[np.float16]:
    """Return the marks [units, kinds, marks] of units, given their offsets and the marks of the tokens.

    A unit has the marks of the token with its first character. If that is the token of the unit before, too, the unit
    goes on with what that begins. Without tokens all units are outside of everything.
    """
    if not len(marks):
        outside = np.zeros((len(places), len(KINDS), len(MARKS)), np.float16)
        outside[..., OUTSIDE] = 1
        return outside
    ends = [end for _, end in encoding.offsets]
    of_units = np.minimum(np.searchsorted(ends, [begin for begin, _ in places], side="right"), len(marks) - 1)
    found = marks[of_units]
    again = np.diff(of_units, prepend=-1) == 0
    found[again] = marks_within(found[again])
    return found


def marks_within(marks: NDArray[np.float16]) -> NDArray[np.float16]:
    """Return the marks [tokens, kinds, marks] of what follows within a unit: where that begins a phrase, it goes on."""
    found = marks.copy()
    found[..., INSIDE] += marks[..., BEGIN]
    found[..., BEGIN] = 0
    return found


def cut(count: int, longest: int) -> list[tuple[int, int]]:
    """Return the fewest parts of 0 … `count`, none longer than `longest` and all of even length; one if there is none.

    A part is the number of its first item and that of the one after its last.
    """
    parts = max(-(-count // longest), 1)
    return list(pairwise(count * part // parts for part in range(parts + 1)))
