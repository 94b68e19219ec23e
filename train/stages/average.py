"""Average the weights of models that were fine-tuned from one encoder: as good as asking all of them, at the price of
one (Wortsman et al., "Model soups", ICML 2022).
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from wusum.model.errors import ConfigError

WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class AverageConfig:
    """Settings of `wusum train average`."""

    models: list[Path]
    """Folders that `wusum train finetune` wrote, or of finished models."""
    output: Path
    """Folder that gets the model, for `wusum train export` or as the `base_model` of another fine-tuning."""
    first_alone: list[str] = field(default_factory=lambda: ["tag_head", "span_head"])
    """Beginnings of the names of weights that are the first model's alone: heads that are not of the same labels, or
    that did not start from the same."""


def run(config: AverageConfig) -> None:
    """Average and write. Raises ConfigError for models that do not fit together."""
    first = config.models[0]
    for folder in config.models[1:]:
        for part in ("tokenizer", "list of topics"):
            if _part(folder, part) != _part(first, part):
                raise ConfigError(
                    f"{folder}: has other {part.removesuffix('s')}s than {first}; they cannot be averaged"
                )
    loaded = [load_file(folder / WEIGHTS) for folder in config.models]
    weights = {name: _mean(config, name, [model.get(name) for model in loaded]) for name in loaded[0]}
    config.output.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "tokenizer.json", "tag_labels.json"):
        if (first / name).is_file():
            shutil.copyfile(first / name, config.output / name)
    save_file(weights, config.output / WEIGHTS, metadata={"format": "pt"})


def _part(folder: Path, part: str) -> Any:
    if part == "tokenizer":
        return (folder / "tokenizer.json").read_bytes()
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return [topic["code"] for topic in settings["wusum"]["topics"]]


def _mean(config: AverageConfig, name: str, found: list[NDArray[np.float16] | None]) -> NDArray[np.float16]:
    own = found[0]
    assert own is not None
    if name.startswith(tuple(config.first_alone)):
        return own
    total = np.zeros(own.shape, np.float32)
    for folder, weight in zip(config.models, found, strict=True):
        if weight is None or weight.shape != own.shape:
            shape = "missing" if weight is None else f"of shape {weight.shape}"
            raise ConfigError(f"{folder}: {name} is {shape}, not {own.shape} as in {config.models[0]}")
        total += weight
    return (total / len(found)).astype(own.dtype)
