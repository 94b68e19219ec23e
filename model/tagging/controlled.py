"""A controlled vocabulary: a newsroom's own tags, and only those, with their aliases and ids."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wusum.model.errors import VocabularyError
from wusum.model.network.outputs import Reading
from wusum.model.network.spans import Phrase
from wusum.model.prediction import Tag
from wusum.model.tagging.features import Candidate
from wusum.model.tagging.ranker import TagRanker
from wusum.model.tagging.sources.similarity import Likeness, Reader
from wusum.model.tagging.vocabulary import Entry, Vocabulary
from wusum.model.text.normalisation import match_key

UNSEEN = {"present": 4, "tagged": 2, "prior": 2}
"""What is taken for known of a tag that no editor of the training data has given: somebody wants it given."""

LIKENESS = 0.3
"""What the log of the likeness of a term and an article counts in the log odds."""


@dataclass(frozen=True, slots=True)
class Term:
    """A tag that can be given, what else it is called, and its id in the newsroom's system, if it has one."""

    text: str
    aliases: tuple[str, ...] = ()
    id: str | None = None


class ControlledRanker(TagRanker):
    """Ranks the terms of a controlled vocabulary as another ranker ranks its own tags."""

    def __init__(self, ranker: TagRanker, terms: Iterable[Term], read: Reader | None = None) -> None:
        """With `read` terms that the model does not know are compared with the article."""
        self.terms = tuple(terms)
        base = ranker.vocabulary
        self._term: dict[str, Term] = {}
        entries = []
        for term in self.terms:
            for form in (term.text, *term.aliases):
                key = match_key(form)
                if key in self._term:
                    continue  # two spellings of one term; `load_terms` refuses those of two
                self._term[key] = term
                known = base.index(key)
                entries.append(Entry(key, form, **UNSEEN, label=-1) if known is None else base.entries[known])
        super().__init__(
            Vocabulary(entries),
            ranker.ranking,
            ranker.threshold,
            ranker.absent_threshold,
            ranker.memory,
            ranker.linear,
            ranker.remembered,
            ranker.rarity,
        )
        self._read_terms = Likeness(read, base) if read else None
        self._unknown = frozenset(key for key in self._term if key not in base)

    def _likeness(self, found: Sequence[Candidate], reading: Reading) -> NDArray[np.float64]:
        """Of terms that the model does not know, all of which stand in the article: by how like it the encoder reads
        them."""
        added = np.zeros(len(found))
        rows = [n for n, candidate in enumerate(found) if candidate.entry.key in self._unknown]
        if self._read_terms and rows:
            added[rows] = LIKENESS * self._read_terms.of(reading.tags, [found[n].entry.text for n in rows])
        return added

    def _coined(
        self, title: object, body: object, marked: Mapping[str, Phrase]
    ) -> tuple[Vocabulary, Mapping[str, Phrase]]:
        return Vocabulary(()), marked

    def _chosen(self, found: Sequence[Candidate], ranked: Sequence[int], most: int) -> list[int]:
        """All: whoever lists two tags has a use for both, and names of one term become one tag afterwards."""
        return list(ranked[:most])

    def rank(
        self, title: str, body: str, reading: Reading, max_tags: int, min_score: float | None, *, explain: bool = False
    ) -> tuple[Tag, ...]:
        """As for any vocabulary; the names of one term are one tag, with the score of the likeliest."""
        if not max_tags:
            return ()
        made: dict[Term, Tag] = {}
        most = len(self.vocabulary.entries)
        for tag in super().rank(title, body, reading, most, min_score, explain=explain):
            term = self._term[match_key(tag.text)]
            best = made.setdefault(term, replace(tag, text=term.text, id=term.id))
            made[term] = replace(best, spans=tuple(sorted({*best.spans, *tag.spans})))
        return tuple(made.values())[:max_tags]


def load_terms(path: str | Path) -> tuple[Term, ...]:
    """The terms of a file: `.txt`, a tag a line; `.csv`, columns tag, aliases (joined by `|`) and id, the latter two
    as may be; `.jsonl`, objects with `tag`, and `aliases` (a list) and `id` as may be.

    Raises VocabularyError for a file or line that cannot be used, and for a name that two terms have.
    """
    file = Path(path)
    readers = {".txt": _lines, ".csv": _table, ".jsonl": _objects}
    if file.suffix not in readers:
        raise VocabularyError(f"{path}: no vocabulary; it is a {', '.join(readers)} file")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise VocabularyError(f"{path}: {error}") from error
    terms: list[Term] = []
    owners: dict[str, Term] = {}
    for number, term in readers[file.suffix](text, str(path)):
        for name in (term.text, *term.aliases):
            key = match_key(name)
            if not key:
                raise VocabularyError(f"{path}:{number}: {name!r} has no letter to be found by")
            if (other := owners.setdefault(key, term)) != term:
                raise VocabularyError(f"{path}:{number}: {name!r} is a name of {other.text!r}, too")
        terms.append(term)
    if not terms:
        raise VocabularyError(f"{path}: empty; no tag could be given")
    return tuple(dict.fromkeys(terms))


def _lines(text: str, path: str) -> Iterator[tuple[int, Term]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield number, Term(line.strip())


def _table(text: str, path: str) -> Iterator[tuple[int, Term]]:
    rows = csv.DictReader(io.StringIO(text, newline=""))
    if "tag" not in (rows.fieldnames or ()):
        raise VocabularyError(f"{path}:1: no column called tag; the columns are tag, aliases and id")
    for row in rows:
        if tag := (row["tag"] or "").strip():
            aliases = (row.get("aliases") or "").split("|")
            yield rows.line_num, _term(tag, aliases, row.get("id"))
        elif any((value or "").strip() for value in row.values() if isinstance(value, str)):
            raise VocabularyError(f"{path}:{rows.line_num}: no tag")


def _objects(text: str, path: str) -> Iterator[tuple[int, Term]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            tag, aliases = row["tag"], row.get("aliases") or []
            if not isinstance(tag, str) or not tag.strip() or not all(isinstance(a, str) for a in [*aliases]):
                raise ValueError("tag must be a text and aliases a list of texts")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise VocabularyError(f"{path}:{number}: not an object with a tag: {error}") from error
        yield number, _term(tag.strip(), aliases, row.get("id"))


def _term(text: str, aliases: Sequence[str], id: object) -> Term:
    names = dict.fromkeys(alias.strip() for alias in aliases if alias.strip())
    return Term(text, tuple(names), None if id in (None, "") else str(id))
