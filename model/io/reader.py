"""Dumps of articles: pages, JSON lines, tables and standard input, read one record at a time.

A record that cannot be tagged becomes a `Reject` and reading continues; an input that cannot be read raises
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
from wusum.model.io.compression import READ_ERRORS
from wusum.model.io.fields import DEFAULT_FIELDS, Fields, FormatError, RecordError, decode
from wusum.model.io.inputs import InputFile, IsOutput, ReadProgress, error_message, find_files, no_outputs, split_suffix
from wusum.model.io.limits import DEFAULT_LIMITS, Limits, too_long_reason
from wusum.model.io.records import Line, json_rows, read_lines, read_rows
from wusum.model.io.validation import validate

STDIN: Final = "stdin"
"""The source of records from standard input."""

_STDIN_HEAD: Final = 20
"""Lines of standard input that decide whether it is JSON lines, of which the first may be damaged, or a page."""

RECORDS_PER_TURN: Final = 256
"""Consecutive records that go to one part before the next part has its turn."""

_PAGE_SUFFIX = re.compile(r"\.txt(\.\w+)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that cannot be tagged."""

    source: str
    """The file's path below the given folder, its base name if the file itself was given, or "stdin"."""
    line: int
    """The line of a JSONL file, the row of a table without its header, or 1 for a page; counted from 1."""
    id: str
    """The id of the record; "" if unknown."""
    error: str
    """The reason."""

    def to_dict(self) -> dict[str, object]:
        """Return the row of a rejects file, in which bytes of a file name that are not UTF-8 are escaped."""
        source, identifier = (text.encode(errors="backslashreplace").decode() for text in (self.source, self.id))
        return asdict(self) | {"source": source, "id": identifier}


@dataclass(slots=True)
class Selection:
    """Selects records of all inputs by their number: those of one part, without those done by an earlier run."""

    skip: int = 0
    """Records at the beginning to leave out."""
    part: int = 0
    """The part to select, from 0."""
    parts: int = 1
    """The number of parts that the records are divided into."""
    position: int = 0
    """Records passed so far, selected or not."""

    def advance(self) -> bool:
        """Pass the next record and return whether it is selected. Parts take turns of `RECORDS_PER_TURN` records."""
        number = self.position
        self.position += 1
        return number >= self.skip and number // RECORDS_PER_TURN % self.parts == self.part


def read_records(
    inputs: Sequence[str],
    *,
    fields: Fields = DEFAULT_FIELDS,
    pages: bool | None = None,
    limits: Limits = DEFAULT_LIMITS,
    progress: ReadProgress | None = None,
    is_output: IsOutput = no_outputs,
    selection: Selection | None = None,
) -> Iterator[Article | Reject]:
    """Return an iterator over the records of all inputs, in order, which reads as it goes.

    An input is a file (`.txt`, `.jsonl`, `.csv` or `.tsv`, each also with `.gz`, `.xz` or `.zst`; `.parquet`), a `.zip`
    or `.tar` archive of such files (`.tar` also with `.gz`, `.xz`, `.bz2` or `.zst`), a folder (all of these below it,
    except hidden ones), a glob, an fsspec URL of one of these, or "-" for standard input: JSON lines or, if none of its
    first lines starts with "{", one page.

    `pages`: None parses `.txt` files as scraped pages and takes the text of other records as it is; True parses every
    text as a page; False parses none. `progress` follows the bytes read. Files for which `is_output` is true, which the
    run itself writes, are never read. Records that `selection` leaves out are skipped without being parsed.

    The id of a page is its source without the suffix: "a/1" for a/1.txt below a folder or a glob, "1" for a file that
    was given. A record without an id gets "SOURCE:LINE". These ids are unique within one input, not across several: if
    two folders hold files of the same names, give their parent folder instead.

    Raises DumpError at once if an input is missing, or while reading if a file proves damaged. A damaged member of a
    `.zip` or an uncompressed `.tar` becomes a Reject, after the records that could be read from it.
    """
    found = [None if name == "-" else find_files(name, is_output) for name in inputs]
    if None in found and sys.stdin is None:
        raise DumpError("standard input is closed")
    reader = _Reader(fields, pages, limits, progress or ReadProgress(), selection or Selection())
    return chain.from_iterable(
        reader.stdin(sys.stdin.buffer) if files is None else chain.from_iterable(map(reader.file, files))
        for files in found
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    fields: Fields
    pages: bool | None
    limits: Limits
    progress: ReadProgress
    selection: Selection

    def file(self, file: InputFile) -> Iterator[Article | Reject]:
        """Yield the records of a file."""
        line = 0
        format = split_suffix(file.path)[0]
        try:
            if format == "txt" and not self.selection.advance():
                self.progress.finish(file)
                return
            with file.open(self.progress) as stream:
                if format == "txt":
                    yield self._page(file.name, stream.read(self.limits.max_bytes))
                    return
                for line, row in read_rows(stream, format, self.fields, self.limits):
                    if self.selection.advance():
                        yield self._record(file.name, line, row)
        except (FormatError, *READ_ERRORS) as error:
            if file.is_isolated_damage(error):
                self.progress.finish(file)
                if format == "txt" or self.selection.advance():
                    yield self._damaged_rest(file.name, format, line, error)
                return
            place = f" after line {line}" if line else ""
            raise DumpError(f"{file}: cannot be read{place}: {error_message(error)}") from error

    def _damaged_rest(self, source: str, format: str, line: int, error: BaseException) -> Reject:
        """Return the reject that stands for everything after a line of a damaged file."""
        identifier = _PAGE_SUFFIX.sub("", source) if format == "txt" else ""
        rest = " any further" if line else ""
        return Reject(source, line + 1, identifier, f"cannot be read{rest}: {error_message(error)}")

    def stdin(self, stream: BinaryIO) -> Iterator[Article | Reject]:
        """Yield the records of standard input."""
        lines = read_lines(stream, self.limits.max_bytes)
        head: list[Line] = []
        for line in lines:
            head.append(line)
            if line.data.lstrip().startswith(b"{") or len(head) == _STDIN_HEAD:
                break
        if any(line.data.lstrip().startswith(b"{") for line in head):
            for number, row in json_rows(chain(head, lines), self.limits):
                if self.selection.advance():
                    yield self._record(STDIN, number, row)
        elif head and self.selection.advance():
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
                raise RecordError(too_long_reason(self.limits))
            text = decode(data.removeprefix(codecs.BOM_UTF8))
            return self._article(identifier, "", text, page=self.pages is not False)
        except RecordError as error:
            return Reject(source, 1, identifier, str(error))

    def _article(self, identifier: str, title: str, text: str, *, page: bool) -> Article:
        if len(text) > self.limits.max_chars:
            raise RecordError(too_long_reason(self.limits))  # before the work of parsing it
        article = Article.from_page(text, id=identifier) if page else Article(id=identifier, body=text)
        if title:
            article = replace(article, title=title)
        if error := validate(article, self.limits):
            raise RecordError(error)
        return article
