"""Exported graphs: they compute what the network does, with its weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
from safetensors.numpy import load_file

from tests.support import TINY_BERT
from wusum.model.tagger import Tagger
from wusum.train.stages import export
from wusum.train.stages.export import safetensors_layout

IDS = np.array([[2, 7, 8, 9, 3], [2, 7, 3, 0, 0]])
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
LAYERS = TINY_BERT["num_hidden_layers"] * 6
"""Linear layers of the encoder: query, key, value and three more of each of its layers."""


def test_onnx_is_the_network_itself(trained: Path) -> None:
    exported, network = (Tagger.from_pretrained(trained, runtime=name).encoder.runtime for name in ("onnx", "torch"))
    for one, other in zip(exported(IDS, MASK), network(IDS, MASK), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    assert (trained / "model.onnx").stat().st_size < 200_000  # the graph; the weights are in safetensors
    graph = onnx.load(trained / "model.onnx", load_external_data=False).graph
    assert [node.op_type for node in graph.node].count("Gemm") == LAYERS + 3  # and the heads: all with their bias


def test_integers_have_the_same_weights(trained: Path) -> None:
    integers, exact = (Tagger.from_pretrained(trained, runtime=name).encoder.runtime for name in ("int8", "onnx"))
    for one, other in zip(integers(IDS, MASK), exact(IDS, MASK), strict=True):
        np.testing.assert_allclose(one, other, atol=0.1)
    assert (trained / "model.int8.onnx").stat().st_size < 200_000
    graph = onnx.load(trained / "model.int8.onnx", load_external_data=False).graph
    operators = [node.op_type for node in graph.node]
    assert operators.count("Gemm") == 3  # the heads
    assert operators.count("MatMulIntegerToFloat") == LAYERS


def test_the_layout_says_where_each_weight_lies(trained: Path) -> None:
    path = trained / "model.safetensors"
    data, weights = path.read_bytes(), load_file(path)
    layout = safetensors_layout(path)
    assert layout.keys() == weights.keys()
    for name, (offset, length, shape) in layout.items():
        found = np.frombuffer(data[offset : offset + length], np.float16).reshape(shape)
        np.testing.assert_array_equal(found, weights[name])


def test_a_model_that_is_not_calibrated_has_neutral_settings_and_no_vocabulary(finetuned: Path, tmp_path: Path) -> None:
    shutil.copytree(finetuned, tmp_path / "model")
    export.run(export.ExportConfig(tmp_path / "model", max_windows=3))
    settings = json.loads((tmp_path / "model" / "config.json").read_text(encoding="utf-8"))["wusum"]
    assert (settings["max_windows"], settings["temperature"], settings["threshold"]) == (3, 1.0, 0.5)
    assert settings["sure"] == 1.0
    tagger = Tagger.from_pretrained(tmp_path / "model")
    assert tagger("فاز الفريق في المباراة").topics[0].name_en == "sport"
    assert tagger.tag_model.vocabulary.entries == ()
