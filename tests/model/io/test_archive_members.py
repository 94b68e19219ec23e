"""Archives by themselves: suffixes, names of members, sizes, and which errors mean that the bytes are bad."""

from __future__ import annotations

import errno
import gzip
import io
import lzma
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import TEXT, read_articles
from wusum.model.errors import DumpError
from wusum.model.io.archives import (
    DamagedArchiveError,
    archive_kind,
    has_independent_members,
    is_damage,
    member_name,
    open_archive,
)
from wusum.model.io.reader import Reject, read_records


def pack(path: Path, files: dict[str, bytes]) -> str:
    """Make an archive and return its path."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as made:
            for name, data in files.items():
                made.writestr(name, data)
    else:
        with tarfile.open(path, "w") as tar:
            for name, data in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    return str(path)


DAMAGE = [
    zipfile.BadZipFile("bad"),
    tarfile.ReadError("bad"),
    zlib.error("bad"),
    EOFError("bad"),
    lzma.LZMAError("bad"),
    KeyError("bad"),
    NotImplementedError("bad"),
    RuntimeError("bad"),
    ValueError("bad"),
    struct.error("bad"),
    OSError("bad"),
]
"""Exceptions of the libraries for archives that are damaged or made in an unknown way."""


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*args: object, **kwargs: object) -> Any:
        raise error

    return fail


@pytest.mark.parametrize("error", DAMAGE, ids=repr)
def test_an_archive_that_cannot_be_opened_is_named(
    tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pack(tmp_path / "dump.zip", {"a.txt": TEXT.encode()})
    monkeypatch.setattr(zipfile, "ZipFile", failing(error))
    with pytest.raises(DumpError, match=r"dump\.zip: cannot be read as an archive: .*bad"):
        list(read_records([path]))


@pytest.mark.parametrize("error", DAMAGE, ids=repr)
def test_a_member_that_cannot_be_opened_is_rejected(
    tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pack(tmp_path / "dump.zip", {"a.txt": TEXT.encode()})
    monkeypatch.setattr(zipfile.ZipFile, "open", failing(error))
    (bad,) = read_records([path])
    assert isinstance(bad, Reject)
    assert "bad" in bad.error


@pytest.mark.parametrize("error", [*DAMAGE[:5], DAMAGE[-1]], ids=repr)
def test_a_member_that_cannot_be_read_is_rejected(
    tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pack(tmp_path / "dump.zip", {"a.txt": TEXT.encode()})
    monkeypatch.setattr(zipfile.ZipExtFile, "readinto", failing(error), raising=False)
    monkeypatch.setattr(zipfile.ZipExtFile, "read1", failing(error))
    (bad,) = read_records([path])
    assert isinstance(bad, Reject)
    assert bad.error == "cannot be read: bad"


class NetworkError(OSError):
    """An error of a library for remote systems, which has no error number."""


@pytest.mark.parametrize(
    ("error", "damage"),
    [
        (EOFError(), True),
        (zlib.error(), True),
        (lzma.LZMAError(), True),
        (DamagedArchiveError("bad"), True),
        (gzip.BadGzipFile("bad"), True),
        (OSError("CRC check failed"), True),
        (OSError(errno.EIO, "Input/output error"), False),
        (PermissionError(errno.EACCES, "denied"), False),
        (TimeoutError("gone"), False),
        (NetworkError("gone"), False),
        (ValueError("bad"), False),
    ],
    ids=repr,
)
def test_bad_bytes_are_told_from_a_failing_disk_or_network(error: Exception, damage: bool) -> None:
    assert is_damage(error) is damage


@pytest.mark.parametrize(
    ("path", "kind", "independent"),
    [
        ("a.zip", "zip", True),
        ("b.c/A.ZIP", "zip", True),
        ("a.tar", "tar", True),
        ("A.TAR", "tar", True),
        *((f"a{suffix}", "tar", False) for suffix in (".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".tar.zst", ".TAR.GZ")),
        *((f"a{suffix}", "", False) for suffix in (".gz", ".xz", ".tar.lz", ".zip.txt", ".7z", "zip")),
    ],
)
def test_an_archive_is_known_by_its_suffix(path: str, kind: str, independent: bool) -> None:
    assert archive_kind(path) == kind
    assert has_independent_members(path) is independent


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("1.txt", "1.txt"),
        ("./1.txt", "1.txt"),
        ("/a//b/./1.txt", "a/b/1.txt"),
        ("../1.txt", "../1.txt"),
        (".a/b./1.txt", ".a/b./1.txt"),
        ("a/", "a"),
        ("./", ""),
    ],
)
def test_a_member_is_called_by_the_parts_of_its_path(path: str, name: str) -> None:
    assert member_name(path) == name


@pytest.mark.parametrize("suffix", [".zip", ".tar"])
def test_an_archive_gives_paths_sizes_and_contents_of_its_files(tmp_path: Path, suffix: str) -> None:
    path = pack(tmp_path / f"dump{suffix}", {"b/1.txt": b"one", "./a.md": b"", "/c.txt": b"three"})
    archive = open_archive(path)
    assert list(archive.paths()) == ["b/1.txt", "./a.md", "/c.txt"]
    assert [archive.size(name) for name in archive.paths()] == [3, 0, 5]
    assert [archive.open(name).read() for name in archive.paths()] == [b"one", b"", b"three"]
    changing = {"etag": f"{zlib.crc32(b'one'):08x}"} if suffix == ".zip" else {"mtime": 0}
    assert archive.info("b/1.txt") == {"size": 3, **changing}
    with pytest.raises(KeyError):
        archive.open("none.txt")


def test_folders_in_an_archive_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "sub" / "a.txt").write_text(TEXT, encoding="utf-8")
    for format in ("zip", "tar", "gztar"):
        path = shutil.make_archive(str(tmp_path / "dump"), format, tmp_path / "in")
        assert [member_name(name) for name in open_archive(path).paths()] == ["sub/a.txt"]


def test_a_zip_with_two_members_of_one_name_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "dump.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "أول")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.txt", "ثان")
    assert [(a.id, a.body) for a in read_articles(str(path))] == [("a", "ثان")]


@pytest.mark.parametrize(("length", "read"), [((1 << 16) - 1, True), (1 << 16, False)])
def test_the_name_of_a_file_in_a_tar_has_a_limit(tmp_path: Path, length: int, read: bool) -> None:
    path = tmp_path / "dump.tar"
    name = "a" * (length - 4) + ".txt"  # a zero byte ends it
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo(name))
    if read:
        assert list(open_archive(str(path)).paths()) == [name]
    else:
        with pytest.raises(tarfile.ReadError, match="a header of 65,537 bytes"):
            open_archive(str(path))
