"""The tag vocabulary: what editors have called things, found in a text by its words without clitics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from wusum.model.runtime import ModelError
from wusum.model.text import CACHED, CACHED_LETTERS, MIN_STEM, Word, normalise, strip_clitics, words

MAX_WORDS = 8
"""Words of the longest tag that is looked for."""

PROCLITICS = "وفبكل"
"""Conjunctions and prepositions that are written as one with a word."""
_BREAK = re.compile(r"[.,:;!?\n\u060c\u061b\u061f]")
"""What no mention goes across."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A tag of the vocabulary: its match key, its usual spelling and what training data says about it."""

    key: str
    text: str
    present: int
    """Training articles in which it stands."""
    tagged: int
    """Training articles to which an editor gave it."""
    prior: int
    """Training articles in which it stands and to which an editor gave it."""
    label: int
    """Its label in the tag head, -1 if it has none."""


@dataclass(slots=True)
class Mentions:
    """Where a candidate stands: word numbers in the body, and whether it is in the title."""

    body: list[tuple[int, int]] = field(default_factory=list)
    in_title: bool = False


class Vocabulary:
    """The tags that can be given, found in a text by their words without clitics."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self._index = {entry.key: i for i, entry in enumerate(self.entries)}
        self._by_label = {entry.label: i for i, entry in enumerate(self.entries) if entry.label >= 0}
        self._first_words: set[str] = set()
        self._openings: set[str] = set()
        for key in self._index:
            parts = key.split(" ")
            self._first_words.add(parts[0])
            self._openings.update(" ".join(parts[:n]) for n in range(1, len(parts)))

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Read `tags.tsv`; raises ModelError for a line that is no entry."""
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise ModelError(f"{path}: damaged; install the model again: {error}") from error
        entries = []
        for number, line in enumerate(lines[1:], start=2):
            try:
                key, text, *counts = line.split("\t")
                present, tagged, prior, label = map(int, counts)
            except ValueError as error:
                raise ModelError(
                    f"{path}:{number}: not an entry of a tag vocabulary; install the model again"
                ) from error
            entries.append(Entry(key, text, present, tagged, prior, label))
        return cls(entries)

    def save(self, path: Path) -> None:
        """Write `tags.tsv`."""
        lines = ["key\ttext\tpresent\ttagged\tprior\tlabel"]
        lines += ["\t".join(map(str, (e.key, e.text, e.present, e.tagged, e.prior, e.label))) for e in self.entries]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def find(
        self, text: str, parts: Sequence[Word] | None = None, stems: Sequence[Sequence[str]] | None = None
    ) -> dict[int, list[tuple[int, int]]]:
        """Entries that stand in a text of these words and `readings`, with the word numbers `[first, last]` of each
        mention."""
        parts = words(text) if parts is None else parts
        stems = readings(parts) if stems is None else stems
        found: dict[int, list[tuple[int, int]]] = {}
        for first, openings in enumerate(stems):
            for opening in openings:
                if opening not in self._first_words:
                    continue
                matched = False
                key, last = opening, first
                while True:
                    if (entry := self._index.get(key)) is not None:
                        found.setdefault(entry, []).append((first, last))
                        matched = True
                    last += 1
                    if key not in self._openings or last == len(parts) or last - first == MAX_WORDS:
                        break
                    if _BREAK.search(text, parts[last - 1].end, parts[last].start):
                        break
                    key = f"{key} {stems[last][0]}"
                if matched:  # موسكو in «بموسكو» only where «بموسكو» itself is nothing
                    break
        return found

    def __contains__(self, key: str) -> bool:
        return key in self._index

    def index(self, key: str) -> int | None:
        """The number of the entry with a match key, None where there is none."""
        return self._index.get(key)

    @cached_property
    def spellings(self) -> frozenset[str]:
        """All words of all entries, as they are written but for what `normalise` folds."""
        return frozenset(word for entry in self.entries for word in normalise(entry.text).split())

    @cached_property
    def beginnings(self) -> frozenset[str]:
        """The first words of all entries, so written."""
        return frozenset(found[0] for entry in self.entries if (found := normalise(entry.text).split()))

    def of_label(self, label: int) -> int | None:
        """The entry of a label of the tag head, None where the vocabulary has none."""
        return self._by_label.get(label)


def readings(parts: Sequence[Word]) -> list[tuple[str, ...]]:
    """Of each word its stem, and what is left of it without prepositions and conjunctions: بموسكو and موسكو of وبموسكو.

    Under an article none can stand (البحرية is not الحرية); but a و, taken off the bare word, comes off there, too.
    """
    return [
        _cached_readings(word.text) if len(word.text) <= CACHED_LETTERS else _made_readings(word.text) for word in parts
    ]


def _made_readings(word: str) -> tuple[str, ...]:
    stem = strip_clitics(word)
    if len(stem) <= MIN_STEM or stem[0] not in PROCLITICS:
        return (stem,)
    if len(word) - len(stem) > 1:
        return (stem, stem[1:]) if stem[0] == "و" else (stem,)
    once = stem[1:]
    if len(once) <= MIN_STEM or once[0] not in PROCLITICS:
        return stem, strip_clitics(once)
    return stem, strip_clitics(once), strip_clitics(once[1:])


_cached_readings = lru_cache(CACHED)(_made_readings)
