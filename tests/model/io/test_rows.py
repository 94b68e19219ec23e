"""Lines and rows of a stream at their limits, as `read_lines` and `read_rows` give them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support import csv_table, encode_records
from wusum.model.io.fields import Fields, FormatError
from wusum.model.io.limits import DEFAULT_LIMITS, Limits
from wusum.model.io.records import Line, read_lines, read_rows

SMALL = Limits(max_chars=0)
LIMIT = 65_536
"""Characters of a row of a table, or bytes of a line, under SMALL."""


def rows(data: bytes, format: str, limits: Limits = DEFAULT_LIMITS, fields: Fields | None = None) -> list[Any]:
    """The rows with values as text, each behind its number."""

    def text(value: Any) -> Any:
        return value.decode() if isinstance(value, bytes) else value

    found = read_rows(io.BytesIO(data), format, fields or Fields(), limits)
    return [(n, {k: text(v) for k, v in row.items()} if isinstance(row, Mapping) else row) for n, row in found]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"ab\ncd", [Line(1, b"ab\n", True), Line(2, b"cd", True)]),
        (b"\n\n", [Line(1, b"\n", True), Line(2, b"\n", True)]),
        (b"abc\nd\n", [Line(1, b"abc\n", True), Line(2, b"d\n", True)]),
        (b"\nbcd\n", [Line(1, b"\n", True), Line(2, b"bcd\n", True)]),
        (b"abcd\ne\n", [Line(1, b"abcd", False), Line(2, b"e\n", True)]),
        (b"abcdefghijk\ne\n", [Line(1, b"abcd", False), Line(2, b"e\n", True)]),
        (b"abcdefgh", [Line(1, b"abcd", False)]),
        (b"\xef\xbb\xbfa\n", [Line(1, b"\xef\xbb\xbfa"[3:], False)]),  # the mark counts, as it is read
        (b"\xef\xbb\xbf\n\xef\xbb\xbf\n", [Line(1, b"\n", True), Line(2, b"\xef\xbb\xbf\n", True)]),
    ],
)
def test_a_line_is_read_up_to_the_limit_and_the_rest_is_skipped(data: bytes, lines: list[Line]) -> None:
    assert list(read_lines(io.BytesIO(data), 4)) == lines


def test_the_rest_of_a_long_line_is_skipped_to_its_end() -> None:
    found = list(read_lines(io.BytesIO(b"a" * 200_000 + b"\nb\n"), 10))
    assert found == [Line(1, b"a" * 10, False), Line(2, b"b\n", True)]


def test_rows_of_json_are_numbered_by_their_lines() -> None:
    data = b'{"text": "a"}\n\n  \n{"text": "b"}\n[]\n' + b'{"text": "' + b"c" * LIMIT + b'"}\n{"text": "d"}'
    assert rows(data, "jsonl", SMALL) == [
        (1, {"text": "a"}),
        (4, {"text": "b"}),
        (5, "not a JSON object: the line is a list"),
        (6, "too long: more than 0 characters"),
        (7, {"text": "d"}),
    ]


@pytest.mark.parametrize(("format", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_rows_of_a_table_are_numbered_without_its_header(format: str, delimiter: str) -> None:
    data = csv_table([["id", "text", "other"], ["1", "a\nb", "x"], [], ["2", "c", "y"]], delimiter)
    assert rows(data, format) == [(1, {"id": "1", "text": "a\nb"}), (2, {"id": "2", "text": "c"})]
    assert rows(data, format, fields=Fields(text="other"))[1] == (2, {"id": "2", "other": "y"})


def test_a_line_of_a_table_may_be_as_long_as_the_limit() -> None:
    def table(length: int) -> bytes:
        return b"text\n" + b"a" * (length - 1) + b"\nb\n"

    assert [len(row["text"]) for _, row in rows(table(LIMIT), "csv", SMALL)] == [LIMIT - 1, 1]
    assert rows(table(LIMIT + 1), "csv", SMALL) == [
        (1, "too long: a line of more than 65,536 characters"),
        (2, {"text": "b"}),
    ]
    assert rows(b"text\n" + b"a" * LIMIT, "csv", SMALL) == [(1, "too long: a line of more than 65,536 characters")]


def test_a_row_over_several_lines_may_be_as_long_as_the_limit() -> None:
    def table(length: int) -> bytes:
        return b'text\n"' + b"\n" * (length - 3) + b'"\nb\n'

    assert [len(row["text"]) for _, row in rows(table(LIMIT), "csv", SMALL)] == [LIMIT - 3, 1]
    assert rows(table(LIMIT + 1), "csv", SMALL)[0] == (1, "too long: a row of more than 65,536 characters")


def test_each_row_of_a_table_has_the_whole_limit() -> None:
    data = csv_table([["text"], *[["a" * 40_000]] * 4])
    assert rows(data, "csv", SMALL) == [(number, {"text": "a" * 40_000}) for number in range(1, 5)]


def test_a_cell_may_be_longer_than_pythons_default() -> None:
    csv.field_size_limit(131_072)  # which reading sets anew, for the whole process
    assert [len(row["text"]) for _, row in rows(csv_table([["text"], ["a" * 200_000]]), "csv")] == [200_000]


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbfid,text\n1,a\n", b"id,text\r\n1,a\r\n", b"id,text\r1,a\r", b'"id","text"\n"1","a"']
)
def test_tables_with_a_byte_order_mark_and_any_line_ends_are_read(data: bytes) -> None:
    assert rows(data, "csv") == [(1, {"id": "1", "text": "a"})]


def test_rows_of_parquet_hold_only_the_columns_that_are_needed() -> None:
    records = [{"id": str(number), "text": f"نص {number}", "other": "x"} for number in range(300)]
    data = encode_records(".parquet", records)
    expected = [(number + 1, {"id": record["id"], "text": record["text"]}) for number, record in enumerate(records)]
    assert rows(data, "parquet") == expected
    assert rows(data, "parquet", fields=Fields(id="other"))[299] == (300, {"text": "نص 299", "other": "x"})


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view(), pa.binary()])
def test_parquet_takes_strings_of_every_kind(kind: pa.DataType) -> None:
    stream = io.BytesIO()
    pq.write_table(pa.table({"text": pa.array(["نص", None, ""]).cast(kind)}), stream)
    assert rows(stream.getvalue(), "parquet") == [(1, {"text": "نص"}), (2, {"text": None}), (3, {"text": ""})]


def test_a_table_of_no_rows_has_none() -> None:
    assert rows(b"id,text\n", "csv") == rows(encode_records(".parquet", [{"text": "a"}]), "parquet")[1:] == []
    assert rows(b"", "jsonl") == []


@pytest.mark.parametrize("format", ["csv", "tsv", "parquet"])
def test_what_is_no_table_is_refused(format: str) -> None:
    with pytest.raises(FormatError):
        rows(b"", format)
