"""Readers of dumps: every format and place, pages among them, fields by their names."""

from __future__ import annotations

import gzip
import io
import itertools
import os
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from tests.support import (
    COMPRESS,
    PAGES,
    RECORDS,
    TEXT,
    encode_records,
    json_lines,
    read_articles,
    read_rejects,
    write_file,
)
from wusum.model.article import Article
from wusum.model.errors import DumpError
from wusum.model.io import reader
from wusum.model.io.fields import Fields
from wusum.model.io.reader import Reject, read_records


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[io.BufferedIOBase], None]:
    return lambda stream: monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))


# ---- formats


@pytest.mark.parametrize(
    ("suffix", "compression"), [*itertools.product((".jsonl", ".csv", ".tsv"), COMPRESS), (".parquet", "")]
)
def test_records_of_every_format_are_read_from_files_and_remote_systems(
    tmp_path: Path, suffix: str, compression: str
) -> None:
    data = COMPRESS[compression](encode_records(suffix, RECORDS))
    path = write_file(tmp_path, f"dump{suffix}{compression}", data)
    url = f"memory://{tmp_path.name}/dump{suffix}{compression}"
    with fsspec.open(url, "wb") as file:
        file.write(data)
    expected = [Article(id=record["id"], body=record["text"], title=record["title"]) for record in RECORDS]
    assert read_articles(path) == expected
    assert read_articles(url) == expected


@pytest.mark.parametrize("compression", COMPRESS)
def test_a_page_is_parsed_and_keeps_offsets_into_the_given_text(tmp_path: Path, compression: str) -> None:
    raw = (PAGES / "sport.txt").read_bytes().replace(b"\n", b"\r\n")
    (article,) = read_articles(
        write_file(tmp_path, f"p1.txt{compression}", COMPRESS[compression](b"\xef\xbb\xbf" + raw))
    )
    text = raw.decode()
    assert article.id == "p1"
    assert article.body.startswith("قاد المهاجم")
    assert article.body.endswith("إلى النهائيات.")
    assert "\r\n" in article.body
    assert text[article.offset :].startswith(article.body)


def test_pages_option(tmp_path: Path) -> None:
    page = (PAGES / "health.txt").read_text(encoding="utf-8")
    text = write_file(tmp_path, "health.txt", page.encode())
    dump = write_file(
        tmp_path, "dump.jsonl", json_lines({"id": 1, "text": page}, {"id": 2, "text": page, "title": "عنوان السجل"})
    )
    assert [page.startswith(a.body) and a.body != page for a in read_articles(text, dump)] == [True, False, False]
    parsed = read_articles(text, dump, pages=True)
    assert len({article.body for article in parsed}) == 1
    assert [article.id for article in parsed] == ["health", "1", "2"]
    assert parsed[2].title == "عنوان السجل"
    assert {article.body for article in read_articles(text, dump, pages=False)} == {page}


def test_every_sample_page_is_an_article_with_tags() -> None:
    found = read_articles(str(PAGES))
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
    bad = json_lines({"text": "English only"})
    for name in ("b/1.jsonl", "a.jsonl", "b/0.jsonl.gz", "c.jsonl", ".hidden/x.jsonl", "b/.part.jsonl"):
        write_file(tmp_path, name, gzip.compress(bad) if name.endswith("gz") else bad)
    write_file(tmp_path, "README.md", b"no dump")
    assert [r.source for r in read_rejects(str(tmp_path))] == ["a.jsonl", "b/0.jsonl.gz", "b/1.jsonl", "c.jsonl"]
    assert [r.source for r in read_rejects(str(tmp_path / "*"))] == ["a.jsonl", "c.jsonl"]
    assert [r.source for r in read_rejects(str(tmp_path / "**" / "*.gz"))] == ["b/0.jsonl.gz"]
    assert [r.source for r in read_rejects(str(tmp_path / "c.jsonl"), str(tmp_path / "b"))] == [
        "c.jsonl",
        "0.jsonl.gz",
        "1.jsonl",
    ]


