"""Dumps of articles: pages, JSON lines, tables and standard input, one record at a time.

A record that cannot be tagged becomes a `Reject` and the reading goes on; an input that cannot be read raises
`DumpError`. Memory is bounded by one record (one batch of rows for Parquet), whatever the size of the file.
"""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from typing import Any, BinaryIO, Final

from wusum.model.article import Article
from wusum.model.errors import DumpError
from wusum.model.io.compression import DAMAGE
from wusum.model.io.fields import DEFAULT_FIELDS, Fields, FormatError, RecordError, decode
from wusum.model.io.inputs import File, IsOutput, Meter, find, message, split_suffix, writes_nothing
from wusum.model.io.records import Line, json_rows, lines, rows
from wusum.model.io.validation import DEFAULT_LIMITS, Limits, too_long, validate

__all__ = ["STDIN", "DumpError", "Fields", "Limits", "Reject", "Selection", "read", "validate"]

STDIN: Final = "stdin"

_STDIN_HEAD: Final = 20
"""Lines of standard input that are looked at to tell JSON lines, damaged ones among them, from a page."""

TURN: Final = 256
"""Records after which the next part has its turn."""

_PAGE_SUFFIX = re.compile(r"\.txt(\.\w+)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that cannot be tagged, and why.

    `source` is the file's path below the folder given (its name, for a file given), or "stdin"; `line` the line of a
    JSONL file, the row of a table (the header not counted) or 1 for a page, all from 1; `id` is "" where unknown.
    """

    source: str
    line: int
    id: str
    error: str

    def to_dict(self) -> dict[str, object]:
        """The row of a rejects file; what is no UTF-8 in a file's name is escaped."""
        source, identifier = (text.encode(errors="backslashreplace").decode() for text in (self.source, self.id))
        return asdict(self) | {"source": source, "id": identifier}


@dataclass(slots=True)
class Selection:
    """Which records of all inputs are wanted, by their number: those of one part, without those done before."""

    skip: int = 0
    """Records at the beginning that are not wanted."""
    part: int = 0
    """The part that is wanted, from 0."""
    parts: int = 1
    """Into how many the records are split."""
    position: int = 0
    """Records passed so far, wanted or not."""

    def take(self) -> bool:
        """Pass the next record; whether it is wanted. Parts take turns of `TURN` records."""
        number = self.position
        self.position += 1
        return number >= self.skip and number // TURN % self.parts == self.part


def read(
    inputs: Sequence[str],
    *,
    fields: Fields = DEFAULT_FIELDS,
    pages: bool | None = None,
    limits: Limits = DEFAULT_LIMITS,
    meter: Meter | None = None,
    written: IsOutput = writes_nothing,
    selection: Selection | None = None,
) -> Iterator[Article | Reject]:
    """The records of all inputs, in order, read as they are asked for.

    An input is a file (`.txt`, `.jsonl`, `.csv`, `.tsv`, each also `.gz`, `.xz` or `.zst`; `.parquet`), a `.zip` or
    `.tar` archive of such files (the latter also `.gz`, `.xz` or `.bz2`), a folder (all of these below it, hidden ones
    left out), a glob, an fsspec URL of one of these, or "-" for standard input: JSON lines or, where none of its first
    lines starts with "{", one page.

    `pages`: None parses `.txt` files as scraped pages and takes the text of records as it is; True parses every text
    as a page; False parses none. `meter` is kept at the number of bytes read; `written`
    tells files that the run writes, which are never read. `selection` says which records are wanted; the others are
    passed over without being looked into.

    A page's id is its SOURCE without the suffix: "a/1" for a/1.txt below a folder or a glob, "1" for a file given. A
    record without an id is called "SOURCE:LINE". Ids made so are unique within one input, not across several: give
    the parent of two folders that hold files of one name, not the two.

    Raises DumpError, before the first record where an input is missing, or later where a file proves damaged. A member
    of a `.zip` or plain `.tar` that is damaged is a Reject, after what could be read of it.
    """
    found = [None if name == "-" else find(name, written) for name in inputs]
    if None in found and sys.stdin is None:
        raise DumpError("standard input is closed")
    reader = _Reader(fields, pages, limits, meter or Meter(), selection or Selection())
    return chain.from_iterable(
        reader.stdin(sys.stdin.buffer) if files is None else chain.from_iterable(map(reader.file, files))
        for files in found
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    fields: Fields
    pages: bool | None
    limits: Limits
    meter: Meter
    selection: Selection

    def file(self, file: File) -> Iterator[Article | Reject]:
        line = 0
        kind = split_suffix(file.path)[0]
        try:
            if kind == "txt" and not self.selection.take():
                self.meter.pass_over(file)
                return
            with file.open(self.meter) as stream:
                if kind == "txt":
                    yield self._page(file.name, stream.read(self.limits.max_bytes))
                    return
                for line, row in rows(stream, kind, self.fields, self.limits):
                    if self.selection.take():
                        yield self._record(file.name, line, row)
        except (FormatError, *DAMAGE) as error:
            if file.alone_damaged(error):
                self.meter.pass_over(file)
                if kind == "txt" or self.selection.take():
                    yield self._damaged(file.name, kind, line, error)
                return
            place = f" after line {line}" if line else ""
            raise DumpError(f"{file}: cannot be read{place}: {message(error)}") from error

    def _damaged(self, source: str, kind: str, line: int, error: BaseException) -> Reject:
        """What stands for the rest of a file that is damaged after a line."""
        identifier = _PAGE_SUFFIX.sub("", source) if kind == "txt" else ""
        rest = " any further" if line else ""
        return Reject(source, line + 1, identifier, f"cannot be read{rest}: {message(error)}")

    def stdin(self, stream: BinaryIO) -> Iterator[Article | Reject]:
        all_lines = lines(stream, self.limits.max_bytes)
        head: list[Line] = []
        for line in all_lines:
            head.append(line)
            if line.data.lstrip().startswith(b"{") or len(head) == _STDIN_HEAD:
                break
        if any(line.data.lstrip().startswith(b"{") for line in head):
            for number, row in json_rows(chain(head, all_lines), self.limits):
                if self.selection.take():
                    yield self._record(STDIN, number, row)
        elif head and self.selection.take():
            data = b"".join(line.data for line in head)
            yield self._page(STDIN, data + stream.read(self.limits.max_bytes))

    def _record(self, source: str, line: int, row: Mapping[str, Any] | str) -> Article | Reject:
        identifier = ""
        try:
            if isinstance(row, str):
                raise RecordError(row)
            identifier = self.fields.value(row, "id")
            title, text = self.fields.value(row, "title"), self.fields.value(row, "text")
            return self._article(identifier or f"{source}:{line}", title, text, page=self.pages is True)
        except RecordError as error:
            return Reject(source, line, identifier, str(error))

    def _page(self, source: str, data: bytes) -> Article | Reject:
        identifier = _PAGE_SUFFIX.sub("", source)
        try:
            if len(data) >= self.limits.max_bytes:
                raise RecordError(too_long(self.limits))
            text = decode(data.removeprefix(codecs.BOM_UTF8))
            return self._article(identifier, "", text, page=self.pages is not False)
        except RecordError as error:
            return Reject(source, 1, identifier, str(error))

    def _article(self, identifier: str, title: str, text: str, *, page: bool) -> Article:
        if len(text) > self.limits.max_chars:
            raise RecordError(too_long(self.limits))  # before the work of parsing it
        article = Article.from_page(text, id=identifier) if page else Article(id=identifier, body=text)
        if title:
            article = replace(article, title=title)
        if error := validate(article, self.limits):
            raise RecordError(error)
        return article
