"""Files that a run writes, local or remote, behind one set of names; a path with "://" is remote (fsspec)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from wusum.model.errors import DumpError
from wusum.model.io.inputs import message

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]


def is_remote(path: str) -> bool:
    """Whether a path is an fsspec URL; `file://` is none, `plain_lexicon` takes it off."""
    return "://" in path


def exists(path: str) -> bool:
    """Whether there is such a file."""
    if not is_remote(path):
        return os.path.exists(path)
    with _remote(path) as (system, inner):
        return bool(system.exists(inner))


def remove(path: str) -> None:
    """Remove a file, if there is one."""
    if not is_remote(path):
        Path(path).unlink(missing_ok=True)
        return
    with _remote(path) as (system, inner):
        if system.exists(inner):
            system.rm_file(inner)


def names(folder: str) -> list[str]:
    """The names of the files in a folder, hidden ones too; none where there is no such folder."""
    if not is_remote(folder):
        return sorted(os.listdir(folder or os.curdir)) if os.path.isdir(folder or os.curdir) else []
    with _remote(folder) as (system, inner):
        found = system.ls(inner, detail=False) if system.exists(inner) else []
        return sorted(path.rstrip("/").rsplit("/", 1)[-1] for path in found)


def read(path: str) -> bytes | None:
    """What a file holds, None where there is none."""
    if not is_remote(path):
        return Path(path).read_bytes() if os.path.exists(path) else None
    with _remote(path) as (system, inner):
        return bytes(system.cat_file(inner)) if system.exists(inner) else None


def move_into_place(scratch: str, path: str) -> None:
    """Move a finished local file to its place: after a crash there is this file or the one before, whole.

    Of a remote system as much is true as of its uploads.
    """
    if not is_remote(path):
        sync(scratch)
        os.replace(scratch, path)
        sync(os.path.dirname(path) or os.curdir)
        return
    with _remote(path) as (system, inner):
        system.put_file(scratch, inner)
    os.unlink(scratch)


def create(path: str, at: int = 0) -> BinaryIO:
    """A file to write: a new one, or a local one cut back to its first `at` bytes; raises DumpError."""
    try:
        if is_remote(path):
            with _remote(path) as (system, inner):
                opened: BinaryIO = system.open(inner, "wb")
                return opened
        file = open(path, "r+b" if at else "wb")  # noqa: SIM115 - it is the caller's to close
    except OSError as error:
        raise DumpError(f"{path}: cannot be written: {message(error)}") from error
    if at:
        if os.path.getsize(path) < at:
            file.close()
            raise DumpError(f"{path}: is shorter than its manifest says; --force starts over")
        file.truncate(at)
        file.seek(at)
    return file


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Keep a local output to this run; raises DumpError where another has it.

    The lock is on a hidden file beside it and ends with the process, however that ends. Remote systems, Windows, and
    disks that know no locks go without.
    """
    handle = None if is_remote(path) or fcntl is None else _lock(path)
    try:
        yield
    finally:
        if handle is not None:
            Path(_lock_name(path)).unlink(missing_ok=True)
            os.close(handle)


def _lock_name(path: str) -> str:
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}.lock")


def _lock(path: str) -> int | None:
    """A handle on the file that is locked, None where there are no locks."""
    name = _lock_name(path)
    while True:
        try:
            handle = os.open(name, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise DumpError(f"{path}: cannot be written: {message(error)}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _same(handle, name):
                return handle
            os.close(handle)  # of a run that has just ended and removed it
        except BlockingIOError as error:
            os.close(handle)
            raise DumpError(f"{path}: another run is writing it") from error
        except OSError:
            os.close(handle)
            Path(name).unlink(missing_ok=True)
            return None


def _same(handle: int, name: str) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(name))
    except FileNotFoundError:
        return False


def sync(path: str | Path) -> None:
    """Have a local file, or a folder's names, on the disk."""
    if os.name != "posix" and os.path.isdir(path):
        return  # Windows cannot open a folder
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_folder(path: str | Path) -> None:
    """Remove a local folder with all it holds, if there is one."""
    shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _remote(path: str) -> Iterator[tuple[Any, str]]:
    """The file system of a URL and the path in it; its errors become DumpError."""
    from fsspec.core import url_to_fs  # slow to import, and seldom needed

    try:
        yield url_to_fs(path)
    except Exception as error:  # every remote system has exceptions of its own
        raise DumpError(f"{path}: {message(error)}") from error
