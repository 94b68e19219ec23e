"""Thresholds of topics, fitted on articles labelled by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from wusum.model.errors import CorpusError
from wusum.train.data.corpora import LabelMap
from wusum.train.tagging.topic_thresholds import fit_topic_thresholds, read_hand_labels

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


@pytest.fixture
def label_map(corpora: Path) -> LabelMap:
    return LabelMap.load(corpora / "topics.yaml")


def write(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_articles_read_hand_labels_are_cut_to_what_was_read(corpora: Path, label_map: LabelMap, tmp_path: Path) -> None:
    row = {"corpus": "plain", "id": "plain-validation-2", "topics": ["health", "sport"]}
    rows, gold = read_hand_labels(write(tmp_path / "hand.jsonl", row), corpora, label_map, 5)
    assert [(e.id, len(e.body.split())) for e in rows] == [("plain-validation-2", 5)]
    assert [label_map.keys[i] for i in np.flatnonzero(gold[0])] == ["sport", "health"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"corpus": "plain", "id": "plain-test-2", "topics": []}, "plain-test-2 is not a validation article"),
        ({"corpus": "plain", "id": "plain-validation-2", "topics": ["love"]}, "plain-validation-2: no topic 'love'"),
        ({"corpus": "plain"}, "not a list of articles with their topics"),
    ],
)
def test_what_is_not_there_is_named(
    corpora: Path, label_map: LabelMap, tmp_path: Path, row: object, reason: str
) -> None:
    with pytest.raises(CorpusError, match=reason):
        read_hand_labels(write(tmp_path / "hand.jsonl", row), corpora, label_map, 5)
