"""The suite of topics, on cases computed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import FakeTagger
from tests.support import POISON, eval_config, score_values
from wusum.eval.baselines.topics import TOPIC_BASELINES
from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Classification, Key
from wusum.eval.suites.topics import SUITE
from wusum.model.errors import CorpusError

KEY = Key("topics", "plain")
LABELS = ["sport", "economy", "health"]


def test_a_class_is_chosen_by_the_summed_probability_of_its_topics(corpora: Path, fake: Any) -> None:
    answers = SUITE.answer(KEY, fake, eval_config(corpora, plain=LABELS))
    assert isinstance(answers, Classification)
    assert answers.classes == ("sport", "economy", "health / weather")
    found = score_values(answers)
    assert found["accuracy"] == pytest.approx(17 / 21)
    f1 = [2 * 7 / (7 + 11), 1.0, 2 * 3 / (3 + 7)]
    assert found["macro-F1"] == pytest.approx(sum(f1) / 3)
    assert answers.confusion().tolist() == [[7, 0, 0], [0, 7, 0], [4, 0, 3]]
    health = {"precision": 1, "recall": pytest.approx(3 / 7), "f1": pytest.approx(0.6), "articles": 7}
    assert answers.per_class()[2] == {"class": "health / weather"} | health
    sure = np.exp(9) / (np.exp(9) + 3)
    assert max(answers.confidence or ()) == pytest.approx(sure, abs=1e-5)
    both = 2 * np.exp(2.9) / (2 * np.exp(2.9) + np.exp(3) + 1)
    assert min(answers.confidence or ()) == pytest.approx(both, abs=1e-5)


def test_the_topics_of_a_model_are_matched_by_their_codes(corpora: Path, fake: Any) -> None:
    settings = eval_config(corpora, plain=LABELS)
    reversed_, without_weather = FakeTagger((3, 2, 1, 0)), FakeTagger((0, 1, 2))  # type: Any, Any
    assert SUITE.answer(KEY, reversed_, settings) == SUITE.answer(KEY, fake, settings)
    with pytest.raises(CorpusError, match="plain: the model lacks the topic weather that labels of this corpus mean"):
        SUITE.answer(KEY, without_weather, settings)


def test_labels_that_overlap_or_have_no_articles_are_refused(corpora: Path, fake: Any) -> None:
    with pytest.raises(CorpusError, match="overlap or mean nothing"):
        SUITE.answer(KEY, fake, eval_config(corpora, plain=["sport", "unheard"]))
    with pytest.raises(CorpusError, match="no test article"):
        SUITE.answer(Key("topics", "almayadeen"), fake, eval_config(corpora, almayadeen=[]))


def test_labels_of_one_meaning_are_one_class(corpora: Path, tmp_path: Path, fake: Any) -> None:
    text = (corpora / "topics.yaml").read_text(encoding="utf-8")
    text = text.replace('"economy": ["economy"]', '"economy": ["sport"]')
    (tmp_path / "topics.yaml").write_text(text, encoding="utf-8")
    answers = SUITE.answer(KEY, fake, EvalConfig(corpora, tmp_path / "topics.yaml", {"plain": LABELS}))
    assert score_values(answers)["accuracy"] == pytest.approx(10 / 21)  # every economy article now counts as sport


@pytest.mark.parametrize("system", ["majority", "linear", "logistic", "fastText-like"])
def test_baselines_that_have_probabilities_have_a_calibration_error(corpora: Path, fake: Any, system: str) -> None:
    found = score_values(SUITE.answer(replace(KEY, system=system), fake, eval_config(corpora, plain=LABELS)))
    assert found["accuracy"] == (pytest.approx(1 / 3) if system == "majority" else 1.0)
    assert ("ECE" in found) == (system != "linear")


def test_baselines_learn_from_the_training_split(corpora: Path, fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def baseline(training: Sequence[str], classes: Sequence[int], test: Sequence[str]) -> Any:
        seen.append((training, classes, test))
        return np.zeros(len(test), int), None

    monkeypatch.setitem(TOPIC_BASELINES, "spy", baseline)
    answers = SUITE.answer(replace(KEY, system="spy"), fake, eval_config(corpora, plain=LABELS))
    ((training, classes, test),) = seen
    assert (len(training), classes) == (60, [0, 1, 2] * 20)
    assert not any(word in text for word in POISON.values() for text in training)
    assert (len(test), {POISON["test"] in text for text in test}) == (21, {True})
    assert set(answers.ids) == {f"plain-test-{n}" for n in range(21)}
    assert answers.gold == (0, 1, 2) * 7


def test_classes_that_the_articles_lack_are_not_learned(corpora: Path, fake: Any) -> None:
    settings = replace(eval_config(corpora, plain=LABELS), quick=True, quick_articles=2)
    answers = SUITE.answer(replace(KEY, system="linear"), fake, settings)
    assert isinstance(answers, Classification)
    assert len(answers.classes) == 2
    assert answers.gold == answers.predicted


def test_the_model_and_all_baselines_are_asked_on_each_corpus(corpora: Path) -> None:
    meanings = {"a": ["sport"], "b": ["economy"]}
    settings = replace(eval_config(corpora, plain=LABELS), hub_models={"hub/name": meanings})
    systems = ["wusum", "majority", "linear", "logistic", "fastText-like", "hub/name"]
    assert list(SUITE.keys(settings)) == [Key("topics", "plain", system) for system in systems]


def test_quick_runs_take_samples(corpora: Path, fake: Any) -> None:
    settings = replace(eval_config(corpora, plain=LABELS), quick=True, quick_articles=5)
    answers = SUITE.answer(KEY, fake, settings)
    assert len(answers.ids) == 5
    assert answers.ids == SUITE.answer(replace(KEY, system="linear"), fake, settings).ids
