"""The contract of writers of predictions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self


class Writer(Protocol):
    """Writes rows one by one. As a context manager it closes itself; a file is complete only once it is closed."""

    def write(self, row: Mapping[str, Any]) -> None:
        """Append a row; raises OSError if that fails, e.g. on a full disk."""

    def commit(self) -> int | None:
        """Secure the rows so far against a crash and return the position from which `open_writer` can resume.

        Return None if the output cannot be resumed from here.
        """

    def close(self) -> None:
        """Finish the file; standard output is flushed and stays open. Closing again does nothing."""

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the writer."""
        self.close()


def parts_folder(path: str) -> Path:
    """Return the folder for the parts of a Parquet file: hidden, so that it is never read as an input."""
    return Path(path).with_name(f".{Path(path).name}.parts")
