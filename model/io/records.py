"""Bytes of JSON lines, CSV, TSV and Parquet → records, one at a time, each good or with the reason why not.

Memory is bounded by one record, for Parquet by one batch of rows and one compressed page of each column.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, AnyStr, BinaryIO, NamedTuple, TextIO

import orjson

from wusum.model.io.fields import Fields, FormatError, RecordError, json_type
from wusum.model.io.validation import Limits, not_utf8, too_long

_BATCH = 128  # Parquet rows decoded at once

Row = tuple[int, Mapping[str, Any] | str]
"""A line or row number, from 1, and the record's fields; or why there are none."""


class Line(NamedTuple):
    """A line of bytes, with its end."""

    number: int
    data: bytes
    whole: bool  # False: too long, only its beginning is kept


def rows(stream: BinaryIO, format: str, fields: Fields, limits: Limits) -> Iterator[Row]:
    """The records of a stream of format "jsonl", "csv", "tsv" or "parquet"; raises Unreadable for another make."""
    if format == "jsonl":
        return json_rows(lines(stream, limits.max_bytes), limits)
    if format == "parquet":
        return _parquet_rows(stream, fields)
    return _csv_rows(stream, "\t" if format == "tsv" else ",", fields, limits)


def lines(stream: BinaryIO, limit: int) -> Iterator[Line]:
    """The lines of a stream, none read further into memory than `limit` bytes; a byte order mark is dropped."""
    number = 0
    while data := stream.readline(limit):
        number += 1
        whole = len(data) < limit or data.endswith(b"\n")
        if not whole:
            _skip_line(stream, b"\n")
        yield Line(number, data.removeprefix(codecs.BOM_UTF8) if number == 1 else data, whole)


def _skip_line(stream: IO[AnyStr], newline: AnyStr) -> None:
    while (piece := stream.readline(1 << 16)) and not piece.endswith(newline):
        pass


def json_rows(lines: Iterable[Line], limits: Limits) -> Iterator[Row]:
    """The records of JSON lines; blank ones hold none."""
    for line in lines:
        if line.data.strip():
            yield line.number, _json_row(line.data) if line.whole else too_long(limits)


def _json_row(data: bytes) -> Mapping[str, Any] | str:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        try:
            data.decode()
        except UnicodeDecodeError as broken:
            return not_utf8(broken)
        return f"wrongly encoded: lone surrogate: {error}" if "surrogate" in str(error) else f"no JSON: {error}"
    return value if isinstance(value, dict) else f"no JSON object: the line is {json_type(value)}"


class _CsvLines:
    """The lines of a table. Not a generator, so that reading can go on after one that is too long."""

    def __init__(self, text: TextIO, limit: int) -> None:
        self._text = text
        self.limit = limit
        self.left = limit
        """Characters that the row may still have: one with quotes can go over any number of lines."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(self.limit)
        if not line:
            raise StopIteration
        if len(line) == self.limit and not line.endswith("\n"):
            _skip_line(self._text, "\n")
            raise RecordError(f"absurdly long: a line of more than {self.limit:,} characters")
        self.left -= len(line)
        if self.left < 0:
            raise RecordError(f"absurdly long: a row of more than {self.limit:,} characters")
        return line


def _csv_rows(stream: BinaryIO, delimiter: str, fields: Fields, limits: Limits) -> Iterator[Row]:
    csv.field_size_limit(limits.max_bytes)  # global to the process; the default is 128 KiB
    # Surrogate escapes carry bytes that are not UTF-8 through the parser, to the one row that they spoil.
    with io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="") as text:
        lines = _CsvLines(text, limits.max_bytes)
        table = csv.reader(lines, delimiter=delimiter, strict=True)
        header = _csv_header(table, lines)
        wanted = fields.columns(header)
        for number, values in enumerate(_csv_values(table, lines), start=1):
            if isinstance(values, str):
                yield number, values
            elif len(values) != len(header):
                yield number, f"ragged row: {len(values)} fields where the header has {len(header)}"
            else:
                row = dict(zip(header, values, strict=True))
                yield number, {name: row[name].encode(errors="surrogateescape") for name in wanted}


def _csv_header(table: Iterator[list[str]], lines: _CsvLines) -> list[str]:
    header = next(_csv_values(table, lines), [])
    if isinstance(header, str):
        raise FormatError(f"its header is bad: {header}")
    try:
        "".join(header).encode(errors="surrogateescape").decode()
    except UnicodeDecodeError as error:
        raise FormatError(f"its header is {not_utf8(error)}") from error
    return header


def _csv_values(table: Iterator[list[str]], lines: _CsvLines) -> Iterator[list[str] | str]:
    """The rows of a table that are not blank, or why one cannot be read; the parser goes on with the next line."""
    while True:
        lines.left = lines.limit
        try:
            values = next(table)
        except StopIteration:
            return
        except RecordError as error:
            yield str(error)
        except csv.Error as error:
            yield f"no well-formed row: {error}"
        else:
            if values:
                yield values


def _parquet_rows(stream: BinaryIO, fields: Fields) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(stream, buffer_size=1 << 20)
        names = fields.columns(table.schema_arrow.names)
        number = 0
        for batch in table.iter_batches(_BATCH, columns=names):
            columns = [_as_bytes(column).to_pylist() for column in batch.columns]
            for values in zip(*columns, strict=True):
                number += 1
                yield number, dict(zip(batch.schema.names, values, strict=True))
    except (pa.ArrowException, ValueError, OverflowError) as error:  # names that are no UTF-8, dates past all years
        raise FormatError(str(error)) from error


def _as_bytes(column: Any) -> Any:
    """A column of strings as bytes: Arrow does not promise that they are UTF-8, and one bad value fails its batch.

    Decimals, dates and times, which serve as ids, become text.
    """
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string_view(column.type) or pa.types.is_decimal(column.type) or pa.types.is_temporal(column.type):
        column = column.cast(pa.large_string())
    textual = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return column.cast(pa.large_binary()) if textual else column
