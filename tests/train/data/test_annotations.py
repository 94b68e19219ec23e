"""Further annotated articles: a file names them, and their texts are those of their corpora."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT, TINY_CORPORA, annotate, write_corpus
from wusum.model.errors import CorpusError
from wusum.train.data.annotations import read_annotations
from wusum.train.data.corpora import LabelMap, annotated, corpus_path, examples, rows
from wusum.train.data.reserved import Reserved


def article(corpus: str, number: int, split: str, **more: Any) -> dict[str, Any]:
    text = " ".join(f"كلمة{corpus}{'بتثج'[number]}و{word}" for word in range(155))
    return {
        "id": f"{corpus}-{number}", "outlet": "صحيفة", "title": "عنوان", "text": f"{text}\n.", "label": "رياضة",
        "tags": ["وسم المحرر"], "date": "2024-01-02", "split": split,
    } | more  # fmt: skip


def read_by(corpus: str, number: int, split: str, *topics: str) -> dict[str, Any]:
    return {"corpus": corpus, "id": f"{corpus}-{number}", "split": split, "topics": topics, "tags": ["الوسم"]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two corpora with annotated articles, the corpus `annotated`, and annotations of a corpus that is not here."""
    write_corpus(tmp_path / "news.jsonl.xz", [article("news", n, "train") for n in range(4)])
    write_corpus(
        tmp_path / "sport.jsonl.xz",
        [article("sport", 0, "train", text=None), *(article("sport", n, "train") for n in (1, 2)),
         article("news", 1, "train", text="مقال آخر له الرقم نفسه"), article("sport", 3, "validation")],
    )  # fmt: skip
    write_corpus(
        tmp_path / "annotated.jsonl.xz",
        [article("own", n, split, text=f"نص {split}", topics=["arts"], label=None)
         for n, split in enumerate(("train", "validation", "test"))],
    )  # fmt: skip
    annotate(
        monkeypatch, tmp_path,
        read_by("news", 0, "train", "health", "sport"), read_by("news", 1, "validation", "arts"),
        read_by("news", 99, "train", "arts"), read_by("absent", 0, "train", "arts"),
        read_by("sport", 0, "train", "arts"), read_by("sport", 1, "train", "sport"),
        read_by("sport", 3, "validation", "sport"),
    )  # fmt: skip
    return tmp_path


def read(folder: Path, corpus: str, *splits: str) -> list[str]:
    return [example.id for example in examples(folder, corpus, splits)]


def test_they_follow_the_corpus_of_annotated_articles_each_in_its_split(folder: Path) -> None:
    assert read(folder, "annotated", "train") == ["own-0", "news-0", "sport-1"]
    assert read(folder, "annotated", "validation") == ["own-1", "news-1", "sport-3"]
    assert read(folder, "annotated", "test") == ["own-2"]
    assert read(folder, "annotated", "train", "test") == ["own-0", "own-2", "news-0", "sport-1"]


def test_only_rows_of_the_splits_that_are_asked_for_are_read(folder: Path) -> None:
    assert [(row["id"], row["split"]) for row in annotated(folder, ["validation"])] == [
        ("own-1", "validation"), ("news-1", "validation"), ("sport-3", "validation"),
    ]  # fmt: skip
    corpus_path(folder, "news").write_bytes(b"damaged")
    assert read(folder, "annotated", "test") == ["own-2"]  # no annotation is of that split
    with pytest.raises(CorpusError, match=r"news\.jsonl\.xz"):
        read(folder, "annotated", "train")


def test_they_have_what_was_found_by_reading_in_the_words_that_were_read(folder: Path) -> None:
    _, first, _ = examples(folder, "annotated")
    assert (first.topics, first.phrases) == (("health", "sport"), ("الوسم",))
    assert (first.label, first.tags) == (None, None)
    assert (first.corpus, first.title, first.outlet, first.date) == ("annotated", "عنوان", "صحيفة", "2024-01-02")
    assert not first.unseen_outlet
    whole = article("news", 0, "train")["text"].split()
    assert len(whole) > 150
    assert first.body == " ".join(whole[:150])


