"""Bytes of JSON lines, CSV, TSV and Parquet → records, one at a time, or the reason for rejecting each.

Memory is bounded by one record; for Parquet, by a batch of rows and a compressed page of each column.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, AnyStr, BinaryIO, NamedTuple, TextIO

import orjson

from wusum.model.io.fields import Fields, FormatError, RecordError, json_type
from wusum.model.io.limits import Limits, not_utf8_reason, too_long_reason

_BATCH_ROWS = 128  # Parquet rows decoded at once

Row = tuple[int, Mapping[str, Any] | str]
"""The number of a line or row, from 1, and its fields or, as a string, the reason for rejecting it."""


class Line(NamedTuple):
    """A line of bytes with its line ending."""

    number: int
    data: bytes
    complete: bool
    """False if the line is too long, so that `data` is only its beginning."""


def read_rows(stream: BinaryIO, format: str, fields: Fields, limits: Limits) -> Iterator[Row]:
    """Yield the rows of a stream of format "jsonl", "csv", "tsv" or "parquet".

    Raises FormatError if the stream is not in the format, or a table lacks a column that `fields` needs.
    """
    if format == "jsonl":
        return json_rows(read_lines(stream, limits.max_bytes), limits)
    if format == "parquet":
        return _parquet_rows(stream, fields)
    return _csv_rows(stream, "\t" if format == "tsv" else ",", fields, limits)


def read_lines(stream: BinaryIO, limit: int) -> Iterator[Line]:
    """Yield the lines of a stream without a byte order mark, reading at most `limit` bytes of each into memory."""
    number = 0
    while data := stream.readline(limit):
        number += 1
        complete = len(data) < limit or data.endswith(b"\n")
        if not complete:
            _skip_line(stream, b"\n")
        yield Line(number, data.removeprefix(codecs.BOM_UTF8) if number == 1 else data, complete)


def _skip_line(stream: IO[AnyStr], newline: AnyStr) -> None:
    while (piece := stream.readline(1 << 16)) and not piece.endswith(newline):
        pass


def json_rows(lines: Iterable[Line], limits: Limits) -> Iterator[Row]:
    """Yield the rows of JSON lines; blank lines are skipped."""
    for line in lines:
        if line.data.strip():
            yield line.number, _json_row(line.data) if line.complete else too_long_reason(limits)


def _json_row(data: bytes) -> Mapping[str, Any] | str:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        try:
            data.decode()
        except UnicodeDecodeError as decode_error:
            return not_utf8_reason(decode_error)
        return f"wrong encoding: lone surrogate: {error}" if "surrogate" in str(error) else f"invalid JSON: {error}"
    return value if isinstance(value, dict) else f"not a JSON object: the line is {json_type(value)}"


class _CsvLines:
    """The lines of a table. Unlike a generator, it can be read on after it has raised for a line that is too long."""

    def __init__(self, text: TextIO, limit: int) -> None:
        self._text = text
        self._limit = limit
        self._left = limit

    def start_row(self) -> None:
        """Allow `limit` characters for the next row: a row with quotes can span any number of lines."""
        self._left = self._limit

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._limit)
        if not line:
            raise StopIteration
        if len(line) == self._limit and not line.endswith("\n"):
            _skip_line(self._text, "\n")
            raise RecordError(f"too long: a line of more than {self._limit:,} characters")
        self._left -= len(line)
        if self._left < 0:
            raise RecordError(f"too long: a row of more than {self._limit:,} characters")
        return line


def _csv_rows(stream: BinaryIO, delimiter: str, fields: Fields, limits: Limits) -> Iterator[Row]:
    csv.field_size_limit(limits.max_bytes)  # global to the process; the default is 128 KiB
    # Surrogate escapes carry bytes that are not UTF-8 through the parser, so that they spoil only their own row.
    with io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="") as text:
        lines = _CsvLines(text, limits.max_bytes)
        table = csv.reader(lines, delimiter=delimiter, strict=True)
        header = _csv_header(table, lines)
        wanted = fields.columns(header)
        for number, values in enumerate(_csv_values(table, lines), start=1):
            if isinstance(values, str):
                yield number, values
            elif len(values) != len(header):
                yield number, f"ragged row: {len(values)} fields, but the header has {len(header)}"
            else:
                row = dict(zip(header, values, strict=True))
                yield number, {name: row[name].encode(errors="surrogateescape") for name in wanted}


def _csv_header(table: Iterator[list[str]], lines: _CsvLines) -> list[str]:
    header = next(_csv_values(table, lines), [])
    if isinstance(header, str):
        raise FormatError(f"invalid header: {header}")
    try:
        "".join(header).encode(errors="surrogateescape").decode()
    except UnicodeDecodeError as error:
        raise FormatError(f"invalid header: {not_utf8_reason(error)}") from error
    return header


def _csv_values(table: Iterator[list[str]], lines: _CsvLines) -> Iterator[list[str] | str]:
    """Yield the values of each row that is not blank, or the reason for rejecting it; then go on with the next line."""
    while True:
        lines.start_row()
        try:
            values = next(table)
        except StopIteration:
            return
        except RecordError as error:
            yield str(error)
        except csv.Error as error:
            yield f"malformed row: {error}"
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
        for batch in table.iter_batches(_BATCH_ROWS, columns=names):
            columns = [_strings_as_bytes(column).to_pylist() for column in batch.columns]
            for values in zip(*columns, strict=True):
                number += 1
                yield number, dict(zip(batch.schema.names, values, strict=True))
    except (pa.ArrowException, ValueError, OverflowError) as error:  # column names not in UTF-8, dates out of range
        raise FormatError(str(error)) from error


def _strings_as_bytes(column: Any) -> Any:
    """Return a column with its strings as bytes: Arrow does not check for UTF-8, and one bad value fails its batch.

    Decimals, dates and times, which can serve as ids, become strings.
    """
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string_view(column.type) or pa.types.is_decimal(column.type) or pa.types.is_temporal(column.type):
        column = column.cast(pa.large_string())
    textual = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return column.cast(pa.large_binary()) if textual else column
