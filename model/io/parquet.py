"""Writers of Parquet, which cannot be appended to: one stream, or parts on disk that are merged at the end."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from wusum.model.errors import DumpError
from wusum.model.io.inputs import error_message
from wusum.model.io.storage import move_into_place
from wusum.model.io.writer import Writer, parts_folder

ROW_GROUP: Final = 4_096
"""Rows of a row group, which are gathered in memory."""


def schema() -> pa.Schema:
    """Return the Arrow schema of a row. As in JSON, a span is a list of two integers; a missing tag id is null."""
    text, score = pa.string(), pa.float64()
    topic = pa.struct([("code", text), ("name_ar", text), ("name_en", text), ("score", score)])
    tag = pa.struct([("text", text), ("score", score), ("spans", pa.list_(pa.list_(pa.int32()))), ("id", text)])
    return pa.schema([("id", text), ("confident", pa.bool_()), ("topics", pa.list_(topic)), ("tags", pa.list_(tag))])


class ParquetStream(Writer):
    """Writes row groups of `ROW_GROUP` rows under the fixed `schema()`, compressed with Zstandard."""

    def __init__(self, stream: BinaryIO) -> None:
        """Write to a stream of bytes, which `close` closes."""
        self._stream = stream
        self._rows: list[Mapping[str, Any]] = []
        self._table = pq.ParquetWriter(stream, schema(), compression="zstd")

    def write(self, row: Mapping[str, Any]) -> None:
        """Append a row."""
        self._rows.append(row)
        if len(self._rows) == ROW_GROUP:
            self._flush()

    def commit(self) -> None:
        """Return None: a stream cannot be resumed."""

    def close(self) -> None:
        """Write the remaining rows and the footer."""
        try:
            self._flush()
            self._table.close()
        finally:
            self._stream.close()

    def _flush(self) -> None:
        if self._rows:
            self._table.write_table(pa.Table.from_pylist(self._rows, schema=schema()))
            self._rows = []


class ParquetParts(Writer):
    """Writes a file for each row group into a hidden folder, and on `close` merges them into one file.

    The folder stays until the caller removes it, so that an interrupted run can resume.
    """

    def __init__(self, path: str, position: int = 0) -> None:
        """Keep the first `position` parts; raises DumpError if one is missing or the folder cannot be made."""
        self._path, self._folder = Path(path), parts_folder(path)
        self._count = position
        self._rows: list[Mapping[str, Any]] = []
        self._closed = False
        try:
            if not position:
                shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(exist_ok=True)
            kept = set(self._part_paths())
            if not all(part.is_file() for part in kept):
                raise DumpError(f"{path}: parts of it are missing; --force starts over")
            for file in self._folder.iterdir():
                if file not in kept:
                    file.unlink()
        except OSError as error:
            raise DumpError(f"{path}: cannot be written: {error_message(error)}") from error

    def write(self, row: Mapping[str, Any]) -> None:
        """Append a row."""
        self._rows.append(row)

    def commit(self) -> int | None:
        """Write the rows so far as a part if they fill one, and return the number of parts; None if they do not."""
        if len(self._rows) < ROW_GROUP:
            return None
        self._write_part()
        return self._count

    def close(self) -> None:
        """Write the remaining rows and merge all parts."""
        if self._closed:
            return
        self._closed = True
        if self._rows:
            self._write_part()
        scratch = self._path.with_name(f".{self._path.name}.tmp")
        with open(scratch, "wb") as file, pq.ParquetWriter(file, schema(), compression="zstd") as table:
            for part in self._part_paths():
                table.write_table(pq.read_table(part))
        move_into_place(str(scratch), str(self._path))

    def _write_part(self) -> None:
        scratch = self._folder / "tmp"
        pq.write_table(pa.Table.from_pylist(self._rows, schema=schema()), scratch, compression="zstd")
        self._count += 1
        move_into_place(str(scratch), str(self._part_paths()[-1]))
        self._rows = []

    def _part_paths(self) -> list[Path]:
        return [self._folder / f"{number:06}.parquet" for number in range(self._count)]
