"""From topic logits to topics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wusum.model.network.artifact import TopicSettings
from wusum.model.network.topics import TopicDecoder

TOPICS = [TopicSettings("a", "أ", "A"), TopicSettings("b", "ب", "B"), TopicSettings("c", "ج", "C", given=False)]


def logits(*probabilities: float) -> np.ndarray:
    return np.array([np.log(p / (1 - p)) for p in probabilities], np.float32)


def test_topics_above_the_threshold_come_best_first() -> None:
    topics = TopicDecoder(TOPICS, temperature=1.0, threshold=0.3).decode(logits(0.4, 0.59, 0.01), 3, None)
    assert [(t.code, t.score) for t in topics] == [
        ("b", pytest.approx(0.59, abs=1e-4)),
        ("a", pytest.approx(0.4, abs=1e-4)),
    ]
    assert topics[0].to_dict() == {"code": "b", "name_ar": "ب", "name_en": "B", "score": topics[0].score}


def test_the_best_topic_is_given_even_below_the_threshold() -> None:
    topics = TopicDecoder(TOPICS, 1.0, 0.9).decode(logits(0.5, 0.4, 0.1), 3, None)
    assert [t.code for t in topics] == ["a"]


def test_min_score_and_max_topics_overrule_the_model() -> None:
    decoder = TopicDecoder(TOPICS, 1.0, 0.9)
    assert [t.code for t in decoder.decode(logits(0.5, 0.4, 0.1), 3, 0.1)] == ["a", "b"]
    assert [t.code for t in decoder.decode(logits(0.5, 0.4, 0.1), 1, 0.1)] == ["a"]


def test_a_topic_may_have_its_own_threshold() -> None:
    topics = [TOPICS[0], replace(TOPICS[1], threshold=0.2), TOPICS[2]]
    decoder = TopicDecoder(topics, temperature=1.0, threshold=0.3)
    assert [t.code for t in decoder.decode(logits(0.7, 0.25, 0.05), 3, None)] == ["a", "b"]
    assert [t.code for t in decoder.decode(logits(0.25, 0.7, 0.05), 3, None)] == ["b"]
    assert [t.code for t in decoder.decode(logits(0.7, 0.25, 0.05), 3, 0.3)] == ["a"]


def test_a_probability_on_the_threshold_is_enough() -> None:
    decoder = TopicDecoder([TOPICS[0], replace(TOPICS[1], threshold=0.5), TOPICS[2]], 1.0, 0.9)
    for min_score, given in ((None, ["a", "b"]), (0.5, ["a", "b"]), (0.501, ["a"])):
        assert [t.code for t in decoder.decode(np.array([7.0, 0.0, -99.0], np.float32), 3, min_score)] == given


def test_an_article_may_have_several_topics_for_certain() -> None:
    topics = TopicDecoder(TOPICS, 1.0, 0.5).decode(logits(0.95, 0.97, 0.99), 3, None)
    assert [(t.code, t.score) for t in topics] == [("b", 0.97), ("a", 0.95)]


def test_the_likelier_topic_comes_first_even_if_the_scores_are_the_same() -> None:
    for first, given in ((60.0, ["a", "b"]), (30.0, ["b", "a"])):
        topics = TopicDecoder(TOPICS, 1.0, 0.5).decode(np.array([first, 40.0, 0.0], np.float32), 3, None)
        assert [t.code for t in topics] == given
        assert [t.score for t in topics] == [1.0, 1.0]


@pytest.mark.parametrize("min_score", [None, 0.0])
def test_a_topic_that_was_not_learned_is_never_given(min_score: float | None) -> None:
    topics = TopicDecoder(TOPICS, 1.0, 0.0).decode(logits(0.1, 0.2, 0.7), 3, min_score)
    assert [t.code for t in topics] == ["b", "a"]
    (best,) = TopicDecoder(TOPICS, 1.0, 0.0).decode(logits(0.1, 0.2, 0.7), 1, min_score)
    assert (best.code, best.score) == ("b", 0.2)


def test_equally_likely_topics_come_in_the_order_of_the_model() -> None:
    many = [TopicSettings(f"{n:02}", "", "") for n in range(40)]
    topics = TopicDecoder(many, 1.0, 0.0).decode(np.repeat(np.float32([1, 2]), 20), 40, 0.0)
    assert [t.code for t in topics] == [f"{n:02}" for n in (*range(20, 40), *range(20))]


def test_scores_have_four_decimals() -> None:
    (topic,) = TopicDecoder(TOPICS, 1.0, 0.5).decode(logits(0.654321, 0.3, 0.045679), 3, None)
    assert topic.score == 0.6543


def test_a_higher_temperature_flattens() -> None:
    rows = np.stack([logits(0.7, 0.2, 0.1)])
    sharp, flat = (TopicDecoder(TOPICS, t, 0.0).probabilities(rows)[0] for t in (1.0, 2.0))
    assert sharp == pytest.approx([0.7, 0.2, 0.1], abs=1e-5)
    assert flat[0] < sharp[0]
    odds = np.sqrt([7 / 3, 1 / 4, 1 / 9])
    assert flat == pytest.approx(odds / (1 + odds), abs=1e-5)


def test_shares_are_the_probabilities_of_topics_that_exclude_one_another() -> None:
    odds = np.array([0.6 / 0.4, 0.3 / 0.7, 0.1 / 0.9])
    for temperature in (1.0, 2.0):
        found = TopicDecoder(TOPICS, temperature, 0.0).shares(logits(0.6, 0.3, 0.1)[None])[0]
        scaled = odds ** (1 / temperature)
        assert found == pytest.approx(scaled / scaled.sum(), abs=1e-5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("probabilities", [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.5] * 3]),
        ("shares", [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0], [1 / 3] * 3]),
    ],
)
def test_each_article_has_probabilities_of_its_own_however_large_its_logits(
    name: str, expected: list[list[float]]
) -> None:
    rows = np.array([[1000.0, 1000.0, 900.0], [-1000.0, -1000.0, -900.0], [0.0, 0.0, 0.0]], np.float32)
    with np.errstate(over="raise", invalid="raise"):
        found = getattr(TopicDecoder(TOPICS, 1.0, 0.0), name)(rows)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)
