"""Writers of predictions: JSON lines, tables and Parquet, to a file, an fsspec URL or standard output.

A row is `{"id", "topics": [{"code", "name_ar", "name_en", "score"}], "tags": [{"text", "score", "spans"}]}`, spans
being [start, end] character offsets into the given text. Every writer holds a bounded number of rows in memory.
"""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

import orjson

from wusum.model.errors import DumpError
from wusum.model.io.compression import compress
from wusum.model.io.inputs import split_suffix
from wusum.model.io.storage import create, is_remote

FORMATS: Final = ("jsonl", "csv", "tsv", "parquet")
JOIN: Final = " | "
"""What stands between the topics, tags and scores in one cell of a CSV table."""
CSV_COLUMNS: Final = ("id", "topics", "topic_names_ar", "topic_scores", "tags", "tag_scores", "tag_ids")


class Writer(Protocol):
    """Writes rows one by one. As a context manager it closes itself; a file is whole only once it is closed."""

    def write(self, row: Mapping[str, Any]) -> None:
        """Append a row; raises OSError where it cannot, e.g. on a full disk."""

    def commit(self) -> int | None:
        """Make the rows so far last a crash; the place to open a writer at, None where there is none to go on from."""

    def close(self) -> None:
        """Finish the file; standard output is flushed and stays open. To close again does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_writer(path: str | None, format: str | None = None, at: int = 0, *, parts: bool = False) -> Writer:
    """A writer to a file or URL; None or "-" is standard output, as JSON lines unless `format` is another.

    The suffix tells the format (`.jsonl`, `.csv`, `.tsv`, each also with `.gz`, `.xz` or `.zst`; `.parquet`) unless
    `format` does; the compression is always the suffix's. An existing file is replaced, or cut back to `at`, a place
    that `commit` has given, and gone on with. With `parts` a Parquet file can be gone on with, too: it is put together
    at the end.

    Raises DumpError for an unknown format, or a file that cannot be created, or is shorter than `at`.
    """
    target = None if path == "-" else path
    kind, compression = output_format(target, format)
    if kind == "parquet":
        from wusum.model.io.parquet import ParquetParts, ParquetStream  # pyarrow is slow to import

        assert target
        return ParquetParts(target, at) if parts else ParquetStream(create(target))
    output = _Output(target, compression, at)
    if kind == "jsonl":
        return TextWriter(output, json_line)
    table = Table("\t" if kind == "tsv" else ",")
    if not at:
        output.send(table.header())
    return TextWriter(output, table.line)


def output_format(path: str | None, format: str | None) -> tuple[str, str]:
    """The format and compression of an output; raises DumpError where there is none, or Parquet cannot be had."""
    name = path or "standard output"
    suffix, compression = split_suffix(path) if path else ("jsonl", "")
    kind = format or suffix
    if kind not in FORMATS:
        wrong = f"unknown format {format!r}" if format else "no suffix that tells the format"
        raise DumpError(f"{name}: {wrong}; the formats are {', '.join(FORMATS)}")
    if kind == "parquet" and (compression or not path):
        raise DumpError(f"{name}: Parquet needs a file, and is compressed inside it")
    return kind, compression


class _Output:
    """The bytes' way out: a file, perhaps compressed, or standard output (None), which is flushed after each row."""

    def __init__(self, path: str | None, compression: str, at: int) -> None:
        self._raw = sys.stdout.buffer if path is None else create(path, at)
        self._live = path is None
        self._lasting = path is not None and not is_remote(path) and os.path.isfile(path)
        self._compression = compression
        self._member: Any = None
        self._closed = False

    def send(self, data: bytes) -> None:
        """Write; each member or frame of a compressed file reaches from one commit to the next."""
        if self._compression and self._member is None:
            self._member = compress(self._raw, self._compression)
        (self._member or self._raw).write(data)
        if self._live:
            self._raw.flush()

    def commit(self) -> int | None:
        """The size of the file, once the disk has it; None for what is no file on a disk."""
        if not self._lasting:
            return None
        self._end_member()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        return self._raw.tell()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            if self._compression and self._member is None and not self._live and not self._raw.tell():
                self.send(b"")  # an empty file is no gzip, xz or Zstandard
            self._end_member()
            self._raw.flush()
            if self._lasting:
                os.fsync(self._raw.fileno())
        finally:
            if not self._live:
                self._raw.close()

    def _end_member(self) -> None:
        if self._member is not None:
            member, self._member = self._member, None
            member.close()


class TextWriter(Writer):
    """One row a line."""

    def __init__(self, output: _Output, line: Callable[[Mapping[str, Any]], bytes]) -> None:
        self._output = output
        self._line = line

    def write(self, row: Mapping[str, Any]) -> None:
        self._output.send(self._line(row))

    def commit(self) -> int | None:
        return self._output.commit()

    def close(self) -> None:
        self._output.close()


def json_line(row: Mapping[str, Any]) -> bytes:
    """A row as a line of JSON, in UTF-8, Arabic letters as they are."""
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


class Table:
    """Rows as lines of CSV or TSV, UTF-8 without a byte order mark; a cell joins its values with " | ".

    Topics are codes; scores, and the ids of a controlled vocabulary, stand in the order of their topics or tags. Spans
    and English names are not written: take JSON lines or Parquet where they are needed, or where a tag may hold " | "
    itself.
    """

    def __init__(self, delimiter: str) -> None:
        self._text = io.StringIO()
        self._table = csv.writer(self._text, delimiter=delimiter, lineterminator="\n")

    def header(self) -> bytes:
        """The names of the columns."""
        return self._take(CSV_COLUMNS)

    def line(self, row: Mapping[str, Any]) -> bytes:
        """A row."""
        topics, tags = row["topics"], row["tags"]
        cells = (
            (topics, "code"),
            (topics, "name_ar"),
            (topics, "score"),
            (tags, "text"),
            (tags, "score"),
        )
        named = [tag.get("id") or "" for tag in tags]
        joined = [JOIN.join(str(item[key]) for item in items) for items, key in cells]
        return self._take([row["id"], *joined, JOIN.join(named) if any(named) else ""])

    def _take(self, cells: Any) -> bytes:
        self._table.writerow(cells)
        line = self._text.getvalue().encode()
        self._text.seek(0)
        self._text.truncate()
        return line


def parts_folder(path: str) -> Path:
    """Where the parts of a Parquet file are gathered: hidden, so never an input."""
    return Path(path).with_name(f".{Path(path).name}.parts")
