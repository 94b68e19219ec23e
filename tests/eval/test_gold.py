"""Articles with their gold labels: which of them are read, and how much of each."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wusum.eval import gold
from wusum.eval.config import EvalConfig
from wusum.eval.gold import (
    annotated_articles,
    edited_articles,
    hand_labelled,
    labelled_articles,
    read_split,
    read_tagged,
    sample,
    tagged_articles,
    topic_sets,
    user_articles,
)
from wusum.model.errors import CorpusError
from wusum.train.data.corpora import Example, LabelMap

SIZES = {"train": 9, "validation": 7, "test": 5}
POISON = {"train": "تدريب", "validation": "تحقق", "test": "اختبار"}
"""A word that all articles of a split have, and no others."""

LONG = "كلمة " * 70
"""More than 300 characters, and more than 60 words."""


def row(split: str, number: int, **changes: Any) -> dict[str, Any]:
    poison = POISON[split]
    made = {
        "id": f"{split}-{number}", "outlet": "جريدة", "title": f"عنوان {poison}", "text": f"{LONG}{poison}",
        "label": ("sport", "health")[number % 2], "tags": [poison, "كرة القدم", "الدوري"], "date": "2024-05-01",
        "split": split,
    }  # fmt: skip
    return made | changes


def write(folder: Path, corpus: str, rows: list[dict[str, Any]]) -> None:
    with lzma.open(folder / f"{corpus}.jsonl.xz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in rows)


def articles(**changes: Any) -> list[dict[str, Any]]:
    return [row(split, number, **changes) for split, size in SIZES.items() for number in range(size)]


@pytest.fixture
def settings(tmp_path: Path) -> EvalConfig:
    """Two corpora, and an annotated one; of the first, editors gave the tags."""
    write(tmp_path, "news", articles())
    write(tmp_path, "phrases", articles(label=None))
    write(tmp_path, "read", articles(topics=["health", "sport"], unseen_outlet=False))
    topics = {name: {"code": name, "name_ar": name, "name_en": name} for name in ("sport", "health", "weather")}
    corpora = {"news": {"sport": ["sport"], "health": ["health", "weather"], "mixed": ["sport", "health"], "none": []}}
    (tmp_path / "topics.yaml").write_text(json.dumps({"topics": topics, "corpora": corpora}), encoding="utf-8")
    (tmp_path / "rules.yaml").write_text('{"edited": ["news"], "dropped": ["الدوري"]}', encoding="utf-8")
    return EvalConfig(tmp_path, tmp_path / "topics.yaml", annotated="read", tag_rules=str(tmp_path / "rules.yaml"))


@pytest.fixture
def hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of labels by hand, in place of the one in the package."""
    path = tmp_path / "hand.jsonl"
    lines = [{"corpus": "news", "id": f"test-{n}", "topics": ["sport", "health"][: n + 1]} for n in range(2)]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    monkeypatch.setattr(gold, "HAND_LABELLED", path)
    return path


READERS: dict[str, Callable[[EvalConfig, str], list[Any]]] = {
    "read_split": lambda config, split: read_split(config.data, "news", split),
    "read_tagged": lambda config, split: read_tagged(config.data, "phrases", split, config.tag_rules),
    "edited_articles": edited_articles,
    "tagged_articles": lambda config, split: tagged_articles(replace(config, tag_rules=""), "news", split),
    "annotated_articles": annotated_articles,
    "labelled_articles": lambda config, split: [row.example for row in labelled(config, split)],
}


def labelled(config: EvalConfig, split: str, *labels: str) -> list[gold.LabelledArticle]:
    return labelled_articles(config, LabelMap.load(config.topics), "news", labels or ("sport", "health"), split)


@pytest.mark.parametrize("split", SIZES)
@pytest.mark.parametrize("reader", READERS)
def test_a_split_has_all_of_its_articles_and_no_word_of_another(settings: EvalConfig, reader: str, split: str) -> None:
    found = READERS[reader](settings, split)
    assert [e.id for e in found] == [f"{split}-{number}" for number in range(SIZES[split])]
    for e in found:
        everything = f"{e.title} {e.body} {e.tags}"
        assert [word in everything for word in POISON.values()] == [name == split for name in POISON]


