"""Outlets and months never seen: models are trained without them, and measured on them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.eval.test_runner import config, numbers
from tests.fakes import FakeTagger
from wusum.eval import gold, runner
from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Key
from wusum.eval.suites.drift import drift_answers, drift_keys
from wusum.eval.suites.transfer import transfer_answers, transfer_keys
from wusum.model.errors import ConfigError
from wusum.train.stages import tokenizer


@pytest.fixture
def fake() -> Any:
    return FakeTagger()


@pytest.fixture
def trainable(corpora: Path, tmp_path: Path) -> EvalConfig:
    """Settings of suites that train, with a tiny training."""
    names = ["plain", "almayadeen"]
    tokenizer.run(tokenizer.TokenizerConfig(corpora, tmp_path / "tokenizer", names, vocab_size=200, min_frequency=1))
    text = (corpora / "topics.yaml").read_text(encoding="utf-8")
    meanings = '"almayadeen": {"sport": ["sport"], "economy": ["economy"]}'
    (tmp_path / "topics.yaml").write_text(text.replace('"almayadeen": {}', meanings), encoding="utf-8")
    training = {
        "data": str(corpora), "output": "-", "topics": str(tmp_path / "topics.yaml"),
        "corpora": {"plain": 1.0, "almayadeen": 1.0}, "tokenizer": str(tmp_path / "tokenizer"), "window": 32,
        "cache": str(tmp_path / "rows"),
        "encoder": {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64},
    }  # fmt: skip
    (tmp_path / "finetune.yaml").write_text(json.dumps(training), encoding="utf-8")
    calibration = {"data": "-", "model": "-", "topics": "-", "corpora": ["plain"]}
    (tmp_path / "calibrate.yaml").write_text(json.dumps(calibration), encoding="utf-8")
    return replace(
        config(corpora), topics=tmp_path / "topics.yaml", transfer_labels={"plain": ["sport", "economy"]},
        transfer_splits={"plain": "train"}, finetune=tmp_path / "finetune.yaml", retrained=tmp_path / "made",
        calibrate=tmp_path / "calibrate.yaml", drift_date="2024-07", training=["--budget", "24"],
    )  # fmt: skip


def test_transfer_trains_without_a_corpus_and_measures_on_it(trainable: EvalConfig, fake: Any) -> None:
    keys = list(transfer_keys(trainable))
    assert [(key.system, key.corpus) for key in keys] == [("wusum", "plain"), ("linear", "plain")]
    ours, linear = (transfer_answers(key, fake, trainable) for key in keys)
    assert len(ours.ids) == 40
    assert numbers(linear)["accuracy"] == 1.0  # the words of the two subjects differ
    pinned = json.loads((trainable.retrained / "without-plain" / "settings.json").read_text(encoding="utf-8"))
    assert (pinned["leave_out"], pinned["budget"]) == (["plain"], 24)
    weights = trainable.retrained / "without-plain" / "model" / "model.safetensors"
    made = weights.stat().st_mtime_ns
    assert transfer_answers(keys[0], fake, trainable) == ours
    graph = weights.with_name("model.int8.onnx")
    graph.unlink()  # as of a model that was trained before there was one
    assert transfer_answers(keys[0], fake, replace(trainable, runtime="int8")).ids == ours.ids
    assert graph.is_file()
    assert weights.stat().st_mtime_ns == made
    with pytest.raises(ConfigError, match=r"other settings \(budget"):
        transfer_answers(keys[0], fake, replace(trainable, training=["--budget", "25"]))
    assert runner.suite("transfer").keys is transfer_keys


def test_drift_trains_on_articles_before_a_date_and_measures_on_those_since(
    trainable: EvalConfig, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gold, "MIN_TAGGED_CHARS", 10)
    monkeypatch.setattr(gold, "MIN_GOLD_TAGS", 2)
    keys = list(drift_keys(trainable))
    assert [(key.system, key.corpus.split()[1]) for key in keys] == [
        ("wusum", "before"), ("dictionary", "before"), ("wusum", "since"), ("dictionary", "since"),
    ]  # fmt: skip
    found = [drift_answers(key, fake, trainable) for key in keys]
    assert [len(answers.ids) for answers in found] == [6, 6, 6, 6]
    assert not set(found[0].ids) & set(found[2].ids)
    pinned = json.loads((trainable.retrained / "before-2024-07" / "settings.json").read_text(encoding="utf-8"))
    assert pinned["before"] == "2024-07"
    assert numbers(found[3])["present R@10"] == 1
    with pytest.raises(ConfigError, match="no test article of almayadeen since 2025"):
        drift_answers(Key("drift", "almayadeen since 2025"), fake, replace(trainable, drift_date="2025"))
