"""The suite of topics by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT, score_values, write_corpus
from wusum.eval import gold
from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Key, Labelling
from wusum.eval.suites import by_hand
from wusum.eval.suites.by_hand import SUITE
from wusum.model.errors import CorpusError
from wusum.model.tagger import Tagger
from wusum.train.config import load
from wusum.train.data.corpora import Example, LabelMap

WORDS = {"sport": "مباراة كرة هدف", "economy": "بورصة سهم بنك", "health": "طبيب علاج مستشفى"}
BOTH = f"{WORDS['sport']} بورصة سهم"
"""A text of sport and, less so, of economy."""

BY_HAND = {
    "1": ["sport"], "2": ["sport", "economy"], "3": ["economy", "sport"], "4": ["health"], "5": ["sport", "economy"],
}  # fmt: skip
"""Topics of the test articles by id. All articles but two have words of sport and economy."""


def article(id_: str, split: str, text: str, label: str | None = None) -> dict[str, Any]:
    return {"id": id_, "title": None, "text": text, "label": label, "tags": None, "date": "", "split": split}


def write_lines(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return str(path)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., EvalConfig]:
    """A function that writes a corpus with articles labelled by hand, and returns the settings to measure on them.

    Its arguments are the topics of the annotated validation articles, each of which has words of sport and economy.
    """

    def write(*validation: list[str], **calibration: Any) -> EvalConfig:
        words = {"1": WORDS["sport"], "4": WORDS["health"]}
        rows = [article(id_, "test", words.get(id_, BOTH)) for id_ in BY_HAND]
        rows += [article(f"t{i}-{topic}", "train", text, topic) for topic, text in WORDS.items() for i in range(20)]
        write_corpus(tmp_path / "news.jsonl.xz", rows)
        known = [article(f"v{i}", "validation", BOTH) | {"topics": topics} for i, topics in enumerate(validation)]
        write_corpus(tmp_path / "read.jsonl.xz", [*known, article("x", "test", BOTH) | {"topics": ["health"]}])
        names = {topic: {"code": topic, "name_ar": topic, "name_en": topic} for topic in WORDS}
        meanings = {"news": {topic: [topic] for topic in WORDS}}
        (tmp_path / "topics.yaml").write_text(json.dumps({"topics": names, "corpora": meanings}), encoding="utf-8")
        by_hand = [{"corpus": "news", "id": id_, "topics": topics} for id_, topics in BY_HAND.items()]
        write_lines(tmp_path / "test.jsonl", by_hand)
        monkeypatch.setattr(gold, "HAND_LABELLED", tmp_path / "test.jsonl")
        common = {"data": "elsewhere", "topics": "elsewhere"}
        fitted = {"model": "-", "corpora": ["news"], "annotated": "read"}
        (tmp_path / "calibrate.yaml").write_text(json.dumps(common | fitted | calibration), encoding="utf-8")
        (tmp_path / "finetune.yaml").write_text(
            json.dumps(common | {"output": "-", "corpora": {"news": 1.0}}), encoding="utf-8"
        )
        paths = {name: tmp_path / f"{name}.yaml" for name in ("topics", "finetune", "calibrate")}
        return EvalConfig(tmp_path, **paths)

    return write


def labelling(config: EvalConfig, fake: Any, corpus: str, system: str = "wusum") -> Labelling:
    answers = SUITE.answer(Key("by-hand", corpus, system), fake, config)
    assert isinstance(answers, Labelling)
    return answers


def test_a_majority_and_a_linear_model_are_asked_on_all_articles_and_on_those_of_two_topics(
    settings: Callable[..., EvalConfig], fake: Any
) -> None:
    config = settings()
    keys = list(SUITE.keys(config))
    assert [(key.suite, key.corpus, key.system) for key in keys] == [
        ("by-hand", corpus, system) for corpus in ("all", "two topics") for system in ("wusum", "majority", "linear")
    ]
    ours, majority = (labelling(config, fake, "all", system) for system in ("wusum", "majority"))
    assert ours.ids == ("1", "2", "3", "4", "5")
    assert ours.gold == tuple(map(tuple, BY_HAND.values()))
    assert set(ours.predicted) == {("medtop:00000000",)}  # a code that the label map lacks
    assert majority.predicted == (("sport",),) * 5
    assert score_values(majority)["first right"] == 0.8
    assert labelling(config, fake, "two topics").ids == ("2", "3", "5")


def test_the_linear_model_gives_several_topics_by_thresholds_of_validation_articles(
    settings: Callable[..., EvalConfig], fake: Any
) -> None:
    several = labelling(settings(*[["sport", "economy"]] * 8), fake, "all", "linear")
    assert several.ids == ("1", "2", "3", "4", "5")
    assert (several.predicted[0], several.predicted[3]) == (("sport",), ("health",))
    assert several.predicted[1:3] == (("sport", "economy"),) * 2


def test_the_linear_model_gives_one_topic_where_validation_articles_have_one(
    settings: Callable[..., EvalConfig], fake: Any
) -> None:
    one = labelling(settings(*[["sport"]] * 8), fake, "two topics", "linear")
    assert one.predicted == (("sport",),) * 3
    assert one.gold == (("sport", "economy"), ("economy", "sport"), ("sport", "economy"))


def test_without_such_articles_the_linear_model_has_the_threshold_of_the_settings(
    settings: Callable[..., EvalConfig], fake: Any
) -> None:
    for corpus in ("", "read"):  # of which no article is for validation
        for threshold, topics in ((0.05, 2), (0.9, 1)):
            found = labelling(settings(topic_threshold=threshold, annotated=corpus), fake, "two topics", "linear")
            assert [len(predicted) for predicted in found.predicted] == [topics] * 3


@pytest.mark.parametrize(("system", "function"), [("wusum", "model_topics"), ("linear", "linear_topics")])
def test_systems_get_the_title_and_the_sixty_words_that_the_reader_saw(
    settings: Callable[..., EvalConfig], fake: Any, monkeypatch: pytest.MonkeyPatch, system: str, function: str
) -> None:
    config = settings()
    long = " ".join(f"كلمة{n}" for n in range(61))
    rows = [article(id_, "test", long) | {"title": "عنوان"} for id_ in BY_HAND]
    write_corpus(config.data / "news.jsonl.xz", [*rows, *(article(n, "train", BOTH, "sport") for n in "ab")])
    given: list[Example] = []
    monkeypatch.setattr(by_hand, function, lambda *arguments: given.extend(arguments[-3 if system == "wusum" else -2]))
    SUITE.answer(Key("by-hand", "all", system), fake, config)
    assert [e.id for e in given] == list(BY_HAND)
    assert {e.text for e in given} == {"عنوان\n" + " ".join(f"كلمة{n}" for n in range(60))}


def test_articles_labelled_by_hand_must_all_be_in_the_corpora(settings: Callable[..., EvalConfig], fake: Any) -> None:
    config = settings()
    (config.data / "news.jsonl.xz").unlink()
    with pytest.raises(CorpusError, match=r"news\.jsonl\.xz"):
        labelling(config, fake, "all")


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
