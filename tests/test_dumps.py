"""Readers and writers of dumps: every format there and back, and a clear reason for everything that is bad."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import lzma
import os
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from wusum.model import dumps, parquet
from wusum.model.article import Article
from wusum.model.dumps import DumpError, Fields, Limits, Reject, check, read
from wusum.model.writers import open_writer

PAGES = Path(__file__).parent / "pages"
TEXT = "افتتح الوزير المعرض في مدينة حلب صباح اليوم"
RECORDS = [{"id": f"n{i}", "title": f"عنوان {i}", "text": f'{TEXT}، وقال: "أهلاً"\nالفقرة {i}'} for i in range(5)]
PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}


def lines(*records: object) -> bytes:
    return b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)


def table(rows: list[list[str]], delimiter: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode()


def encoded(suffix: str, records: list[dict[str, str]]) -> bytes:
    if suffix == ".jsonl":
        return lines(*records)
    if suffix == ".parquet":
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(records), sink)
        return sink.getvalue()
    rows = [list(records[0]), *(list(record.values()) for record in records)]
    return table(rows, "\t" if suffix == ".tsv" else ",")


def put(folder: Path, name: str, data: bytes) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return str(path)


def articles(*inputs: str, **options: Any) -> list[Article]:
    found = list(read(inputs, **options))
    assert all(isinstance(article, Article) for article in found), found
    return [article for article in found if isinstance(article, Article)]


def rejects(*inputs: str, **options: Any) -> list[Reject]:
    return [record for record in read(inputs, **options) if isinstance(record, Reject)]


def reason(path: str, **options: Any) -> str:
    (reject,) = rejects(path, **options)
    return reject.error


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[io.BufferedIOBase], None]:
    return lambda stream: monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))


# ---- formats


@pytest.mark.parametrize(
    ("suffix", "packing"), [*itertools.product((".jsonl", ".csv", ".tsv"), PACK), (".parquet", "")]
)
def test_records_of_every_format_are_read_from_files_and_remote_systems(
    tmp_path: Path, suffix: str, packing: str
) -> None:
    data = PACK[packing](encoded(suffix, RECORDS))
    path = put(tmp_path, f"dump{suffix}{packing}", data)
    url = f"memory://{tmp_path.name}/dump{suffix}{packing}"
    with fsspec.open(url, "wb") as file:
        file.write(data)
    expected = [Article(id=record["id"], body=record["text"], title=record["title"]) for record in RECORDS]
    assert articles(path) == expected
    assert articles(url) == expected


@pytest.mark.parametrize("packing", PACK)
def test_a_page_is_parsed_and_keeps_offsets_into_the_given_text(tmp_path: Path, packing: str) -> None:
    raw = (PAGES / "sport.txt").read_bytes().replace(b"\n", b"\r\n")
    (article,) = articles(put(tmp_path, f"p1.txt{packing}", PACK[packing](b"\xef\xbb\xbf" + raw)))
    text = raw.decode()
    assert article.id == "p1"
    assert article.body.startswith("قاد المهاجم")
    assert article.body.endswith("إلى النهائيات.")
    assert "\r\n" in article.body
    assert text[article.offset :].startswith(article.body)


def test_pages_option(tmp_path: Path) -> None:
    page = (PAGES / "health.txt").read_text(encoding="utf-8")
    text = put(tmp_path, "health.txt", page.encode())
    dump = put(tmp_path, "dump.jsonl", lines({"id": 1, "text": page}, {"id": 2, "text": page, "title": "عنوان السجل"}))
    assert [page.startswith(a.body) and a.body != page for a in articles(text, dump)] == [True, False, False]
    parsed = articles(text, dump, pages=True)
    assert len({article.body for article in parsed}) == 1
    assert [article.id for article in parsed] == ["health", "1", "2"]
    assert parsed[2].title == "عنوان السجل"
    assert {article.body for article in articles(text, dump, pages=False)} == {page}


def test_every_sample_page_is_an_article_with_tags() -> None:
    found = articles(str(PAGES))
    assert [article.id for article in found] == ["culture", "economy", "health", "politics", "sport", "technology"]
    for article in found:
        assert 120 <= len(article.body.split()) <= 220
        assert "المصدر:" not in article.body
        assert article.source
        assert len(article.tags) >= 6
        assert article.related
        assert article.similar


# ---- inputs


def test_folders_and_globs_are_read_in_order_and_sources_named_below_them(tmp_path: Path) -> None:
    bad = lines({"text": "English only"})
    for name in ("b/1.jsonl", "a.jsonl", "b/0.jsonl.gz", "c.jsonl", ".hidden/x.jsonl", "b/.part.jsonl"):
        put(tmp_path, name, gzip.compress(bad) if name.endswith("gz") else bad)
    put(tmp_path, "README.md", b"no dump")
    assert [r.source for r in rejects(str(tmp_path))] == ["a.jsonl", "b/0.jsonl.gz", "b/1.jsonl", "c.jsonl"]
    assert [r.source for r in rejects(str(tmp_path / "*"))] == ["a.jsonl", "c.jsonl"]
    assert [r.source for r in rejects(str(tmp_path / "**" / "*.gz"))] == ["b/0.jsonl.gz"]
    assert [r.source for r in rejects(str(tmp_path / "c.jsonl"), str(tmp_path / "b"))] == [
        "c.jsonl",
        "0.jsonl.gz",
        "1.jsonl",
    ]


def test_a_page_is_called_by_its_path_below_the_folder(tmp_path: Path) -> None:
    names = ("1.txt", "a/1.txt", "a/b/1.txt.gz", "b/1.TXT")
    for name in names:
        put(tmp_path, name, gzip.compress(TEXT.encode()) if name.endswith("gz") else TEXT.encode())
    expected = ["1", "a/1", "a/b/1", "b/1"]
    assert [article.id for article in articles(str(tmp_path))] == expected
    assert [article.id for article in articles(str(tmp_path / "a" / "**" / "*"))] == ["1", "b/1"]
    assert [article.id for article in articles(*(str(tmp_path / name) for name in names))] == ["1"] * 4
    put(tmp_path, "b/1.TXT", b"English")
    assert [(reject.source, reject.id) for reject in rejects(str(tmp_path))] == [("b/1.TXT", "b/1")]


def test_remote_folders_and_globs(tmp_path: Path) -> None:
    system = fsspec.filesystem("memory")
    for name in ("2.jsonl", "1.jsonl", "x/3.jsonl", "notes.md"):
        system.pipe(f"/{tmp_path.name}/{name}", lines({"text": "English only"}))
    url = f"memory://{tmp_path.name}"
    assert [r.source for r in rejects(url)] == ["1.jsonl", "2.jsonl", "x/3.jsonl"]
    assert [r.source for r in rejects(f"{url}/*.jsonl")] == ["1.jsonl", "2.jsonl"]


def test_a_file_name_with_glob_characters_is_a_file(tmp_path: Path) -> None:
    assert len(articles(put(tmp_path, "dump[1].jsonl", lines(*RECORDS)))) == len(RECORDS)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.jsonl", "no such file"),
        ("*.csv", "no file found with a known suffix"),
        ("dump.docx", "unknown kind of file"),
        ("dump.parquet.gz", "unknown kind of file"),
        ("empty", "no file found with a known suffix"),
    ],
)
def test_inputs_are_checked_before_the_first_record(tmp_path: Path, name: str, message: str) -> None:
    good = put(tmp_path, "good.jsonl", lines(*RECORDS))
    (tmp_path / "empty").mkdir()
    for other in ("dump.docx", "dump.parquet.gz"):
        put(tmp_path, other, b"")
    with pytest.raises(DumpError, match=message) as caught:
        read([good, str(tmp_path / name)])
    assert name in str(caught.value)


@pytest.mark.parametrize("url", ["memory://nowhere/dump.jsonl", "memory://nowhere/*.csv", "nosuch://x/dump.jsonl"])
def test_a_missing_url_is_named(url: str) -> None:
    with pytest.raises(DumpError, match=r"nowhere|nosuch"):
        read([url])


# ---- standard input


class Endless(io.RawIOBase):
    """JSON lines without end; a reader that wants the whole of it never returns."""

    def __init__(self) -> None:
        self.sent = 0
        self.lines: Iterator[bytes] = (lines({"id": i, "text": TEXT}) for i in itertools.count())

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        line = next(self.lines)
        buffer[: len(line)] = line
        self.sent += len(line)
        return len(line)


def test_standard_input_is_read_lazily(stdin: Callable[[io.BufferedIOBase], None]) -> None:
    source = Endless()
    stdin(io.BufferedReader(source))
    records = read(["-"])
    assert [article.id for article in itertools.islice(records, 3)] == ["0", "1", "2"]
    assert source.sent < 100_000


def test_standard_input_can_be_json_lines_after_blank_ones(stdin: Callable[[io.BufferedIOBase], None]) -> None:
    stdin(io.BytesIO(b"\xef\xbb\xbf\n  \n" + lines({"text": TEXT}, {"text": "No"})))
    first, second = read(["-"])
    assert first == Article(id="stdin:3", body=TEXT)
    assert isinstance(second, Reject)
    assert (second.source, second.line) == ("stdin", 4)


def test_standard_input_can_be_a_page(stdin: Callable[[io.BufferedIOBase], None]) -> None:
    raw = b"\r\n" + (PAGES / "culture.txt").read_bytes()
    stdin(io.BytesIO(raw))
    (article,) = articles("-")
    assert article.id == "stdin"
    assert raw.decode()[article.offset :].startswith(article.body)
    stdin(io.BytesIO(raw))
    assert articles("-", pages=False)[0].body == raw.decode()


def test_standard_input_can_be_empty(stdin: Callable[[io.BufferedIOBase], None]) -> None:
    stdin(io.BytesIO(b""))
    assert list(read(["-"])) == []


# ---- fields


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
@pytest.mark.parametrize(
    "names", [("id", "title", "text"), ("url", "headline", "body"), ("URL", "Title", "Content"), ("Id", "x", "article")]
)
def test_the_usual_names_are_found(tmp_path: Path, suffix: str, names: tuple[str, str, str]) -> None:
    record = dict(zip(names, ("n1", "عنوان", TEXT), strict=True))
    path = put(tmp_path, f"dump{suffix}", encoded(suffix, [{"lang": "ar", **record}]))
    assert articles(path) == [Article(id="n1", body=TEXT, title="" if "x" in names else "عنوان")]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_given_names_win_over_the_usual_ones(tmp_path: Path, suffix: str) -> None:
    record = {"id": "no", "title": "لا", "text": "لا", "key": "n1", "head": "عنوان", "نص": TEXT}
    path = put(tmp_path, f"dump{suffix}", encoded(suffix, [record]))
    assert articles(path, fields=Fields("key", "head", "نص")) == [Article(id="n1", body=TEXT, title="عنوان")]


def test_a_field_that_holds_nothing_gives_way_to_the_next(tmp_path: Path) -> None:
    path = put(tmp_path, "dump.jsonl", lines({"id": "", "url": 7, "text": None, "body": TEXT, "title": 2024}))
    assert articles(path) == [Article(id="7", body=TEXT, title="2024")]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_a_record_without_an_id_is_called_by_its_place(tmp_path: Path, suffix: str) -> None:
    path = put(tmp_path, f"dump{suffix}", encoded(suffix, [{"text": TEXT}] * 2))
    assert [article.id for article in articles(path)] == [f"dump{suffix}:1", f"dump{suffix}:2"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_without_the_column_is_unreadable(tmp_path: Path, suffix: str) -> None:
    path = put(tmp_path, f"dump{suffix}", encoded(suffix, [{"key": "1", "نص": TEXT}]))
    with pytest.raises(DumpError, match="its columns are key, نص; name the one of the text with --text-field"):
        list(read([path]))
    with pytest.raises(DumpError, match=r"no column 'kye' \(--id-field\): its columns are key, نص"):
        list(read([path], fields=Fields(id="kye", text="نص")))


# ---- bad records


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (b'{"text": ', "no JSON: "),
        (b"[1]", "no JSON object: the line is a list"),
        (b"null", "no JSON object: the line is null"),
        (b'{"id": "a", "nass": "x"}', "no text: no field called text, body, content, article among id, nass"),
        (b'{"id": "a", "text": null}', "no text: field 'text' is empty"),
        (b'{"id": "a", "text": " \\n "}', "no text: the body is empty"),
        (b'{"id": "a", "text": ["x"]}', "field 'text' is no text but a list"),
        (b'{"id": "a", "text": 5}', "field 'text' is no text but a number"),
        (b'{"id": {"oid": 1}, "text": "x"}', "field 'id' is no text but an object"),
        (b'{"text": "\\ud800"}', "wrongly encoded: lone"),
        (b'{"text": "a\\u0000b"}', "wrongly encoded: NUL character at 1"),
        (b'{"text": "The quick brown fox"}', "not Arabic: 0% of the letters are Arabic, fewer than 50%"),
        (b'{"text": "123"}', "not Arabic: the text has no letters"),
        ('{"text": "\ufd3f١٢٣\ufd3e"}'.encode(), "not Arabic: the text has no letters"),
        (json.dumps({"text": TEXT}, ensure_ascii=False).encode("cp1256"), "not UTF-8: byte 0x"),
        (lines({"text": TEXT}).strip()[:-3] + b'"}', "looks like UTF-8 with damaged bytes"),
    ],
)
def test_a_bad_line_is_rejected_and_the_reading_goes_on(tmp_path: Path, record: bytes, message: str) -> None:
    path = put(tmp_path, "dump.jsonl", lines({"text": TEXT}) + b"\n" + record + b"\n" + lines({"text": TEXT}))
    first, bad, last = read([path])
    assert isinstance(bad, Reject)
    assert (bad.source, bad.line) == ("dump.jsonl", 3)
    assert bad.id == ("a" if b'"a"' in record else "")
    assert message in bad.error
    assert [first.id, last.id] == ["dump.jsonl:1", "dump.jsonl:4"]
    assert bad.to_dict() == {"source": "dump.jsonl", "line": 3, "id": bad.id, "error": bad.error}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no text: the body is empty"),
        (TEXT.encode("cp1256"), "not UTF-8: byte 0xc7 at 0; looks like windows-1256"),
        (TEXT.encode("utf-16"), "not UTF-8: byte 0xff at 0; looks like UTF-16"),
        (TEXT.encode("utf-16-le"), "wrongly encoded: NUL character"),
        (TEXT.encode() + b"\xff", f"not UTF-8: byte 0xff at {len(TEXT.encode())}; looks like UTF-8 with damaged"),
        ("Études à Québec".encode("latin-1"), "not UTF-8: byte 0xc9 at 0"),
        (TEXT.encode().decode("latin-1").encode(), "looks like UTF-8 that was read as windows-1252"),
        (TEXT.encode().decode("cp1252", "ignore").encode(), "looks like UTF-8 that was read as windows-1252"),
        (TEXT.encode().decode("cp1256").encode(), "looks like UTF-8 that was read as windows-1256"),
        ((TEXT + "\ufffd" * 9).encode(), "U+FFFD"),
    ],
)
def test_a_bad_page_is_rejected(tmp_path: Path, data: bytes, message: str) -> None:
    path = put(tmp_path, "p7.txt", data)
    (reject,) = rejects(path)
    assert (reject.source, reject.line, reject.id) == ("p7.txt", 1, "p7")
    assert message in reject.error


def test_a_guess_at_the_encoding_is_made_only_for_arabic(tmp_path: Path) -> None:
    assert "looks like" not in reason(put(tmp_path, "p.txt", "Études à Québec".encode("latin-1")))


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
    path = put(tmp_path, f"dump{suffix}", data + b"\n".join(delimiter.join(row) for row in rows[2:]))
    found = list(read([path]))
    assert [a.id for a in found if isinstance(a, Article)] == ["good1", "good2"]
    bad = {record.line: record for record in found if isinstance(record, Reject)}
    assert {line: record.id for line, record in bad.items()} == {
        2: "", 3: "", 4: "nul", 5: "1256", 6: "empty", 7: "", 9: ""
    }  # fmt: skip
    expected = {
        2: "ragged row: 3 fields where the header has 2",
        3: "ragged row: 1 fields where the header has 2",
        4: "NUL character at 0",
        5: "looks like windows-1256",
        6: "no text: field 'text' is empty",
        7: "no well-formed row: ",
        9: "no well-formed row: unexpected end of data",
    }
    assert all(message in bad[line].error for line, message in expected.items()), bad


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it is empty"),
        ("id,text\n1,نص\n".encode("utf-16"), "its header is not UTF-8: byte 0xff at 0; looks like UTF-16"),
        (b'id,"text', "its header is bad: no well-formed row"),
    ],
)
def test_a_table_with_a_bad_header_is_unreadable(tmp_path: Path, data: bytes, message: str) -> None:
    path = put(tmp_path, "dump.csv", data)
    with pytest.raises(DumpError, match=message) as caught:
        list(read([path]))
    assert path in str(caught.value)


def test_a_table_keeps_the_newlines_of_its_texts(tmp_path: Path) -> None:
    data = f'\ufeffid,text\r\n1,"{TEXT}\r\n\r\n{TEXT}"\r\n'
    assert articles(put(tmp_path, "dump.csv", data.encode())) == [Article(id="1", body=f"{TEXT}\r\n\r\n{TEXT}")]


def test_parquet_takes_any_kind_of_string_and_rejects_bad_values(tmp_path: Path) -> None:
    values = [TEXT.encode(), None, TEXT.encode("cp1256"), b"English"]
    binary = pa.array(values, pa.binary())
    broken = pa.StringArray.from_buffers(len(values), *binary.buffers()[1:], binary.buffers()[0])
    words = pa.array([TEXT, None, "نعم", TEXT]).dictionary_encode()
    sheet = pa.table({"id": pa.array([1, 2, 3, 4], pa.int64()), "text": broken, "body": binary, "content": words})
    path = str(tmp_path / "dump.parquet")
    pq.write_table(sheet, path)
    for name in ("text", "body"):
        first, null, wrong, foreign = read([path], fields=Fields(text=name))
        assert first == Article(id="1", body=TEXT)
        assert isinstance(null, Reject)
        assert (null.line, null.id, null.error) == (2, "2", f"no text: field '{name}' is empty")
        assert isinstance(wrong, Reject)
        assert wrong.error == "not UTF-8: byte 0xc7 at 0; looks like windows-1256"
        assert isinstance(foreign, Reject)
        assert foreign.error.startswith("not Arabic")
    encoded_words = list(read([path], fields=Fields(text="content")))
    assert [type(record) for record in encoded_words] == [Article, Reject, Article, Article]


def test_parquet_takes_dates_and_decimals_for_ids(tmp_path: Path) -> None:
    ids = {
        "decimal": (pa.array([7, 10**15]).cast(pa.decimal128(20, 0)), ["7", str(10**15)]),
        "nanoseconds": (pa.array([1, 2], pa.timestamp("ns")), [f"1970-01-01 00:00:00.00000000{n}" for n in (1, 2)]),
        "no date": (pa.array([1, 99_999_999], pa.date32()), ["1970-01-02", "<value out of range: 99999999>"]),
    }
    for name, (column, expected) in ids.items():
        pq.write_table(pa.table({"id": column, "text": [TEXT, TEXT]}), tmp_path / f"{name}.parquet")
        assert [article.id for article in articles(str(tmp_path / f"{name}.parquet"))] == expected


def test_a_column_whose_name_is_no_utf8_makes_parquet_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "dump.parquet"
    pq.write_table(pa.table({"text": [TEXT], "nameless": [1]}), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"nameless", b"name\xffess"))
    with pytest.raises(DumpError, match=r"dump\.parquet: cannot be read: "):
        list(read([str(path)]))


# ---- limits


def test_a_row_that_goes_over_lines_without_end_is_rejected_without_being_held(tmp_path: Path) -> None:
    endless = b'2,"' + b'\n\n","' * 200_000 + b'"\n'
    path = put(tmp_path, "dump.csv", table([["id", "text"], ["1", TEXT]]) + endless + table([["3", TEXT]]))
    limits = Limits(max_chars=1_000)
    tracemalloc.start()
    found = list(itertools.islice(read([path], limits=limits), 2))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(found[0], Article)
    assert getattr(found[1], "error", "").startswith("absurdly long: a row of more than")
    assert peak < 4_000_000  # bytes; the row's fields would take ten times that
    assert all(isinstance(record, Reject) for record in list(read([path], limits=limits))[1:])


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_an_absurdly_long_record_is_rejected_without_being_held(tmp_path: Path, suffix: str) -> None:
    records = [{"id": "1", "text": TEXT}, {"id": "2", "text": "ا" * 5_000_000}, {"id": "3", "text": TEXT}]
    path = put(tmp_path, f"dump{suffix}", encoded(suffix, records))
    limits = Limits(max_chars=1_000)
    list(read([path], limits=limits))
    tracemalloc.start()
    first, bad, last = read([path], limits=limits)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [first.id, last.id] == ["1", "3"]
    assert isinstance(bad, Reject)
    assert bad.error.startswith("absurdly long")
    assert bad.line == 2
    assert peak < 2_000_000  # bytes, of the 10 million in the line


@pytest.mark.parametrize("pages", [True, False])
def test_an_absurdly_long_text_is_rejected(tmp_path: Path, pages: bool) -> None:
    limits = Limits(max_chars=100)
    for size in (101, 1_000_000):
        page = put(tmp_path, "p.txt", ("ا" * size).encode())
        assert reason(page, limits=limits, pages=pages) == "absurdly long: more than 100 characters"
    dump = put(tmp_path, "dump.jsonl", lines({"text": "ا" * 101}))
    assert reason(dump, limits=limits, pages=pages) == "absurdly long: more than 100 characters"
    assert articles(put(tmp_path, "p.txt", ("ا" * 100).encode()), limits=limits, pages=pages)


def test_check_passes_an_article_and_measures_arabic_against_its_limit() -> None:
    mixed = Article(id="1", body="أعلنت Apple")
    assert check(Article(id="1", body=TEXT)) is None
    assert check(mixed) is None
    assert check(mixed, Limits(min_arabic=0.6)) == "not Arabic: 50% of the letters are Arabic, fewer than 60%"
    assert check(Article(id="1", body=TEXT, title="\udcff")) == (
        "wrongly encoded: lone surrogate U+DCFF at 0 of the title"
    )


# ---- streaming and damage


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".jsonl.gz", ".jsonl.zst", ".parquet"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dumps, "check", lambda article, limits: None)  # slow while memory is traced
    records = [{"id": str(i), "text": f"{i * 7919 % 4001} {TEXT}" * 50} for i in range(2_000)]
    data = encoded(suffix.split(".jsonl")[0] or ".jsonl", records)
    packing = suffix.removeprefix(".jsonl") if suffix.startswith(".jsonl") else ""
    path = put(tmp_path, f"dump{suffix}", PACK[packing](data))
    next(read([path]))  # imports
    tracemalloc.start()
    count = sum(1 for _ in read([path]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == len(records)
    assert peak < 2_000_000  # bytes; the file unpacks to 8 million


def test_the_first_record_of_a_pipe_comes_before_its_end(tmp_path: Path) -> None:
    path = tmp_path / "pipe.jsonl"
    os.mkfifo(path)
    seen = threading.Event()

    def feed() -> None:
        with path.open("wb", buffering=0) as pipe:
            pipe.write(lines({"id": 1, "text": TEXT}))
            assert seen.wait(5)
            pipe.write(lines({"id": 2, "text": TEXT}))

    feeder = threading.Thread(target=feed)
    feeder.start()
    records = read([str(path)])
    first = next(records)
    seen.set()
    assert [first.id, *(record.id for record in records)] == ["1", "2"]
    feeder.join()


@pytest.mark.parametrize("packing", [".gz", ".xz", ".zst"])
def test_a_cut_file_gives_what_stands_before_the_cut(tmp_path: Path, packing: str) -> None:
    many = [{"id": i, "text": f"{TEXT} {i * i * 7919}"} for i in range(5_000)]
    data = PACK[packing](lines(*many))
    path = put(tmp_path, f"dump.jsonl{packing}", data[: len(data) // 2])
    records = read([path])
    found = []
    with pytest.raises(DumpError, match=r"cannot be read after line \d+") as caught:
        found.extend(records)
    assert path in str(caught.value)
    assert f"after line {len(found)}:" in str(caught.value)
    assert [record.id for record in found] == [str(i) for i in range(len(found))]
    assert len(found) > 500


@pytest.mark.parametrize("name", ["dump.jsonl.gz", "dump.csv.xz", "dump.jsonl.zst", "dump.parquet"])
def test_a_file_that_is_not_what_its_suffix_says_is_unreadable(tmp_path: Path, name: str) -> None:
    path = put(tmp_path, name, lines(*RECORDS))
    with pytest.raises(DumpError, match="cannot be read: ") as caught:
        list(read([path]))
    assert path in str(caught.value)


@pytest.mark.parametrize("packing", [".gz", ".xz", ".zst"])
def test_a_damaged_page_among_others_is_rejected(tmp_path: Path, packing: str) -> None:
    data = PACK[packing](TEXT.encode())
    for name, page in {"1": data, "2": data[: len(data) // 2], "3": TEXT.encode(), "4": data}.items():
        put(tmp_path, f"{name}.txt{packing}", page)
    found = list(read([str(tmp_path)]))
    assert [record.id for record in found] == ["1", "2", "3", "4"]
    assert [getattr(record, "error", "")[:16] for record in found] == ["", *2 * ["cannot be read: "], ""]


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
        found.extend(read([str(path)]))
    assert [record.id for record in found] == [str(i) for i in range(len(found))]
    assert len(found) > 1_000


@pytest.mark.parametrize("packing", [".gz", ".xz", ".zst"])
def test_files_packed_in_several_pieces_are_read_to_the_end(tmp_path: Path, packing: str) -> None:
    data = b"".join(PACK[packing](lines(record)) for record in RECORDS)
    assert len(articles(put(tmp_path, f"dump.jsonl{packing}", data))) == len(RECORDS)


# ---- writers

ROWS = [
    {
        "id": f"n{i}",
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
] + [{"id": "bare", "topics": [], "tags": []}]


def write(path: str | None, format: str | None = None) -> None:
    with open_writer(path, format) as writer:
        for row in ROWS:
            writer.write(row)


def unpacked(data: bytes, packing: str) -> bytes:
    if packing == ".zst":
        return bytes(zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read())
    return {"": bytes, ".gz": gzip.decompress, ".xz": lzma.decompress}[packing](data)


@pytest.mark.parametrize("packing", PACK)
def test_json_lines_are_written_whole(tmp_path: Path, packing: str) -> None:
    path = tmp_path / f"out.jsonl{packing}"
    write(str(path))
    data = unpacked(path.read_bytes(), packing)
    assert [json.loads(line) for line in data.splitlines()] == ROWS
    assert "جامعة الدول".encode() in data


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_tables_are_written_without_spans(tmp_path: Path, suffix: str, packing: str) -> None:
    path = tmp_path / f"out{suffix}{packing}"
    write(str(path))
    text = unpacked(path.read_bytes(), packing).decode()
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t" if suffix == ".tsv" else ","))
    assert rows[0] == {
        "id": "n0",
        "topics": "medtop:11000000 | medtop:04000000",
        "topic_names_ar": "سياسة | اقتصاد",
        "topic_scores": "0.75 | 0.5",
        "tags": "جامعة الدول العربية | بغداد",
        "tag_scores": "0.9 | 0.25",
        "tag_ids": "",
    }
    assert [row["id"] for row in rows] == [row["id"] for row in ROWS]
    assert rows[-1]["tags"] == ""


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
            writer.write({"id": "1", "topics": [], "tags": tags})
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()[1] == "1,,,,لبنان | غزة,0.9 | 0.8,LB | "
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
    assert capfdbinary.readouterr().out.startswith(b"id,topics,")


def test_the_format_given_wins_over_the_suffix(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    write(str(path), "jsonl")
    assert [json.loads(line) for line in path.read_bytes().splitlines()] == ROWS


@pytest.mark.parametrize(
    ("path", "format", "message"),
    [
        ("out.xlsx", None, "no suffix that tells the format; the formats are jsonl, csv, tsv, parquet"),
        ("out.txt", None, "no suffix that tells the format"),
        ("out.jsonl", "xml", "unknown format 'xml'"),
        (None, "parquet", "Parquet needs a file"),
        ("nowhere/out.jsonl", None, "cannot be written"),
    ],
)
def test_a_writer_that_cannot_be_opened(tmp_path: Path, path: str | None, format: str | None, message: str) -> None:
    with pytest.raises(DumpError, match=message):
        open_writer(str(tmp_path / path) if path else None, format)


def test_closing_twice_does_nothing(tmp_path: Path) -> None:
    for suffix in ("jsonl", "csv.gz", "parquet"):
        writer = open_writer(str(tmp_path / f"out.{suffix}"))
        writer.write(ROWS[0])
        writer.close()
        writer.close()
