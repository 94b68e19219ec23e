"""Readers of dumps: every format and place, pages among them, fields by their names."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import lzma
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from tests.support import PAGES
from wusum.model.article import Article
from wusum.model.errors import DumpError
from wusum.model.io.reader import Fields, Reject, read

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
