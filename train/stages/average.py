"""Average the weights of models that were fine-tuned from one encoder.

The average is about as good as an ensemble of the models, for the cost of one (Wortsman et al., "Model soups", ICML
2022).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from wusum.model.errors import ConfigError
from wusum.train.cache import write_atomically
from wusum.train.model_folder import CONFIG, TAG_LABELS, TOKENIZER, WEIGHTS, topic_codes


@dataclass(frozen=True)
class AverageConfig:
    """Settings of `wusum train average`."""

    models: list[Path]
    """Folders that `wusum train finetune` wrote, or of finished models."""
    output: Path
    """Folder for the model, for `wusum train export` or as the `base_model` of another fine-tuning."""
    first_alone: list[str] = field(default_factory=lambda: ["tag_head", "span_head"])
    """Name prefixes of weights that are taken from the first model alone: heads of other labels, or heads that did not
    start from the same weights."""


def run(config: AverageConfig) -> None:
    """Average and write; raises ConfigError if the models differ in tokenizer, topics or the shape of a weight."""
    first = config.models[0]
    for folder in config.models[1:]:
        for part, read in (("tokenizer", _tokenizer), ("list of topics", topic_codes)):
            if read(folder) != read(first):
                raise ConfigError(f"{folder}: has another {part} than {first}; they cannot be averaged")
    loaded = [load_file(folder / WEIGHTS) for folder in config.models]
    weights = {name: _mean(config, name, [model.get(name) for model in loaded]) for name in loaded[0]}
    config.output.mkdir(parents=True, exist_ok=True)
    for name in (CONFIG, TOKENIZER, TAG_LABELS):
        if (first / name).is_file():
            shutil.copyfile(first / name, config.output / name)
    write_atomically(config.output / WEIGHTS, lambda path: save_file(weights, path, metadata={"format": "pt"}))


def _tokenizer(folder: Path) -> bytes:
    return (folder / TOKENIZER).read_bytes()


def _mean(config: AverageConfig, name: str, found: list[NDArray[np.float16] | None]) -> NDArray[np.float16]:
    """Return the mean of a weight of all models, or the first model's; raises ConfigError for different shapes."""
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
