"""Inputs named by a user → the files to read: paths, folders, globs, fsspec URLs, and the members of archives."""

from __future__ import annotations

import glob
import io
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any, BinaryIO, Final, NamedTuple

from wusum.model.errors import DumpError
from wusum.model.io import archives
from wusum.model.io.compression import COMPRESSIONS, decompress

FORMATS: Final = ("txt", "jsonl", "csv", "tsv", "parquet")


@dataclass(slots=True)
class Meter:
    """How far a reading has come, in bytes of the files as they are stored."""

    finished: int = 0
    current: Any = None

    @property
    def position(self) -> int:
        """Bytes of the files read so far."""
        return self.finished + (self.current.tell() if self.current else 0)

    def pass_over(self, file: File) -> None:
        """Take a file, or the rest of it, for read."""
        self.current = None
        self.finished += file.size


class File(NamedTuple):
    """A file to read."""

    path: str
    name: str
    """Its path below the folder given, for a file given its last part."""
    system: Any = None
    """An fsspec file system, or the archive; None = local."""
    archive: str = ""
    """The archive that it is a member of."""

    def __str__(self) -> str:
        return f"{self.archive}/{self.path}" if self.archive else self.path

    @property
    def size(self) -> int:
        """Bytes of the file as it is stored."""
        return int(os.path.getsize(self.path) if self.system is None else self.system.size(self.path) or 0)

    @contextmanager
    def open(self, meter: Meter) -> Iterator[BinaryIO]:
        """The file's bytes, decompressed; `meter` follows the reading. Raises Damaged for a damaged archive."""
        try:
            with self._raw() as raw:
                meter.current = raw
                compression = split_suffix(self.path)[1]
                # fsspec's own files have no bounded readline.
                stream = raw if self.system is None else io.BufferedReader(raw)
                with decompress(stream, compression) if compression else stream as local_path:
                    yield local_path
                meter.pass_over(self)
        except archives.DAMAGE as error:
            raise archives.DamagedArchiveError(message(error)) from error

    def alone_damaged(self, error: BaseException) -> bool:
        """Whether an error in reading it says that it is damaged, and it is one page, or a member that is packed apart.

        Any other file that is damaged was cut on its way, most likely, and can be had whole.
        """
        apart = archives.separate(self.archive) if self.archive else split_suffix(self.path)[0] == "txt"
        return apart and archives.is_damage(error)

    def _raw(self) -> Any:
        """The file's bytes as they are stored."""
        if self.system is None:
            return open(self.path, "rb")
        try:
            return self.system.open(self.path, "rb")
        except archives.REFUSED as error:
            raise archives.DamagedArchiveError(message(error)) from error


def split_suffix(path: str) -> tuple[str, str]:
    """The format and compression in a file's name, e.g. ("jsonl", "gz"); "" where there is none or it is not known."""
    stem, suffix = os.path.splitext(path.lower())
    compression = suffix[1:] if suffix[1:] in COMPRESSIONS else ""
    if compression:
        suffix = os.path.splitext(stem)[1]
    known = suffix[1:] in FORMATS and not (compression and suffix == ".parquet")
    return suffix[1:] if known else "", compression


IsOutput = Callable[[str], bool]
"""Whether a path, real or of a remote system, is one that the run writes."""


def writes_nothing(path: str) -> bool:
    """For a run that writes no file."""
    return False


def local_path(name: str) -> str:
    """The name without a scheme that means the local system."""
    return name.removeprefix("file://").removeprefix("local://")


def find(name: str, written: IsOutput = writes_nothing) -> Iterator[File]:
    """The files that an input names, sorted; raises DumpError where there is none, or a folder cannot be listed.

    Files that the run itself writes are passed over in a folder or glob, and refused as an input.
    """
    name = local_path(name)
    if "://" not in name and written(os.path.realpath(name)):
        raise DumpError(f"{name}: is an output of this run, so it cannot be an input")
    files = _find_remote(name) if "://" in name else _find_local(name)
    files = (f for f in files if f.archive or not written(os.path.realpath(f.path) if f.system is None else f.path))
    first = next(files, None)
    if first is None:
        raise DumpError(f"{name}: no file found with a known suffix ({_suffixes()})")
    return chain([first], files)


