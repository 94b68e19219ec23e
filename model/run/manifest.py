"""`OUT.manifest.json`: the inputs, model and options of a run and its progress, from which the same command resumes."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from wusum.model.errors import DumpError
from wusum.model.io.inputs import InputFile, IsOutput, error_message, find_files
from wusum.model.io.storage import is_remote, move_into_place, read_bytes
from wusum.model.network.artifact import FILES, model_file
from wusum.model.run.sinks import ResumePoint


@dataclass(slots=True)
class Manifest:
    """A run: everything that its output depends on, and its progress."""

    inputs: list[list[str]]
    """The name and fingerprint of each input."""
    model: str
    """A fingerprint of the model's files."""
    options: dict[str, Any]
    """The options that decide what the output holds."""
    records: int = 0
    """Records of the inputs that are done, including those that belong to other parts."""
    tagged: int = 0
    rejected: int = 0
    place: ResumePoint = field(default_factory=dict)
    """The point from which the sink resumes."""
    complete: bool = False

    def require_same_run(self, other: Manifest, path: str) -> None:
        """Raise DumpError if `other` describes another run than this one; the message names the first difference."""
        names, other_names = ([name for name, _ in manifest.inputs] for manifest in (self, other))
        if names != other_names:
            raise DumpError(f"{path}: its run had other inputs ({', '.join(names)}); --force starts over")
        for (name, digest), (_, other_digest) in zip(self.inputs, other.inputs, strict=True):
            if digest != other_digest:
                raise DumpError(f"{path}: the input {name} has changed since its run began; --force starts over")
        if self.model != other.model:
            raise DumpError(f"{path}: its run had another model; --force starts over")
        for name in dict.fromkeys((*self.options, *other.options)):
            was, now = self.options.get(name), other.options.get(name)
            if was != now:
                raise DumpError(f"{path}: its run had {name} {was}, not {now}; --force starts over")

    def save(self, path: str) -> None:
        """Write the manifest so that after a crash either it or the previous one is there.

        Raises DumpError if that fails.
        """
        data = orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)
        if is_remote(path):
            handle, scratch = tempfile.mkstemp(prefix="wusum-")
            os.close(handle)
        else:
            scratch = f"{path}.tmp"
        try:
            Path(scratch).write_bytes(data)
        except OSError as error:
            raise DumpError(f"{path}: cannot be written: {error_message(error)}") from error
        move_into_place(scratch, path)

    @classmethod
    def load(cls, path: str) -> Manifest | None:
        """Return the manifest at a path, or None if there is none; raises DumpError if it is damaged."""
        data = read_bytes(path)
        if data is None:
            return None
        try:
            found = cls(**orjson.loads(data))
            types = ((found.inputs, list), (found.options, dict), (found.place, dict), (found.records, int))
            if not all(isinstance(value, expected) for value, expected in types):
                raise TypeError("values of wrong types")
            return found
        except (orjson.JSONDecodeError, TypeError) as error:
            raise DumpError(f"{path}: not a valid manifest ({error}); remove it, or start over with --force") from error


def input_fingerprints(inputs: Sequence[str], is_output: IsOutput) -> list[list[str]]:
    """Return the name of each input and a fingerprint of its files' names, sizes and modification times.

    Raises DumpError if an input cannot be found.
    """
    return [
        [name.encode(errors="backslashreplace").decode(), _fingerprint(find_files(name, is_output))] for name in inputs
    ]


def _fingerprint(files: Iterable[InputFile]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        digest.update(f"{file}\0{_size_and_time(file)}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _size_and_time(file: InputFile) -> str:
    """Return the size and modification time of a file, or the closest that a remote system has to them."""
    try:
        if file.system is None:
            stat = os.stat(file.path)
            return f"{stat.st_size} {stat.st_mtime_ns}"
        if file.archive and "://" not in file.archive:
            stat = os.stat(file.archive)
            return f"{stat.st_size} {stat.st_mtime_ns} {file.size}"
        info = file.system.info(file.path)
    except Exception as error:  # every remote system has exceptions of its own
        raise DumpError(f"{file}: {error_message(error)}") from error
    times = (info.get(key) for key in ("mtime", "LastModified", "last_modified", "updated", "ETag", "etag", "created"))
    return f"{info.get('size')} {next((str(time) for time in times if time), '')}"


def model_fingerprint(folder: Path) -> str:
    """Return a fingerprint of the model files that decide a prediction."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(set(FILES) - {"README.md"}):
        path = model_file(folder, name)
        if path.is_file():  # optional files may be missing
            digest.update(path.read_bytes())
    return digest.hexdigest()


def file_fingerprint(path: str) -> str:
    """Return a fingerprint of a file's contents; raises DumpError if it cannot be read."""
    try:
        return hashlib.blake2b(Path(path).read_bytes(), digest_size=16).hexdigest()
    except OSError as error:
        raise DumpError(f"{path}: {error_message(error)}") from error
