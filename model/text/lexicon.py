"""A text as tags are looked for in it: its words, each looked at once, whatever is asked of it afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from wusum.model.text.normalisation import CACHED, CACHED_LETTERS, MIN_STEM, hashed, normalise, split, strip_clitics
from wusum.model.text.word_statistics import Rarity

PROCLITICS = "وفبكل"
"""Conjunctions and prepositions that are written as one with a word."""

COMMON = 1.9
"""A word less rare than this, which is in more than 15% of the articles, neither begins nor ends a phrase."""


class Lexeme(NamedTuple):
    """A word, wherever it stands."""

    text: str
    """Normalised."""
    readings: tuple[str, ...]
    """Its stem, and what is left of it without prepositions and conjunctions: بموسكو and موسكو of وبموسكو."""
    hash: int
    """That of its stem."""
    rare: float
    verb: bool
    edge: bool
    """Whether a phrase may begin or end with it: a word that is neither common, short, a number nor a verb."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text and its words."""

    written: str
    lexemes: list[Lexeme]
    starts: list[int]
    ends: list[int]
    """Where each word stands: `written[start:end]`."""
    gaps: list[str]
    """What stands before each, since the word before."""

    def slice(self, first: int, last: int) -> str:
        """The words from one to another, as they are written."""
        return self.written[self.starts[first] : self.ends[last]]


class Lexicon(dict[str, Lexeme]):
    """What is known of words, as they are written or normalised: most of a text are words seen before."""

    def __init__(self, rarity: Rarity) -> None:
        super().__init__()
        self._rarity = rarity

    def read(self, text: str) -> Text:
        """Find the words of a text."""
        found, starts, ends, gaps = split(text)
        return Text(text, list(map(self.__getitem__, found)), starts, ends, gaps)

    def __missing__(self, written: str) -> Lexeme:
        plain = normalise(written)
        stem = strip_clitics(plain)
        number = hashed(stem)
        rare, verb = self._rarity.of_hash(number), self._rarity.is_verb(plain)
        edge = rare > COMMON and len(stem) > 2 and not stem.isdigit() and not verb
        made = Lexeme(plain, (stem, *_bare(plain, stem)), number, rare, verb, edge)
        if len(written) <= CACHED_LETTERS:
            if len(self) >= CACHED:
                self.clear()
            self[written] = made
        return made


@cache
def plain() -> Lexicon:
    """The words of those who do not ask how rare they are."""
    return Lexicon(Rarity.none())


def _bare(word: str, stem: str) -> tuple[str, ...]:
    """What is left of a stem without prepositions and conjunctions.

    Under an article none can stand (البحرية is not الحرية); but a و, taken off the bare word, comes off there, too.
    """
    if len(stem) <= MIN_STEM or stem[0] not in PROCLITICS:
        return ()
    if len(word) - len(stem) > 1:
        return (stem[1:],) if stem[0] == "و" else ()
    once = stem[1:]
    if len(once) <= MIN_STEM or once[0] not in PROCLITICS:
        return (strip_clitics(once),)
    return strip_clitics(once), strip_clitics(once[1:])