def total_size(inputs: Iterable[str], written: IsOutput = writes_nothing) -> int | None:
    """Bytes of all files that the inputs name, None where one of them is standard input."""
    names = list(inputs)
    return None if "-" in names else sum(file.size for name in names for file in find(name, written))


def message(error: BaseException) -> str:
    """What an exception says, or at least its name."""
    return str(error) or type(error).__name__


def _find_local(name: str) -> Iterator[File]:
    if os.path.isdir(name):
        return _below(name, _walk(name))
    if os.path.exists(name):
        return _members(name, "") if archives.archive_kind(name) else iter([_given(name)])
    if glob.has_magic(name):
        matches = (path for path in glob.iglob(name, recursive=True) if not os.path.isdir(path))
        return _below(_glob_root(name), sorted(matches))
    raise DumpError(f"{name}: no such file or folder")


def _find_remote(url: str) -> Iterator[File]:
    from fsspec.core import url_to_fs  # slow to import, and seldom needed

    try:
        system, path = url_to_fs(url)
        # Asked first: to ask whether a web address is a folder would fetch and parse the file.
        if split_suffix(path)[0] and not glob.has_magic(path):
            if not system.exists(path):
                raise DumpError(f"{url}: no such file")
            return iter([_given(path, system)])
        if archives.archive_kind(path) and not glob.has_magic(path):
            return _members(url, "")
        if glob.has_magic(path):
            return _below(_glob_root(path), sorted(system.glob(path)), system)
        return _below(path, sorted(system.find(path)), system)
    except DumpError:
        raise
    except Exception as error:  # every remote system has exceptions of its own
        raise DumpError(f"{url}: {message(error)}") from error


def _given(path: str, system: Any = None) -> File:
    if not split_suffix(path)[0]:
        raise DumpError(f"{path}: unknown kind of file; the known suffixes are {_suffixes()}")
    return File(path, os.path.basename(path), system)


def _below(root: str, paths: Iterable[str], system: Any = None) -> Iterator[File]:
    for path in paths:
        below = os.path.relpath(path, root or os.curdir)
        if _hidden(below):
            continue
        if split_suffix(path)[0]:
            yield File(path, below, system)
        elif archives.archive_kind(path):
            yield from _members(path if system is None else system.unstrip_protocol(path), f"{below}/")


def _hidden(below: str) -> bool:
    return any(part.startswith(".") and part != ".." for part in below.split(os.sep))


def _members(archive: str, prefix: str) -> Iterator[File]:
    """The files in an archive, read in place; raises DumpError for one that is damaged."""
    try:
        opened = archives.open_archive(archive)
    except (OSError, *archives.REFUSED) as error:
        raise DumpError(f"{archive}: cannot be read as an archive: {message(error)}") from error
    for path in opened.paths():
        name = archives.inner_name(path)
        if split_suffix(path)[0] and not _hidden(name):
            yield File(path, prefix + name, opened, archive)


def _walk(folder: str) -> Iterator[str]:
    """Files below a folder, each folder sorted by name and listed only when its turn comes."""
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    except OSError as error:
        raise DumpError(f"{folder}: cannot be listed: {error.strerror}") from error
    for name, is_folder in found:
        path = os.path.join(folder, name)
        if not is_folder:
            yield path
        elif not name.startswith("."):
            yield from _walk(path)


def _glob_root(pattern: str) -> str:
    while glob.has_magic(pattern):
        pattern = os.path.dirname(pattern)
    return pattern


def _suffixes() -> str:
    plain = ", ".join(f".{name}" for name in FORMATS)
    packed = f"all but .parquet also with {', '.join(f'.{name}' for name in COMPRESSIONS)}"
    return f"{plain}; {packed}; {', '.join(archives.SUFFIXES)} of such files"
