"""Compressed files: truncated, damaged, with a wrong suffix, or of several members."""

from __future__ import annotations

import io
import random
import time
from pathlib import Path

import pytest

from tests.support import COMPRESS, RECORDS, TEXT, json_lines, read_articles, write_file
from wusum.model.errors import DumpError
from wusum.model.io.compression import compress, decompress
from wusum.model.io.reader import read_records


@pytest.mark.parametrize("compression", [".gz", ".xz", ".zst"])
def test_a_truncated_file_gives_the_records_before_its_end(tmp_path: Path, compression: str) -> None:
    many = [{"id": i, "text": f"{TEXT} {i * i * 7919}"} for i in range(5_000)]
    data = COMPRESS[compression](json_lines(*many))
    path = write_file(tmp_path, f"dump.jsonl{compression}", data[: len(data) // 2])
    records = read_records([path])
    found = []
    with pytest.raises(DumpError, match=r"cannot be read after line \d+") as caught:
        found.extend(records)
    assert path in str(caught.value)
    assert f"after line {len(found)}:" in str(caught.value)
    assert [record.id for record in found] == [str(i) for i in range(len(found))]
    assert len(found) > 500


@pytest.mark.parametrize("name", ["dump.jsonl.gz", "dump.csv.xz", "dump.jsonl.zst", "dump.parquet"])
def test_a_file_that_is_not_what_its_suffix_says_is_unreadable(tmp_path: Path, name: str) -> None:
    path = write_file(tmp_path, name, json_lines(*RECORDS))
    with pytest.raises(DumpError, match="cannot be read: ") as caught:
        list(read_records([path]))
    assert path in str(caught.value)


@pytest.mark.parametrize("compression", [".gz", ".xz", ".zst"])
def test_a_damaged_page_among_others_is_rejected(tmp_path: Path, compression: str) -> None:
    data = COMPRESS[compression](TEXT.encode())
    for name, page in {"1": data, "2": data[: len(data) // 2], "3": TEXT.encode(), "4": data}.items():
        write_file(tmp_path, f"{name}.txt{compression}", page)
    found = list(read_records([str(tmp_path)]))
    assert [record.id for record in found] == ["1", "2", "3", "4"]
    assert [getattr(record, "error", "")[:16] for record in found] == ["", *2 * ["cannot be read: "], ""]


@pytest.mark.parametrize("compression", [".gz", ".xz", ".zst"])
def test_files_of_several_members_are_read_to_the_end(tmp_path: Path, compression: str) -> None:
    data = b"".join(COMPRESS[compression](json_lines(record)) for record in RECORDS)
    assert len(read_articles(write_file(tmp_path, f"dump.jsonl{compression}", data))) == len(RECORDS)


@pytest.mark.parametrize("compression", ["gz", "xz", "zst"])
@pytest.mark.parametrize("size", [0, 1, 300_000])
def test_what_was_compressed_is_decompressed(compression: str, size: int) -> None:
    data, raw = random.Random(size).randbytes(size), io.BytesIO()
    for part in (data[: size // 3], data[size // 3 :]):  # two members, one after the other
        with compress(raw, compression) as stream:
            stream.write(part)
    assert not raw.closed
    raw.seek(0)
    assert decompress(raw, compression).read() == data


def test_the_same_rows_give_the_same_bytes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def packed(name: str, now: float) -> bytes:
        monkeypatch.setattr(time, "time", lambda: now)
        with (tmp_path / name).open("wb") as raw, compress(raw, "gz") as stream:
            stream.write(b"row")
        return (tmp_path / name).read_bytes()

    assert packed("a.gz", 1.7e9) == packed("b.gz", 1.8e9)


@pytest.mark.parametrize("compression", ["gz", "xz", "zst"])
def test_a_decompressed_stream_can_be_searched(compression: str) -> None:
    data = random.Random(7).randbytes(200_000)
    stream = decompress(io.BytesIO(COMPRESS[f".{compression}"](data)), compression)
    assert stream.seekable()
    assert (stream.read(5), stream.tell()) == (data[:5], 5)
    for offset in (150_000, 3, 3, 70_000, 0):
        assert stream.seek(offset) == stream.tell() == offset
        assert stream.read(10) == data[offset : offset + 10]
    assert stream.seek(90, io.SEEK_CUR) == 100
    assert stream.read(1) == data[100:101]
    assert stream.seek(300_000) == 200_000
    assert stream.read() == b""


def test_the_end_of_a_zstandard_stream_is_unknown() -> None:
    stream = decompress(io.BytesIO(COMPRESS[".zst"](b"x")), "zst")
    with pytest.raises(io.UnsupportedOperation, match="the end of a Zstandard stream is unknown"):
        stream.seek(0, io.SEEK_END)


def test_a_pipe_of_zstandard_cannot_be_searched() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    stream = decompress(Pipe(COMPRESS[".zst"](b"row")), "zst")
    assert not stream.seekable()
    assert stream.read() == b"row"


def test_damaged_zstandard_is_an_error_of_reading() -> None:
    with pytest.raises(OSError, match=r"zstd|Unknown frame"):
        decompress(io.BytesIO(b"no zstandard at all"), "zst").read()
    with pytest.raises(EOFError, match="in the middle of a Zstandard frame"):
        decompress(io.BytesIO(COMPRESS[".zst"](b"row" * 100)[:-1]), "zst").read()


@pytest.mark.parametrize("function", [compress, decompress])
def test_an_unknown_compression_is_an_error(function: object) -> None:
    with pytest.raises(KeyError, match="br"):
        function(io.BytesIO(), "br")  # type: ignore[operator]
