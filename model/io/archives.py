"""Zip and tar archives of pages and dumps. Members are read in place; nothing is unpacked to the disk."""

from __future__ import annotations

import gzip
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, Protocol, Self

from wusum.model.io.compression import decompress

_TAR_COMPRESSIONS: Final = {
    ".tar": "", ".tgz": "gz", ".tar.gz": "gz", ".tar.xz": "xz", ".tar.bz2": "bz2", ".tar.zst": "zst"
}  # fmt: skip
SUFFIXES: Final = {".zip": "zip", **dict.fromkeys(_TAR_COMPRESSIONS, "tar")}
READ_ERRORS: Final = (zipfile.BadZipFile, tarfile.TarError, zlib.error)
"""Exceptions that reading a damaged archive raises."""
OPEN_ERRORS: Final = (
    *READ_ERRORS,
    EOFError,
    lzma.LZMAError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    struct.error,
)
"""Exceptions that opening an archive raises, or a member that is missing, encrypted or compressed in an unknown way."""


MAX_HEADER_BYTES: Final = 1 << 16
"""Longest name or extended header in a tar, in bytes: the time that tarfile needs grows with the square of its size."""

MAX_MEMBERS: Final = 10_000_000
"""Most files in a tar: their names are held in memory, and compressed headers without data take next to no room."""

_EXTENDED_HEADERS: Final = (
    tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE
)  # fmt: skip


class DamagedArchiveError(OSError):
    """The bytes of an archive or of one of its members are bad; the disk and the network are not to blame."""


class Archive(Protocol):
    """The files in an archive by their paths. Links are left out, since they could lead anywhere."""

    def paths(self) -> Iterator[str]:
        """Yield the paths of the files in the archive's own order, so that it is read without seeking back."""

    def open(self, path: str, mode: str = "rb") -> Any:
        """Open a file for reading bytes; raises one of OPEN_ERRORS."""

    def size(self, path: str) -> int:
        """Return the size of a file in bytes."""

    def info(self, path: str) -> dict[str, Any]:
        """Return the size of a file and a checksum or time that changes with its contents."""


def archive_kind(path: str) -> str:
    """Return "zip" or "tar" by the suffix of a path; "" for any other file."""
    return next((archive_kind for suffix, archive_kind in SUFFIXES.items() if path.lower().endswith(suffix)), "")


def has_independent_members(path: str) -> bool:
    """Return whether each member of an archive can be read although another one is damaged.

    The members of a compressed tar form one stream: everything after the damage is lost.
    """
    return path.lower().endswith((".zip", ".tar"))


def is_damage(error: BaseException) -> bool:
    """Return whether a read error means that the bytes are bad, and not that the disk or the network failed.

    Decompressors raise plain OSErrors; those of the operating system have an error number, and those of networks have
    classes of their own.
    """
    if not isinstance(error, OSError):
        return isinstance(error, (EOFError, zlib.error, lzma.LZMAError))
    return isinstance(error, (DamagedArchiveError, gzip.BadGzipFile)) or (
        type(error) is OSError and error.errno is None
    )


def open_archive(path: str) -> Archive:
    """Open the archive at a local path or a URL; raises OSError or one of OPEN_ERRORS."""
    source: Any = path
    if "://" in path:
        import fsspec  # slow to import and seldom needed

        source = fsspec.open(path, "rb").open()
    return _Zip(source) if archive_kind(path) == "zip" else _Tar(source, path)


def member_name(path: str) -> str:
    """Return a member's path without a leading "/" and without empty or "." parts."""
    return "/".join(part for part in path.split("/") if part not in ("", "."))


class _Zip:
    def __init__(self, source: Any) -> None:
        self._zip = zipfile.ZipFile(source)

    def paths(self) -> Iterator[str]:
        return (path for path in dict.fromkeys(self._zip.namelist()) if not path.endswith("/"))

    def open(self, path: str, mode: str = "rb") -> Any:
        return self._zip.open(path)

    def size(self, path: str) -> int:
        return self._zip.getinfo(path).file_size

    def info(self, path: str) -> dict[str, Any]:
        return {"size": self.size(path), "etag": f"{self._zip.getinfo(path).CRC:08x}"}


def _open_tar(source: Any, path: str) -> Any:
    compression = next(name for suffix, name in _TAR_COMPRESSIONS.items() if path.lower().endswith(suffix))
    if compression == "zst":  # tarfile reads Zstandard only since Python 3.14
        raw = open(source, "rb") if isinstance(source, str) else source  # noqa: SIM115 - the archive keeps it open
        source, compression = decompress(raw, compression), ""
    mode: Any = f"r:{compression}"
    is_path = isinstance(source, str)
    return tarfile.open(source if is_path else None, mode, None if is_path else source, tarinfo=_CheckedHeader)


class _CheckedHeader(tarfile.TarInfo):
    """A header that refuses two things that tarfile accepts.

    They are negative sizes, and names or extended headers of any length, which tarfile reads whole into memory.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if header.type in _EXTENDED_HEADERS and header.size > MAX_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {header.size:,} bytes")
        if header.size < 0:
            raise tarfile.ReadError(f"a size of {header.size:,} bytes")
        return header


class _Location(NamedTuple):
    """Where the data of a file lies in a tar."""

    start: int
    size: int
    time: float
    sparse: bool


class _Tar:
    """A tar, or several that were joined end to end.

    Only the locations of its members are kept: tarfile's own list of a million members would fill the memory.
    """

    def __init__(self, source: Any, path: str) -> None:
        self._tar = _open_tar(source, path)
        self._locations: dict[str, _Location] = {}
        at_end = False
        while not at_end:
            while member := self._tar.next():
                self._tar.members.clear()
                if member.size < 0 or self._tar.offset <= member.offset:
                    raise tarfile.ReadError(f"a member of {member.size:,} bytes")
                if member.isreg():
                    self._add(member)
            at_end = not self._find_next_tar()

    def _add(self, member: tarfile.TarInfo) -> None:
        self._locations.pop(member.name, None)  # a later member of the same name replaces this one
        sparse = member.sparse is not None
        self._locations[member.name] = _Location(member.offset_data, 0 if sparse else member.size, member.mtime, sparse)
        if len(self._locations) > MAX_MEMBERS:
            raise tarfile.ReadError(f"more than {MAX_MEMBERS:,} files")

    def _find_next_tar(self) -> bool:
        """Return whether another tar follows the zeros at the end of this one, and move to its beginning.

        Raises ReadError if there are no such zeros: then a damaged header looks like the end.
        """
        start = position = self._tar.offset
        self._tar.fileobj.seek(start)
        while block := self._tar.fileobj.read(tarfile.BLOCKSIZE):
            if block.strip(b"\0"):
                if position == start:
                    raise tarfile.ReadError(f"damaged header at byte {start:,}")
                self._tar.offset = position
                return True
            position += len(block)
        return False

    def paths(self) -> Iterator[str]:
        return iter(self._locations)

    def open(self, path: str, mode: str = "rb") -> Any:
        location, member = self._locations[path], tarfile.TarInfo(path)
        if location.sparse:  # a kilobyte can stand for more zeros than anyone can read
            raise ValueError("sparse files are not supported")
        member.offset_data, member.size = location.start, location.size
        return self._tar.extractfile(member)

    def size(self, path: str) -> int:
        return self._locations[path].size

    def info(self, path: str) -> dict[str, Any]:
        return {"size": self.size(path), "mtime": self._locations[path].time}
