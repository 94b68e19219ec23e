"""The inputs that a user names → the files to read: paths, folders, globs, fsspec URLs and the members of archives."""

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
class ReadProgress:
    """Progress of a run through its inputs, in bytes of the files as they are stored."""

    finished: int = 0
    """Bytes of the files that are finished."""
    current: Any = None
    """The stream that is being read, if any."""

    @property
    def position(self) -> int:
        """Bytes read so far."""
        return self.finished + (self.current.tell() if self.current else 0)

    def finish(self, file: InputFile) -> None:
        """Count a file as read to its end, also if the rest of it was skipped."""
        self.current = None
        self.finished += file.size


class InputFile(NamedTuple):
    """A file to read."""

    path: str
    name: str
    """Its path below the given folder; its base name if the file itself was given."""
    system: Any = None
    """An fsspec file system or the opened archive; None is the local file system."""
    archive: str = ""
    """The path or URL of the archive that holds it."""

    def __str__(self) -> str:
        """Return the path that messages show."""
        return f"{self.archive}/{self.path}" if self.archive else self.path

    @property
    def size(self) -> int:
        """Bytes of the file as it is stored."""
        return int(os.path.getsize(self.path) if self.system is None else self.system.size(self.path) or 0)

    @contextmanager
    def open(self, progress: ReadProgress) -> Iterator[BinaryIO]:
        """Open the file, decompressed, and keep `progress` up to date.

        Raises DamagedArchiveError if the archive that holds it is damaged.
        """
        try:
            with self._open_raw() as raw:
                progress.current = raw
                compression = split_suffix(self.path)[1]
                # fsspec's own files have no bounded readline.
                stream = raw if self.system is None else io.BufferedReader(raw)
                with decompress(stream, compression) if compression else stream as opened:
                    yield opened
                progress.finish(self)
        except archives.READ_ERRORS as error:
            raise archives.DamagedArchiveError(error_message(error)) from error

    def is_isolated_damage(self, error: BaseException) -> bool:
        """Return whether a read error means that this file alone is damaged, so that a run can skip it and go on.

        That is so for a page, and for a member of an archive whose members are independent. Any other damaged file was
        most likely truncated in transfer, and a complete copy exists.
        """
        if self.archive:
            isolated = archives.has_independent_members(self.archive)
        else:
            isolated = split_suffix(self.path)[0] == "txt"
        return isolated and archives.is_damage(error)

    def _open_raw(self) -> Any:
        """Open the file as it is stored."""
        if self.system is None:
            return open(self.path, "rb")
        try:
            return self.system.open(self.path, "rb")
        except archives.OPEN_ERRORS as error:
            raise archives.DamagedArchiveError(error_message(error)) from error


def split_suffix(path: str) -> tuple[str, str]:
    """Return the format and compression that a file's name ends in, e.g. ("jsonl", "gz"); "" if none is known."""
    stem, suffix = os.path.splitext(path.lower())
    compression = suffix[1:] if suffix[1:] in COMPRESSIONS else ""
    if compression:
        suffix = os.path.splitext(stem)[1]
    known = suffix[1:] in FORMATS and not (compression and suffix == ".parquet")
    return suffix[1:] if known else "", compression


IsOutput = Callable[[str], bool]
"""Returns whether a path, absolute or on a remote system, is one that the run writes."""


def no_outputs(path: str) -> bool:
    """Return False: the `IsOutput` of a run that writes no file."""
    return False


def local_path(name: str) -> str:
    """Return the name without a scheme that means the local file system."""
    return name.removeprefix("file://").removeprefix("local://")


