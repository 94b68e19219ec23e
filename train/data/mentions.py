"""The key phrases and names of a training article, as BIO marks of its tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wusum.model.network.outputs import KINDS
from wusum.model.network.spans import BEGIN, INSIDE, OUTSIDE
from wusum.model.tagging.entry import Entry
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.lexicon import plain_lexicon
from wusum.model.text.words import match_key
from wusum.train.data.corpora import Example

MARK_COLUMNS = tuple(f"{kind}_marks" for kind in KINDS)
"""Columns with a mark for each token, empty if the marks of the article are not known."""

Offsets = tuple[int, int]
"""First character and the one after the last."""

UNMARKED = -100
"""The mark of a token of which no corpus says whether it is in a phrase; no loss counts it."""


def phrase_mentions(example: Example) -> list[Offsets] | None:
    """Return the offsets of an article's key phrases in its text, none within another; None if it has no key phrases.

    An article whose editor gave no tag has an empty list.
    """
    if example.phrases is None:
        return None
    keys = dict.fromkeys(filter(None, map(match_key, example.phrases)))
    text = plain_lexicon().tokenise(example.text)
    found = Vocabulary(Entry(key, key, 0, 0, 0, -1) for key in keys).find(text)
    longest = sorted({span for spans in found.values() for span in spans}, key=lambda s: (s[0] - s[1], s[0]))
    taken: set[int] = set()
    chosen = []
    for first, last in longest:
        if taken.isdisjoint(range(first, last + 1)):
            taken.update(range(first, last + 1))
            chosen.append((text.starts[first], text.ends[last]))
    return sorted(chosen)


def name_mentions(example: Example) -> list[Offsets] | None:
    """Return the offsets of an article's names in its text; None if its corpus does not mark names."""
    if example.names is None:
        return None
    before = len(example.text) - len(example.body)
    return [(start + before, end + before) for start, end in example.names]


def marks(tokens: Sequence[Offsets], mentions: Iterable[Offsets] | None) -> list[int]:
    """Return a mark for each token, given the offsets of tokens and mentions in order; empty if `mentions` is None."""
    if mentions is None:
        return []
    made = [OUTSIDE] * len(tokens)
    token = 0
    for start, end in mentions:
        while token < len(tokens) and tokens[token][1] <= start:
            token += 1
        mark = BEGIN
        while token < len(tokens) and tokens[token][0] < end:
            made[token] = mark
            mark = INSIDE
            token += 1
    return made