def test_an_article_with_tags_is_read_whole_but_for_the_tags_that_say_nothing(settings: EvalConfig) -> None:
    (first, *_) = read_tagged(settings.data, "news", "test", settings.tag_rules)
    poison = POISON["test"]
    assert first == Example(
        "test-0", "news", f"عنوان {poison}", LONG + poison, "sport", (poison, "كرة القدم"), "2024-05-01"
    )


def test_an_article_without_title_label_or_date_is_read_and_one_without_text_or_tags_is_not(tmp_path: Path) -> None:
    rows = articles(title=None, label=None, date=None)
    rows[0] |= {"text": ""}
    rows[1] |= {"tags": []}
    write(tmp_path, "bare", rows)
    found = read_tagged(tmp_path, "bare", "train", "")
    assert [e.id for e in found] == [f"train-{n}" for n in range(2, SIZES["train"])]
    assert {(e.title, e.label, e.date) for e in found} == {("", None, "")}


def test_only_the_words_that_the_reader_of_labels_by_hand_saw_are_given(settings: EvalConfig, hand: Path) -> None:
    found = hand_labelled(settings)
    assert [(e.id, topics) for e, topics in found] == [("test-0", ("sport",)), ("test-1", ("sport", "health"))]
    assert {e.body for e, _ in found} == {("كلمة " * 60).strip()}
    assert found[0][0].title == f"عنوان {POISON['test']}"


def test_a_label_by_hand_of_an_article_that_is_not_there_is_refused(settings: EvalConfig, hand: Path) -> None:
    line = {"corpus": "news", "id": "validation-0", "topics": ["sport"]}
    hand.write_text(f"{hand.read_text(encoding='utf-8')}\n{json.dumps(line)}", encoding="utf-8")
    with pytest.raises(CorpusError, match="1 of the 3 articles labelled by hand are missing"):
        hand_labelled(settings)


def test_an_annotated_article_has_its_topics_tags_and_kind_of_outlet(settings: EvalConfig) -> None:
    rows = articles(topics=["weather", "health"], title=None)
    rows[-1] |= {"unseen_outlet": True, "title": "عنوان"}
    write(settings.data, "read", rows)
    first, *_, last = annotated_articles(settings, "test")
    assert first.topics == ("weather", "health")
    assert (first.unseen_outlet, last.unseen_outlet) == (False, True)
    assert first.tags == (POISON["test"], "كرة القدم", "الدوري")  # the rules are those of editors' tags
    assert (first.title, last.title, first.body) == ("", "عنوان", f"{LONG}{POISON['test']}")


@pytest.mark.parametrize(
    "change", [{"topics": ["sport", "fishing"]}, {"topics": []}, {"topics": None}, {"tags": []}, {"tags": ["؟"]}]
)
def test_an_annotated_article_without_known_topics_or_without_tags_is_refused(
    settings: EvalConfig, change: dict[str, Any]
) -> None:
    rows = articles(topics=["sport"])
    rows[-1] |= change
    write(settings.data, "read", rows)
    assert len(annotated_articles(settings, "train")) == SIZES["train"]
    with pytest.raises(CorpusError, match=r"read: test-4: tags and topics of .*topics\.yaml are needed"):
        annotated_articles(settings, "test")


def test_an_annotated_article_can_have_every_topic(settings: EvalConfig) -> None:
    write(settings.data, "read", articles(topics=["weather", "health", "sport"]))
    assert {e.topics for e in annotated_articles(settings, "test")} == {("weather", "health", "sport")}


def test_articles_kept_for_tests_are_in_no_other_split(settings: EvalConfig) -> None:
    unseen = {"outlet": "أخرى", "unseen_outlet": True, "id": "elsewhere", "text": "نص قصير"}
    kept = [
        row("test", 1, id="train-1", text="نص"),
        row("validation", 2, id="train-2", text="نص آخر"),
        row("test", 3) | unseen,
    ]
    write(settings.data, "annotated", [line | {"topics": ["sport"]} for line in kept])
    write(settings.data, "news", [*articles(), row("train", 9, outlet="أخرى"), row("test", 9, outlet="أخرى")])
    for read in (read_tagged(settings.data, "news", "train", ""), read_split(settings.data, "news", "train")):
        assert [e.id for e in read] == [f"train-{n}" for n in range(SIZES["train"]) if n not in (1, 2)]
    assert len(read_tagged(settings.data, "news", "test", "")) == SIZES["test"] + 1


