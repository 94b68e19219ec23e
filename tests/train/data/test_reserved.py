"""Annotated articles are kept from the splits of the corpora that they are of."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from wusum.train.data.corpora import examples, open_rows, rows
from wusum.train.data.reserved import KEY_LETTERS, Reserved, text_key

STORIES = {
    name: f"بدأت أعمال {name} في وسط المدينة بعد أشهر من التأخير، وقال المهندس المشرف إن العمل سينتهي قبل الشتاء، وإن "
    f"السكان سيجدون طريقا أوسع وأرصفة جديدة وأشجارا، ثم شكر كل من صبر على {name} وعلى الضجيج."
    for name in ("الجسر", "النفق", "الميناء", "الملعب", "المتحف")
}
"""Bodies that differ within their first letters."""


def row(number: int, split: str, text: str, outlet: str = "seen", **more: Any) -> dict[str, Any]:
    return (
        {"id": f"news-{number}", "title": "عنوان", "text": text, "outlet": outlet, "split": split}
        | {"tags": None}
        | more
    )


def write(folder: Path, corpus: str, *found: dict[str, Any]) -> None:
    with lzma.open(folder / f"{corpus}.jsonl.xz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in found)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A corpus of three splits, and annotated rows of it that are in other splits."""
    bridge, tunnel, port, pitch, museum = STORIES.values()
    write(
        tmp_path, "news",
        *(row(number, split, text) for split, first in (("train", 0), ("validation", 10), ("test", 20))
          for number, text in enumerate((bridge, tunnel, port, pitch), first)),
        *(row(number, split, museum, "unseen") for number, split in ((30, "train"), (31, "validation"), (32, "test"))),
        row(40, "train", "نص آخر", tags=["وسم"]),
    )  # fmt: skip
    write(
        tmp_path, "annotated",
        row(0, "test", bridge, topics=["economy"], tags=["الجسر"], unseen_outlet=False, date="2020-01-02"),
        row(1, "validation", tunnel, topics=["economy", "arts"], tags=["النفق"], unseen_outlet=False, date=None),
        row(2, "train", port, topics=["arts"], tags=[], unseen_outlet=False, date=None),
        row(99, "test", "نص لا يشبه غيره", "unseen", topics=["sport"], tags=["وسم"], unseen_outlet=True, date=None),
    )  # fmt: skip
    return tmp_path


def read(folder: Path, corpus: str, split: str) -> list[str]:
    return [example.id for example in examples(folder, corpus, [split])]


def test_articles_of_annotated_splits_and_of_unseen_outlets_are_left_out(folder: Path) -> None:
    # الجسر is an annotated test article, النفق a validation article, الميناء a training article.
    assert read(folder, "news", "train") == ["news-2", "news-3", "news-40"]
    assert read(folder, "news", "validation") == ["news-11", "news-12", "news-13"]
    assert read(folder, "news", "test") == ["news-20", "news-21", "news-22", "news-23", "news-32"]
    assert len(list(rows(folder, "news"))) == 16
    assert len(list(open_rows(folder, "news"))) == 11


def test_the_annotated_articles_themselves_are_read_as_they_are(folder: Path) -> None:
    assert [read(folder, "annotated", split) for split in ("train", "validation", "test")] == [
        ["news-2"], ["news-1"], ["news-0", "news-99"],
    ]  # fmt: skip
    first, last = examples(folder, "annotated", ["test"])
    assert (first.topics, first.phrases, first.tags, first.label) == (("economy",), ("الجسر",), None, None)
    assert (first.title, first.outlet, first.date, first.unseen_outlet) == ("عنوان", "seen", "2020-01-02", False)
    assert (last.outlet, last.date, last.unseen_outlet) == ("unseen", "", True)
    (both,) = examples(folder, "annotated", ["validation"])
    assert both.topics == ("economy", "arts")  # the main one first


def test_articles_that_nobody_has_read_have_no_topics(folder: Path) -> None:
    assert {example.topics for example in examples(folder, "news")} == {None}


def test_without_annotated_articles_nothing_is_left_out(folder: Path) -> None:
    (folder / "annotated.jsonl.xz").unlink()
    assert len(read(folder, "news", "train")) == 6
    assert len(read(folder, "news", "validation")) == 5


def test_an_article_is_recognised_by_its_id_alone(folder: Path) -> None:
    write(folder, "news", row(0, "train", "النص تغير"), row(1, "train", "وهذا أيضا"), row(3, "train", "وهذا"))
    assert read(folder, "news", "train") == ["news-3"]


def test_near_duplicates_share_their_first_letters_whatever_stands_between_them() -> None:
    text = STORIES["الجسر"]
    key = text_key(text)
    assert len(key) == KEY_LETTERS == 120
    for same in (f"«{text}", text.replace("،", " -- 12 "), text.replace("أ", "ا"), text[:200] + "نهاية أخرى"):
        assert text_key(same) == key
    assert text_key(text.replace("المهندس", "الوزير")) != key
    assert text_key("ا، ب 1 ج") == "ابج"
    assert text_key("12 - !") == text_key(" " * 1000 + "نص") == ""


def test_a_row_without_letters_or_split_is_not_kept_from_anything() -> None:
    reserved = Reserved.of([row(1, "test", "12")])
    assert not reserved.keeps({"id": "page-1", "raw": "نص"})
    assert not reserved.keeps(row(2, "train", "34"))
    assert reserved.keeps(row(1, "train", "34"))


def test_articles_whose_texts_are_not_known_are_recognised_by_their_ids() -> None:
    reserved = Reserved.of([], [row(1, "validation", "نص"), row(2, "train", "نص"), row(3, "test", "نص")])
    assert [reserved.keeps(row(number, "train", "نص")) for number in (1, 2, 3, 4)] == [True, False, True, False]
    assert [reserved.keeps(row(number, "validation", "نص")) for number in (1, 2, 3, 4)] == [False, False, True, False]
    assert not any(reserved.keeps(row(number, "test", "نص")) for number in (1, 2, 3, 4))
    both = Reserved.of([row(1, "test", "نص")], [{"id": "news-1", "split": "train"}])
    assert both.keeps(row(1, "train", "غيره"))


def test_no_training_or_validation_row_of_the_real_corpora_is_an_annotated_one(shared: Path) -> None:
    annotated = list(rows(shared / "data", "annotated"))
    tested = {name for one in annotated if one["split"] == "test" for name in (one["id"], text_key(one["text"]))}
    unseen = {one["outlet"] for one in annotated if one["unseen_outlet"]}
    found = list(examples(shared / "data", "moroccan_raw", ["train", "validation"]))
    assert found
    for example in found:
        assert not {example.id, text_key(example.body)} & tested
        assert example.outlet not in unseen
