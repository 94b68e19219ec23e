"""Files that are whole or absent, and digests."""

from __future__ import annotations

from pathlib import Path

import pytest

from wusum.train.cache import digest_of, file_digest, read_json, write_atomically, write_json


def test_a_file_is_replaced_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "table.npz"

    def failing(scratch: Path) -> None:
        assert (scratch.parent, scratch.suffix) == (path.parent, ".npz")
        scratch.write_text("half", encoding="utf-8")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, failing)
    assert list(path.parent.iterdir()) == []
    write_atomically(path, lambda scratch: scratch.write_text("first", encoding="utf-8"))
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, failing)
    assert [(file.name, file.read_text(encoding="utf-8")) for file in path.parent.iterdir()] == [("table.npz", "first")]
    write_atomically(path, lambda scratch: scratch.write_text("second", encoding="utf-8"))
    assert path.read_text(encoding="utf-8") == "second"


def test_a_folder_is_there_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "rows"

    def write(scratch: Path) -> None:
        scratch.mkdir()
        (scratch / "one").touch()

    def failing(scratch: Path) -> None:
        write(scratch)
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011
        write_atomically(path, failing)
    assert list(tmp_path.iterdir()) == []
    write_atomically(path, write)
    assert [file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*")] == ["rows", "rows/one"]


def test_json_comes_back(tmp_path: Path) -> None:
    value = {"نص": [1, 2.5, None]}
    write_json(tmp_path / "value.json", value)
    assert read_json(tmp_path / "value.json") == value
    assert "نص" in (tmp_path / "value.json").read_text(encoding="utf-8")


def test_digests_differ_where_the_parts_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a")
    digests = [digest_of("a", 1), digest_of("a", "1"), digest_of("a1"), digest_of(("a", 1)), digest_of()]
    assert len(set(digests)) == len(digests)
    assert digest_of("a", 1) == digests[0]
    assert {len(digest) for digest in digests} == {32}
    # The beginning of SHA-256 of "a", as FIPS 180-4 defines it.
    assert file_digest(tmp_path / "file") == "ca978112ca1bbdca"
