"""The worst errors of a report."""

from __future__ import annotations

import json
import lzma
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Answers, Classification, Key, Labelling, Tagging
from wusum.eval.measures.evaluation import Evaluation
from wusum.eval.report.errors import EXCERPT_CHARS, MAX_ERRORS, worst_errors

COUNT = 40


@pytest.fixture
def settings(tmp_path: Path) -> EvalConfig:
    with lzma.open(tmp_path / "news.jsonl.xz", "wt", encoding="utf-8") as file:
        for split in ("validation", "test"):
            for number in range(COUNT):
                row = {
                    "id": str(number),
                    "title": f"{split} {number}",
                    "text": "نص " * 200,
                    "label": "sport",
                    "tags": ["أ"],
                }
                file.write(json.dumps(row | {"split": split}) + "\n")
    own = [{"id": "x", "text": "خبر", "topics": ["sport"]}, {"id": "y", "text": "خبر آخر", "topics": ["sport"]}]
    (tmp_path / "own.jsonl").write_text("\n".join(map(json.dumps, own)), encoding="utf-8")
    topics = {"sport": {"code": "s", "name_ar": "رياضة", "name_en": "sport"}}
    (tmp_path / "topics.yaml").write_text(json.dumps({"topics": topics, "corpora": {}}), encoding="utf-8")
    return EvalConfig(tmp_path, tmp_path / "topics.yaml", labelled=str(tmp_path / "own.jsonl"))


TOPICS, TAGS = Key("topics", "news"), Key("tags", "news")


def classes(predicted: list[int], confidence: list[float] | None, key: Key = TOPICS) -> Classification:
    """Return answers of which class 0 is always correct."""
    count = len(predicted)
    sure = None if confidence is None else tuple(confidence)
    return Classification(key, ("sport", "health"), tuple(map(str, range(count))), (0,) * count, tuple(predicted), sure)


def tags(ranked: list[tuple[str, ...]], key: Key = TAGS) -> Tagging:
    count = len(ranked)
    return Tagging(key, tuple(map(str, range(count))), (("a", "b"),) * count, tuple(ranked))


def errors(settings: EvalConfig, *answers: Answers) -> list[dict[str, Any]]:
    return worst_errors(Evaluation(answers, {}), settings)


def test_a_wrong_class_is_shown_with_its_text_the_most_confident_first(settings: EvalConfig) -> None:
    found = errors(settings, classes([1, 0, 1], [0.6, 0.9, 0.8]))
    assert [row["id"] for row in found] == ["2", "0"]
    text = f"test 2\n{'نص ' * 200}"
    assert found[0] == {
        "corpus": "news", "id": "2", "gold": "sport", "given": "health", "confidence": 0.8,
        "text": text[:EXCERPT_CHARS],
    }  # fmt: skip
    assert len(found[0]["text"]) == EXCERPT_CHARS


def test_texts_are_those_of_the_measured_split(settings: EvalConfig) -> None:
    chosen = replace(settings, split="validation")
    for answers in (classes([1], [0.6]), tags([("c",)])):
        assert [row["text"].split("\n")[0] for row in errors(chosen, answers)] == ["validation 0"]


def test_only_answers_of_the_model_with_probabilities_on_whole_articles_are_searched(settings: EvalConfig) -> None:
    others = [
        classes([1], None),
        classes([1], [0.9], Key("topics", "news", "linear")),
        classes([1], [0.9], Key("robustness", "news", variant="no title")),
        tags([("c",)], Key("drift", "news since 2024-05")),
        Labelling(Key("annotated", "topics"), ("0",), (("sport",),), (("health",),)),
    ]
    assert errors(settings, *others) == []


def test_an_article_is_missed_if_none_of_its_first_five_tags_is_correct(settings: EvalConfig) -> None:
    rows: list[tuple[str, ...]] = [("c", "d"), ("c", "a"), (*"cdefg", "a"), (*"cdef", "b"), ()]
    found = errors(settings, tags(rows))
    assert [(row["id"], row["gold"], row["given"], row["confidence"]) for row in found] == [
        ("0", "a، b", "c، d", None), ("2", "a، b", "c، d، e، f، g", None), ("4", "a، b", "", None),
    ]  # fmt: skip


def test_an_own_article_is_missed_if_no_topic_is_correct(settings: EvalConfig) -> None:
    gold = (("sport",), ("sport", "health"))
    answers = Labelling(Key("own", "topics"), ("x", "y"), gold, (("health",), ("health",)))
    assert [(row["corpus"], row["id"], row["text"]) for row in errors(settings, answers)] == [("topics", "x", "خبر")]


@pytest.mark.parametrize(
    ("wrong", "missed", "shown"), [(40, 40, (20, 10)), (40, 4, (26, 4)), (5, 40, (5, 25)), (3, 2, (3, 2))]
)
def test_both_kinds_have_their_share_of_the_list(
    settings: EvalConfig, wrong: int, missed: int, shown: tuple[int, int]
) -> None:
    confidence = [1 - number / 100 for number in range(wrong)]
    found = errors(settings, tags([("c",)] * missed), classes([1] * wrong, confidence))
    sure = [row["confidence"] for row in found if row["confidence"] is not None]
    assert (len(sure), len(found) - len(sure)) == shown
    assert len(found) <= MAX_ERRORS
    assert sure == confidence[: len(sure)]
    assert all(row["confidence"] is None for row in found[len(sure) :])
