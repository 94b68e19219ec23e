"""Thresholds of tags: the highest of those that are nearly as good as the best."""

from __future__ import annotations

from collections.abc import Iterator
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


def articles(count: int) -> list[Example]:
    return [Example(str(n), "plain", "", "", None, TEXTS[:3]) for n in range(count)]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tag_thresholds, "network_outputs", lambda tagger, rows: rows)


def fit(scores: Scores) -> Any:
    """Fit thresholds on articles whose first three candidates are tags."""
    ranker: Any = Ranker(scores)
    tagger: Any = None
    return fit_tag_thresholds(tagger, ranker, articles(len(scores)), 0.6)


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
