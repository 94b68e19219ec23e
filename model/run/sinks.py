"""Sinks take the rows and rejects of a run; after an interruption they resume from the last commit."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from wusum.model.article import Article
from wusum.model.io import storage
from wusum.model.io.compression import COMPRESSIONS
from wusum.model.io.reader import Reject
from wusum.model.io.writer import Writer, parts_folder
from wusum.model.io.writers import open_writer, output_format
from wusum.model.prediction import Prediction
from wusum.model.run.terminal import format_prediction

ResumePoint = dict[str, int]
"""The point that a commit reached: `commit` returns it, and a new sink to the same output resumes from it."""


@dataclass(frozen=True, slots=True)
class OutputPaths:
    """The paths of everything that a run to `path` writes: one file, or shards `OUT-00000.SUFFIX` and on."""

    path: str
    sharded: bool

    @property
    def manifest(self) -> str:
        """The path of the manifest."""
        return f"{self.path}.manifest.json"

    @property
    def rejects(self) -> str:
        """The path of the rejects file of a run to one file; each shard has its own."""
        return f"{self.path}.rejects.jsonl"

    def shard(self, number: int) -> str:
        """Return the path of a shard."""
        stem, suffix = self._split()
        return f"{stem}-{number:05}{suffix}"

    def is_output(self, path: str) -> bool:
        """Return whether the run writes a path, absolute or of a remote system (see `inputs.IsOutput`)."""
        own = self.path.split("://", 1)[-1] if storage.is_remote(self.path) else os.path.realpath(self.path)
        folder, name = os.path.split(path)
        if folder.strip("/") != os.path.dirname(own).strip("/"):
            return False
        return name in (os.path.basename(own), os.path.basename(self.rejects)) or bool(self._pattern().fullmatch(name))

    def shards(self, first: int = 0) -> list[str]:
        """Return the paths of the existing shards from number `first` on, and of their rejects files."""
        if not self.sharded:
            return []
        folder = os.path.dirname(self.path)
        found = ((name, self._pattern().fullmatch(name)) for name in storage.file_names(folder))
        return [os.path.join(folder, name) for name, match in found if match and int(match.group(1)) >= first]

    def missing_shard(self, count: int) -> str | None:
        """Return the first of the shards below `count` that does not exist, or None."""
        present = set(self.shards()) if count else set()
        return next((path for path in map(self.shard, range(count)) if path not in present), None)

    def remove(self) -> None:
        """Remove everything that a run has written, except its manifest."""
        paths = self.shards() if self.sharded else [self.path, self.rejects]
        for path in paths:
            storage.remove(path)
        storage.remove_folder(parts_folder(self.path))

    def _pattern(self) -> re.Pattern[str]:
        """Return a pattern of the names of shards, their rejects files and the hidden files that become them."""
        if not self.sharded:
            return re.compile(r"(?!)")
        stem, suffix = (re.escape(os.path.basename(part)) for part in self._split())
        return re.compile(rf"\.?{stem}-(\d{{5,}}){suffix}(?:\.rejects\.jsonl)?")

    def _split(self) -> tuple[str, str]:
        """Split the path before its suffixes: ("a/out", ".jsonl.gz")."""
        stem, suffix = os.path.splitext(self.path)
        if suffix[1:].lower() in COMPRESSIONS:
            stem, inner = os.path.splitext(stem)
            suffix = inner + suffix
        return stem, suffix


class Sink(Protocol):
    """Takes the rows and rejects of a run, in order. As a context manager it closes or aborts itself."""

    def write(self, article: Article, prediction: Prediction) -> None:
        """Write a row; raises OSError if that fails."""

    def reject(self, record: Reject) -> None:
        """Write a row of the rejects file."""

    @property
    def commit_interval(self) -> int | None:
        """Rows from one possible commit to the next; None if a commit is possible after every row."""

    def commit(self) -> ResumePoint | None:
        """Secure all rows so far against a crash; return None if a run could not resume from here."""

    def close(self) -> None:
        """Finish the files."""

    def abort(self) -> None:
        """Close the files after a failure; rows that are committed stay."""

    def __enter__(self) -> Self:
        """Return the sink."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the sink, or abort it after an exception, which then is not replaced by another."""
        if kind is None:
            self.close()
        else:
            with suppress(Exception):
                self.abort()


class FileSink(Sink):
    """Writes all rows to one file or URL, and rejects to `OUT.rejects.jsonl`, which the first of them creates.

    If the output is a device, rejects go to standard error.
    """

    def __init__(self, paths: OutputPaths, format: str | None, point: ResumePoint | None) -> None:
        """Resume from `point`, which is empty for a new run and None for a run that cannot be resumed."""
        start = point or {}
        self._has_parts = point is not None and output_format(paths.path, format)[0] == "parquet"
        self._rows = open_writer(paths.path, format, start.get("rows", 0), parts=self._has_parts)
        self._rejects: RejectsFile | None = None
        if storage.is_remote(paths.path) or os.path.isfile(paths.path) or self._has_parts:
            self._rejects = RejectsFile(paths.rejects, start.get("rejects", 0))

    def write(self, article: Article, prediction: Prediction) -> None:
        """Write a row."""
        self._rows.write(prediction.to_dict())

    def reject(self, record: Reject) -> None:
        """Write a row of the rejects file."""
        if self._rejects:
            self._rejects.write(record)
        else:
            print_reject(record)

    @property
    def commit_interval(self) -> int | None:
        """None: a commit is possible after every row."""
        return None

    def commit(self) -> ResumePoint | None:
        """Secure all rows so far; return None for an output that cannot be resumed, or not from here."""
        rows = self._rows.commit()
        return None if rows is None else {"rows": rows, "rejects": self._rejects.commit() if self._rejects else 0}

    def close(self) -> None:
        """Finish the files."""
        if self._rejects:
            self._rejects.close()
        self._rows.close()

    def abort(self) -> None:
        """Close the files, but leave the parts of a Parquet file for the run that resumes."""
        if self._rejects:
            self._rejects.close()
        if not self._has_parts:
            self._rows.close()


