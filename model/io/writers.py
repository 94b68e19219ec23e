"""Writers of predictions as JSON lines, tables or Parquet, to a file, an fsspec URL or standard output.

A row is `{"id", "confident", "topics": [{"code", "name_ar", "name_en", "score"}], "tags": [{"text", "score",
"spans"}]}`. Spans are [start, end] character offsets into the given text. Every writer holds a bounded number of rows
in memory.
"""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from wusum.model.errors import DumpError
from wusum.model.io.compression import compress
from wusum.model.io.inputs import split_suffix
from wusum.model.io.storage import is_remote, open_output
from wusum.model.io.writer import Writer

FORMATS: Final = ("jsonl", "csv", "tsv", "parquet")
SEPARATOR: Final = " | "
"""Separates the topics, tags and scores in a cell of a CSV table."""
CSV_COLUMNS: Final = ("id", "confident", "topics", "topic_names_ar", "topic_scores", "tags", "tag_scores", "tag_ids")


def open_writer(path: str | None, format: str | None = None, position: int = 0, *, parts: bool = False) -> Writer:
    """Return a writer to a file or URL; None or "-" is standard output, as JSON lines unless `format` is given.

    The suffix decides the format (`.jsonl`, `.csv` or `.tsv`, each also with `.gz`, `.xz` or `.zst`; `.parquet`) unless
    `format` is given, and always the compression. An existing file is replaced, unless `position` is one that `commit`
    has returned: then it is truncated to that and continued. With `parts`, a Parquet file can be resumed, too; it is
    put together when the writer is closed.

    Raises DumpError for an unknown format, or for a file that cannot be opened or is shorter than `position`.
    """
    target = None if path == "-" else path
    kind, compression = output_format(target, format)
    if kind == "parquet":
        from wusum.model.io.parquet import ParquetParts, ParquetStream  # pyarrow is slow to import

        assert target
        return ParquetParts(target, position) if parts else ParquetStream(open_output(target))
    output = _OutputStream(target, compression, position)
    if kind == "jsonl":
        return LineWriter(output, json_line)
    table = TableFormatter("\t" if kind == "tsv" else ",")
    if not position:
        output.write(table.header())
    return LineWriter(output, table.line)


def output_format(path: str | None, format: str | None) -> tuple[str, str]:
    """Return the format and compression of an output; raises DumpError if the format is unknown or not possible."""
    name = path or "standard output"
    suffix, compression = split_suffix(path) if path else ("jsonl", "")
    kind = format or suffix
    if kind not in FORMATS:
        problem = f"unknown format {format!r}" if format else "unknown suffix"
        raise DumpError(f"{name}: {problem}; the formats are {', '.join(FORMATS)}")
    if kind == "parquet" and (compression or not path):
        raise DumpError(f"{name}: Parquet can only be written to a file, and without a suffix for compression")
    return kind, compression


class _OutputStream:
    """Bytes to a file, perhaps compressed, or to standard output (None), which is flushed after each row."""

    def __init__(self, path: str | None, compression: str, position: int) -> None:
        self._raw = sys.stdout.buffer if path is None else open_output(path, position)
        self._is_stdout = path is None
        self._is_local_file = path is not None and not is_remote(path) and os.path.isfile(path)
        self._compression = compression
        self._member: Any = None
        self._closed = False

    def write(self, data: bytes) -> None:
        """Write bytes; a member or frame of a compressed file extends from one commit to the next."""
        if self._compression and self._member is None:
            self._member = compress(self._raw, self._compression)
        (self._member or self._raw).write(data)
        if self._is_stdout:
            self._raw.flush()

    def commit(self) -> int | None:
        """Flush to the disk and return the size of the file; None if it is not a file on a local disk."""
        if not self._is_local_file:
            return None
        self._end_member()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        return self._raw.tell()

    def close(self) -> None:
        """Finish the file; standard output stays open."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._compression and self._member is None and not self._is_stdout and not self._raw.tell():
                self.write(b"")  # an empty file is not valid gzip, xz or Zstandard
            self._end_member()
            self._raw.flush()
            if self._is_local_file:
                os.fsync(self._raw.fileno())
        finally:
            if not self._is_stdout:
                self._raw.close()

    def _end_member(self) -> None:
        if self._member is not None:
            member, self._member = self._member, None
            member.close()


class LineWriter(Writer):
    """Writes each row as one line."""

    def __init__(self, output: _OutputStream, line: Callable[[Mapping[str, Any]], bytes]) -> None:
        """Write to `output` the bytes that `line` returns for a row."""
        self._output = output
        self._line = line

    def write(self, row: Mapping[str, Any]) -> None:
        """Append a row."""
        self._output.write(self._line(row))

    def commit(self) -> int | None:
        """Flush the rows to the disk and return the size of the file; None if it is not a file on a local disk."""
        return self._output.commit()

    def close(self) -> None:
        """Finish the file."""
        self._output.close()


def json_line(row: Mapping[str, Any]) -> bytes:
    """Return a row as a line of JSON in UTF-8, with Arabic letters unescaped."""
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


class TableFormatter:
    """Formats rows as lines of CSV or TSV in UTF-8 without a byte order mark; `SEPARATOR` joins the values of a cell.

    Topics are given by their codes; scores and the ids of a controlled vocabulary are in the order of the topics or
    tags. Spans and English names are left out: use JSON lines or Parquet if you need them, or if a tag may contain
    `SEPARATOR`.
    """

    def __init__(self, delimiter: str) -> None:
        """Separate cells by `delimiter`."""
        self._text = io.StringIO()
        self._table = csv.writer(self._text, delimiter=delimiter, lineterminator="\n")

    def header(self) -> bytes:
        """Return the line of column names."""
        return self._format(CSV_COLUMNS)

    def line(self, row: Mapping[str, Any]) -> bytes:
        """Return a row as a line."""
        topics, tags = row["topics"], row["tags"]
        cells = (
            (topics, "code"),
            (topics, "name_ar"),
            (topics, "score"),
            (tags, "text"),
            (tags, "score"),
        )
        ids = [tag.get("id") or "" for tag in tags]
        joined = [SEPARATOR.join(str(item[key]) for item in items) for items, key in cells]
        confident = "true" if row["confident"] else "false"
        return self._format([row["id"], confident, *joined, SEPARATOR.join(ids) if any(ids) else ""])

    def _format(self, cells: Any) -> bytes:
        self._table.writerow(cells)
        line = self._text.getvalue().encode()
        self._text.seek(0)
        self._text.truncate()
        return line
