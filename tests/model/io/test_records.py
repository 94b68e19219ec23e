"""Records of JSON lines, CSV, TSV and Parquet: a bad one is rejected with its reason, and those beside it are kept."""

from __future__ import annotations

import itertools
import json
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support import TEXT, csv_table, encode_records, json_lines, read_articles, write_file
from wusum.model.article import Article
from wusum.model.errors import DumpError
from wusum.model.io.fields import Fields
from wusum.model.io.limits import Limits
from wusum.model.io.reader import Reject, read_records


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (b'{"text": ', "invalid JSON: "),
        (b"[1]", "not a JSON object: the line is a list"),
        (b"null", "not a JSON object: the line is null"),
        (b'{"id": "a", "nass": "x"}', "no text: no field called text, body, content, article among id, nass"),
        (b'{"id": "a", "text": null}', "no text: field 'text' is empty"),
        (b'{"id": "a", "text": " \\n "}', "no text: the body is empty"),
        (b'{"id": "a", "text": ["x"]}', "field 'text' is a list, not a text"),
        (b'{"id": "a", "text": 5}', "field 'text' is a number, not a text"),
        (b'{"id": {"oid": 1}, "text": "x"}', "field 'id' is an object, not a text"),
        (b'{"text": "\\ud800"}', "wrong encoding: lone"),
        (b'{"text": "a\\u0000b"}', "wrong encoding: NUL character at 1"),
        (b'{"text": "The quick brown fox"}', "not Arabic: 0% of the letters are Arabic, fewer than 50%"),
        (b'{"text": "123"}', "not Arabic: the text has no letters"),
        ('{"text": "\ufd3f١٢٣\ufd3e"}'.encode(), "not Arabic: the text has no letters"),
        (json.dumps({"text": TEXT}, ensure_ascii=False).encode("cp1256"), "not UTF-8: byte 0x"),
        (json_lines({"text": TEXT}).strip()[:-3] + b'"}', "looks like UTF-8 with damaged bytes"),
    ],
)
def test_a_bad_line_is_rejected_and_the_reading_goes_on(tmp_path: Path, record: bytes, message: str) -> None:
    path = write_file(
        tmp_path, "dump.jsonl", json_lines({"text": TEXT}) + b"\n" + record + b"\n" + json_lines({"text": TEXT})
    )
    first, bad, last = read_records([path])
    assert isinstance(bad, Reject)
    assert (bad.source, bad.line) == ("dump.jsonl", 3)
    assert bad.id == ("a" if b'"a"' in record else "")
    assert message in bad.error
    assert [first.id, last.id] == ["dump.jsonl:1", "dump.jsonl:4"]
    assert bad.to_dict() == {"source": "dump.jsonl", "line": 3, "id": bad.id, "error": bad.error}


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_bad_rows_of_a_table_are_rejected_one_by_one(tmp_path: Path, suffix: str) -> None:
    delimiter = b"\t" if suffix == ".tsv" else b","
    good = TEXT.encode()
    rows = [
        [b"id", b"text"],
        [b"good1", good],
        [b"ragged", good, b"more"],
        [b"short"],
        [b"nul", b"\0" + good],
        [b"1256", TEXT.encode("cp1256")],
        [b"empty", b""],
        [b"quote", b'"' + good + b'"' + good],
        [b"good2", b'"' + good + b"\n\n" + good + b'"'],
        [b"open", b'"' + good],
        [b"swallowed", good],
    ]
    data = b"\n".join(delimiter.join(row) for row in rows[:2]) + b"\n\n"
    path = write_file(tmp_path, f"dump{suffix}", data + b"\n".join(delimiter.join(row) for row in rows[2:]))
    found = list(read_records([path]))
    assert [a.id for a in found if isinstance(a, Article)] == ["good1", "good2"]
    bad = {record.line: record for record in found if isinstance(record, Reject)}
    assert {line: record.id for line, record in bad.items()} == {
        2: "", 3: "", 4: "nul", 5: "1256", 6: "empty", 7: "", 9: ""
    }  # fmt: skip
    expected = {
        2: "ragged row: 3 fields, but the header has 2",
        3: "ragged row: 1 fields, but the header has 2",
        4: "NUL character at 0",
        5: "looks like windows-1256",
        6: "no text: field 'text' is empty",
        7: "malformed row: ",
        9: "malformed row: unexpected end of data",
    }
    assert all(message in bad[line].error for line, message in expected.items()), bad


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it is empty"),
        ("id,text\n1,نص\n".encode("utf-16"), "invalid header: not UTF-8: byte 0xff at 0; looks like UTF-16"),
        (b'id,"text', "invalid header: malformed row"),
    ],
)
def test_a_table_with_a_bad_header_is_unreadable(tmp_path: Path, data: bytes, message: str) -> None:
    path = write_file(tmp_path, "dump.csv", data)
    with pytest.raises(DumpError, match=message) as caught:
        list(read_records([path]))
    assert path in str(caught.value)


def test_a_table_keeps_the_newlines_of_its_texts(tmp_path: Path) -> None:
    data = f'\ufeffid,text\r\n1,"{TEXT}\r\n\r\n{TEXT}"\r\n'
    assert read_articles(write_file(tmp_path, "dump.csv", data.encode())) == [
        Article(id="1", body=f"{TEXT}\r\n\r\n{TEXT}")
    ]


