"""Thresholds of tags: the highest of those that are nearly as good as the best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from wusum.model.tagging.candidates import Candidate, Candidates
from wusum.model.tagging.entry import Entry, Mentions
from wusum.train.data.corpora import Example
from wusum.train.tagging import tag_thresholds
from wusum.train.tagging.tag_thresholds import TOLERANCE, fit_tag_thresholds

TEXTS = ("روسيا", "موسكو", "لبنان", "بيروت", "باريس")
PLACES = [Mentions([(0, 0)]), Mentions([(1, 1)]), Mentions([(2, 2)]), Mentions([], True), Mentions()]
FOUND = [Candidate(Entry(text, text, 9, 9, 9, -1), place) for text, place in zip(TEXTS, PLACES, strict=True)]
"""Five candidates of every article: four stand in it, the last does not."""

Scores = list[list[float]]


class Ranker:
    """Has the same candidates for every article, with the given scores in turn."""

    def __init__(self, scores: Scores) -> None:
        self.trees: Any = type("Trees", (), {"features": ()})
        self._scores: Iterator[list[float]] = iter(scores)

    def document(self, *_: object) -> None:
        return None

    def candidates(self, _: object) -> Candidates:
        return Candidates(FOUND)

    def table(self, *_: object) -> None:
        return None

    def scores(self, _: object) -> Any:
        return np.array(next(self._scores))


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tag_thresholds, "network_outputs", lambda tagger, rows: rows)


def fit(scores: Scores, tags: Sequence[tuple[str, ...]] | None = None, small: int = 0) -> Any:
    """Fit thresholds on articles whose tags are, by default, the first three candidates; the last are of a corpus."""
    ranker: Any = Ranker(scores)
    tagger: Any = None
    given = tags or [TEXTS[:3]] * len(scores)
    corpora = ["plain"] * (len(given) - small) + ["small"] * small
    rows = [
        Example(str(n), corpus, "", "", None, its) for n, (corpus, its) in enumerate(zip(corpora, given, strict=True))
    ]
    return fit_tag_thresholds(tagger, ranker, rows, 0.6)


def test_of_equally_good_thresholds_the_highest_is_taken() -> None:
    """The fourth candidate has 0.4 in one article of thirty, so that 0.4 is nearly as good as 0.6."""
    thresholds = fit([[0.8, 0.7, 0.6, 0.4 if n == 0 else 0.01, 0.7] for n in range(30)])
    assert thresholds.present == 0.6
    assert thresholds.absent > 0.7  # the fifth is never a tag


@pytest.mark.parametrize(("high", "count", "threshold"), [(30, 30, 0.65), (29, 30, 0.6), (119, 120, 0.65)])
def test_a_threshold_that_costs_more_than_the_tolerance_is_not_as_good(high: int, count: int, threshold: float) -> None:
    """0.65 costs 0.2 of F1 in each article whose third tag has 0.6 only."""
    assert 0.2 / 120 < TOLERANCE < 0.2 / 30
    assert fit([[0.8, 0.7, 0.65 if n < high else 0.6, 0.01, 0.7] for n in range(count)]).present == threshold


def test_every_corpus_counts_the_same_whatever_its_size() -> None:
    """The third candidate is a tag in the large corpus and none in the small one; that costs either the same."""
    scores = [[0.8, 0.7, 0.5, 0.01, 0.2]] * 33
    assert fit(scores, [TEXTS[:3]] * 30 + [TEXTS[:2]] * 3).present == 0.5
    assert fit(scores, [TEXTS[:3]] * 30 + [TEXTS[:2]] * 3, small=3).present > 0.5


GRADES = [0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
"""Scores of the last tag of some articles, so that F1 falls or rises with the threshold from end to end."""


@pytest.mark.parametrize(
    ("right", "wrong", "threshold"),
    [
        ([*GRADES, 0.017], [], 0.01),
        ([*GRADES, 0.0017], [], 0.001),
        ([*GRADES, 0.0003], [], 0.02),
        ([0.997] * 5, [*GRADES, 0.992], 0.995),
        ([0.9992] * 5, [*GRADES, 0.9985], 0.999),
        ([0.985] * 5, [*GRADES, 0.975], 0.98),
    ],
)
def test_values_beyond_the_steps_are_tried_if_the_first_or_the_last_is_the_best(
    right: list[float], wrong: list[float], threshold: float
) -> None:
    """The third candidate is a tag in some articles only; nothing is given that does not stand in the article."""
    scores = [[1.0, 1.0, score, 0.0, 0.5] for score in (*right, *wrong)]
    assert fit(scores, [TEXTS[:3]] * len(right) + [TEXTS[:2]] * len(wrong)).present == threshold


@pytest.mark.parametrize(
    ("right", "wrong", "threshold"),
    [
        ([0.3, 0.3, 0.3], [0.25, 0.25, 0.25], 0.26),
        ([0.3, 0.3, 0.3], [0.25, 0.25], 0.001),  # three of five are enough
        ([0.3, 0.2], [0.25, 0.25, 0.25], 0.26),
        ([0.3, 0.3], [0.35, 0.35], 1.0),
        ([], [0.3, 0.3], 1.0),
        ([0.3, 0.004], [0.0015, 0.0015], 0.002),
        ([0.997], [0.992], 0.995),
    ],
)
def test_the_threshold_of_absent_tags_is_the_lowest_at_which_enough_of_them_are_right(
    right: list[float], wrong: list[float], threshold: float
) -> None:
    """The fifth candidate stands in no article."""
    scores = [[0.9, 0.8, 0.7, 0.0, score] for score in (*right, *wrong)]
    tags = [TEXTS] * len(right) + [TEXTS[:3]] * len(wrong)
    assert fit(scores, tags).absent == threshold
