"""What a run was and how far it came, in `OUT.manifest.json`: so that the same command goes on where it was cut."""

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
from wusum.model.io.inputs import File, IsOutput, find, message
from wusum.model.io.storage import is_remote, move_into_place, read
from wusum.model.network.artifact import FILES
from wusum.model.run.sinks import ResumePoint


@dataclass(slots=True)
class Manifest:
    """A run: what it depends on, and what has been done for good."""

    inputs: list[list[str]]
    """The name and fingerprint of each input."""
    model: str
    """A fingerprint of the model's files."""
    options: dict[str, Any]
    """The options that shape the output."""
    records: int = 0
    """Records of the inputs that are done, those of other parts among them."""
    tagged: int = 0
    rejected: int = 0
    place: ResumePoint = field(default_factory=dict)
    """Where the outputs go on."""
    complete: bool = False

    def refuse_others(self, wanted: Manifest, path: str) -> None:
        """Raise DumpError where a run that is to go on is not this one; the message names what differs."""
        names, others = ([name for name, _ in manifest.inputs] for manifest in (self, wanted))
        if names != others:
            raise DumpError(f"{path}: its run had other inputs ({', '.join(names)}); --force starts over")
        for (name, digest), (_, another) in zip(self.inputs, wanted.inputs, strict=True):
            if digest != another:
                raise DumpError(f"{path}: the input {name} has changed since its run began; --force starts over")
        if self.model != wanted.model:
            raise DumpError(f"{path}: its run had another model; --force starts over")
        for name in dict.fromkeys((*self.options, *wanted.options)):
            was, now = self.options.get(name), wanted.options.get(name)
            if was != now:
                raise DumpError(f"{path}: its run had {name} {was}, not {now}; --force starts over")

    def save(self, path: str) -> None:
        """Write it, so that after a crash there is this manifest or the one before."""
        data = orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)
        if is_remote(path):
            handle, scratch = tempfile.mkstemp(prefix="wusum-")
            os.close(handle)
        else:
            scratch = f"{path}.tmp"
        try:
            Path(scratch).write_bytes(data)
        except OSError as error:
            raise DumpError(f"{path}: cannot be written: {message(error)}") from error
        move_into_place(scratch, path)

    @classmethod
    def load(cls, path: str) -> Manifest | None:
        """The manifest of an output, None where there is none; raises DumpError for one that is damaged."""
        data = read(path)
        if data is None:
            return None
        try:
            found = cls(**orjson.loads(data))
            kinds = ((found.inputs, list), (found.options, dict), (found.place, dict), (found.records, int))
            if not all(isinstance(value, kind) for value, kind in kinds):
                raise TypeError("values of wrong types")
            return found
        except (orjson.JSONDecodeError, TypeError) as error:
            raise DumpError(
                f"{path}: is no manifest of a run ({error}); remove it, or start over with --force"
            ) from error


def fingerprints(inputs: Sequence[str], written: IsOutput) -> list[list[str]]:
    """Name and fingerprint of each input: of the names, sizes and times of change of its files."""
    return [[name.encode(errors="backslashreplace").decode(), _fingerprint(find(name, written))] for name in inputs]


def _fingerprint(files: Iterable[File]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        digest.update(f"{file}\0{_state(file)}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _state(file: File) -> str:
    """The size and time of change of a file, or what a remote system has in their place."""
    try:
        if file.system is None:
            state = os.stat(file.path)
            return f"{state.st_size} {state.st_mtime_ns}"
        if file.archive and "://" not in file.archive:
            state = os.stat(file.archive)
            return f"{state.st_size} {state.st_mtime_ns} {file.size}"
        info = file.system.info(file.path)
    except Exception as error:  # every remote system has exceptions of its own
        raise DumpError(f"{file}: {message(error)}") from error
    times = (info.get(key) for key in ("mtime", "LastModified", "last_modified", "updated", "ETag", "etag", "created"))
    return f"{info.get('size')} {next((str(time) for time in times if time), '')}"


def model_fingerprint(folder: Path) -> str:
    """A fingerprint of the files that decide a prediction."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(set(FILES) - {"README.md"}):
        if (folder / name).is_file():  # an optional one may be missing
            digest.update((folder / name).read_bytes())
    return digest.hexdigest()


def content_fingerprint(path: str) -> str:
    """A fingerprint of what stands in a file; raises DumpError for one that cannot be read."""
    try:
        return hashlib.blake2b(Path(path).read_bytes(), digest_size=16).hexdigest()
    except OSError as error:
        raise DumpError(f"{path}: {message(error)}") from error
