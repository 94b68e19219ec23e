"""A model folder: where it is, what must be in it, and its settings."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wusum.model.errors import ModelError

BUNDLED = Path(__file__).parents[1] / "weights"
"""The default model, shipped with the package."""

FILES = (
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "model.onnx",
    "model.int8.onnx",
    "tags.tsv",
    "ranking.json",
    "memory.safetensors",
    "linear.safetensors",
    "rarity.safetensors",
    "README.md",
)

OPTIONAL = ("README.md", "model.int8.onnx")
"""Of these, what only some uses of a model need."""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A model folder that has all its files; `settings` is the `wusum` part of its `config.json`."""

    folder: Path
    settings: dict[str, Any]

    @classmethod
    def open(cls, name: str | Path | None = None) -> Artefact:
        """The bundled model, a folder, or a model of the Hugging Face Hub by id (`owner/name`).

        Raises ModelError, naming the file and what to do, for a model that is missing, incomplete or damaged.
        """
        folder = BUNDLED if name is None else Path(name)
        if name is not None and not folder.exists() and str(name).count("/") == 1:
            folder = _download(str(name))
        if not folder.is_dir():
            raise ModelError(f"{folder}: no such model folder; give a folder or a Hub id such as owner/name")
        for file in FILES:
            if file not in OPTIONAL and not (folder / file).is_file():
                raise ModelError(
                    f"{folder / file}: missing; make it with `wusum train export`, or install the model again"
                )
        config = folder / "config.json"
        try:
            settings = json.loads(config.read_text(encoding="utf-8"))["wusum"]
            return cls(
                folder,
                {key: settings[key] for key in ("topics", "window", "max_windows", "temperature", "threshold", "tags")},
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"{config}: not the configuration of a wusum model ({error!r}); install the model again"
            ) from error

    def copy_to(self, folder: Path) -> None:
        """Copy the files of the model to another folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for file in FILES:
            if (self.folder / file).is_file():
                shutil.copyfile(self.folder / file, folder / file)
            elif file.endswith(".onnx"):  # another model's graph, which would point into this one's weights
                (folder / file).unlink(missing_ok=True)


def _download(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        return Path(snapshot_download(name, allow_patterns=list(FILES)))
    except (OSError, ValueError, HfHubHTTPError, HFValidationError) as error:
        raise ModelError(f"{name}: no such folder, and not to be had from the Hub: {error}") from error
