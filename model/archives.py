"""Archives of pages and dumps, zip and tar: their members are read in place, and nothing is unpacked to the disk."""

from __future__ import annotations

import gzip
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, Protocol, Self

SUFFIXES: Final = {".zip": "zip", ".tar": "tar", ".tgz": "tar", ".tar.gz": "tar", ".tar.xz": "tar", ".tar.bz2": "tar"}
DAMAGE: Final = (zipfile.BadZipFile, tarfile.TarError, zlib.error)
"""What a damaged archive raises as it is read."""
REFUSED: Final = (
    *DAMAGE,
    EOFError,
    lzma.LZMAError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    struct.error,
)
"""What opening raises, also of a member that is missing, compressed in an unknown way or encrypted."""


MAX_EXTENSION: Final = 1 << 20
"""Bytes of the longest name or extended header in a tar."""

_EXTENSIONS: Final = (
    tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE
)  # fmt: skip


class Damaged(OSError):
    """An archive, or one of its members, that cannot be read, whatever the disk or the network does."""


class Archive(Protocol):
    """The files in an archive, by their paths in it; links, which may lead anywhere, are none."""

    def paths(self) -> Iterator[str]:
        """The paths of the files in the archive's own order, in which it is read without going back."""

    def open(self, path: str, mode: str = "rb") -> Any:
        """The bytes of a file; raises one of REFUSED."""

    def size(self, path: str) -> int:
        """Bytes of a file."""

    def info(self, path: str) -> dict[str, Any]:
        """The size of a file, and what tells its contents from others of that size."""


def kind(path: str) -> str:
    """The kind of archive that a name tells, "" for none."""
    return next((kind for suffix, kind in SUFFIXES.items() if path.lower().endswith(suffix)), "")


def separate(path: str) -> bool:
    """Whether an archive's members are packed each for itself, so that the others outlast the damage of one.

    The members of a compressed tar are one stream: what comes after damage is lost.
    """
    return path.lower().endswith((".zip", ".tar"))


def is_damage(error: BaseException) -> bool:
    """Whether an error of reading says that the bytes are bad, not that they cannot be had for now.

    Decompressors raise plain OSErrors; those of the system have a number, those of networks have classes of their own.
    """
    if not isinstance(error, OSError):
        return isinstance(error, (EOFError, zlib.error, lzma.LZMAError))
    return isinstance(error, (Damaged, gzip.BadGzipFile)) or (type(error) is OSError and error.errno is None)


def open_archive(path: str) -> Archive:
    """The archive at a local path or a URL; raises OSError or one of REFUSED."""
    source: Any = path
    if "://" in path:
        import fsspec  # slow to import, and seldom needed

        source = fsspec.open(path, "rb").open()
    return _Zip(source) if kind(path) == "zip" else _Tar(source, path)


class _Zip:
    def __init__(self, source: Any) -> None:
        self._zip = zipfile.ZipFile(source)

    def paths(self) -> Iterator[str]:
        return (path for path in dict.fromkeys(self._zip.namelist()) if _inside(path) and not path.endswith("/"))

    def open(self, path: str, mode: str = "rb") -> Any:
        return self._zip.open(path)

    def size(self, path: str) -> int:
        return self._zip.getinfo(path).file_size

    def info(self, path: str) -> dict[str, Any]:
        return {"size": self.size(path), "etag": f"{self._zip.getinfo(path).CRC:08x}"}


def _open_tar(source: Any, path: str) -> Any:
    last = path.lower().rpartition(".")[2]
    mode: Any = "r:" + {"tar": "", "tgz": "gz"}.get(last, last)
    named = isinstance(source, str)
    return tarfile.open(source if named else None, mode, None if named else source, tarinfo=_Header)


class _Header(tarfile.TarInfo):
    """A header that refuses a name or extension without end: tarfile reads them whole into memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        found = super().frombuf(buf, encoding, errors)
        if found.type in _EXTENSIONS and found.size > MAX_EXTENSION:
            raise tarfile.ReadError(f"a header of {found.size:,} bytes")
        return found


class _Place(NamedTuple):
    """Where in a tar a file stands."""

    start: int
    size: int
    time: float
    sparse: Any


class _Tar:
    """A tar, of whose members only the places are kept: tarfile's own list of a million would fill the memory."""

    def __init__(self, source: Any, path: str) -> None:
        self._tar = _open_tar(source, path)
        self._places: dict[str, _Place] = {}
        while member := self._tar.next():
            self._tar.members.clear()
            if member.isreg() and _inside(member.name):
                self._places.pop(member.name, None)  # a later member of the same name takes its place
                place = _Place(member.offset_data, member.size, member.mtime, member.sparse)
                self._places[member.name] = place
        # tarfile takes a damaged header for the end.
        self._tar.fileobj.seek(self._tar.offset)
        if self._tar.fileobj.read(tarfile.BLOCKSIZE).strip(b"\0"):
            raise tarfile.ReadError(f"damaged header at byte {self._tar.offset:,}")

    def paths(self) -> Iterator[str]:
        return iter(self._places)

    def open(self, path: str, mode: str = "rb") -> Any:
        place, member = self._places[path], tarfile.TarInfo(path)
        member.offset_data, member.size, member.sparse = place.start, place.size, place.sparse
        return self._tar.extractfile(member)

    def size(self, path: str) -> int:
        return self._places[path].size

    def info(self, path: str) -> dict[str, Any]:
        return {"size": self.size(path), "mtime": self._places[path].time}


def _inside(path: str) -> bool:
    """Whether a path is one of an archive's own."""
    return not path.startswith("/")
