"""Files that a run writes, local or remote, behind one set of functions; a path with "://" is remote (fsspec)."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from wusum.model.errors import DumpError
from wusum.model.io.inputs import error_message

if TYPE_CHECKING:
    from filelock import BaseFileLock

_LOCK_SECONDS = 0.5
"""Seconds to wait for a lock: enough for a run that is just ending to release it."""

_UNSUPPORTED = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL})
"""Error numbers of locking a file on a disk without locks."""


def is_remote(path: str) -> bool:
    """Return whether a path is an fsspec URL. `inputs.local_path` removes the schemes of local files beforehand."""
    return "://" in path


def exists(path: str) -> bool:
    """Return whether a file exists."""
    if not is_remote(path):
        return os.path.exists(path)
    with _remote(path) as (system, inner):
        return bool(system.exists(inner))


def remove(path: str) -> None:
    """Remove a file if it exists."""
    if not is_remote(path):
        Path(path).unlink(missing_ok=True)
        return
    with _remote(path) as (system, inner):
        if system.exists(inner):
            system.rm_file(inner)


def file_names(folder: str) -> list[str]:
    """Return the names of the files in a folder, including hidden ones; none if there is no such folder."""
    if not is_remote(folder):
        return sorted(os.listdir(folder or os.curdir)) if os.path.isdir(folder or os.curdir) else []
    with _remote(folder) as (system, inner):
        found = system.ls(inner, detail=False) if system.exists(inner) else []
        return sorted(path.rstrip("/").rsplit("/", 1)[-1] for path in found)


def read_bytes(path: str) -> bytes | None:
    """Return the contents of a file, or None if it does not exist."""
    if not is_remote(path):
        return Path(path).read_bytes() if os.path.exists(path) else None
    with _remote(path) as (system, inner):
        return bytes(system.cat_file(inner)) if system.exists(inner) else None


def move_into_place(scratch: str, path: str) -> None:
    """Move a finished local file to `path`, so that after a crash either it or the previous file is there, complete.

    On a remote system this holds as far as its uploads are atomic.
    """
    if not is_remote(path):
        sync(scratch)
        os.replace(scratch, path)
        sync(os.path.dirname(path) or os.curdir)
        return
    with _remote(path) as (system, inner):
        system.put_file(scratch, inner)
    os.unlink(scratch)


def open_output(path: str, position: int = 0) -> BinaryIO:
    """Open a file for writing: a new one, or a local one truncated to its first `position` bytes.

    Raises DumpError if it cannot be opened or is shorter than `position`.
    """
    try:
        if is_remote(path):
            with _remote(path) as (system, inner):
                opened: BinaryIO = system.open(inner, "wb")
                return opened
        file = open(path, "r+b" if position else "wb")  # noqa: SIM115 - the caller closes it
    except OSError as error:
        raise DumpError(f"{path}: cannot be written: {error_message(error)}") from error
    if position:
        if os.path.getsize(path) < position:
            file.close()
            raise DumpError(f"{path}: is shorter than its manifest says; --force starts over")
        file.truncate(position)
        file.seek(position)
    return file


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Reserve a local output for this run; raises DumpError if another run is writing it.

    The lock is on a hidden file beside the output, which is removed at the end; it ends with the process, however that
    ends. Outputs on remote systems and on disks without locks are not locked.
    """
    lock = None if is_remote(path) else _lock(path)
    try:
        yield
    finally:
        if lock is not None:
            if os.name == "posix":  # Windows cannot remove an open file; there, filelock removes it after the release
                # While the lock is held: a run that waits for the removed file notices and opens a new one.
                Path(lock.lock_file).unlink(missing_ok=True)
            lock.release()


def _lock(path: str) -> BaseFileLock | None:
    """Return the lock of an output, acquired; None if the disk has no locks."""
    from filelock import FileLock, Timeout  # 40 ms, and only runs with an output need it

    folder, name = os.path.split(path)
    lock_file = os.path.join(folder, f".{name}.lock")
    lock = FileLock(lock_file, fallback_to_soft=False)
    try:
        lock.acquire(timeout=_LOCK_SECONDS)
    except Timeout as error:
        raise DumpError(f"{path}: another run is writing it") from error
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise DumpError(f"{path}: cannot be written: {error_message(error)}") from error
        Path(lock_file).unlink(missing_ok=True)
        return None
    return lock


def sync(path: str | Path) -> None:
    """Flush a local file, or the names in a folder, to the disk."""
    if os.name != "posix" and os.path.isdir(path):
        return  # Windows cannot open a folder
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_folder(path: str | Path) -> None:
    """Remove a local folder and everything in it, if it exists."""
    shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _remote(path: str) -> Iterator[tuple[Any, str]]:
    """Give the file system of a URL and the path in it; any exception becomes a DumpError."""
    from fsspec.core import url_to_fs  # slow to import and seldom needed

    try:
        yield url_to_fs(path)
    except Exception as error:  # every remote system has exceptions of its own
        raise DumpError(f"{path}: {error_message(error)}") from error