def test_a_page_is_called_by_its_path_below_the_folder(tmp_path: Path) -> None:
    names = ("1.txt", "a/1.txt", "a/b/1.txt.gz", "b/1.TXT")
    for name in names:
        write_file(tmp_path, name, gzip.compress(TEXT.encode()) if name.endswith("gz") else TEXT.encode())
    expected = ["1", "a/1", "a/b/1", "b/1"]
    assert [article.id for article in read_articles(str(tmp_path))] == expected
    assert [article.id for article in read_articles(str(tmp_path / "a" / "**" / "*"))] == ["1", "b/1"]
    assert [article.id for article in read_articles(*(str(tmp_path / name) for name in names))] == ["1"] * 4
    write_file(tmp_path, "b/1.TXT", b"English")
    assert [(reject.source, reject.id) for reject in read_rejects(str(tmp_path))] == [("b/1.TXT", "b/1")]


def test_remote_folders_and_globs(tmp_path: Path) -> None:
    system = fsspec.filesystem("memory")
    for name in ("2.jsonl", "1.jsonl", "x/3.jsonl", "notes.md"):
        system.pipe(f"/{tmp_path.name}/{name}", json_lines({"text": "English only"}))
    url = f"memory://{tmp_path.name}"
    assert [r.source for r in read_rejects(url)] == ["1.jsonl", "2.jsonl", "x/3.jsonl"]
    assert [r.source for r in read_rejects(f"{url}/*.jsonl")] == ["1.jsonl", "2.jsonl"]


def test_a_file_name_with_glob_characters_is_a_file(tmp_path: Path) -> None:
    assert len(read_articles(write_file(tmp_path, "dump[1].jsonl", json_lines(*RECORDS)))) == len(RECORDS)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.jsonl", "no such file"),
        ("*.csv", "no file found with a known suffix"),
        ("dump.docx", "unknown file format"),
        ("dump.parquet.gz", "unknown file format"),
        ("empty", "no file found with a known suffix"),
    ],
)
def test_inputs_are_checked_before_the_first_record(tmp_path: Path, name: str, message: str) -> None:
    good = write_file(tmp_path, "good.jsonl", json_lines(*RECORDS))
    (tmp_path / "empty").mkdir()
    for other in ("dump.docx", "dump.parquet.gz"):
        write_file(tmp_path, other, b"")
    with pytest.raises(DumpError, match=message) as caught:
        read_records([good, str(tmp_path / name)])
    assert name in str(caught.value)


@pytest.mark.parametrize("url", ["memory://nowhere/dump.jsonl", "memory://nowhere/*.csv", "nosuch://x/dump.jsonl"])
def test_a_missing_url_is_named(url: str) -> None:
    with pytest.raises(DumpError, match=r"nowhere|nosuch"):
        read_records([url])


# ---- standard input


class Endless(io.RawIOBase):
    """JSON lines without end; a reader that wants the whole of it never returns."""

    def __init__(self) -> None:
        self.sent = 0
        self.lines: Iterator[bytes] = (json_lines({"id": i, "text": TEXT}) for i in itertools.count())

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
    records = read_records(["-"])
    assert [article.id for article in itertools.islice(records, 3)] == ["0", "1", "2"]
    assert source.sent < 100_000


def test_standard_input_can_be_json_lines_after_blank_ones(stdin: Callable[[io.BufferedIOBase], None]) -> None:
    stdin(io.BytesIO(b"\xef\xbb\xbf\n  \n" + json_lines({"text": TEXT}, {"text": "No"})))
    first, second = read_records(["-"])
    assert first == Article(id="stdin:3", body=TEXT)
    assert isinstance(second, Reject)
    assert (second.source, second.line) == ("stdin", 4)


