"""The folder of a model in the making: what `wusum train finetune` writes and later stages read and complete."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wusum.train.cache import read_json, write_json

CONFIG = "config.json"
"""Shape of the encoder, and the settings of the model in the section `wusum`."""

WEIGHTS = "model.safetensors"
"""Weights of encoder and heads, in half precision."""

TOKENIZER = "tokenizer.json"
"""The tokenizer, with all normalisation that the encoder's input gets."""

TAG_LABELS = "tag_labels.json"
"""Texts of the labels of the tag head, in order."""


def read_config(folder: Path) -> dict[str, Any]:
    """Return `config.json`; raises OSError or ValueError if it cannot be read."""
    config: dict[str, Any] = read_json(folder / CONFIG)
    return config


def write_config(folder: Path, config: dict[str, Any]) -> None:
    """Write `config.json`."""
    write_json(folder / CONFIG, config, indent=1)


def topic_codes(folder: Path) -> list[str]:
    """Return the codes of the topics in the order of the topic head; raises OSError, ValueError or KeyError."""
    return [topic["code"] for topic in read_config(folder)["wusum"]["topics"]]


def read_tag_labels(folder: Path) -> list[str]:
    """Return the texts of the labels of the tag head, in order; raises OSError or ValueError."""
    labels: list[str] = read_json(folder / TAG_LABELS)
    return labels


def write_tag_labels(folder: Path, labels: tuple[str, ...]) -> None:
    """Write the texts of the labels of the tag head."""
    write_json(folder / TAG_LABELS, labels)
