"""Dumps as streams: memory that does not grow, cut and damaged files, files packed in pieces."""

from __future__ import annotations

import os
import threading
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.model.io.test_reader import PACK, RECORDS, TEXT, articles, encoded, lines, put
from wusum.model.errors import DumpError
from wusum.model.io import reader
from wusum.model.io.reader import read


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".jsonl.gz", ".jsonl.zst", ".parquet"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "check", lambda article, limits: None)  # slow while memory is traced
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
