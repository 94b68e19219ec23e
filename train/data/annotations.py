"""Topics and tags of further articles of the corpora, annotated by reading (`annotations.md` has the rules).

The file beside this module has no texts: each row names an article of a corpus. With its text, cut to the words that
were read, it is a row like those of the corpus `annotated`.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("annotations.jsonl.xz")
"""JSON Lines with `corpus`, `id`, `split`, `topics` and `tags`."""

WORDS = 150
"""Words of a body that were read."""


def read_annotations() -> dict[str, dict[str, dict[str, Any]]]:
    """Return the rows of the file by corpus and id."""
    return _read(FILE)


@cache
def _read(path: Path) -> dict[str, dict[str, dict[str, Any]]]:
    found: dict[str, dict[str, dict[str, Any]]] = {}
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            found.setdefault(row["corpus"], {})[row["id"]] = row
    return found


def annotated_rows(rows: Iterable[dict[str, Any]], corpus: str, splits: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the annotated articles of some splits of a corpus, given its rows."""
    wanted = {name: row for name, row in read_annotations().get(corpus, {}).items() if row["split"] in splits}
    for row in rows:
        if (found := wanted.get(row["id"])) and row.get("text"):
            text = " ".join(row["text"].split()[:WORDS])
            known = {name: found[name] for name in ("split", "topics", "tags")}
            yield row | known | {"text": text, "label": None, "source": corpus}
