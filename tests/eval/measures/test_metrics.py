"""Measures, on cases computed by hand, and against scikit-learn."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from sklearn.metrics import f1_score, ndcg_score

from wusum.eval.measures import metrics
from wusum.eval.measures.statistics import (
    interval,
    macro_f1_statistic,
    mean_interval,
    randomisation_test,
    ratio_randomisation_test,
)

GOLD = {"a", "b", "c"}


@pytest.mark.parametrize(
    ("ranked", "precision", "recall", "f1", "all_f1", "r"),
    [
        (["a", "x", "b", "y"], 1 / 2, 1 / 3, 2 / 5, 4 / 7, 2 / 3),
        (["a"], 1 / 2, 1 / 3, 2 / 5, 2 / 4, 1 / 3),
        ([], 0, 0, 0, 0, 0),
        (["c", "b", "a"], 1, 2 / 3, 4 / 5, 1, 1),
    ],
)
def test_tag_measures(ranked: list[str], precision: float, recall: float, f1: float, all_f1: float, r: float) -> None:
    assert metrics.precision_at(GOLD, ranked, 2) == pytest.approx(precision)
    assert metrics.recall_at(GOLD, ranked, 2) == pytest.approx(recall)
    assert metrics.f1_at(GOLD, ranked, 2) == pytest.approx(f1)
    assert metrics.f1_of_all(GOLD, ranked) == pytest.approx(all_f1)
    assert metrics.r_precision(GOLD, ranked) == pytest.approx(r)


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
    assert metrics.f1_at(gold, ranked, k) == pytest.approx(f1)


def test_micro_f1_counts_every_label_of_every_article() -> None:
    pairs = [({"a", "b"}, {"a"}), ({"a"}, {"a", "c"}), (set(), {"b"})]
    assert metrics.micro_f1(pairs) == pytest.approx(2 * 2 / (3 + 4))
    assert metrics.micro_f1([]) == 0


def test_ndcg_is_that_of_scikit_learn_and_of_the_hand() -> None:
    ranked = ["a", "x", "b", "y", "c"]
    ideal = 1 + 1 / math.log2(3) + 1 / 2
    assert metrics.ndcg_at(GOLD, ranked, 5) == pytest.approx((1 + 1 / 2 + 1 / math.log2(6)) / ideal)
    relevance = [[float(tag in GOLD) for tag in ranked]]
    for k in (1, 3, 5):
        assert metrics.ndcg_at(GOLD, ranked, k) == pytest.approx(ndcg_score(relevance, [[5, 4, 3, 2, 1]], k=k))


def test_calibration_error_is_the_weighted_distance_of_bins() -> None:
    confidence = np.array([0.95, 0.95, 0.55, 0.55])
    correct = np.array([True, False, True, True])
    assert metrics.calibration_error(confidence, correct, bins=10) == pytest.approx((0.45 + 0.45) / 2)
    assert metrics.calibration_error(np.array([1.0, 1.0]), np.array([True, True])) == 0
    generator = np.random.default_rng(0)
    sure = generator.random(20_000)
    assert metrics.calibration_error(sure, generator.random(20_000) < sure) < 0.02
    assert [b.count for b in metrics.reliability(confidence, correct, bins=10)] == [2, 2]


def test_coverage_goes_from_the_surest_to_all() -> None:
    curve = metrics.coverage_accuracy(np.array([0.2, 0.9, 0.5]), np.array([False, True, False]))
    np.testing.assert_allclose(curve, [[1 / 3, 1], [2 / 3, 1 / 2], [1, 1 / 3]])


def test_macro_f1_is_that_of_scikit_learn() -> None:
    generator = np.random.default_rng(1)
    gold, predicted = generator.integers(0, 4, 200), generator.integers(0, 4, 200)
    chosen = generator.integers(0, 200, 200)
    expected = f1_score(gold[chosen], predicted[chosen], labels=range(5), average="macro", zero_division=0)
    assert macro_f1_statistic(gold, predicted, 5)(chosen) == pytest.approx(expected)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(2)
    inside = 0
    for trial in range(200):
        scores = (generator.random(120) < 0.7).astype(float)
        low, high = mean_interval(scores, resamples=200, seed=trial)
        inside += low <= 0.7 <= high
    assert 0.89 <= inside / 200 <= 0.99


def test_the_interval_narrows_with_more_articles() -> None:
    generator = np.random.default_rng(3)
    widths = []
    for count in (50, 5000):
        scores = generator.random(count)
        low, high = interval(lambda chosen, scores=scores: float(scores[chosen].mean()), count, resamples=200)
        widths.append(high - low)
    assert widths[1] < widths[0] / 5


def test_a_difference_is_told_from_chance() -> None:
    generator = np.random.default_rng(4)
    one = generator.random(300)
    assert randomisation_test(one, one + generator.normal(0.1, 0.1, 300), rounds=1000) < 0.01
    assert randomisation_test(one, one, rounds=1000) == 1
    chances = [
        randomisation_test(generator.random(60), generator.random(60), rounds=200, seed=n) < 0.05 for n in range(100)
    ]
    assert sum(chances) <= 12


def test_a_ratio_is_tested_by_swapping_the_counts_of_articles() -> None:
    one = np.array([(2, 2), (2, 3), (2, 2), (0, 3), (4, 5)], float)
    other = np.array([(0, 2), (2, 4), (2, 3), (0, 2), (2, 5)], float)

    def distance(swaps: tuple[bool, ...]) -> float:
        sums = [np.where(np.array(swaps)[:, None], a, b).sum(0) for a, b in ((one, other), (other, one))]
        return float(abs(sums[0][0] / sums[0][1] - sums[1][0] / sums[1][1]))

    every = [distance(swaps) for swaps in itertools.product((False, True), repeat=5)]
    exact = sum(d >= every[0] - 1e-12 for d in every) / len(every)
    assert 0 < exact < 1
    assert ratio_randomisation_test(one, other) == pytest.approx(exact, abs=0.02)
    assert ratio_randomisation_test(one, one, rounds=1000) == 1


def test_the_test_of_a_ratio_is_that_of_the_mean_where_each_article_counts_as_one() -> None:
    generator = np.random.default_rng(5)
    one, other = generator.random(80), generator.random(80) + 0.05
    rows = [np.stack([scores, np.ones(80)], axis=1) for scores in (one, other)]
    assert ratio_randomisation_test(*rows) == pytest.approx(randomisation_test(one, other), abs=0.02)
