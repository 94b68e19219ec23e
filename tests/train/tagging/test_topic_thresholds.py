"""Thresholds of topics, fitted on articles all of whose topics are known, and the score of a sure one."""

from __future__ import annotations

import numpy as np
import pytest

from wusum.train.tagging.topic_thresholds import fit_sure_score, fit_topic_thresholds

SCORES = np.array(
    [[0.6, 0.38, 0.02], [0.7, 0.28, 0.02], [0.65, 0.32, 0.03], [0.55, 0.05, 0.4], [0.8, 0.05, 0.15], [0.7, 0.1, 0.2]],
    np.float32,
)


def test_the_threshold_with_the_best_f1_is_taken() -> None:
    gold = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 0], [1, 0, 1], [1, 0, 0], [1, 0, 0]], bool)
    assert fit_topic_thresholds(SCORES, gold, 99) == (0.35, {}, 1.0)


def test_a_topic_gets_its_own_where_that_is_better() -> None:
    gold = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 0], [1, 0, 1], [1, 0, 1], [1, 0, 1]], bool)
    assert fit_topic_thresholds(SCORES, gold, 1) == (0.15, {1: 0.35}, 1.0)
    assert fit_topic_thresholds(SCORES, gold, 2)[1] == {}  # one article is too few


@pytest.mark.parametrize(
    ("true", "false", "threshold"),
    [
        ([0.22, 0.17, 0.12, 0.07], [0.04], 0.05),
        ([0.22, 0.17, 0.12, 0.07, 0.04], [0.03], 0.05),  # 0 is no threshold
        ([0.22, 0.17, 0.12], [0.07], 0.1),
        ([0.63] * 6, [0.27, 0.32, 0.37, 0.42, 0.47, 0.52, 0.57], 0.6),
        ([0.99] * 6, [0.02 + step / 20 for step in range(5, 19)], 0.95),
        ([0.48] * 6, [0.27, 0.32, 0.37, 0.42], 0.45),
    ],
)
def test_values_beyond_the_steps_are_tried_as_long_as_they_are_better(
    true: list[float], false: list[float], threshold: float
) -> None:
    """The first topic of each article is right anyway; the second is right for some of its scores."""
    scores = np.array([[1.0, score] for score in (*true, *false)], np.float32)
    gold = np.array([[1, 1]] * len(true) + [[1, 0]] * len(false), bool)
    assert fit_topic_thresholds(scores, gold, 99)[0] == threshold


def test_the_best_topic_is_given_whatever_the_threshold() -> None:
    scores = np.array([[0.06, 0.05, 0.05]], np.float32)
    assert fit_topic_thresholds(scores, np.array([[1, 0, 0]], bool), 1)[2] == 1.0


FIRST_SCORES = np.array([0.9, 0.4, 0.2, 0.8, 0.6], np.float32)
RIGHT = np.array([True, True, False, True, False])
"""Whether the first topics of five articles, which have these scores, are right."""


@pytest.mark.parametrize(
    ("share", "score"),
    [
        (0.9, 0.61),  # two of two
        (0.76, 0.61),
        (0.75, 0.21),  # three of four; above 0.4 only two of three
        (0.61, 0.21),
        (0.6, 0.0),  # three of five
    ],
)
def test_a_first_topic_is_sure_from_the_least_score_with_the_share_of_right_ones(share: float, score: float) -> None:
    assert fit_sure_score(FIRST_SCORES, RIGHT, share) == score


def test_the_least_score_is_among_the_sure_ones() -> None:
    assert fit_sure_score(np.array([0.49, 0.5], np.float32), np.array([False, True]), 0.9) == 0.5
    assert fit_sure_score(np.array([0.985, 0.99], np.float32), np.array([False, True]), 0.9) == 0.99


def test_no_topic_is_sure_if_no_score_is_high_enough() -> None:
    assert fit_sure_score(FIRST_SCORES, np.zeros(5, bool), 0.1) == 1.0
    assert fit_sure_score(FIRST_SCORES, FIRST_SCORES < 0.9, 0.9) == 1.0  # the surest one is wrong
    assert fit_sure_score(np.array([0.995, 0.994], np.float32), np.array([True, False]), 0.9) == 1.0
