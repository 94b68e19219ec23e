"""The bundled model, measured on the corpora, is as good as the README and the card say."""

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


def reported(metrics: dict[str, Any], key: Key, metric: str) -> dict[str, dict[str, Any]]:
    """Return the reported scores of a measure by system."""
    place = key.suite, key.corpus, key.variant, metric
    found = [s for s in metrics["scores"] if (s["suite"], s["corpus"], s["variant"], s["metric"]) == place]
    return {score["system"]: score for score in found}


FLOORS = {
    ("topics", "sanad_khaleej", "accuracy"): 0.94,
    ("tags", "almayadeen", "F1@5"): 0.40,
    ("annotated", "topics", "micro-F1"): 0.79,
    ("annotated", "tags", "F1@5"): 0.52,
}
"""The least value that each measure of the bundled model may ever have."""

SHARES = {"sanad_khaleej": 1.0, "almayadeen": 0.7, "annotated": 1.0}
"""Least share of the test articles that must be measured: of almayadeen, teasers and articles of few tags are not."""


@pytest.mark.parametrize(("suite", "corpus", "metric"), FLOORS)
def test_the_bundled_model_is_as_good_as_the_pages_say(
    tagger: Tagger, shared: Path, suite: str, corpus: str, metric: str
) -> None:
    config = load(EvalConfig, ROOT / "configs" / "eval.yaml", ["--data", str(shared / "data")])
    key = Key(suite, corpus)
    answers = load_suite(suite).answer(key, tagger, config)
    name = "annotated" if suite == "annotated" else corpus
    chosen = labelled if suite == "topics" else tagged
    test = {row["id"] for row in rows(config.data, name) if row["split"] == "test" and chosen(row, config)}
    assert set(answers.ids) <= test
    assert len(answers.ids) == len(set(answers.ids)) >= SHARES[name] * len(test)
    assert answers.headline == metric
    assert answers.value() >= FLOORS[suite, corpus, metric]
    metrics = json.loads((BUNDLED / "metrics.json").read_text(encoding="utf-8"))
    scores = reported(metrics, key, metric)
    ours = scores.pop("wusum")
    if corpus != "sanad_khaleej":  # where a baseline is better
        assert answers.value() > max(score["value"] for score in scores.values())
    assert ours["low"] <= answers.value() <= ours["high"]
    pages = (ROOT / "README.md", BUNDLED / "README.md")
    assert any(f"{ours['value']:.3f}" in page.read_text(encoding="utf-8") for page in pages)
    file = f"{name}.jsonl.xz"
    if file_digest(shared / "data" / file) == metrics["about"]["data"].get(file):  # not corrected since it was measured
        assert f"{answers.value():.3f}" == f"{ours['value']:.3f}"
        assert len(answers.ids) == ours["articles"]
