"""Writers of predictions: every format, to files, remote systems and standard output."""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma
import sys
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.parquet as pq
import pytest
import zstandard

from tests.support import COMPRESS
from wusum.model.errors import DumpError
from wusum.model.io import parquet
from wusum.model.io.compression import compress
from wusum.model.io.writers import json_line, open_writer

ROWS = [
    {
        "id": f"n{i}",
        "confident": i % 2 == 0,
        "topics": [
            {"code": "medtop:11000000", "name_ar": "سياسة", "name_en": "politics", "score": 0.75},
            {"code": "medtop:04000000", "name_ar": "اقتصاد", "name_en": "economy", "score": 0.5},
        ],
        "tags": [
            {"text": "جامعة الدول العربية", "score": 0.9, "spans": [[0, 19], [40, 59]]},
            {"text": "بغداد", "score": 0.25, "spans": []},
        ],
    }
    for i in range(5)
] + [{"id": "bare", "confident": False, "topics": [], "tags": []}]


def write(path: str | None, format: str | None = None) -> None:
    with open_writer(path, format) as writer:
        for row in ROWS:
            writer.write(row)


def unpacked(data: bytes, compression: str) -> bytes:
    if compression == ".zst":
        return bytes(zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read())
    return {"": bytes, ".gz": gzip.decompress, ".xz": lzma.decompress}[compression](data)


@pytest.mark.parametrize("compression", COMPRESS)
def test_json_lines_are_written_whole(tmp_path: Path, compression: str) -> None:
    path = tmp_path / f"out.jsonl{compression}"
    write(str(path))
    data = unpacked(path.read_bytes(), compression)
    assert [json.loads(line) for line in data.splitlines()] == ROWS
    assert "جامعة الدول".encode() in data


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_tables_are_written_without_spans(tmp_path: Path, suffix: str, compression: str) -> None:
    path = tmp_path / f"out{suffix}{compression}"
    write(str(path))
    text = unpacked(path.read_bytes(), compression).decode()
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t" if suffix == ".tsv" else ","))
    assert rows[0] == {
        "id": "n0",
        "confident": "true",
        "topics": "medtop:11000000 | medtop:04000000",
        "topic_names_ar": "سياسة | اقتصاد",
        "topic_scores": "0.75 | 0.5",
        "tags": "جامعة الدول العربية | بغداد",
        "tag_scores": "0.9 | 0.25",
        "tag_ids": "",
    }
    assert [row["id"] for row in rows] == [row["id"] for row in ROWS]
    assert [row["confident"] for row in rows] == ["true", "false", "true", "false", "true", "false"]
    assert rows[-1]["tags"] == ""


AWKWARD = {
    "id": 'a,b "c"\nd\te\r\n',
    "confident": True,
    "topics": [{"code": "x,1", "name_ar": "سياسة\tواقتصاد", "name_en": "politics", "score": 0.5}],
    "tags": [
        {"text": 'قال: "نعم", ثم غاب', "score": 0.9, "spans": []},
        {"text": "كرة\nالقدم", "score": 0.25, "spans": [], "id": "7,5"},
    ],
}
"""A row with every character that a table must quote."""


@pytest.mark.parametrize(("suffix", "delimiter"), [(".csv", ","), (".tsv", "\t")])
def test_tables_quote_separators_quotation_marks_and_line_breaks(tmp_path: Path, suffix: str, delimiter: str) -> None:
    path = tmp_path / f"out{suffix}"
    with open_writer(str(path)) as writer:
        writer.write(AWKWARD)
        writer.write(ROWS[0])
    with path.open(encoding="utf-8", newline="") as file:
        header, awkward, plain = csv.reader(file, delimiter=delimiter, strict=True)
    assert header == ["id", "confident", "topics", "topic_names_ar", "topic_scores", "tags", "tag_scores", "tag_ids"]
    assert awkward == [
        'a,b "c"\nd\te\r\n', "true", "x,1", "سياسة\tواقتصاد", "0.5", 'قال: "نعم", ثم غاب | كرة\nالقدم', "0.9 | 0.25",
        " | 7,5",
    ]  # fmt: skip
    assert plain[0] == "n0"


def test_a_table_quotes_only_what_needs_it(tmp_path: Path) -> None:
    rows = [
        {"id": identifier, "confident": False, "topics": [], "tags": []} for identifier in ("a b", "a,b", 'a"b', "a\tb")
    ]
    for suffix, expected in (
        (".csv", ["a b,false,,,,,,", '"a,b",false,,,,,,', '"a""b",false,,,,,,', "a\tb,false,,,,,,"]),
        (".tsv", [f"{cell}\tfalse" + 6 * "\t" for cell in ("a b", "a,b", '"a""b"', '"a\tb"')]),
    ):
        path = tmp_path / f"out{suffix}"
        with open_writer(str(path)) as writer:
            for row in rows:
                writer.write(row)
        assert path.read_bytes().decode().split("\n")[1:] == [*expected, ""]


