"""The suite of topics by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT, eval_config, score_values
from wusum.eval import gold
from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Key
from wusum.eval.suites import by_hand
from wusum.eval.suites.by_hand import SUITE
from wusum.model.errors import CorpusError
from wusum.model.tagger import Tagger
from wusum.train.config import load
from wusum.train.data.corpora import LabelMap


def test_a_majority_and_a_linear_model_are_the_baselines(
    corpora: Path, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = eval_config(corpora, plain=["sport", "economy", "health"])
    keys = list(SUITE.keys(settings))
    assert [(key.corpus, key.system) for key in keys] == [
        ("all", "wusum"), ("all", "majority"), ("all", "linear"), ("two topics", "wusum"), ("two topics", "majority"),
    ]  # fmt: skip
    rows = [
        (e, (e.label, "health") if e.id.endswith("-0") else (e.label,))
        for e in gold.read_split(corpora, "plain", "test")
    ]
    monkeypatch.setattr(by_hand, "hand_labelled", lambda _: [row for row in rows if row[0].label != "health"])
    ours, majority, linear, two, _ = (SUITE.answer(key, fake, settings) for key in keys)
    assert [len(answers.ids) for answers in (ours, linear, two)] == [8, 8, 1]
    assert score_values(majority)["first right"] == 0.5
    assert score_values(linear) == {"first right": 1, "micro-F1": pytest.approx(2 * 8 / (8 + 9))}


def test_articles_labelled_by_hand_must_all_be_in_the_corpora(corpora: Path, fake: Any) -> None:
    with pytest.raises(CorpusError, match=r"hespress\.jsonl\.xz"):
        SUITE.answer(Key("by-hand", "all"), fake, eval_config(corpora))


def test_the_labels_by_hand_are_topics_of_articles_of_test_splits(tagger: Tagger, shared: Path) -> None:
    settings = load(EvalConfig, ROOT / "configs" / "eval.yaml", ["--data", str(shared / "data")])
    keys = LabelMap.load(ROOT / "configs" / "topics.yaml").keys
    rows = list(map(json.loads, gold.HAND_LABELLED.read_text(encoding="utf-8").splitlines()))
    for row in rows:
        assert set(row["topics"]) <= set(keys)
        assert 1 <= len(row["topics"]) <= 2
    everything, two = (SUITE.answer(Key("by-hand", name), tagger, settings) for name in ("all", "two topics"))
    assert len(rows) >= 350
    assert set(everything.ids) == {row["id"] for row in rows}
    assert set(two.ids) == {row["id"] for row in rows if len(row["topics"]) == 2}
    assert 0.4 < score_values(two)["micro-F1"] < score_values(everything)["micro-F1"]