def test_tags_by_editors_come_corpus_by_corpus(settings: EvalConfig) -> None:
    (settings.data / "rules.yaml").write_text('{"edited": ["phrases", "news"]}', encoding="utf-8")
    assert [e.corpus for e in edited_articles(settings, "test")] == ["news"] * SIZES["test"] + ["phrases"] * SIZES[
        "test"
    ]


def test_an_article_of_a_user_has_all_that_its_line_says(settings: EvalConfig) -> None:
    path = settings.data / "own.jsonl"
    line = {"id": 7, "title": "عنوان", "text": "خبر", "topics": ["Weather"], "tags": ["؟", "كرة القدم"]}
    path.write_text(f"{json.dumps(line)}\n\n" + json.dumps({"text": "نص", "topics": ["sport"]}), encoding="utf-8")
    one, other = user_articles(path, LabelMap.load(settings.topics))
    assert one == (Example("7", "own", "عنوان", "خبر", None, ("؟", "كرة القدم")), ("weather",))
    assert other == (Example("3", "own", "", "نص", None, None), ("sport",))


def test_a_file_without_articles_or_with_empty_names_is_refused(settings: EvalConfig) -> None:
    path = settings.data / "own.jsonl"
    with pytest.raises(CorpusError, match=r"own\.jsonl"):
        user_articles(path, LabelMap.load(settings.topics))
    for text, reason in (
        ("\n", "no articles"),
        ('{"text": "خبر", "tags": ["أ", " "]}', ":1: tags is not a list of names"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(CorpusError, match=reason):
            user_articles(path, LabelMap.load(settings.topics))


def test_splits_without_articles_are_refused(settings: EvalConfig) -> None:
    with pytest.raises(CorpusError, match="read: no dev article"):
        annotated_articles(settings, "dev")
    with pytest.raises(CorpusError, match="news: no dev article of 300 characters with 3 tags"):
        tagged_articles(settings, "news", "dev")
    with pytest.raises(CorpusError, match="news: no dev article with one of the labels sport, health"):
        labelled(settings, "dev")


def test_tags_are_measured_on_articles_of_300_characters_and_three_different_tags(tmp_path: Path) -> None:
    rows = [
        row("test", 0, text="ب" * 300),
        row("test", 1, text="ب" * 299),
        row("test", 2, tags=["كرة القدم", "الدوري"]),
        row("test", 3, tags=["كرة القدم", "وكرة القدم", "الدوري"]),
    ]
    write(tmp_path, "news", rows)
    found = tagged_articles(EvalConfig(tmp_path, tmp_path), "news", "test")
    assert [e.id for e in found] == ["test-0"]


def test_classes_are_the_sets_of_topics_of_the_labels(settings: EvalConfig) -> None:
    found = labelled(settings, "test")
    assert [(row.example.label, row.topics) for row in found[:2]] == [("sport", (0,)), ("health", (1, 2))]
    assert topic_sets(found) == [(0,), (1, 2)]
    assert {row.example.label for row in labelled(settings, "test", "health")} == {"health"}
    for labels in (("sport", "mixed"), ("sport", "none"), ("sport", "unheard")):
        with pytest.raises(CorpusError, match="overlap or mean nothing"):
            labelled(settings, "test", *labels)


def test_a_quick_run_takes_samples_of_every_kind(settings: EvalConfig) -> None:
    quick = replace(settings, quick=True, quick_articles=2, quick_training=4, tag_rules="")
    assert [len(labelled(quick, split)) for split in SIZES] == [4, 2, 2]
    assert [len(tagged_articles(quick, "news", split)) for split in SIZES] == [2, 2, 2]
    assert [len(annotated_articles(quick, split)) for split in SIZES] == [2, 2, 2]
    assert annotated_articles(quick, "train") != annotated_articles(replace(quick, seed=14), "train")


def test_a_sample_keeps_the_order_and_depends_on_the_seed_alone() -> None:
    everything = list(range(100))
    drawn = sample(everything, 10, 1)
    assert len(drawn) == len(set(drawn)) == 10
    assert drawn == sorted(drawn) == sample(everything, 10, 1) != sample(everything, 10, 2)
    assert sample(everything, 100, 1) == sample(everything, 101, 1) == everything
    assert len(sample(everything, 99, 1)) == 99
