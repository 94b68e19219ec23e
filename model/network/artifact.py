"""A model folder: its files, and the settings in its `config.json`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wusum.model.errors import ModelError

BUNDLED = Path(__file__).parents[1] / "weights"
"""The default model, shipped with the package."""

SIZES = {"small": BUNDLED, "base": BUNDLED / "base"}
"""The models that are shipped with the package, by name."""

FILES = (
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "model.onnx",
    "model.int8.onnx",
    "tags.tsv",
    "ranking.json",
    "linear.safetensors",
    "tag_words.safetensors",
    "word_statistics.safetensors",
    "README.md",
)
"""Every file of a model."""

OPTIONAL_FILES = ("README.md", "model.int8.onnx")
"""The files that only some uses of a model need."""

SHARED_FILES = ("tags.tsv", "linear.safetensors", "tag_words.safetensors", "word_statistics.safetensors")
"""The files that do not depend on the network: the bundled models have them once."""


def model_file(folder: Path, file: str) -> Path:
    """Return the path of a file of the model in a folder, which may be one that the bundled models share."""
    own = folder / file
    if file in SHARED_FILES and not own.is_file() and folder.resolve() in map(Path.resolve, SIZES.values()):
        return BUNDLED / file
    return own


@dataclass(frozen=True, slots=True)
class TopicSettings:
    """One topic of the topic head."""

    code: str
    name_ar: str
    name_en: str
    given: bool = True
    """Whether the model tells this topic well enough to give it."""
    threshold: float | None = None
    """Least probability at which it is given beside a better topic; None is the threshold of `ModelSettings`."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The `wusum` section of a model's `config.json`."""

    topics: tuple[TopicSettings, ...]
    """The topics in the order of the topic head."""
    window: int
    """Tokens of a window, with its special tokens."""
    max_windows: int
    """Windows of an article that the network reads."""
    temperature: float
    """Divisor of the topic logits that calibrates their probabilities."""
    threshold: float
    """Threshold of the topics that have none of their own."""
    sure: float
    """Probability of the first topic from which on a prediction is confident; with 1 none is."""
    tag_threshold: float
    """Least score of a tag that stands in the article."""
    absent_tag_threshold: float
    """Least score of a tag that does not."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> ModelSettings:
        """Read the settings from a parsed `config.json`; raises KeyError or TypeError if one is missing or unknown."""
        section = config["wusum"]
        known = TopicSettings.__dataclass_fields__
        topics = ({key: value for key, value in topic.items() if key in known} for topic in section["topics"])
        return cls(
            tuple(TopicSettings(**topic) for topic in topics),
            section["window"],
            section["max_windows"],
            section["temperature"],
            section["threshold"],
            section["sure"],
            section["tags"]["threshold"],
            section["tags"]["absent_threshold"],
        )


@dataclass(frozen=True, slots=True)
class Artifact:
    """A model folder that has all its files."""

    folder: Path
    settings: ModelSettings

    @classmethod
    def open(cls, model: str | Path | None = None) -> Artifact:
        """Open a bundled model (None or "small", "base"), a folder, or one of the Hugging Face Hub (`owner/name`).

        Raises ModelError, which names the file and the remedy, for a missing, incomplete or damaged model.
        """
        name = "small" if model is None else model
        bundled = SIZES.get(name) if isinstance(name, str) else None  # a Path is a folder, whatever its name
        folder = bundled or Path(name)
        if not bundled and not folder.exists() and str(name).count("/") == 1:
            folder = _download(str(name))
        if not folder.is_dir():
            raise ModelError(
                f"{folder}: no such model folder; give {' or '.join(SIZES)}, a folder, or a Hub id such as owner/name"
            )
        for file in FILES:
            if file not in OPTIONAL_FILES and not model_file(folder, file).is_file():
                raise ModelError(
                    f"{folder / file}: missing; make it with `wusum train export`, or install the model again"
                )
        config = folder / "config.json"
        try:
            return cls(folder, ModelSettings.from_config(json.loads(config.read_text(encoding="utf-8"))))
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"{config}: not the configuration of a wusum model ({error!r}); install the model again"
            ) from error

    def copy_to(self, folder: Path) -> None:
        """Copy the model's files to another folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for file in FILES:
            if model_file(self.folder, file).is_file():
                shutil.copyfile(model_file(self.folder, file), folder / file)
            elif file.endswith(".onnx"):  # another model's graph would point into this one's weights
                (folder / file).unlink(missing_ok=True)


def _download(model: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        return Path(snapshot_download(model, allow_patterns=list(FILES)))
    except (OSError, ValueError, HfHubHTTPError, HFValidationError) as error:
        raise ModelError(f"{model}: no such folder, and the Hub does not provide it: {error}") from error
