"""Answers: their scores on cases computed by hand, their comparison, and their way through JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import eval_config, score_values
from wusum.eval.measures.answers import Extraction, Key, Labelling, Tagging, from_json, p_value, to_json
from wusum.eval.suites.suite import load_suite


def labelling(*predicted: tuple[str, ...]) -> Labelling:
    """Answers for three articles."""
    return Labelling(Key("by-hand", "all"), ("1", "2", "3"), (("a",), ("a", "c"), ("b",)), predicted)


def test_sets_of_topics_are_scored_over_all_their_labels() -> None:
    found = score_values(labelling(("b", "a"), ("a",), ()))
    assert found == {"micro-F1": pytest.approx(2 * 2 / (3 + 4)), "first right": pytest.approx(1 / 3)}


def test_each_topic_is_scored_by_itself() -> None:
    found = {row.pop("class"): row for row in labelling(("b", "a"), ("a",), ()).per_class()}
    assert found == {
        "a": {"precision": 1, "recall": 1, "f1": 1, "articles": 2},
        "b": {"precision": 0, "recall": 0, "f1": 0, "articles": 1},
        "c": {"precision": 0, "recall": 0, "f1": 0, "articles": 1},
    }
    one = replace(labelling(("a",), (), ("a",)), gold=(("a",), ("a",), ()))
    assert one.per_class() == [{"class": "a", "precision": 0.5, "recall": 0.5, "f1": 0.5, "articles": 2}]


def test_answers_of_every_kind_come_back_from_json(corpora: Path, fake: Any, short_articles_count: None) -> None:
    settings = eval_config(corpora, plain=["sport", "economy", "health"])
    for answers in (
        load_suite("topics").answer(Key("topics", "plain"), fake, settings),
        load_suite("tags").answer(Key("tags", "almayadeen"), fake, settings),
        labelling(("a",), (), ("b",)),
        Extraction(Key("parser", "pages"), ("1",), ("title", "body"), ((1.0, 0.5),)),
    ):
        assert from_json(json.loads(json.dumps(to_json(answers)))) == answers


def test_systems_are_compared_on_the_same_articles_and_by_the_same_kind_of_answers() -> None:
    one, other = labelling(("a",), ("a", "c"), ("b",)), labelling((), (), ())
    assert p_value(one, one) == 1
    assert p_value(one, other) < 0.5
    with pytest.raises(ValueError, match="not the same articles"):
        p_value(one, replace(other, ids=("1", "2", "4")))
    with pytest.raises(ValueError, match="not the same kind"):
        p_value(one, Tagging(one.key, one.ids, one.gold, one.gold))
