"""Writers of predictions: JSON lines, tables and Parquet, to a file, an fsspec URL or standard output.

A row is `{"id", "topics": [{"code", "name_ar", "name_en", "score"}], "tags": [{"text", "score", "spans"}]}`, spans
being [start, end] character offsets into the given text. Every writer holds a bounded number of rows in memory.
"""

from __future__ import annotations

import codecs
import csv
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, BinaryIO, Final, Protocol, Self, cast

import orjson

from wusum.model.compression import compress
from wusum.model.files import DumpError, message, split_suffix

FORMATS: Final = ("jsonl", "csv", "tsv", "parquet")
JOIN: Final = " | "
"""What stands between the topics, tags and scores in one cell of a CSV table."""
CSV_COLUMNS: Final = ("id", "topics", "topic_names_ar", "topic_scores", "tags", "tag_scores")
ROW_GROUP: Final = 4_096
"""Rows gathered in memory for one row group of a Parquet file."""


class Writer(Protocol):
    """Writes rows one by one. As a context manager it closes itself; a file is whole only once it is closed."""

    def write(self, row: Mapping[str, Any]) -> None:
        """Append a row; raises OSError where it cannot, e.g. on a full disk."""

    def close(self) -> None:
        """Finish the file; standard output is flushed and stays open. To close again does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_writer(path: str | None, format: str | None = None) -> Writer:
    """A writer to a file or URL; None or "-" is standard output, as JSON lines unless `format` is another.

    The suffix tells the format (`.jsonl`, `.csv`, `.tsv`, each also with `.gz`, `.xz` or `.zst`; `.parquet`) unless
    `format` does; the compression is always the suffix's. An existing file is replaced.

    Raises DumpError for an unknown format, or a file that cannot be created.
    """
    target = None if path == "-" else path
    name = target or "standard output"
    suffix, compression = split_suffix(target) if target else ("jsonl", "")
    kind = format or suffix
    if kind not in FORMATS:
        wrong = f"unknown format {format!r}" if format else "no suffix that tells the format"
        raise DumpError(f"{name}: {wrong}; the formats are {', '.join(FORMATS)}")
    if kind == "parquet" and (compression or not target):
        raise DumpError(f"{name}: Parquet needs a file, and is compressed inside it")
    output = _Output(target, compression)
    if kind == "jsonl":
        return JsonlWriter(output)
    return ParquetWriter(output) if kind == "parquet" else CsvWriter(output, "\t" if kind == "tsv" else ",")


class _Output:
    """The bytes' way out: a file, perhaps compressed, or standard output (None), which is flushed after each row."""

    def __init__(self, path: str | None, compression: str) -> None:
        self._opened = ExitStack()
        if path is None:
            self.stream: BinaryIO = sys.stdout.buffer
            self._opened.callback(self.stream.flush)
        else:
            raw = self._opened.enter_context(_create(path))
            self.stream = self._opened.enter_context(compress(raw, compression)) if compression else raw
        self._live = path is None

    def sent(self) -> None:
        """Called after each row."""
        if self._live:
            self.stream.flush()

    def close(self) -> None:
        self._opened.close()


def _create(path: str) -> BinaryIO:
    try:
        if "://" not in path:
            return open(path, "wb")
        from fsspec.core import url_to_fs  # slow to import, and seldom needed

        system, inner = url_to_fs(path)
        return cast(BinaryIO, system.open(inner, "wb"))
    except Exception as error:  # every remote system has exceptions of its own
        raise DumpError(f"{path}: cannot be written: {message(error)}") from error


class JsonlWriter(Writer):
    """One row a line, in UTF-8, Arabic letters as they are."""

    def __init__(self, output: _Output) -> None:
        self._output = output

    def write(self, row: Mapping[str, Any]) -> None:
        self._output.stream.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        self._output.sent()

    def close(self) -> None:
        self._output.close()


class CsvWriter(Writer):
    """One row a line under a header, UTF-8 without a byte order mark; a cell joins its values with " | ".

    Topics are codes; scores stand in the order of their topics or tags. Spans and English names are not written:
    take JSON lines or Parquet where they are needed, or where a tag may hold " | " itself.
    """

    def __init__(self, output: _Output, delimiter: str) -> None:
        self._output = output
        text = codecs.getwriter("utf-8")(output.stream)
        self._table = csv.writer(text, delimiter=delimiter, lineterminator="\n")
        self._table.writerow(CSV_COLUMNS)

    def write(self, row: Mapping[str, Any]) -> None:
        topics, tags = row["topics"], row["tags"]
        cells = (
            (topics, "code"),
            (topics, "name_ar"),
            (topics, "score"),
            (tags, "text"),
            (tags, "score"),
        )
        self._table.writerow([row["id"], *(JOIN.join(str(item[key]) for item in items) for items, key in cells)])
        self._output.sent()

    def close(self) -> None:
        self._output.close()


class ParquetWriter(Writer):
    """Row groups of `ROW_GROUP` rows under the fixed `parquet_schema()`, compressed with Zstandard."""

    def __init__(self, output: _Output) -> None:
        import pyarrow.parquet as pq

        self._output = output
        self._schema = parquet_schema()
        self._rows: list[Mapping[str, Any]] = []
        self._table = pq.ParquetWriter(output.stream, self._schema, compression="zstd")

    def write(self, row: Mapping[str, Any]) -> None:
        self._rows.append(row)
        if len(self._rows) == ROW_GROUP:
            self._flush()

    def close(self) -> None:
        try:
            self._flush()
            self._table.close()
        finally:
            self._output.close()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._rows:
            self._table.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []


def parquet_schema() -> Any:
    """The Arrow schema of a row; a span is a list of two int32, as in JSON."""
    import pyarrow as pa

    text, score = pa.string(), pa.float64()
    topic = pa.struct([("code", text), ("name_ar", text), ("name_en", text), ("score", score)])
    tag = pa.struct([("text", text), ("score", score), ("spans", pa.list_(pa.list_(pa.int32())))])
    return pa.schema([("id", text), ("topics", pa.list_(topic)), ("tags", pa.list_(tag))])
