"""Where the rows and rejects of a run go, and from where a run that was cut can go on."""

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
from wusum.model.io.writers import Writer, open_writer, output_format, parts_folder
from wusum.model.prediction import Prediction
from wusum.model.run.terminal import format_prediction

ResumePoint = dict[str, int]
"""Where to go on: what `commit` gave and the same output, opened anew, takes."""


@dataclass(frozen=True, slots=True)
class OutputNames:
    """The names of all that a run to `path` writes: one file, or shards `OUT-00000.SUFFIX` and on."""

    path: str
    sharded: bool

    @property
    def manifest(self) -> str:
        """What says how far the run came."""
        return f"{self.path}.manifest.json"

    @property
    def rejects(self) -> str:
        """The rejects of a run to one file; those of a shard lie beside it."""
        return f"{self.path}.rejects.jsonl"

    def shard(self, number: int) -> str:
        """The path of a shard."""
        stem, suffix = self._split()
        return f"{stem}-{number:05}{suffix}"

    def __call__(self, path: str) -> bool:
        """Whether a path, real or of a remote system, is one that the run writes (`wusum.model.io.inputs.IsOutput`)."""
        own = self.path.split("://", 1)[-1] if storage.is_remote(self.path) else os.path.realpath(self.path)
        folder, name = os.path.split(path)
        if folder.strip("/") != os.path.dirname(own).strip("/"):
            return False
        return name in (os.path.basename(own), os.path.basename(self.rejects)) or bool(self._pattern().fullmatch(name))

    def shards(self, first: int = 0) -> list[str]:
        """The paths of shards that are there, from a number on, with their rejects."""
        if not self.sharded:
            return []
        folder = os.path.dirname(self.path)
        found = ((name, self._pattern().fullmatch(name)) for name in storage.names(folder))
        return [os.path.join(folder, name) for name, match in found if match and int(match.group(1)) >= first]

    def missing_shard(self, count: int) -> str | None:
        """The first of `count` shards that is not there."""
        present = set(self.shards()) if count else set()
        return next((path for path in map(self.shard, range(count)) if path not in present), None)

    def remove(self) -> None:
        """Remove all that a run has written, but for its manifest."""
        paths = self.shards() if self.sharded else [self.path, self.rejects]
        for path in paths:
            storage.remove(path)
        storage.remove_folder(parts_folder(self.path))

    def _pattern(self) -> re.Pattern[str]:
        if not self.sharded:
            return re.compile(r"(?!)")
        stem, suffix = (re.escape(os.path.basename(part)) for part in self._split())
        return re.compile(rf"\.?{stem}-(\d{{5,}}){suffix}(?:\.rejects\.jsonl)?")

    def _split(self) -> tuple[str, str]:
        """The path before its suffix, and that: ("a/out", ".jsonl.gz")."""
        stem, suffix = os.path.splitext(self.path)
        if suffix[1:].lower() in COMPRESSIONS:
            stem, inner = os.path.splitext(stem)
            suffix = inner + suffix
        return stem, suffix


