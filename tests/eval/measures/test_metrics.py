"""Measures, on cases computed by hand, and against scikit-learn."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import f1_score, ndcg_score

from wusum.eval.measures import metrics
from wusum.eval.measures.statistics import (
    holm,
    interval,
    macro_f1_statistic,
    mean_interval,
    randomisation_test,
    ratio_randomisation_test,
    ratio_statistic,
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


@pytest.mark.parametrize(
    ("confidence", "correct", "error"),
    [
        ((0.06, 0.07), (True, False), (0.94 + 0.07) / 2),  # the first of 15 bins ends at 0.0667
        ((0.01, 0.064), (True, False), abs(0.037 - 0.5)),  # both are in it
        ((0.07, 0.13), (True, False), abs(0.1 - 0.5)),  # both are in the second
        ((0.95, 1.0), (True, False), abs(0.975 - 0.5)),  # 1 is in the last
        ((0.93, 1.0), (True, False), (0.07 + 1.0) / 2),
        ((0.0, 0.05), (True, False), abs(0.025 - 0.5)),
        ((0.9, 0.9, 0.2), (True, True, True), (2 * 0.1 + 0.8) / 3),
    ],
)
def test_the_calibration_error_has_fifteen_bins_of_equal_width(
    confidence: tuple[float, ...], correct: tuple[bool, ...], error: float
) -> None:
    answers = np.array(confidence), np.array(correct)
    assert metrics.calibration_error(*answers) == pytest.approx(error)
    weighted = sum(b.count * abs(b.confidence - b.accuracy) for b in metrics.reliability(*answers))
    assert weighted / len(correct) == pytest.approx(error)


def test_a_bin_has_the_mean_confidence_and_the_accuracy_of_its_answers() -> None:
    confidence, correct = np.array([0.9, 0.2, 0.92, 0.25]), np.array([True, False, False, True])
    low, high = metrics.reliability(confidence, correct, bins=2)
    assert (low.count, low.confidence, low.accuracy) == (2, pytest.approx(0.225), 0.5)
    assert (high.count, high.confidence, high.accuracy) == (2, pytest.approx(0.91), 0.5)


def test_by_chance_a_calibrated_system_is_as_far_off_as_draws_of_its_confidence() -> None:
    one = metrics.chance_calibration_error(np.full(200, 0.8))
    off = np.abs(np.arange(201) / 200 - 0.8)
    order = np.argsort(off)
    exact = off[order][np.searchsorted(np.cumsum(binom.pmf(np.arange(201), 200, 0.8)[order]), 0.95)]
    assert one == pytest.approx(exact, abs=0.006)
    # The errors of bins add up, so they are larger than that of a single bin.
    spread = np.linspace(0.3, 0.99, 200)
    assert metrics.chance_calibration_error(spread) > 1.5 * metrics.chance_calibration_error(spread, bins=1)
    assert metrics.chance_calibration_error(spread, level=0.5) < metrics.chance_calibration_error(spread)
    generator = np.random.default_rng(6)
    draws = [metrics.calibration_error(spread, generator.random(200) < spread) for _ in range(400)]
    assert 0.01 < np.mean(draws > np.float64(metrics.chance_calibration_error(spread))) < 0.1
    assert metrics.chance_calibration_error(np.ones(50)) == 0
    explicit = metrics.chance_calibration_error(spread, bins=15, level=0.95, resamples=1000, seed=13)
    assert metrics.chance_calibration_error(spread) == explicit


def test_coverage_goes_from_the_surest_to_all() -> None:
    curve = metrics.coverage_accuracy(np.array([0.2, 0.9, 0.5]), np.array([False, True, False]))
    np.testing.assert_allclose(curve, [[1 / 3, 1], [2 / 3, 1 / 2], [1, 1 / 3]])
    correct = np.arange(100) % 3 == 0
    equal = metrics.coverage_accuracy(np.repeat([0.5, 0.9], 50), correct)
    np.testing.assert_allclose(equal[:50, 1], np.cumsum(correct[50:]) / np.arange(1, 51))  # ties as they come


def test_macro_f1_is_that_of_scikit_learn_over_the_classes_that_are_gold() -> None:
    generator = np.random.default_rng(1)
    gold, predicted = np.minimum(generator.integers(0, 9, 60), 4), generator.integers(0, 6, 60)
    statistic = macro_f1_statistic(*(column[:, None] == np.arange(6) for column in (gold, predicted)))
    sizes = set()
    for _ in range(50):
        chosen = generator.integers(0, 60, 12)
        present = sorted(set(gold[chosen]))
        sizes.add(len(present))
        expected = f1_score(gold[chosen], predicted[chosen], labels=present, average="macro", zero_division=0)
        assert statistic(chosen) == pytest.approx(expected)
    assert min(sizes) < 5  # classes that a resample lacks do not count as ones with an F1 of 0
    several = generator.random((2, 30, 4)) < 0.4
    expected = f1_score(*several, average="macro", zero_division=0)
    assert macro_f1_statistic(*several)(np.arange(30)) == pytest.approx(expected)
    assert macro_f1_statistic(np.zeros((2, 3), bool), np.ones((2, 3), bool))(np.arange(2)) == 0


def test_a_ratio_is_that_of_sums() -> None:
    share = ratio_statistic(np.array([(1, 2), (0, 3), (0, 0)], float))
    assert share(np.arange(3)) == pytest.approx(1 / 5)
    assert share(np.array([0, 0, 1])) == pytest.approx(2 / 7)
    assert share(np.array([2, 2])) == 0


@pytest.mark.parametrize(
    ("p_values", "corrected"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.03, 0.02, 0.02], [0.06, 0.06, 0.06]),  # never below one before it
        ([0.6, 0.4, 0.9], [1, 1, 1]),
        ([0.2], [0.2]),
        ([], []),
    ],
)
def test_p_values_are_corrected_for_their_number(p_values: list[float], corrected: list[float]) -> None:
    assert holm(p_values) == pytest.approx(corrected)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(2)
    inside = 0
    for trial in range(200):
        scores = (generator.random(120) < 0.7).astype(float)
        low, high = mean_interval(scores, resamples=200, seed=trial)
        inside += low <= 0.7 <= high
    assert 0.89 <= inside / 200 <= 0.99


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution_for_many_articles() -> None:
    scores = np.random.default_rng(7).normal(2, 1, 2000)
    for level, width in ((0.95, 1.96), (0.8, 1.2816)):
        low, high = mean_interval(scores, level=level)
        error = scores.std() / np.sqrt(2000)
        assert (scores.mean() - low) / error == pytest.approx(width, rel=0.12)
        assert (high - scores.mean()) / error == pytest.approx(width, rel=0.12)


def test_intervals_and_tests_are_of_the_documented_size_and_always_the_same() -> None:
    scores = np.random.default_rng(8).random(40)
    statistic = lambda chosen: float(scores[chosen].mean())  # noqa: E731
    assert interval(statistic, 40) == interval(statistic, 40, resamples=1000, level=0.95, seed=13)
    assert mean_interval(scores) == interval(statistic, 40)
    other = {"resamples": 100, "level": 0.5, "seed": 1}
    assert mean_interval(scores, **other) == interval(statistic, 40, **other)  # type: ignore[arg-type]
    assert interval(statistic, 40, seed=1) != interval(statistic, 40)
    rows = np.stack([scores, np.ones(40)], axis=1)
    changed, changed_rows = scores**1.1, np.stack([scores**1.1, np.ones(40)], axis=1)
    assert randomisation_test(scores, changed) == randomisation_test(scores, changed, rounds=10_000, seed=13)
    assert ratio_randomisation_test(rows, changed_rows) == ratio_randomisation_test(
        rows, changed_rows, rounds=10_000, seed=13
    )
    for rounds in (1, 700):  # no p-value is above 1, or of more rounds than were asked for
        assert randomisation_test(scores, scores, rounds=rounds) == 1
        assert ratio_randomisation_test(rows, rows, rounds=rounds) == 1
    assert randomisation_test(np.ones(99), np.zeros(99), rounds=700) == 1 / 701
    assert ratio_randomisation_test(rows, rows * [0, 1], rounds=700) == 1 / 701
    assert ratio_randomisation_test(rows / 1000, changed_rows / 1000) == ratio_randomisation_test(rows, changed_rows)


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
