"""Predictions as answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import POISON, annotate, copy_corpora, eval_config, score_values, write_corpus
from wusum.eval.baselines.label_sets import LabelSetModel, decoder
from wusum.eval.config import EvalConfig
from wusum.eval.gold import labelled_articles, read_tagged
from wusum.eval.measures.answers import Key
from wusum.eval.suites import common
from wusum.eval.suites.common import (
    likeliest_sets,
    linear_topics,
    majority_topic,
    model_classes,
    model_tags,
    model_topics,
    to_tagging,
    training_tags,
)
from wusum.model.prediction import Prediction, Tag, Topic
from wusum.model.text.words import match_key
from wusum.train.data.corpora import Example, LabelMap, examples

KEY = Key("tags", "c")


def article(text: str, *tags: str, title: str = "", id_: str = "1") -> Example:
    return Example(id_, "c", title, text, None, tags)


# ---- classes


def test_the_set_of_the_highest_summed_probability_is_chosen_with_its_share() -> None:
    probabilities = np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.2, 0.5], [0.0, 0.0, 0.0, 1.0]])
    chosen, share = likeliest_sets(probabilities, [(0,), (1, 2)])
    assert chosen.tolist() == [1, 1, 0]
    assert share.tolist() == pytest.approx([0.5 / 0.9, 0.4 / 0.5, 0])


def test_articles_are_encoded_in_chunks(corpora: Path, fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    label_map = LabelMap.load(corpora / "topics.yaml")
    labels = ["sport", "economy", "health"]
    articles = labelled_articles(eval_config(corpora), label_map, "plain", labels, "test")
    key = Key("topics", "plain")
    whole = model_classes(fake, key, articles, label_map)
    assert fake.encoder.calls == 1
    monkeypatch.setattr(common, "CHUNK_ARTICLES", 4)
    assert model_classes(fake, key, articles, label_map) == whole
    assert fake.encoder.calls == 1 + 6
    assert whole.ids == tuple(row.example.id for row in articles)


# ---- several topics


def label_map() -> LabelMap:
    return LabelMap(("sport", "health"), ("medtop:00000000", "c1"), ("", ""), ("", ""), (True, True), {})


def test_topics_of_the_model_are_named_by_their_keys() -> None:
    class Tagger:
        def stream(self, articles: Any) -> Iterator[Prediction]:
            topics = {"1": ("c1", "medtop:00000000"), "2": ("new",)}
            return (Prediction(a.id, tuple(Topic(c, "", "", 1) for c in topics[a.id]), ()) for a in articles)

    fake: Any = Tagger()
    rows = [article("x", id_="1"), article("y", id_="2")]
    found = model_topics(fake, KEY, rows, [("sport",), ("health",)], label_map())
    assert (found.key, found.ids, found.gold) == (KEY, ("1", "2"), (("sport",), ("health",)))
    assert found.predicted == (("health", "sport"), ("new",))


def test_the_linear_model_gives_at_most_three_topics_by_its_decoder() -> None:
    texts = ["كرة مباراة", "بنك سهم", "طبيب علاج", "نص آخر"] * 5
    model = LabelSetModel.fit(texts, np.eye(4)[[0, 1, 2, 3] * 5])
    names = LabelMap(("a", "b", "c", "d"), *[("", "", "", "")] * 3, (True,) * 4, {})
    rows = [article("سهم", title="بنك"), article("x", id_="2")]
    some = linear_topics(model, decoder(names, 0.2, {}), KEY, rows, [("a",), ("b",)])
    assert (some.ids, some.gold, some.predicted[0]) == (("1", "2"), (("a",), ("b",)), ("b",))
    everything = linear_topics(model, decoder(names, 0.0, {}), KEY, rows, [("a",), ("b",)])
    assert [len(topics) for topics in everything.predicted] == [3, 3]


def test_the_majority_is_the_most_frequent_gold_topic() -> None:
    rows = [article("x", id_=str(i)) for i in range(3)]
    found = majority_topic(KEY, rows, [("a",), ("b", "a"), ("c", "b", "b")])
    assert (found.ids, found.predicted) == (("0", "1", "2"), (("b",),) * 3)
    assert found.gold == (("a",), ("b", "a"), ("c", "b", "b"))


# ---- tags


def test_a_tag_occurs_in_a_text_as_whole_words() -> None:
    texts = ["زار علماء المدينة", "زار المدينة علم", "قال علم الدين اليوم", "كلام"]
    rows = [article(text, "علم", "علم الدين", id_=str(i)) for i, text in enumerate(texts)]
    rows.append(article("كلام", "علم الدين", title="علم الدين", id_="4"))
    found = to_tagging(KEY, rows, [()] * 5, None, [("علم", "مدينه")] * 5)
    assert found.present == ((), ("علم",), ("علم", "علم دين"), (), ("علم دين",))
    assert found.given_absent == (("علم",), (), ("مدينه",), ("علم", "مدينه"), ("مدينه",))


def test_a_tag_is_new_if_it_occurs_in_the_text_and_in_no_training_article() -> None:
    example = article("زار فلان مدينة بعيدة", "فلان", "مدينة", "غائب")
    answers = to_tagging(KEY, [example], [("فلان",)], {"مدينه"})
    assert answers.new == (("فلان",),)
    assert score_values(answers)["new R@10"] == 1
    assert to_tagging(KEY, [example], [("فلان",)], None).new is None
    assert (answers.given, answers.given_absent) == (None, None)


def test_gold_tags_are_match_keys_without_repetition() -> None:
    rows = [article("نص", "البنك", "بنك", "، ", "سهم"), replace(article("نص"), tags=None)]
    found = to_tagging(KEY, rows, [("x",), ("y",)], None)
    assert found.gold == (("بنك", "سهم"), ())
    assert (found.ids, found.ranked) == (("1", "1"), (("x",), ("y",)))


def test_the_model_ranks_tags_of_any_score_and_gives_those_above_its_thresholds() -> None:
    asked = []

    class Tagger:
        def stream(self, articles: Any, max_tags: int, min_score: float | None) -> Iterator[Prediction]:
            asked.append((max_tags, min_score))
            tags = (Tag("البنك", 0.9),) if min_score is None else (Tag("البنك", 0.9), Tag("سهم", 0.1))
            return (Prediction(a.id, (), tags) for a in articles)

    fake: Any = Tagger()
    found = model_tags(fake, KEY, [article("في البنك", "بنك", "سهم")], {"بنك"})
    assert sorted(asked, key=str) == [(15, 0.0), (15, None)]
    assert (found.ranked, found.given, found.new) == ((("بنك", "سهم"),), (("بنك",),), ((),))


def test_known_tags_are_those_of_training_articles_of_any_corpus(corpora: Path, tmp_path: Path) -> None:
    known = training_tags(eval_config(corpora))
    assert known == set(map(match_key, ("مباراة", "كرة القدم", "البورصة", "البنك المركزي", "المستشفى", "الصحة العامة")))
    assert not {match_key(word) for word in POISON.values()} & known

    def row(id_: str, split: str, date: str | None, *tags: str) -> dict[str, Any]:
        return {"id": id_, "title": "", "text": "نص", "tags": list(tags), "date": date, "split": split}

    write_corpus(
        tmp_path / "edited.jsonl.xz", [row("1", "train", "2024-01", "أول"), row("2", "train", "2024-05", "ثان")]
    )
    write_corpus(tmp_path / "other.jsonl.xz", [row("3", "train", None, "ثالث"), row("4", "validation", None, "رابع")])
    write_corpus(tmp_path / "pages.jsonl.xz", [{"id": "5", "raw": "صفحة", "truth": {"tags": ["خامس"]}}])
    write_corpus(tmp_path / "none.jsonl.xz", [row("6", "train", None) | {"tags": None}])
    config = EvalConfig(tmp_path, tmp_path / "topics")
    assert training_tags(config) == {"اول", "ثان", "ثالث"}
    assert training_tags(config, before="2024-05") == {"اول", "ثالث"}
    assert training_tags(config, before="2024-06") == {"اول", "ثان", "ثالث"}


def test_tags_of_annotations_are_known(corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copy_corpora(corpora, tmp_path / "data")
    row = {"id": "x", "title": "", "text": "نص", "topics": ["sport"], "tags": ["أول"], "date": None, "split": "train"}
    write_corpus(folder / "annotated.jsonl.xz", [row])
    one, other = list(examples(corpora, "plain"))[:2]
    annotate(
        monkeypatch, tmp_path,
        {"corpus": "plain", "id": one.id, "split": "train", "topics": ["sport"], "tags": ["ثان"]},
        {"corpus": "plain", "id": other.id, "split": "validation", "topics": ["sport"], "tags": ["ثالث"]},
    )  # fmt: skip
    assert training_tags(eval_config(folder)) == training_tags(eval_config(corpora)) | {"اول", "ثان"}
    read = [e.id for e in read_tagged(folder, "annotated", "train", "")]
    assert read == ["x", one.id]