@pytest.mark.parametrize(("suffix", "delimiter"), [(".csv", ","), (".tsv", "\t")])
def test_cells_in_quotes_hold_separators_quotes_and_line_breaks(tmp_path: Path, suffix: str, delimiter: str) -> None:
    text = f'{TEXT}, قال: "نعم"\tثم\nغاب'
    quoted = text.replace('"', '""')
    rows = [["id", "title", "text"], ['"a,b\tc"', '"قال ""لا"""', f'"{quoted}"'], ["d", "'عنوان'", TEXT]]
    data = "\n".join(delimiter.join(row) for row in rows)
    assert read_articles(write_file(tmp_path, f"dump{suffix}", data.encode())) == [
        Article(id="a,b\tc", title='قال "لا"', body=text),
        Article(id="d", title="'عنوان'", body=TEXT),
    ]


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_a_table_that_python_wrote_is_read_as_it_was(tmp_path: Path, suffix: str) -> None:
    texts = [f"{TEXT}{extra}" for extra in (",", "\t", '"', '""', '",', "\n", "\r\n", "'", "\\", ' "x" ', ",,\t\t")]
    records = [{"id": str(number), "text": text} for number, text in enumerate(texts)]
    path = write_file(tmp_path, f"dump{suffix}", encode_records(suffix, records))
    assert [article.body for article in read_articles(path)] == texts


def test_parquet_takes_any_kind_of_string_and_rejects_bad_values(tmp_path: Path) -> None:
    values = [TEXT.encode(), None, TEXT.encode("cp1256"), b"English"]
    binary = pa.array(values, pa.binary())
    broken = pa.StringArray.from_buffers(len(values), *binary.buffers()[1:], binary.buffers()[0])
    words = pa.array([TEXT, None, "نعم", TEXT]).dictionary_encode()
    sheet = pa.table({"id": pa.array([1, 2, 3, 4], pa.int64()), "text": broken, "body": binary, "content": words})
    path = str(tmp_path / "dump.parquet")
    pq.write_table(sheet, path)
    for name in ("text", "body"):
        first, null, wrong, foreign = read_records([path], fields=Fields(text=name))
        assert first == Article(id="1", body=TEXT)
        assert isinstance(null, Reject)
        assert (null.line, null.id, null.error) == (2, "2", f"no text: field '{name}' is empty")
        assert isinstance(wrong, Reject)
        assert wrong.error == "not UTF-8: byte 0xc7 at 0; looks like windows-1256"
        assert isinstance(foreign, Reject)
        assert foreign.error.startswith("not Arabic")
    encoded_words = list(read_records([path], fields=Fields(text="content")))
    assert [type(record) for record in encoded_words] == [Article, Reject, Article, Article]


def test_parquet_takes_dates_and_decimals_for_ids(tmp_path: Path) -> None:
    ids = {
        "decimal": (pa.array([7, 10**15]).cast(pa.decimal128(20, 0)), ["7", str(10**15)]),
        "nanoseconds": (pa.array([1, 2], pa.timestamp("ns")), [f"1970-01-01 00:00:00.00000000{n}" for n in (1, 2)]),
        "no date": (pa.array([1, 99_999_999], pa.date32()), ["1970-01-02", "<value out of range: 99999999>"]),
    }
    for name, (column, expected) in ids.items():
        pq.write_table(pa.table({"id": column, "text": [TEXT, TEXT]}), tmp_path / f"{name}.parquet")
        assert [article.id for article in read_articles(str(tmp_path / f"{name}.parquet"))] == expected


def test_a_column_whose_name_is_no_utf8_makes_parquet_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "dump.parquet"
    pq.write_table(pa.table({"text": [TEXT], "nameless": [1]}), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"nameless", b"name\xffess"))
    with pytest.raises(DumpError, match=r"dump\.parquet: cannot be read: "):
        list(read_records([str(path)]))


def test_a_row_that_goes_over_lines_without_end_is_rejected_without_being_held(tmp_path: Path) -> None:
    endless = b'2,"' + b'\n\n","' * 200_000 + b'"\n'
    path = write_file(
        tmp_path, "dump.csv", csv_table([["id", "text"], ["1", TEXT]]) + endless + csv_table([["3", TEXT]])
    )
    limits = Limits(max_chars=1_000)
    tracemalloc.start()
    found = list(itertools.islice(read_records([path], limits=limits), 2))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(found[0], Article)
    assert getattr(found[1], "error", "").startswith("too long: a row of more than")
    assert peak < 4_000_000  # bytes; the row's fields would take ten times that
    assert all(isinstance(record, Reject) for record in list(read_records([path], limits=limits))[1:])


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_an_overlong_record_is_rejected_without_being_held(tmp_path: Path, suffix: str) -> None:
    records = [{"id": "1", "text": TEXT}, {"id": "2", "text": "ا" * 5_000_000}, {"id": "3", "text": TEXT}]
    path = write_file(tmp_path, f"dump{suffix}", encode_records(suffix, records))
    limits = Limits(max_chars=1_000)
    list(read_records([path], limits=limits))
    tracemalloc.start()
    first, bad, last = read_records([path], limits=limits)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [first.id, last.id] == ["1", "3"]
    assert isinstance(bad, Reject)
    assert bad.error.startswith("too long")
    assert bad.line == 2
    assert peak < 2_000_000  # bytes, of the 10 million in the line


def test_parquet_damaged_midway_gives_the_rows_before(tmp_path: Path) -> None:
    path = tmp_path / "dump.parquet"
    rows = [{"id": i, "text": f"{TEXT} {i * i * 7919}"} for i in range(5_000)]
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=500)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3_000] = b"\xff" * 3_000
    path.write_bytes(data)
    found = []
    with pytest.raises(DumpError, match=r"cannot be read after line \d+: "):
        found.extend(read_records([str(path)]))
    assert [record.id for record in found] == [str(i) for i in range(len(found))]
    assert len(found) > 1_000
