"""Parquet, which can only be written whole: as one stream, or in parts on disk that are put together at the end."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from wusum.model.errors import DumpError
from wusum.model.io.inputs import message
from wusum.model.io.storage import move_into_place
from wusum.model.io.writers import Writer, parts_folder

ROW_GROUP: Final = 4_096
"""Rows gathered in memory for one row group."""


def schema() -> pa.Schema:
    """The Arrow schema of a row; a span is a list of two int32, as in JSON, and a tag without an id has null there."""
    text, score = pa.string(), pa.float64()
    topic = pa.struct([("code", text), ("name_ar", text), ("name_en", text), ("score", score)])
    tag = pa.struct([("text", text), ("score", score), ("spans", pa.list_(pa.list_(pa.int32()))), ("id", text)])
    return pa.schema([("id", text), ("topics", pa.list_(topic)), ("tags", pa.list_(tag))])


class ParquetStream(Writer):
    """Row groups of `ROW_GROUP` rows under the fixed `schema()`, compressed with Zstandard."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._rows: list[Mapping[str, Any]] = []
        self._table = pq.ParquetWriter(stream, schema(), compression="zstd")

    def write(self, row: Mapping[str, Any]) -> None:
        self._rows.append(row)
        if len(self._rows) == ROW_GROUP:
            self._flush()

    def commit(self) -> None:
        return None

    def close(self) -> None:
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
    """One file at last; until then a hidden folder with a file for each row group.

    The folder stays when the writer is closed, for whoever is to go on from it.
    """

    def __init__(self, path: str, at: int = 0) -> None:
        """`at` is the number of parts to keep; raises DumpError where the folder cannot be made."""
        self._path, self._folder = Path(path), parts_folder(path)
        self._count = at
        self._rows: list[Mapping[str, Any]] = []
        self._closed = False
        try:
            if not at:
                shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(exist_ok=True)
            kept = set(self._parts())
            if not all(part.is_file() for part in kept):
                raise DumpError(f"{path}: parts of it are missing; --force starts over")
            for file in self._folder.iterdir():
                if file not in kept:
                    file.unlink()
        except OSError as error:
            raise DumpError(f"{path}: cannot be written: {message(error)}") from error

    def write(self, row: Mapping[str, Any]) -> None:
        self._rows.append(row)

    def commit(self) -> int | None:
        if len(self._rows) < ROW_GROUP:
            return None
        self._part()
        return self._count

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._rows:
            self._part()
        scratch = self._path.with_name(f".{self._path.name}.tmp")
        with open(scratch, "wb") as file, pq.ParquetWriter(file, schema(), compression="zstd") as table:
            for part in self._parts():
                table.write_table(pq.read_table(part))
        move_into_place(str(scratch), str(self._path))

    def _part(self) -> None:
        scratch = self._folder / "tmp"
        pq.write_table(pa.Table.from_pylist(self._rows, schema=schema()), scratch, compression="zstd")
        self._count += 1
        move_into_place(str(scratch), str(self._parts()[-1]))
        self._rows = []

    def _parts(self) -> list[Path]:
        return [self._folder / f"{number:06}.parquet" for number in range(self._count)]