class Sink(Protocol):
    """Takes the rows and rejects of a run, in order."""

    def write(self, article: Article, prediction: Prediction) -> None:
        """A row; raises OSError where it cannot be written."""

    def reject(self, record: Reject) -> None:
        """A row of the rejects file."""

    @property
    def commit_interval(self) -> int | None:
        """Rows after which there is a place to commit, again and again; None where every place is as good."""

    def commit(self) -> ResumePoint | None:
        """Make all rows so far last a crash; None where a run could not go on from here."""

    def close(self) -> None:
        """Finish the files."""

    def abort(self) -> None:
        """Let go of the files after a failure, without a new one; what is committed stays."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            with suppress(Exception):
                self.abort()


class FileSink(Sink):
    """All rows in one file or URL, rejects in `OUT.rejects.jsonl`, which is made with the first of them.

    Beside a device there is no place for a file: its rejects go to standard error.
    """

    def __init__(self, names: OutputNames, format: str | None, place: ResumePoint | None) -> None:
        """`place` is None where nobody will go on with the run."""
        at = place or {}
        self._parted = place is not None and output_format(names.path, format)[0] == "parquet"
        self._rows = open_writer(names.path, format, at.get("rows", 0), parts=self._parted)
        self._rejects: Rejects | None = None
        if storage.is_remote(names.path) or os.path.isfile(names.path) or self._parted:
            self._rejects = Rejects(names.rejects, at.get("rejects", 0))

    def write(self, article: Article, prediction: Prediction) -> None:
        self._rows.write(prediction.to_dict())

    def reject(self, record: Reject) -> None:
        if self._rejects:
            self._rejects.write(record)
        else:
            print_reject(record)

    @property
    def commit_interval(self) -> int | None:
        return None

    def commit(self) -> ResumePoint | None:
        rows = self._rows.commit()
        return None if rows is None else {"rows": rows, "rejects": self._rejects.commit() if self._rejects else 0}

    def close(self) -> None:
        if self._rejects:
            self._rejects.close()
        self._rows.close()

    def abort(self) -> None:
        if self._rejects:
            self._rejects.close()
        if not self._parted:  # whose parts wait for the rest
            self._rows.close()


class Rejects:
    """A file of JSON lines that exists only where there is something to say."""

    def __init__(self, path: str, at: int = 0) -> None:
        self._path = path
        self._writer = open_writer(path, "jsonl", at) if at else None
        if not at and not storage.is_remote(path) and os.path.isfile(path):
            storage.remove(path)

    def write(self, record: Reject) -> None:
        """A row."""
        if self._writer is None:
            self._writer = open_writer(self._path, "jsonl")
        self._writer.write(record.to_dict())

    def commit(self) -> int:
        """The size of the file, 0 where there is none."""
        return (self._writer.commit() or 0) if self._writer else 0

    def close(self) -> None:
        """Finish the file, if there is one."""
        if self._writer:
            self._writer.close()


class ShardedSink(Sink):
    """Files of so many rows each, OUT-00000.SUFFIX and on, with rejects beside; each is there whole or not at all."""

    def __init__(self, names: OutputNames, format: str | None, rows: int, place: ResumePoint | None = None) -> None:
        """Shards beyond `place`, of a run that was cut, are removed. Raises DumpError for an unknown format."""
        self._names, self._format, self._size = names, output_format(names.path, format)[0], rows
        self._number = (place or {}).get("shards", 0)
        self._count = 0
        self._open: dict[str, tuple[str, Writer]] = {}
        for path in names.shards(self._number):
            storage.remove(path)

    def write(self, article: Article, prediction: Prediction) -> None:
        self._writer(self._names.shard(self._number), self._format).write(prediction.to_dict())
        self._count += 1

    def reject(self, record: Reject) -> None:
        self._writer(f"{self._names.shard(self._number)}.rejects.jsonl", "jsonl").write(record.to_dict())

    @property
    def commit_interval(self) -> int:
        return self._size

    def commit(self) -> ResumePoint | None:
        if self._count < self._size:
            return None
        self._finish()
        return {"shards": self._number}

    def close(self) -> None:
        if self._open:
            self._finish()

    def abort(self) -> None:
        for path, (scratch, writer) in self._open.items():
            with suppress(Exception):
                writer.close()
            storage.remove(scratch)
            if storage.is_remote(path):
                storage.remove_folder(os.path.dirname(scratch))

    def _writer(self, path: str, format: str) -> Writer:
        """The writer of a shard or its rejects, to a file of another name until it is whole."""
        if path not in self._open:
            folder, name = os.path.split(path)
            if storage.is_remote(path):
                folder = tempfile.mkdtemp(prefix="wusum-")
            scratch = os.path.join(folder, f".{name}")
            self._open[path] = scratch, open_writer(scratch, format)
        return self._open[path][1]

    def _finish(self) -> None:
        for path in sorted(self._open, reverse=True):  # the rejects first: the shard says that both are there
            scratch, writer = self._open[path]
            writer.close()
            storage.move_into_place(scratch, path)
            if storage.is_remote(path):
                storage.remove_folder(os.path.dirname(scratch))
        self._open = {}
        self._count = 0
        self._number += 1


class StdoutSink(Sink):
    """Rows to standard output, by a writer or as text, rejects to standard error; nothing to go on from."""

    def __init__(self, format: str | None) -> None:
        """`format` is that of a writer, or "table" for text that a person reads."""
        self._writer = None if format == "table" else open_writer(None, format)

    def write(self, article: Article, prediction: Prediction) -> None:
        if self._writer:
            self._writer.write(prediction.to_dict())
        else:
            print(format_prediction(article, prediction))

    def reject(self, record: Reject) -> None:
        print_reject(record)

    @property
    def commit_interval(self) -> int | None:
        return None

    def commit(self) -> None:
        return None

    def close(self) -> None:
        if self._writer:
            self._writer.close()

    def abort(self) -> None:
        self.close()


def print_reject(record: Reject) -> None:
    """Say on standard error what is rejected, and why."""
    print(f"wusum: rejected {record.source}:{record.line}: {record.error}", file=sys.stderr)