def test_a_corpus_that_is_not_here_has_none(folder: Path) -> None:
    corpus_path(folder, "sport").unlink()
    assert read(folder, "annotated", "train", "validation") == ["own-0", "own-1", "news-0", "news-1"]
    corpus_path(folder, "annotated").unlink()
    assert read(folder, "annotated", "train", "validation", "test") == ["news-0", "news-1"]
    corpus_path(folder, "news").unlink()
    assert read(folder, "annotated", "train", "validation", "test") == []


def test_validation_articles_are_no_training_articles_of_their_corpus(folder: Path) -> None:
    assert read(folder, "news", "train") == ["news-0", "news-2", "news-3"]
    assert read(folder, "sport", "train") == ["sport-1", "sport-2", "news-1"]  # the last is of another corpus
    assert read(folder, "sport", "validation") == ["sport-3"]
    corpus_path(folder, "annotated").unlink()
    assert read(folder, "news", "train") == ["news-0", "news-2", "news-3"]


def test_near_duplicates_of_validation_articles_are_no_training_articles(folder: Path) -> None:
    copies = [article("news", 1, split, id=f"copy-{split}") for split in ("train", "validation")]
    write_corpus(folder / "news.jsonl.xz", [*(article("news", n, "train") for n in range(4)), *copies])
    assert read(folder, "news", "train", "validation") == ["news-0", "news-2", "news-3", "copy-validation"]


def test_annotations_of_articles_that_are_kept_for_tests_are_not_read(folder: Path) -> None:
    test = article("own", 2, "test", text=article("news", 0, "")["text"], topics=["arts"], label=None)
    unseen = article("own", 3, "test", outlet="صحيفة", unseen_outlet=True, topics=["arts"], label=None)
    write_corpus(folder / "annotated.jsonl.xz", [test])
    assert read(folder, "annotated", "train", "validation") == ["news-1", "sport-1", "sport-3"]
    write_corpus(folder / "annotated.jsonl.xz", [test, unseen])
    assert read(folder, "annotated", "train", "validation") == []


def test_the_file_has_topics_of_the_label_map_and_tags_for_training_and_validation() -> None:
    keys = set(LabelMap.load(ROOT / "configs" / "topics.yaml").keys)
    found = [row for of_corpus in read_annotations().values() for row in of_corpus.values()]
    assert len(found) > 5000
    assert {row["split"] for row in found} == {"train", "validation"}
    assert {topic for row in found for topic in row["topics"]} == keys
    for row in found:
        assert row.keys() == {"corpus", "id", "split", "topics", "tags"}
        assert 1 <= len(set(row["topics"])) == len(row["topics"]) <= 3, row["id"]
        assert row["tags"], row["id"]
        assert all(tag.strip() for tag in row["tags"]), row["id"]


def test_no_tiny_article_is_in_the_file(corpora: Path) -> None:
    tiny = {row["id"] for corpus in TINY_CORPORA for row in rows(corpora, corpus)}
    assert not tiny & {name for of_corpus in read_annotations().values() for name in of_corpus}
    assert list(annotated(corpora, ["train", "validation", "test"])) == []


def test_those_of_the_real_corpora_are_training_articles_that_no_test_reserves(shared: Path) -> None:
    reserved = Reserved.of(rows(shared / "data", "annotated"))
    for corpus, of_corpus in read_annotations().items():
        found = [row for row in rows(shared / "data", corpus) if row["id"] in of_corpus]
        assert {row["id"] for row in found} == of_corpus.keys()
        assert {row["split"] for row in found} == {"train"}, corpus
        assert all(row["text"] for row in found), corpus
        assert not any(reserved.keeps(row | {"split": of_corpus[row["id"]]["split"]}) for row in found), corpus


def test_annotated_articles_of_a_corpus_that_is_left_out_are_left_out_as_well(
    corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = [e.id for e in examples(corpora, "plain", ["train"])][:3]
    rows = [{"corpus": "plain", "id": i, "split": "train", "topics": ["sport"], "tags": ["غزة"]} for i in chosen]
    annotate(monkeypatch, tmp_path, *rows)
    found = list(examples(corpora, "annotated"))
    assert [(e.id, e.source) for e in found] == [(i, "plain") for i in chosen]
