"""Outlets that were not trained on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.support import POISON, score_values
from wusum.eval.baselines.label_sets import LabelSetModel
from wusum.eval.config import EvalConfig
from wusum.eval.gold import read_split
from wusum.eval.measures.answers import Classification, Key
from wusum.eval.suites.transfer import SUITE
from wusum.model.errors import ModelError


def test_a_model_and_a_linear_one_answer_on_each_corpus(trainable: EvalConfig) -> None:
    settings = replace(trainable, topic_labels={"almayadeen": ["sport", "economy"]})
    corpora = ("almayadeen", "plain")
    assert list(SUITE.keys(settings)) == [
        Key("transfer", corpus, system) for corpus in corpora for system in ("wusum", "linear")
    ]


def test_transfer_trains_without_a_corpus_and_measures_on_it(trainable: EvalConfig, fake: Any) -> None:
    key = Key("transfer", "plain")
    answers = SUITE.answer(key, fake, trainable)
    assert {*answers.ids} == {e.id for e in read_split(trainable.data, "plain", "train") if e.label != "health"}
    (folder,) = SUITE.models(key, trainable)
    pinned = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    assert (pinned["leave_out"], pinned["budget"]) == (["plain"], 24)
    made = (folder / "model" / "model.safetensors").stat().st_mtime_ns
    assert SUITE.answer(key, fake, trainable) == answers
    assert (folder / "model" / "model.safetensors").stat().st_mtime_ns == made
    assert SUITE.models(key, replace(trainable, training=["--budget", "25"])) != [folder]
    assert folder.name.startswith("without-plain-")
    with pytest.raises(ModelError, match="unheard"):
        SUITE.answer(key, fake, replace(trainable, runtime="unheard"))


def test_the_linear_model_learns_from_the_other_corpora_alone(
    trainable: EvalConfig, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned: list[str] = []
    fit = LabelSetModel.fit

    def spy(texts: Sequence[str], targets: Any) -> LabelSetModel:
        learned.extend(texts)
        return fit(texts, targets)

    monkeypatch.setattr(LabelSetModel, "fit", spy)
    key = Key("transfer", "plain", "linear")
    answers = SUITE.answer(key, fake, trainable)
    others = {e.text for e in read_split(trainable.data, "almayadeen", "train")}
    left_out = {e.text for e in read_split(trainable.data, "plain", "train")}
    assert learned
    assert set(learned) <= others - left_out
    assert score_values(answers)["accuracy"] == 1.0  # the words of the two subjects differ
    assert SUITE.models(key, trainable) == []
    assert not any(word in text for word in POISON.values() for text in learned)


@pytest.mark.parametrize("likelier", ["sport", "weather"])
def test_the_linear_model_chooses_the_set_of_the_highest_summed_probability(
    trainable: EvalConfig, fake: Any, monkeypatch: pytest.MonkeyPatch, likelier: str
) -> None:
    # Sport is the likeliest topic of all; its share is that among the topics that the labels mean.
    rows = {"sport": [0.4, 0.1, 0.2, 0.1], "weather": [0.4, 0.1, 0.2, 0.3]}

    class Constant:
        def probabilities(self, texts: Sequence[str]) -> Any:
            return np.array([rows[likelier]] * len(texts))

    monkeypatch.setattr("wusum.eval.suites.transfer.trained_model", lambda config, leave_out: Constant())
    settings = replace(trainable, transfer_labels={"plain": ["sport", "health"]})
    answers = SUITE.answer(Key("transfer", "plain", "linear"), fake, settings)
    assert isinstance(answers, Classification)
    chosen = {"sport": (0, 0.4 / 0.7), "weather": (1, 0.5 / 0.9)}[likelier]
    assert answers.classes == ("sport", "health / weather")
    assert set(answers.predicted) == {chosen[0]}
    assert answers.confidence == pytest.approx([chosen[1]] * len(answers.ids), abs=1e-6)
    assert score_values(answers)["ECE"] == pytest.approx(abs(chosen[1] - 0.5), abs=1e-6)
