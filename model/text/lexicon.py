"""A text as tags are looked for in it: its words, each analysed once, whatever is asked of it afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from wusum.model.text.cache import CACHE_MAX_LETTERS, CACHE_SIZE
from wusum.model.text.normalisation import normalise
from wusum.model.text.word_statistics import WordStatistics, hash_word
from wusum.model.text.words import MIN_STEM, PROCLITICS, split_words, strip_clitics


class Lexeme(NamedTuple):
    """A word, wherever it stands."""

    text: str
    """The word, normalised."""
    readings: tuple[str, ...]
    """Its stem, and what is left of it without prepositions and conjunctions: بموسكو and موسكو of وبموسكو."""
    hash: int
    """Hash of its stem."""
    is_verb: bool


@dataclass(frozen=True, slots=True)
class TokenisedText:
    """A text and its words."""

    text: str
    lexemes: list[Lexeme]
    starts: list[int]
    """Offset of each word's first character."""
    ends: list[int]
    """Offset behind each word's last character."""
    gaps: list[str]
    """The text between each word and the word before."""

    def slice(self, first: int, last: int) -> str:
        """Return the text from word number `first` to word number `last`, both included."""
        return self.text[self.starts[first] : self.ends[last]]


class Lexicon(dict[str, Lexeme]):
    """The lexemes of words seen so far, by the word as written or normalised."""

    def __init__(self, statistics: WordStatistics) -> None:
        """Analyse words with these statistics."""
        super().__init__()
        self._statistics = statistics

    def tokenise(self, text: str) -> TokenisedText:
        """Find the words of a text."""
        found, starts, ends, gaps = split_words(text)
        return TokenisedText(text, list(map(self.__getitem__, found)), starts, ends, gaps)

    def __missing__(self, written: str) -> Lexeme:
        """Analyse a word, and cache the result unless the word is long."""
        plain = normalise(written)
        stem = strip_clitics(plain)
        number = hash_word(stem)
        made = Lexeme(plain, (stem, *_bare(plain, stem)), number, self._statistics.is_verb(plain))
        if len(written) <= CACHE_MAX_LETTERS:
            if len(self) >= CACHE_SIZE:
                self.clear()
            self[written] = made
        return made


@cache
def plain_lexicon() -> Lexicon:
    """Return a lexicon for callers that need no verbs."""
    return Lexicon(WordStatistics.empty())


def _bare(word: str, stem: str) -> tuple[str, ...]:
    """Return what is left of a stem without prepositions and conjunctions.

    None can stand behind an article (البحرية is not الحرية), but a و that comes off the bare word comes off there, too.
    """
    if len(stem) <= MIN_STEM or stem[0] not in PROCLITICS:
        return ()
    if len(word) - len(stem) > 1:
        return (stem[1:],) if stem[0] == "و" else ()
    once = stem[1:]
    if len(once) <= MIN_STEM or once[0] not in PROCLITICS:
        return (strip_clitics(once),)
    return strip_clitics(once), strip_clitics(once[1:])
