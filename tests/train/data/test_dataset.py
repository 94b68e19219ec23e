"""The rows of the training articles, and which of them are trained on."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import POISON, TINY_COUNTS, annotate, copy_corpora, edit_file, finetune_config, write_corpus
from wusum.model.errors import ConfigError, CorpusError
from wusum.train.data import dataset
from wusum.train.data.corpora import Example, LabelMap, examples, held_out
from wusum.train.data.cues import Cues
from wusum.train.data.dataset import possible_topics, sample_rows, training_dataset
from wusum.train.data.mentions import MARK_COLUMNS
from wusum.train.data.tokens import load_tokenizer


@pytest.fixture
def rows(corpora: Path, tokenizer_folder: Path) -> Any:
    """A function that returns the rows of settings."""

    def made(folder: Path = tokenizer_folder.parent, **changes: Any) -> Any:
        config = finetune_config(corpora, folder, **changes)
        return training_dataset(config, load_tokenizer(tokenizer_folder), LabelMap.load(config.topics))

    return made


@pytest.fixture
def sampled(corpora: Path, rows: Any) -> Any:
    """A function that returns the rows of settings that are trained on."""

    def made(**changes: Any) -> Any:
        config, found = finetune_config(corpora, corpora, **changes), rows(**changes)
        return found.select(sample_rows(config, found["corpus"], config.seed))

    return made


def test_a_corpus_can_be_left_out_and_the_windows_limited(sampled: Any) -> None:
    assert set(sampled()["corpus"]) == {"plain", "almayadeen"}
    assert set(sampled(leave_out=["almayadeen"])["corpus"]) == {"plain"}
    assert len(sampled(budget=7)) == 7
    with pytest.raises(ConfigError, match="leave_out: other"):
        sampled(leave_out=["other"])


def test_annotated_articles_of_a_corpus_that_is_left_out_are_left_out_as_well(
    rows: Any, corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = [
        {"corpus": corpus, "id": example.id, "split": "train", "topics": ["sport"], "tags": []}
        for corpus, count in (("plain", 2), ("almayadeen", 3))
        for example in list(dataset.examples(corpora, corpus))[:count]
    ]
    annotate(monkeypatch, tmp_path, *chosen)
    read = {"plain": 1.0, "almayadeen": 1.0, "annotated": 1.0}
    found = rows(tmp_path, corpora=read, leave_out=["plain"])
    assert {*found["corpus"]} == {"almayadeen", "annotated"}
    assert Counter(found["source"])["almayadeen"] == 3
    assert not Counter(found["source"])["plain"]


def test_a_corpus_is_read_as_often_as_its_weight_says(corpora: Path) -> None:
    config = finetune_config(corpora, corpora, corpora={"a": 2.0, "b": 0.5, "c": 1.25})
    names = ["a", "b"] * 4 + ["c"] * 4
    chosen = sample_rows(config, names, seed=1)
    assert Counter(names[row] for row in chosen) == {"a": 8, "b": 2, "c": 5}
    assert Counter(row for row in chosen if names[row] == "a") == {0: 2, 2: 2, 4: 2, 6: 2}
    assert len({row for row in chosen if names[row] == "b"}) == 2
    assert chosen == sample_rows(config, names, seed=1)


def test_rows_are_kept_for_trainings_with_the_same_ones(
    rows: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = rows(tmp_path)
    (kept,) = (tmp_path / "rows").iterdir()  # and no scratch file
    monkeypatch.setattr(dataset, "examples", None)
    assert rows(tmp_path, budget=3, leave_out=[])["input_ids"] == first["input_ids"]
    monkeypatch.undo()
    assert len(rows(tmp_path, max_rows=5)) < len(first)
    assert len(list((tmp_path / "rows").iterdir())) == 2
    assert kept.is_dir()


@pytest.fixture
def own(corpora: Path, tmp_path: Path) -> Path:
    """A copy of the corpora and of the files beside them, with cues."""
    folder = copy_corpora(corpora, tmp_path / "data")
    (folder / "cues.yaml").write_text("label: {weather: [القلب]}\nnarrow: {}", encoding="utf-8")
    return folder


def test_rows_are_kept_only_while_all_that_they_are_made_of_is_the_same(
    own: Path, tokenizer_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(folder: Path = own, **changes: Any) -> int:
        """Return how many sets of rows are kept after asking for those of some settings."""
        files = {name: str(own / f"{name}.yaml") for name in ("topics", "tag_rules", "cues")}
        config = finetune_config(folder, tmp_path, **files | changes)
        training_dataset(config, load_tokenizer(tokenizer_folder), LabelMap.load(config.topics))
        return len(list((tmp_path / "rows").iterdir()))

    assert made() == 1
    moved = copy_corpora(own, tmp_path / "moved")
    os.utime(moved / "plain.jsonl.xz", (1, 1))
    assert made(moved, seed=99, batch_size=1) == 1
    changes: dict[str, Any] = {"outlet_names": ["x"], "max_tokens": 99, "tag_holdout": 0.3, "max_rows": 9}
    for count, (name, value) in enumerate({**changes, "before": "2025"}.items(), 2):
        assert made(**{name: value}) == count, name
    edits = {
        "plain.jsonl.xz": ("المباراة", "المنافسة"),
        "topics.yaml": ("طقس", "الجو"),
        "tag_rules.yaml": ("[almayadeen]", "[plain]"),
        "cues.yaml": ("القلب", "البورصة"),
    }
    for count, (name, words) in enumerate(edits.items(), 7):
        edit_file(own / name, *words)
        assert made() == count, name
    monkeypatch.setattr(dataset, "code_digest", lambda *packages: " ".join(p.__name__ for p in packages))
    assert made() == 11
    assert made() == 11
    annotate(monkeypatch, tmp_path)
    assert made() == 12
    assert made() == 12


def read_by(number: int, *topics: str, split: str = "train") -> dict[str, Any]:
    return {
        "id": f"read-{number}", "outlet": "x", "title": "المرض يصيب القلب", "text": "قال الطبيب إن العلاج في المستشفى",
        "tags": ["المستشفى"], "topics": topics, "label": "health", "date": None, "split": split,
    }  # fmt: skip


def test_all_topics_of_annotated_articles_are_known_whatever_cues_say(
    own: Path, tokenizer_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_corpus(own / "annotated.jsonl.xz", [read_by(0, "health", "sport"), read_by(1, "economy", split="validation")])
    further = {"corpus": "plain", "id": "plain-train-3", "split": "train", "topics": ["weather"], "tags": ["مرمى"]}
    annotate(monkeypatch, tmp_path, further)
    config = finetune_config(own, tmp_path, corpora={"plain": 1.0, "annotated": 1.0}, cues=str(own / "cues.yaml"))
    found = training_dataset(config, load_tokenizer(tokenizer_folder), LabelMap.load(config.topics))
    first, second = (row for row in found if row["corpus"] == "annotated")
    assert (first["topics"], first["exact"], first["tags"]) == ([2, 0], True, [])
    assert 1 in first["phrase_marks"]
    assert (second["topics"], second["exact"], second["tags"]) == ([3], True, [])
    assert {row["exact"] for row in found if row["corpus"] == "plain"} == {False}
    assert Counter(found["corpus"]) == {"plain": TINY_COUNTS["plain"]["train"], "annotated": 2}


def test_the_topics_of_an_article_are_those_found_by_reading_or_those_of_its_label(own: Path) -> None:
    topics = LabelMap.load(own / "topics.yaml")
    cues = Cues.load(own / "cues.yaml", topics)
    example = Example("plain-1", "plain", "المرض يصيب القلب", "نص", "health", None)
    assert possible_topics(example, topics, None) == (2, 3)
    assert possible_topics(example, topics, cues) == (3,)
    assert possible_topics(replace(example, topics=("health", "sport")), topics, cues) == (2, 0)
    with pytest.raises(CorpusError, match="plain: plain-1: no topic 'love'"):
        possible_topics(replace(example, topics=("love",)), topics, cues)


def test_rows_follow_the_tag_rules(rows: Any, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("edited: [almayadeen]\ndropped: [البورصة]", encoding="utf-8")
    tags = {tag for given in rows()["tags"] for tag in given}
    kept = {tag for given in rows(tag_rules=str(rules))["tags"] for tag in given}
    assert "البورصة" in tags
    assert kept == tags - {"البورصة"}
    rules.write_text("edited: []", encoding="utf-8")
    assert not any(rows(tag_rules=str(rules))["tags"])


def test_held_out_articles_and_those_after_a_date_are_no_rows(corpora: Path, rows: Any) -> None:
    counts = {corpus: splits["train"] for corpus, splits in TINY_COUNTS.items()}
    assert Counter(rows(tag_holdout=0.0)["corpus"]) == counts
    kept = sum(not held_out(e.id, 0.2) for e in examples(corpora, "almayadeen"))
    assert counts["almayadeen"] / 2 < kept < counts["almayadeen"]
    assert Counter(rows(tag_holdout=0.2)["corpus"]) == counts | {"almayadeen": kept}  # the other has no tags
    before = {corpus: sum(e.date < "2024-07" for e in examples(corpora, corpus)) for corpus in counts}
    assert Counter(rows(tag_holdout=0.0, before="2024-07")["corpus"]) == before
    assert Counter(rows(tag_holdout=0.0, max_rows=5)["corpus"]) == {"plain": 5, "almayadeen": 5}


def test_of_a_held_out_annotated_article_the_topics_are_learned_but_not_the_tags(
    rows: Any, corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = [
        {"corpus": "almayadeen", "id": e.id, "split": "train", "topics": ["sport"], "tags": ["البورصة"]}
        for e in examples(corpora, "almayadeen")
    ]
    annotate(monkeypatch, tmp_path, *chosen)
    held = [held_out(row["id"], 0.2) for row in chosen]
    assert any(held)
    found = rows(tmp_path, corpora={"annotated": 1.0}, tag_holdout=0.2)
    assert len(found) == len(chosen)
    assert all(found["exact"])
    assert [not row[MARK_COLUMNS[0]] for row in found] == held


def test_rows_are_of_training_articles_alone(rows: Any, tokenizer_folder: Path) -> None:
    tokenizer = load_tokenizer(tokenizer_folder)
    unknown = tokenizer.token_to_id("[UNK]")
    for word in POISON.values():
        assert unknown in tokenizer.encode(word, add_special_tokens=False).ids
    for row in rows():
        assert unknown not in row["input_ids"]
        assert not {*POISON.values()} & {*row["tags"]}


def test_headline_cues_label_and_narrow(corpora: Path, rows: Any, tokenizer_folder: Path, tmp_path: Path) -> None:
    cues = tmp_path / "cues.yaml"
    cues.write_text("label: {weather: [القلب]}\nnarrow: {}", encoding="utf-8")
    weather = LabelMap.load(corpora / "topics.yaml").keys.index("weather")
    tokenizer = load_tokenizer(tokenizer_folder)
    labelled = [row for row in rows(cues=str(cues)) if row["topics"] == [weather]]
    # Health or weather by the label, weather by the headline; almayadeen has no label at all.
    assert {row["corpus"] for row in labelled} == {"plain", "almayadeen"}
    for row in labelled:
        assert "القلب" in tokenizer.decode(row["input_ids"][: row["title_tokens"]])
    assert [weather] not in rows()["topics"]


def test_names_of_outlets_are_taken_out_of_the_bodies(rows: Any, tokenizer_folder: Path) -> None:
    tokenizer = load_tokenizer(tokenizer_folder)

    def words(**changes: Any) -> set[str]:
        bodies = (row["input_ids"][row["title_tokens"] :] for row in rows(**changes))
        return {word for body in bodies for word in tokenizer.decode(body).split()}

    assert "المستشفي" in words()
    assert "المستشفي" not in words(outlet_names=["المستشفى"])
