"""Outlets that were not trained on."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.support import score_values
from wusum.eval.config import EvalConfig
from wusum.eval.suites.transfer import SUITE
from wusum.model.errors import ConfigError


def test_transfer_trains_without_a_corpus_and_measures_on_it(trainable: EvalConfig, fake: Any) -> None:
    keys = list(SUITE.keys(trainable))
    assert [(key.system, key.corpus) for key in keys] == [("wusum", "plain"), ("linear", "plain")]
    ours, linear = (SUITE.answer(key, fake, trainable) for key in keys)
    assert len(ours.ids) == 40
    assert score_values(linear)["accuracy"] == 1.0  # the words of the two subjects differ
    pinned = json.loads((trainable.retrained / "without-plain" / "settings.json").read_text(encoding="utf-8"))
    assert (pinned["leave_out"], pinned["budget"]) == (["plain"], 24)
    weights = trainable.retrained / "without-plain" / "model" / "model.safetensors"
    made = weights.stat().st_mtime_ns
    assert SUITE.answer(keys[0], fake, trainable) == ours
    graph = weights.with_name("model.int8.onnx")
    graph.unlink()  # as in a model of a version that did not write this graph
    assert SUITE.answer(keys[0], fake, replace(trainable, runtime="int8")).ids == ours.ids
    assert graph.is_file()
    assert weights.stat().st_mtime_ns == made
    with pytest.raises(ConfigError, match=r"other settings \(budget"):
        SUITE.answer(keys[0], fake, replace(trainable, training=["--budget", "25"]))
