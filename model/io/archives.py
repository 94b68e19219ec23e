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

from wusum.model.io.compression import decompress

_TARS: Final = {".tar": "", ".tgz": "gz", ".tar.gz": "gz", ".tar.xz": "xz", ".tar.bz2": "bz2", ".tar.zst": "zst"}
SUFFIXES: Final = {".zip": "zip", **dict.fromkeys(_TARS, "tar")}
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


MAX_EXTENSION: Final = 1 << 16
"""Bytes of the longest name or extended header in a tar: tarfile needs time by the square of them."""

MAX_MEMBERS: Final = 10_000_000
"""Files of a tar at most. Their names are held in memory, and packed headers without files take next to no room."""

_EXTENSIONS: Final = (
    tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE
)  # fmt: skip


class DamagedArchiveError(OSError):
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


def archive_kind(path: str) -> str:
    """The kind of archive that a name tells, "" for none."""
    return next((archive_kind for suffix, archive_kind in SUFFIXES.items() if path.lower().endswith(suffix)), "")


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
    return isinstance(error, (DamagedArchiveError, gzip.BadGzipFile)) or (
        type(error) is OSError and error.errno is None
    )


def open_archive(path: str) -> Archive:
    """The archive at a local path or a URL; raises OSError or one of REFUSED."""
    source: Any = path
    if "://" in path:
        import fsspec  # slow to import, and seldom needed

        source = fsspec.open(path, "rb").open()
    return _Zip(source) if archive_kind(path) == "zip" else _Tar(source, path)


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
    packing = next(packing for suffix, packing in _TARS.items() if path.lower().endswith(suffix))
    if packing == "zst":  # which tarfile has only since Python 3.14
        raw = open(source, "rb") if isinstance(source, str) else source  # noqa: SIM115 - the archive reads on from it
        source, packing = decompress(raw, packing), ""
    mode: Any = f"r:{packing}"
    named = isinstance(source, str)
    return tarfile.open(source if named else None, mode, None if named else source, tarinfo=_Header)


class _Header(tarfile.TarInfo):
    """A header that refuses what tarfile takes in good faith.

    That are names or extensions without end, which it reads whole into memory, and sizes that lead backwards.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        found = super().frombuf(buf, encoding, errors)
        if found.type in _EXTENSIONS and found.size > MAX_EXTENSION:
            raise tarfile.ReadError(f"a header of {found.size:,} bytes")
        if found.size < 0:
            raise tarfile.ReadError(f"a size of {found.size:,} bytes")
        return found


class _Place(NamedTuple):
    """Where in a tar a file stands."""

    start: int
    size: int
    time: float
    sparse: bool


class _Tar:
    """A tar, of whose members only the places are kept: tarfile's own list of a million would fill the memory.

    Of tars that were joined end to end all are read.
    """

    def __init__(self, source: Any, path: str) -> None:
        self._tar = _open_tar(source, path)
        self._places: dict[str, _Place] = {}
        ends = False
        while not ends:
            while member := self._tar.next():
                self._tar.members.clear()
                if member.size < 0 or self._tar.offset <= member.offset:
                    raise tarfile.ReadError(f"a member of {member.size:,} bytes")
                if member.isreg():
                    self._keep(member)
            ends = not self._another()

    def _keep(self, member: tarfile.TarInfo) -> None:
        self._places.pop(member.name, None)  # a later member of the same name takes its place
        sparse = member.sparse is not None
        self._places[member.name] = _Place(member.offset_data, 0 if sparse else member.size, member.mtime, sparse)
        if len(self._places) > MAX_MEMBERS:
            raise tarfile.ReadError(f"more than {MAX_MEMBERS:,} files")

    def _another(self) -> bool:
        """Whether more comes after the zeros at an end; raises ReadError for a damaged header, which has none."""
        start = place = self._tar.offset
        self._tar.fileobj.seek(start)
        while block := self._tar.fileobj.read(tarfile.BLOCKSIZE):
            if block.strip(b"\0"):
                if place == start:  # tarfile takes it for the end
                    raise tarfile.ReadError(f"damaged header at byte {start:,}")
                self._tar.offset = place
                return True
            place += len(block)
        return False

    def paths(self) -> Iterator[str]:
        return iter(self._places)

    def open(self, path: str, mode: str = "rb") -> Any:
        place, member = self._places[path], tarfile.TarInfo(path)
        if place.sparse:  # a kilobyte can stand for more zeros than anybody can read
            raise ValueError("packed as a sparse file, as no text is")
        member.offset_data, member.size = place.start, place.size
        return self._tar.extractfile(member)

    def size(self, path: str) -> int:
        return self._places[path].size

    def info(self, path: str) -> dict[str, Any]:
        return {"size": self.size(path), "mtime": self._places[path].time}


def inner_name(path: str) -> str:
    """What a member is called: its path in the archive, whether that begins with "./", "/" or neither."""
    return "/".join(part for part in path.split("/") if part not in ("", "."))
