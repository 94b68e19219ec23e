"""The wide path: what it counts, and what is fitted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wusum.model.pieces import REACH, count, tf_idf
from wusum.model.runtime import ModelError
from wusum.model.wide import WidePath
from wusum.train.wide import fit_wide

PIECES = 50


def test_pieces_are_counted() -> None:
    assert [part.tolist() for part in count([8, 7, 8])] == [[7, 8], [1, 2]]
    assert [part.tolist() for part in count([])] == [[], []]


def test_what_is_beyond_the_reach_does_not_count() -> None:
    long = [1] * REACH
    for one, other in zip(count([*long, 2, 3]), count(long), strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_have_length_one() -> None:
    values = tf_idf(np.array([1, 4, 9]), np.array([1.0, 2.0, 0.5], np.float32))
    assert np.square(values).sum() == pytest.approx(1.0)
    assert values[1] / values[0] == pytest.approx(2 * (1 + np.log(4)))


def articles(generator: np.random.Generator) -> tuple[list[list[int]], list[int]]:
    """Of three topics, each with five pieces of its own among ten that all have."""
    topics = generator.integers(0, 3, 300).tolist()
    rows = [
        [*generator.integers(0, 10, 20).tolist(), *(10 + 5 * topic + generator.integers(0, 5, 3)).tolist()]
        for topic in topics
    ]
    return rows, topics


def test_topics_are_learned_from_sets() -> None:
    """Every label leaves two topics open; what is common to those of a piece is its topic."""
    generator = np.random.default_rng(3)
    rows, topics = articles(generator)
    sets = [[topic, (topic + 1 + int(generator.integers(0, 2))) % 3] for topic in topics]
    wide = fit_wide(rows, sets, [1.0] * len(rows), PIECES, 3, share=1.0, decay=1e-4, rounds=50)
    fresh, truth = articles(np.random.default_rng(4))
    right = [int(wide(row).argmax()) == topic for row, topic in zip(fresh, truth, strict=True)]
    assert np.mean(right) > 0.95
    half = fit_wide(rows, sets, [1.0] * len(rows), PIECES, 3, share=0.5, decay=1e-4, rounds=50)
    np.testing.assert_allclose(half(fresh[0]), wide(fresh[0]) / 2, rtol=1e-4, atol=1e-5)


def test_weights_make_articles_count() -> None:
    wide = fit_wide([[1], [1]], [[0], [1]], [3.0, 1.0], PIECES, 2, share=1.0, decay=1e-6, rounds=50)
    chances = np.exp(wide([1]))
    assert chances[0] / chances.sum() == pytest.approx(0.75, abs=0.01)


def test_a_saved_path_is_the_path_in_half_precision(tmp_path: Path) -> None:
    rows, topics = articles(np.random.default_rng(5))
    wide = fit_wide(rows, [[t] for t in topics], [1.0] * len(rows), PIECES, 3, share=1.0, decay=1e-4, rounds=20)
    wide.save(tmp_path)
    np.testing.assert_allclose(WidePath.load(tmp_path, PIECES, 3)(rows[0]), wide(rows[0]), rtol=1e-2, atol=1e-2)
    with pytest.raises(ModelError, match=r"wide\.safetensors"):
        WidePath.load(tmp_path, PIECES + 1, 3)
    assert not WidePath.none(PIECES, 3)(rows[0]).any()