def test_standard_input_can_be_a_page(stdin: Callable[[io.BufferedIOBase], None]) -> None:
    raw = b"\r\n" + (PAGES / "culture.txt").read_bytes()
    stdin(io.BytesIO(raw))
    (article,) = read_articles("-")
    assert article.id == "stdin"
    assert raw.decode()[article.offset :].startswith(article.body)
    stdin(io.BytesIO(raw))
    assert read_articles("-", pages=False)[0].body == raw.decode()


def test_standard_input_can_be_empty(stdin: Callable[[io.BufferedIOBase], None]) -> None:
    stdin(io.BytesIO(b""))
    assert list(read_records(["-"])) == []


# ---- fields


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
@pytest.mark.parametrize(
    "names", [("id", "title", "text"), ("url", "headline", "body"), ("URL", "Title", "Content"), ("Id", "x", "article")]
)
def test_the_usual_names_are_found(tmp_path: Path, suffix: str, names: tuple[str, str, str]) -> None:
    record = dict(zip(names, ("n1", "عنوان", TEXT), strict=True))
    path = write_file(tmp_path, f"dump{suffix}", encode_records(suffix, [{"lang": "ar", **record}]))
    assert read_articles(path) == [Article(id="n1", body=TEXT, title="" if "x" in names else "عنوان")]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_given_names_win_over_the_usual_ones(tmp_path: Path, suffix: str) -> None:
    record = {"id": "no", "title": "لا", "text": "لا", "key": "n1", "head": "عنوان", "نص": TEXT}
    path = write_file(tmp_path, f"dump{suffix}", encode_records(suffix, [record]))
    assert read_articles(path, fields=Fields("key", "head", "نص")) == [Article(id="n1", body=TEXT, title="عنوان")]


def test_a_field_that_holds_nothing_gives_way_to_the_next(tmp_path: Path) -> None:
    path = write_file(
        tmp_path, "dump.jsonl", json_lines({"id": "", "url": 7, "text": None, "body": TEXT, "title": 2024})
    )
    assert read_articles(path) == [Article(id="7", body=TEXT, title="2024")]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_a_record_without_an_id_is_called_by_its_place(tmp_path: Path, suffix: str) -> None:
    path = write_file(tmp_path, f"dump{suffix}", encode_records(suffix, [{"text": TEXT}] * 2))
    assert [article.id for article in read_articles(path)] == [f"dump{suffix}:1", f"dump{suffix}:2"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_without_the_column_is_unreadable(tmp_path: Path, suffix: str) -> None:
    path = write_file(tmp_path, f"dump{suffix}", encode_records(suffix, [{"key": "1", "نص": TEXT}]))
    with pytest.raises(DumpError, match="its columns are key, نص; name the one of the text with --text-field"):
        list(read_records([path]))
    with pytest.raises(DumpError, match=r"no column 'kye' \(--id-field\): its columns are key, نص"):
        list(read_records([path], fields=Fields(id="kye", text="نص")))


# ---- streams


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".jsonl.gz", ".jsonl.zst", ".parquet"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "validate", lambda article, limits: None)  # slow while memory is traced
    records = [{"id": str(i), "text": f"{i * 7919 % 4001} {TEXT}" * 50} for i in range(2_000)]
    data = encode_records(suffix.split(".jsonl")[0] or ".jsonl", records)
    compression = suffix.removeprefix(".jsonl") if suffix.startswith(".jsonl") else ""
    path = write_file(tmp_path, f"dump{suffix}", COMPRESS[compression](data))
    next(read_records([path]))  # imports
    tracemalloc.start()
    count = sum(1 for _ in read_records([path]))
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
            pipe.write(json_lines({"id": 1, "text": TEXT}))
            assert seen.wait(5)
            pipe.write(json_lines({"id": 2, "text": TEXT}))

    feeder = threading.Thread(target=feed)
    feeder.start()
    records = read_records([str(path)])
    first = next(records)
    seen.set()
    assert [first.id, *(record.id for record in records)] == ["1", "2"]
    feeder.join()
