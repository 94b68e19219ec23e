"""The tag vocabulary: tags with their counts in the training data, found in a text by words without clitics."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wusum.model.errors import ModelError
from wusum.model.tagging.entry import Entry
from wusum.model.text.lexicon import TokenisedText
from wusum.model.text.normalisation import normalise
from wusum.model.text.words import MAX_PHRASE_WORDS

_BREAK = re.compile(r"[.,:;!?\n\u060c\u061b\u061f]")
"""Punctuation that no mention crosses."""


class Vocabulary:
    """Tags that can be given, found in a text by their words without clitics."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """Take the entries, which are numbered in their order; their match keys must differ."""
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
        """Read `tags.tsv`; raises ModelError, which names the line, for one that is not an entry."""
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise ModelError(f"{path}: damaged; install the model again: {error}") from error
        entries = []
        for number, line in enumerate(lines[1:], start=2):
            try:
                key, text, *counts = line.split("\t")
                present, tagged, prior, label, subject = map(int, counts)
            except ValueError as error:
                raise ModelError(
                    f"{path}:{number}: not an entry of a tag vocabulary; install the model again"
                ) from error
            entries.append(Entry(key, text, present, tagged, prior, label, bool(subject)))
        return cls(entries)

    def save(self, path: Path) -> None:
        """Write `tags.tsv`."""
        lines = ["key\ttext\tpresent\ttagged\tprior\tlabel\tsubject"]
        rows = ((e.key, e.text, e.present, e.tagged, e.prior, e.label, int(e.subject)) for e in self.entries)
        lines += ["\t".join(map(str, row)) for row in rows]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def find(self, text: TokenisedText) -> dict[int, list[tuple[int, int]]]:
        """Return the numbers of the entries that a text contains, with the first and last word of each mention."""
        lexemes = text.lexemes
        found: dict[int, list[tuple[int, int]]] = {}
        for first, lexeme in enumerate(lexemes):
            for opening in lexeme.readings:
                if opening not in self._first_words:
                    continue
                matched = False
                key, last = opening, first
                while True:
                    if (entry := self._index.get(key)) is not None:
                        found.setdefault(entry, []).append((first, last))
                        matched = True
                    last += 1
                    if key not in self._openings or last == len(lexemes) or last - first == MAX_PHRASE_WORDS:
                        break
                    if text.gaps[last] != " " and _BREAK.search(text.gaps[last]):
                        break
                    key = f"{key} {lexemes[last].readings[0]}"
                if matched:  # «بموسكو» contains موسكو only if it is no entry itself
                    break
        return found

    def __contains__(self, key: str) -> bool:
        """Whether an entry has this match key."""
        return key in self._index

    def index(self, key: str) -> int | None:
        """Return the number of the entry with a match key, or None."""
        return self._index.get(key)

    def numbers(self, keys: Iterable[str]) -> NDArray[np.int64]:
        """Return the numbers [keys] of the entries with these match keys, -1 for a key without entry."""
        return np.fromiter((self._index.get(key, -1) for key in keys), np.int64)

    @cached_property
    def spellings(self) -> frozenset[str]:
        """The normalised words of all entries, with their clitics."""
        return frozenset(word for entry in self.entries for word in normalise(entry.text).split())

    @cached_property
    def beginnings(self) -> frozenset[str]:
        """The normalised first words of all entries, with their clitics."""
        return frozenset(found[0] for entry in self.entries if (found := normalise(entry.text).split()))

    def of_label(self, label: int) -> int | None:
        """Return the number of the entry with a label of the tag head, or None."""
        return self._by_label.get(label)
