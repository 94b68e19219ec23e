"""Measures and suites, on cases computed by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wusum.eval import suites
from wusum.eval.metrics import f1_at, micro_f1
from wusum.eval.suites import EvalConfig, by_hand_suite, tag_suite, topic_suite
from wusum.eval.transfer import transfer_suite
from wusum.model.tagger import Prediction, Tagger
from wusum.model.tags import Tag
from wusum.model.topics import TopicDecoder
from wusum.train import tokenizer
from wusum.train.config import ConfigError, load
from wusum.train.corpora import CorpusError, LabelMap

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("gold", "ranked", "k", "f1"),
    [
        ({"a", "b", "c"}, ["a", "x", "b", "y", "z"], 5, 2 * 2 / 8),
        ({"a", "b", "c"}, ["a", "x", "b", "y", "z", "c"], 5, 2 * 2 / 8),
        ({"a"}, ["a"], 5, 2 * 1 / 6),
        ({"a"}, [], 5, 0.0),
        ({"a", "b"}, ["a", "b"], 2, 1.0),
    ],
)
def test_f1_at_k(gold: set[str], ranked: list[str], k: int, f1: float) -> None:
    assert f1_at(gold, ranked, k) == pytest.approx(f1)


def test_micro_f1_counts_every_label_of_every_article() -> None:
    pairs = [({"a", "b"}, {"a"}), ({"a"}, {"a", "c"}), (set(), {"b"})]
    assert micro_f1(pairs) == pytest.approx(2 * 2 / (3 + 4))
    assert micro_f1([]) == 0


class FakeTagger:
    """Knows the label of each article of the tiny corpus, but takes every second health article for sport."""

    topics = TopicDecoder([{"code": c, "name_ar": c, "name_en": c} for c in "abcd"], 1.0, 0.5)

    def logits(self, articles: list[Any]) -> tuple[np.ndarray, np.ndarray]:
        rows = np.zeros((len(articles), 4), np.float32)
        for row, article in zip(rows, articles, strict=True):
            number = int(article.id.rsplit("-", 1)[1])
            subject = number % 3
            if subject == 2:  # health or weather: their sum wins though sport is the best alone
                row[:] = (3.0, 0.0, 2.9, 2.9) if number % 2 else (9.0, 0.0, 0.0, 0.0)
            else:
                row[subject] = 5.0
        return rows, np.zeros((len(articles), 1), np.float32)

    def stream(self, articles: Any, **_: Any) -> list[Prediction]:
        return [Prediction(a.id, (), (Tag("وكرة القدم", 0.9), Tag("غيره", 0.1))) for a in articles]


def config(corpora: Path, **labels: list[str]) -> EvalConfig:
    return EvalConfig(data=corpora, topics=corpora / "topics.yaml", topic_labels=labels)


def test_topics_are_judged_by_the_summed_probability_of_a_labels_set(corpora: Path) -> None:
    accuracy, macro = topic_suite(FakeTagger(), config(corpora, plain=["sport", "economy", "health"]))  # type: ignore[arg-type]
    assert (accuracy.metric, accuracy.articles) == ("accuracy", 12)
    assert accuracy.value == pytest.approx(10 / 12)
    f1 = [2 * 4 / (4 + 6), 1.0, 2 * 2 / (2 + 4)]
    assert macro.value == pytest.approx(sum(f1) / 3)


def test_labels_that_overlap_or_have_no_articles_are_refused(corpora: Path) -> None:
    with pytest.raises(CorpusError, match="overlap or mean nothing"):
        topic_suite(FakeTagger(), config(corpora, plain=["sport", "unheard"]))  # type: ignore[arg-type]
    with pytest.raises(CorpusError, match="no test article"):
        topic_suite(FakeTagger(), config(corpora, almayadeen=[]))  # type: ignore[arg-type]


def test_tags_are_compared_by_key_over_articles_tagged_with_care(
    corpora: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CorpusError, match="no test article of 300 characters with 3 tags"):
        tag_suite(FakeTagger(), config(corpora))  # type: ignore[arg-type]
    monkeypatch.setattr(suites, "MIN_TAGGED_CHARS", 10)
    monkeypatch.setattr(suites, "MIN_GOLD_TAGS", 2)
    at_5, at_10 = tag_suite(FakeTagger(), config(corpora))  # type: ignore[arg-type]
    assert (at_5.metric, at_5.articles) == ("F1@5", 12)
    assert at_5.value == pytest.approx((4 / 12) * 2 / (5 + 2))
    assert at_10.value == pytest.approx((4 / 12) * 2 / (10 + 2))


def test_the_bundled_model_is_as_good_as_the_readme_says(tagger: Tagger, shared: Path) -> None:
    settings = load(EvalConfig, ROOT / "configs" / "eval.yaml", ["--data", str(shared / "data")])
    only = EvalConfig(settings.data, settings.topics, {"sanad_khaleej": settings.topic_labels["sanad_khaleej"]})
    accuracy = topic_suite(tagger, only)[0]
    f1_at_5 = tag_suite(tagger, only)[0]
    assert (accuracy.articles, f1_at_5.articles) == (4544, 829)
    assert accuracy.value >= 0.965
    assert f1_at_5.value >= 0.36
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for score in (accuracy, f1_at_5):
        assert f"{score.value:.3f}" in readme, f"{score} is not what README.md says"


def test_labels_of_one_meaning_are_one_class(corpora: Path, tmp_path: Path) -> None:
    text = (
        (corpora / "topics.yaml").read_text(encoding="utf-8").replace('"economy": ["economy"]', '"economy": ["sport"]')
    )
    (tmp_path / "topics.yaml").write_text(text, encoding="utf-8")
    settings = EvalConfig(corpora, tmp_path / "topics.yaml", {"plain": ["sport", "economy", "health"]})
    accuracy, _ = topic_suite(FakeTagger(), settings)  # type: ignore[arg-type]
    assert accuracy.value == pytest.approx(6 / 12)  # every economy article is now held to be sport, and is not


def test_transfer_trains_without_a_corpus_and_measures_on_it(corpora: Path, tmp_path: Path) -> None:
    names = ["plain", "almayadeen"]
    tokenizer.run(tokenizer.TokenizerConfig(corpora, tmp_path / "tokenizer", names, vocab_size=200, min_frequency=1))
    text = (corpora / "topics.yaml").read_text(encoding="utf-8")
    meanings = '"almayadeen": {"sport": ["sport"], "economy": ["economy"]}'
    (tmp_path / "topics.yaml").write_text(text.replace('"almayadeen": {}', meanings), encoding="utf-8")
    training = {
        "data": str(corpora), "output": "-", "topics": str(tmp_path / "topics.yaml"),
        "corpora": {"plain": 1.0, "almayadeen": 1.0}, "tokenizer": str(tmp_path / "tokenizer"), "window": 32,
        "encoder": {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64},
    }  # fmt: skip
    (tmp_path / "finetune.yaml").write_text(json.dumps(training), encoding="utf-8")
    settings = replace(
        config(corpora), topics=tmp_path / "topics.yaml", transfer_labels={"plain": ["sport", "economy"]},
        transfer_splits={"plain": "train"}, finetune=tmp_path / "finetune.yaml", transfer_output=tmp_path / "transfer",
    )  # fmt: skip
    scores = transfer_suite(settings, ["--budget", "24"])
    assert [(s.system, s.corpus, s.metric, s.articles) for s in scores] == [
        (system, corpus, metric, articles)
        for corpus, articles in (("plain", 40), ("mean", 1))
        for system in ("wusum", "linear")
        for metric in ("accuracy", "macro-F1")
    ]
    assert scores[2].value == 1.0  # the words of the two subjects differ
    pinned = json.loads((tmp_path / "transfer" / "plain" / "settings.json").read_text(encoding="utf-8"))
    assert (pinned["leave_out"], pinned["budget"]) == (["plain"], 24)
    weights = tmp_path / "transfer" / "plain" / "model" / "model.safetensors"
    made = weights.stat().st_mtime_ns
    assert transfer_suite(settings, ["--budget", "24"]) == scores
    assert weights.stat().st_mtime_ns == made
    with pytest.raises(ConfigError, match=r"other settings \(budget"):
        transfer_suite(settings, ["--budget", "25"])


def test_articles_labelled_by_hand_must_all_be_there(corpora: Path) -> None:
    with pytest.raises(CorpusError, match=r"hespress\.jsonl\.xz"):
        by_hand_suite(FakeTagger(), config(corpora))  # type: ignore[arg-type]


def test_topics_by_hand_name_topics_and_articles_of_test_splits(tagger: Tagger, shared: Path) -> None:
    settings = load(EvalConfig, ROOT / "configs" / "eval.yaml", ["--data", str(shared / "data")])
    keys = LabelMap.load(ROOT / "configs" / "topics.yaml").keys
    lines = (ROOT / "eval" / "topics_by_hand.jsonl").read_text(encoding="utf-8").splitlines()
    for row in map(json.loads, lines):
        assert set(row["topics"]) <= set(keys)
        assert 1 <= len(row["topics"]) <= 2
    everything, two = by_hand_suite(tagger, settings)
    assert (everything.articles, two.articles) == (353, 168)
    assert 0.4 < two.value < everything.value