def test_json_lines_keep_every_character_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with open_writer(str(path)) as writer:
        writer.write(AWKWARD)
    assert [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]] == [AWKWARD]


def test_parquet_is_written_in_row_groups_of_one_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP", 4)
    for path in (str(tmp_path / "out.parquet"), str(tmp_path / "whole.parquet")):
        with open_writer(path, parts="out" in path) as writer:
            for row in ROWS:
                writer.write(row)
                writer.commit()
    assert (tmp_path / "out.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    file = pq.ParquetFile(path)
    assert file.num_row_groups == 2
    assert file.schema_arrow == parquet.schema()
    assert file.read().to_pylist() == [{**row, "tags": [{**tag, "id": None} for tag in row["tags"]]} for row in ROWS]


def test_ids_of_tags_are_written_in_every_format(tmp_path: Path) -> None:
    tags = [{"text": "لبنان", "score": 0.9, "spans": [], "id": "LB"}, {"text": "غزة", "score": 0.8, "spans": []}]
    for name in ("out.csv", "out.parquet", "out.jsonl"):
        with open_writer(str(tmp_path / name)) as writer:
            writer.write({"id": "1", "confident": True, "topics": [], "tags": tags})
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()[1] == "1,true,,,,لبنان | غزة,0.9 | 0.8,LB | "
    assert [tag["id"] for tag in pq.read_table(tmp_path / "out.parquet").to_pylist()[0]["tags"]] == ["LB", None]
    assert json.loads((tmp_path / "out.jsonl").read_bytes())["tags"][0]["id"] == "LB"


def test_an_empty_parquet_file_has_the_schema(tmp_path: Path) -> None:
    path = str(tmp_path / "out.parquet")
    open_writer(path).close()
    assert pq.read_table(path).schema == parquet.schema()


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.csv", "out.parquet"])
def test_writers_write_to_remote_systems(tmp_path: Path, name: str) -> None:
    write(f"memory://{tmp_path.name}/{name}")
    write(str(tmp_path / name))
    assert fsspec.filesystem("memory").cat(f"/{tmp_path.name}/{name}") == (tmp_path / name).read_bytes()


@pytest.mark.parametrize("path", [None, "-"])
def test_standard_output_is_json_lines_and_stays_open(path: str | None, capfdbinary: Any) -> None:
    write(path)
    sys.stdout.buffer.write(b"more\n")
    sys.stdout.buffer.flush()
    *rows, more = capfdbinary.readouterr().out.splitlines()
    assert [json.loads(row) for row in rows] == ROWS
    assert more == b"more"


def test_standard_output_can_be_a_table(capfdbinary: Any) -> None:
    write(None, "csv")
    assert capfdbinary.readouterr().out.startswith(b"id,confident,topics,")


def test_the_format_given_wins_over_the_suffix(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    write(str(path), "jsonl")
    assert [json.loads(line) for line in path.read_bytes().splitlines()] == ROWS


@pytest.mark.parametrize(
    ("path", "format", "message"),
    [
        ("out.xlsx", None, r"out\.xlsx: unknown suffix; the formats are jsonl, csv, tsv, parquet"),
        ("out.txt", None, r"out\.txt: unknown suffix"),
        ("out.jsonl", "xml", r"out\.jsonl: unknown format 'xml'"),
        (None, "xml", "^standard output: unknown format 'xml'"),
        (None, "parquet", "^standard output: Parquet can only be written to a file"),
        ("out.gz", "parquet", r"out\.gz: Parquet can only be written .* without a suffix for compression"),
        ("nowhere/out.jsonl", None, r"out\.jsonl: cannot be written"),
    ],
)
def test_a_writer_that_cannot_be_opened(tmp_path: Path, path: str | None, format: str | None, message: str) -> None:
    with pytest.raises(DumpError, match=message):
        open_writer(str(tmp_path / path) if path else None, format)


@pytest.mark.parametrize("compression", ["gz", "xz", "zst"])
@pytest.mark.parametrize("rows", [[], ROWS[:1]])
def test_a_compressed_file_is_valid_without_rows_and_has_no_empty_member(
    tmp_path: Path, compression: str, rows: list[dict[str, Any]]
) -> None:
    path, expected = tmp_path / f"out.jsonl.{compression}", io.BytesIO()
    with open_writer(str(path)) as writer:
        for row in rows:
            writer.write(row)
        if rows:
            assert writer.commit() == path.stat().st_size
    with compress(expected, compression) as stream:
        stream.write(b"".join(map(json_line, rows)))
    assert path.read_bytes() == expected.getvalue()


def test_closing_twice_does_nothing(tmp_path: Path) -> None:
    for suffix in ("jsonl", "csv.gz", "parquet"):
        writer = open_writer(str(tmp_path / f"out.{suffix}"))
        writer.write(ROWS[0])
        writer.close()
        writer.close()
