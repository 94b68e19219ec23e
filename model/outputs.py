"""Where the rows and rejects of a run go, and from where a run that was cut can go on."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from wusum.model.article import Article
from wusum.model.dumps import Reject
from wusum.model.show import as_text
from wusum.model.tagger import Prediction
from wusum.model.writers import Writer, open_writer, output_format, replace

Place = dict[str, int]
"""Where to go on: what `commit` gave and the same output, opened anew, takes."""


class Outputs(Protocol):
    """Takes the rows and rejects of a run, in order."""

    def write(self, article: Article, prediction: Prediction) -> None:
        """A row; raises OSError where it cannot be written."""

    def reject(self, record: Reject) -> None:
        """A row of the rejects file."""

    def room(self) -> int | None:
        """Rows until the next place to commit; None where every place is as good."""

    def commit(self) -> Place | None:
        """Make all rows so far last a crash; None where a run could not go on from here."""

    def close(self) -> None:
        """Finish the files."""

    def leave(self) -> None:
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
                self.leave()


class OneFile(Outputs):
    """All rows in one file or URL, rejects in `OUT.rejects.jsonl`, which is made with the first of them."""

    def __init__(self, path: str, format: str | None, place: Place | None = None) -> None:
        place = place or {}
        self._rows = open_writer(path, format, place.get("rows", 0))
        self._rejects = Rejects(rejects_path(path), place.get("rejects", 0))

    def write(self, article: Article, prediction: Prediction) -> None:
        self._rows.write(prediction.to_dict())

    def reject(self, record: Reject) -> None:
        self._rejects.write(record.to_dict())

    def room(self) -> int | None:
        return None

    def commit(self) -> Place | None:
        rows = self._rows.commit()
        # Rejects last: those after this place are cut off again, those before must be on the disk.
        return None if rows is None else {"rows": rows, "rejects": self._rejects.commit()}

    def close(self) -> None:
        self._rejects.close()
        self._rows.close()

    def leave(self) -> None:
        self.close()  # rows after the last commit may be of use, and are cut off if the run goes on


class Rejects:
    """A file of JSON lines that exists only where there is something to say."""

    def __init__(self, path: str, at: int = 0) -> None:
        self._path, self._at = path, at
        self._writer: Writer | None = None
        if "://" not in path and not at:
            Path(path).unlink(missing_ok=True)
        elif at:
            self._writer = open_writer(path, "jsonl", at)

    def write(self, row: Mapping[str, Any]) -> None:
        if self._writer is None:
            self._writer = open_writer(self._path, "jsonl")
        self._writer.write(row)

    def commit(self) -> int:
        """The size of the file, 0 where there is none."""
        return (self._writer.commit() or 0) if self._writer else 0

    def close(self) -> None:
        """Finish the file, if there is one."""
        if self._writer:
            self._writer.close()


class Shards(Outputs):
    """Files of so many rows each, OUT-00000.SUFFIX and on, with rejects beside; each is there whole or not at all."""

    def __init__(self, path: str, format: str | None, rows: int, place: Place | None = None) -> None:
        """Local shards beyond `place`, of an earlier run, are removed. Raises DumpError for an unknown format."""
        self._path, self._format, self._size = path, output_format(path, format)[0], rows
        self._number = (place or {}).get("shards", 0)
        if "://" not in path:
            for file in old_shards(path, self._number):
                file.unlink()
        self._count = 0
        self._rows: Writer | None = None
        self._rejects: Writer | None = None

    def write(self, article: Article, prediction: Prediction) -> None:
        if self._rows is None:
            self._rows = open_writer(self._scratch(self._shard()), self._format, whole=True)
        self._rows.write(prediction.to_dict())
        self._count += 1

    def reject(self, record: Reject) -> None:
        if self._rejects is None:
            self._rejects = open_writer(self._scratch(self._shard(rejects=True)), "jsonl")
        self._rejects.write(record.to_dict())

    def room(self) -> int:
        return self._size - self._count

    def commit(self) -> Place | None:
        if self.room():
            return None
        self._finish()
        return {"shards": self._number}

    def close(self) -> None:
        if self._rows or self._rejects:
            self._finish()

    def leave(self) -> None:
        for writer in (self._rejects, self._rows):
            if writer:
                writer.close()

    def _finish(self) -> None:
        for writer, rejects in ((self._rejects, True), (self._rows, False)):
            path = self._shard(rejects=rejects)
            if writer:
                writer.close()
                if "://" not in path:
                    replace(self._scratch(path), path)
        self._rows = self._rejects = None
        self._count = 0
        self._number += 1

    def _shard(self, *, rejects: bool = False) -> str:
        stem, suffix = split_name(self._path)
        return f"{stem}-{self._number:05}{'.rejects.jsonl' if rejects else suffix}"

    @staticmethod
    def _scratch(path: str) -> str:
        """Where a shard is written before it is whole; what is remote appears when it is closed."""
        if "://" in path:
            return path
        folder, name = os.path.split(path)
        return os.path.join(folder, f".{name}")


class Screen(Outputs):
    """Rows to standard output, by a writer or as text, rejects to standard error; nothing to go on from."""

    def __init__(self, format: str | None) -> None:
        """`format` is that of a writer, or "table" for text that a person reads."""
        self._writer = None if format == "table" else open_writer(None, format)

    def write(self, article: Article, prediction: Prediction) -> None:
        if self._writer:
            self._writer.write(prediction.to_dict())
        else:
            print(as_text(article, prediction))

    def reject(self, record: Reject) -> None:
        print(f"wusum: rejected {record.source}:{record.line}: {record.error}", file=sys.stderr)

    def room(self) -> int | None:
        return None

    def commit(self) -> None:
        return None

    def close(self) -> None:
        if self._writer:
            self._writer.close()

    def leave(self) -> None:
        self.close()


def rejects_path(path: str) -> str:
    """Where the rejects of a run go that writes to a file."""
    return f"{path}.rejects.jsonl"


def split_name(path: str) -> tuple[str, str]:
    """A path before its suffixes, and those: ("a/out", ".jsonl.gz")."""
    folder, name = os.path.split(path)
    found = re.search(r"(\.[a-z]+){1,2}$", name, re.IGNORECASE)
    suffix = found.group() if found else ""
    return os.path.join(folder, name.removesuffix(suffix)), suffix


def old_shards(path: str, first: int = 0) -> Iterator[Path]:
    """Local shards of an output, and their rejects, from a number on."""
    stem, suffix = split_name(path)
    folder, name = os.path.split(stem)
    pattern = re.compile(rf"\.?{re.escape(name)}-(\d{{5}})({re.escape(suffix)}|\.rejects\.jsonl)")
    for file in sorted(Path(folder or ".").glob(f"*{glob.escape(name)}-*")):
        found = pattern.fullmatch(file.name)
        if found and int(found.group(1)) >= first:
            yield file
