"""What a run was and how far it came, in `OUT.manifest.json`: so that the same command goes on where it was cut."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from wusum.model.files import DumpError, File, find, message
from wusum.model.outputs import Place
from wusum.model.writers import replace


@dataclass(slots=True)
class Manifest:
    """A run: what it depends on, and what has been done for good."""

    inputs: dict[str, str]
    """A fingerprint of each input."""
    model: str
    """A fingerprint of the model's files."""
    options: dict[str, Any]
    """The options that shape the output."""
    records: int = 0
    """Records of the inputs that are done, those of other parts among them."""
    tagged: int = 0
    rejected: int = 0
    place: Place = field(default_factory=dict)
    """Where the outputs go on."""
    complete: bool = False

    def refuse_others(self, wanted: Manifest, path: str) -> None:
        """Raise DumpError where a run that is to go on is not this one; the message names what differs."""
        for name, digest in wanted.inputs.items():
            if self.inputs.get(name, digest) != digest:
                raise DumpError(f"{path}: the input {name} has changed since its run was cut; --force starts over")
        if list(self.inputs) != list(wanted.inputs):
            raise DumpError(f"{path}: its run had other inputs ({', '.join(self.inputs)}); --force starts over")
        if self.model != wanted.model:
            raise DumpError(f"{path}: its run had another model; --force starts over")
        names = (*self.options, *(name for name in wanted.options if name not in self.options))
        for name in names:
            before, now = self.options.get(name), wanted.options.get(name)
            if before != now:
                raise DumpError(f"{path}: its run had {name} {before}, not {now}; --force starts over")

    def save(self, path: str) -> None:
        """Write it, so that after a crash there is this manifest or the one before."""
        data = orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)
        if "://" in path:
            _remote(path, "wb", data)
            return
        scratch = Path(f"{path}.tmp")
        scratch.write_bytes(data)
        replace(scratch, path)

    @classmethod
    def load(cls, path: str) -> Manifest | None:
        """The manifest of an output, None where there is none; raises DumpError for one that is damaged."""
        try:
            data = _remote(path, "rb") if "://" in path else Path(path).read_bytes()
        except FileNotFoundError:
            return None
        try:
            return cls(**orjson.loads(data))
        except (orjson.JSONDecodeError, TypeError) as error:
            raise DumpError(
                f"{path}: is no manifest of a run ({error}); remove it, or start over with --force"
            ) from error


def manifest_path(output: str) -> str:
    """Where the manifest of an output lies."""
    return f"{output}.manifest.json"


def _remote(path: str, mode: str, data: bytes = b"") -> bytes:
    import fsspec  # slow to import, and seldom needed

    with fsspec.open(path, mode) as file:
        if mode == "wb":
            file.write(data)
            return data
        return bytes(file.read())


def fingerprints(inputs: Sequence[str], outputs: Collection[str]) -> dict[str, str]:
    """A fingerprint of each input: of the names, sizes and times of change of its files. Standard input has none."""
    return {name: _fingerprint(find(name, outputs)) for name in inputs if name != "-"}


def _fingerprint(files: Any) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        digest.update(f"{file.path}\0{_state(file)}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _state(file: File) -> str:
    """The size and time of change of a file, or what a remote system has in their place."""
    try:
        if file.system is None:
            state = os.stat(file.path)
            return f"{state.st_size} {state.st_mtime_ns}"
        info = file.system.info(file.path)
    except Exception as error:  # every remote system has exceptions of its own
        raise DumpError(f"{file.path}: {message(error)}") from error
    times = (info.get(key) for key in ("mtime", "LastModified", "last_modified", "updated", "ETag", "etag", "created"))
    return f"{info.get('size')} {next((str(time) for time in times if time), '')}"


def model_fingerprint(folder: Path) -> str:
    """A fingerprint of the files that decide a prediction."""
    digest = hashlib.blake2b(digest_size=16)
    for name in ("config.json", "tokenizer.json", "tags.tsv", "model.onnx", "model.safetensors"):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()
