"""Reading a controlled vocabulary: the terms of a newsroom, with aliases and ids."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wusum.model.errors import VocabularyError
from wusum.model.text.words import match_key


@dataclass(frozen=True, slots=True)
class Term:
    """A tag that can be given, its other names, and its id in the newsroom's system."""

    text: str
    aliases: tuple[str, ...] = ()
    id: str | None = None


def load_terms(path: str | Path) -> tuple[Term, ...]:
    """Read the terms of a file.

    A `.txt` file has a tag a line; a `.csv` file the column `tag` and optionally `aliases` (joined by `|`) and `id`; a
    `.jsonl` file objects with `tag` and optionally `aliases` (a list) and `id`. Raises VocabularyError for a file or
    line that cannot be used, and for a name that two terms share.
    """
    file = Path(path)
    readers = {".txt": _lines, ".csv": _table, ".jsonl": _objects}
    if file.suffix not in readers:
        raise VocabularyError(f"{path}: not a vocabulary; give a {', '.join(readers)} file")
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
                raise VocabularyError(f"{path}:{number}: {name!r} is also a name of {other.text!r}")
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
