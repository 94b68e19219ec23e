"""Several models as one: the mean of their weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from wusum.model.errors import ConfigError
from wusum.train.stages.average import AverageConfig, run


def model(folder: Path, value: float, topics: str = "ab", **more: NDArray[np.float16]) -> Path:
    """A folder as fine-tuning leaves it, with every weight the same."""
    folder.mkdir()
    settings = {"wusum": {"topics": [{"code": code} for code in topics]}}
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    (folder / "tag_labels.json").write_text('["x"]', encoding="utf-8")
    shapes = {"bert.layer.weight": (3, 2), "topic_head.bias": (2,), "tag_head.bias": (4,), "span_head.bias": (6,)}
    weights = {name: np.full(shape, value, np.float16) for name, shape in shapes.items()}
    save_file(weights | more, folder / "model.safetensors")
    return folder


def test_weights_are_averaged_but_for_the_heads_of_other_labels(tmp_path: Path) -> None:
    other = model(tmp_path / "b", 4.0, **{"tag_head.bias": np.zeros(9, np.float16)})
    run(AverageConfig([model(tmp_path / "a", 1.0), other], tmp_path / "out"))
    weights = load_file(tmp_path / "out" / "model.safetensors")
    assert {name: float(value.ravel()[0]) for name, value in weights.items()} == {
        "bert.layer.weight": 2.5, "topic_head.bias": 2.5, "tag_head.bias": 1.0, "span_head.bias": 1.0,
    }  # fmt: skip
    assert weights["tag_head.bias"].shape == (4,)
    assert weights["bert.layer.weight"].dtype == np.float16
    assert (tmp_path / "out" / "tag_labels.json").read_text(encoding="utf-8") == '["x"]'


def test_models_that_do_not_fit_are_not_averaged(tmp_path: Path) -> None:
    first = model(tmp_path / "a", 1.0)
    topics, shape = (
        model(tmp_path / "b", 1.0, "ac"),
        model(tmp_path / "c", 1.0, **{"topic_head.bias": np.ones(5, "f2")}),
    )
    pieces = model(tmp_path / "d", 1.0)
    (pieces / "tokenizer.json").write_text("[]", encoding="utf-8")
    for other, why in (
        (topics, "list of topics"),
        (shape, r"topic_head\.bias is of shape \(5,\)"),
        (pieces, "tokenizer"),
    ):
        with pytest.raises(ConfigError, match=why):
            run(AverageConfig([first, other], tmp_path / "out"))
