"""The bundled model, measured on the corpora, is as good as the README says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT
from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Key
from wusum.eval.suites.suite import load_suite
from wusum.model.network.artifact import BUNDLED
from wusum.model.tagger import Tagger
from wusum.train.cache import file_digest
from wusum.train.config import load
from wusum.train.data.corpora import rows


def labelled(row: dict[str, Any], config: EvalConfig) -> bool:
    return row["label"] in config.topic_labels["sanad_khaleej"]


def tagged(row: dict[str, Any], config: EvalConfig) -> bool:
    return bool(row["tags"])


@pytest.mark.parametrize(
    ("suite", "corpus", "metric", "floor", "labels", "share"),
    [
        ("topics", "sanad_khaleej", "accuracy", 0.965, labelled, 1.0),
        ("tags", "almayadeen", "F1@5", 0.36, tagged, 0.7),  # teasers and articles of one or two tags do not count
    ],
)
def test_the_bundled_model_is_as_good_as_the_readme_says(
    tagger: Tagger, shared: Path, suite: str, corpus: str, metric: str, floor: float, labels: Any, share: float
) -> None:
    config = load(EvalConfig, ROOT / "configs" / "eval.yaml", ["--data", str(shared / "data")])
    answers = load_suite(suite).answer(Key(suite, corpus), tagger, config)
    test = {row["id"] for row in rows(config.data, corpus) if row["split"] == "test" and labels(row, config)}
    assert set(answers.ids) <= test
    assert len(answers.ids) == len(set(answers.ids)) >= share * len(test)
    assert answers.headline == metric
    value = answers.value()
    assert value >= floor
    metrics = json.loads((BUNDLED / "metrics.json").read_text(encoding="utf-8"))
    (reported,) = [
        score
        for score in metrics["scores"]
        if (score["suite"], score["corpus"], score["system"], score["metric"]) == (suite, corpus, "wusum", metric)
    ]
    assert reported["low"] <= value <= reported["high"]
    assert f"{reported['value']:.3f}" in (ROOT / "README.md").read_text(encoding="utf-8")
    file = f"{corpus}.jsonl.xz"
    if file_digest(shared / "data" / file) == metrics["about"]["data"][file]:  # not corrected since it was measured
        assert f"{value:.3f}" == f"{reported['value']:.3f}"
        assert len(answers.ids) == reported["articles"]
