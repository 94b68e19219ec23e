"""Compressed files: truncated, damaged, with a wrong suffix, or of several members."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import COMPRESS, RECORDS, TEXT, json_lines, read_articles, write_file
from wusum.model.errors import DumpError
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
