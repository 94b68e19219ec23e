"""Fixtures of the suites that train."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import eval_config
from wusum.eval.config import EvalConfig
from wusum.train.stages import tokenizer


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
        "tag_rules": str(corpora / "tag_rules.yaml"),
        "corpora": {"plain": 1.0, "almayadeen": 1.0}, "tokenizer": str(tmp_path / "tokenizer"), "window": 32,
        "cache": str(tmp_path / "rows"),
        "encoder": {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64},
    }  # fmt: skip
    (tmp_path / "finetune.yaml").write_text(json.dumps(training), encoding="utf-8")
    calibration = {
        "data": "-", "model": "-", "topics": "-", "corpora": ["plain"],
        "tag_rules": str(corpora / "tag_rules.yaml"),
    }  # fmt: skip
    (tmp_path / "calibrate.yaml").write_text(json.dumps(calibration), encoding="utf-8")
    return replace(
        eval_config(corpora), topics=tmp_path / "topics.yaml", transfer_labels={"plain": ["sport", "economy"]},
        transfer_splits={"plain": "train"}, finetune=tmp_path / "finetune.yaml", retrained=tmp_path / "made",
        calibrate=tmp_path / "calibrate.yaml", drift_date="2024-07", training=["--budget", "24"],
    )  # fmt: skip