def find_files(name: str, is_output: IsOutput = no_outputs) -> Iterator[InputFile]:
    """Return the files that an input names, in sorted order.

    Files that the run itself writes are skipped in a folder or glob. Raises DumpError if there is no file, if a folder
    cannot be listed, or if the input is one of those files.
    """
    name = local_path(name)
    if "://" not in name and is_output(os.path.realpath(name)):
        raise DumpError(f"{name}: this run writes it, so it cannot be an input")
    files = _find_remote(name) if "://" in name else _find_local(name)
    files = (f for f in files if f.archive or not is_output(os.path.realpath(f.path) if f.system is None else f.path))
    first = next(files, None)
    if first is None:
        raise DumpError(f"{name}: no file found with a known suffix ({_known_suffixes()})")
    return chain([first], files)


def total_size(inputs: Iterable[str], is_output: IsOutput = no_outputs) -> int | None:
    """Return the bytes of all files that the inputs name; None if one of the inputs is standard input."""
    names = list(inputs)
    return None if "-" in names else sum(file.size for name in names for file in find_files(name, is_output))


def error_message(error: BaseException) -> str:
    """Return the message of an exception, or its class name if it has none."""
    return str(error) or type(error).__name__


def _find_local(name: str) -> Iterator[InputFile]:
    if os.path.isdir(name):
        return _files_below(name, _walk(name))
    if os.path.exists(name):
        return _members(name, "") if archives.archive_kind(name) else iter([_single_file(name)])
    if glob.has_magic(name):
        matches = (path for path in glob.iglob(name, recursive=True) if not os.path.isdir(path))
        return _files_below(_glob_root(name), sorted(matches))
    raise DumpError(f"{name}: no such file or folder")


def _find_remote(url: str) -> Iterator[InputFile]:
    from fsspec.core import url_to_fs  # slow to import and seldom needed

    try:
        system, path = url_to_fs(url)
        # The suffix decides first: asking whether a web address is a folder would fetch and parse the file.
        if split_suffix(path)[0] and not glob.has_magic(path):
            if not system.exists(path):
                raise DumpError(f"{url}: no such file")
            return iter([_single_file(path, system)])
        if archives.archive_kind(path) and not glob.has_magic(path):
            return _members(url, "")
        if glob.has_magic(path):
            return _files_below(_glob_root(path), sorted(system.glob(path)), system)
        return _files_below(path, sorted(system.find(path)), system)
    except DumpError:
        raise
    except Exception as error:  # every remote system has exceptions of its own
        raise DumpError(f"{url}: {error_message(error)}") from error


def _single_file(path: str, system: Any = None) -> InputFile:
    if not split_suffix(path)[0]:
        raise DumpError(f"{path}: unknown file format; the known suffixes are {_known_suffixes()}")
    return InputFile(path, os.path.basename(path), system)


def _files_below(root: str, paths: Iterable[str], system: Any = None) -> Iterator[InputFile]:
    for path in paths:
        below = os.path.relpath(path, root or os.curdir)
        if _is_hidden(below):
            continue
        if split_suffix(path)[0]:
            yield InputFile(path, below, system)
        elif archives.archive_kind(path):
            yield from _members(path if system is None else system.unstrip_protocol(path), f"{below}/")


def _is_hidden(below: str) -> bool:
    return any(part.startswith(".") and part != ".." for part in below.split(os.sep))


def _members(archive: str, prefix: str) -> Iterator[InputFile]:
    """Yield the files in an archive; raises DumpError if it is damaged."""
    try:
        opened = archives.open_archive(archive)
    except (OSError, *archives.OPEN_ERRORS) as error:
        raise DumpError(f"{archive}: cannot be read as an archive: {error_message(error)}") from error
    for path in opened.paths():
        name = archives.member_name(path)
        if split_suffix(path)[0] and not _is_hidden(name):
            yield InputFile(path, prefix + name, opened, archive)


def _walk(folder: str) -> Iterator[str]:
    """Yield the files below a folder, sorted by name within each folder, which is listed only when it is reached."""
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


def _known_suffixes() -> str:
    plain = ", ".join(f".{name}" for name in FORMATS)
    compressed = f"all but .parquet also with {', '.join(f'.{name}' for name in COMPRESSIONS)}"
    return f"{plain}; {compressed}; {', '.join(archives.SUFFIXES)} of such files"