class RejectsFile:
    """A file of JSON lines that the first reject creates."""

    def __init__(self, path: str, position: int = 0) -> None:
        """Resume from `position`; 0 removes the file of an earlier run."""
        self._path = path
        self._writer = open_writer(path, "jsonl", position) if position else None
        if not position and not storage.is_remote(path) and os.path.isfile(path):
            storage.remove(path)

    def write(self, record: Reject) -> None:
        """Append a row."""
        if self._writer is None:
            self._writer = open_writer(self._path, "jsonl")
        self._writer.write(record.to_dict())

    def commit(self) -> int:
        """Secure the rows so far and return the size of the file; 0 if there is none."""
        return (self._writer.commit() or 0) if self._writer else 0

    def close(self) -> None:
        """Finish the file if there is one."""
        if self._writer:
            self._writer.close()


class ShardedSink(Sink):
    """Writes shards `OUT-00000.SUFFIX` and on, with their rejects beside them; a shard appears once it is complete."""

    def __init__(self, paths: OutputPaths, format: str | None, rows: int, point: ResumePoint | None = None) -> None:
        """Write `rows` rows to each shard, resuming from `point`, and remove later shards of an interrupted run.

        Raises DumpError for an unknown format.
        """
        self._paths, self._format, self._size = paths, output_format(paths.path, format)[0], rows
        self._number = (point or {}).get("shards", 0)
        self._count = 0
        self._open: dict[str, tuple[str, Writer]] = {}
        for path in paths.shards(self._number):
            storage.remove(path)

    def write(self, article: Article, prediction: Prediction) -> None:
        """Write a row to the current shard."""
        self._writer(self._paths.shard(self._number), self._format).write(prediction.to_dict())
        self._count += 1

    def reject(self, record: Reject) -> None:
        """Write a row to the rejects file of the current shard."""
        self._writer(f"{self._paths.shard(self._number)}.rejects.jsonl", "jsonl").write(record.to_dict())

    @property
    def commit_interval(self) -> int:
        """The rows of a shard."""
        return self._size

    def commit(self) -> ResumePoint | None:
        """Finish the current shard if it is full; return None if it is not."""
        if self._count < self._size:
            return None
        self._finish_shard()
        return {"shards": self._number}

    def close(self) -> None:
        """Finish the last shard."""
        if self._open:
            self._finish_shard()

    def abort(self) -> None:
        """Remove the incomplete shard."""
        for path, (scratch, writer) in self._open.items():
            with suppress(Exception):
                writer.close()
            storage.remove(scratch)
            if storage.is_remote(path):
                storage.remove_folder(os.path.dirname(scratch))

    def _writer(self, path: str, format: str) -> Writer:
        """Return the writer of a shard or of its rejects, to a hidden file until it is complete."""
        if path not in self._open:
            folder, name = os.path.split(path)
            if storage.is_remote(path):
                folder = tempfile.mkdtemp(prefix="wusum-")
            scratch = os.path.join(folder, f".{name}")
            self._open[path] = scratch, open_writer(scratch, format)
        return self._open[path][1]

    def _finish_shard(self) -> None:
        for path in sorted(self._open, reverse=True):  # the rejects first: a shard implies that both are complete
            scratch, writer = self._open[path]
            writer.close()
            storage.move_into_place(scratch, path)
            if storage.is_remote(path):
                storage.remove_folder(os.path.dirname(scratch))
        self._open = {}
        self._count = 0
        self._number += 1


class StdoutSink(Sink):
    """Writes rows to standard output and rejects to standard error; it cannot be resumed."""

    def __init__(self, format: str | None) -> None:
        """`format` is that of a writer, or "table" for text to read on a terminal."""
        self._writer = None if format == "table" else open_writer(None, format)

    def write(self, article: Article, prediction: Prediction) -> None:
        """Write a row or its text."""
        if self._writer:
            self._writer.write(prediction.to_dict())
        else:
            print(format_prediction(article, prediction))

    def reject(self, record: Reject) -> None:
        """Print a reject."""
        print_reject(record)

    @property
    def commit_interval(self) -> int | None:
        """None: there is nothing to commit."""
        return None

    def commit(self) -> None:
        """Return None."""

    def close(self) -> None:
        """Flush standard output."""
        if self._writer:
            self._writer.close()

    def abort(self) -> None:
        """Flush standard output."""
        self.close()


def print_reject(record: Reject) -> None:
    """Print a rejected record and the reason to standard error."""
    print(f"wusum: rejected {record.source}:{record.line}: {record.error}", file=sys.stderr)
