"""What a student is to answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest

from wusum.train.data.mentions import MARK_COLUMNS
from wusum.train.data.soft_targets import SoftTargets, joined, mean_of


def targets(seed: int, counts: list[int]) -> SoftTargets:
    generator = np.random.default_rng(seed)
    return SoftTargets(
        generator.normal(0, 1, (len(counts), 4)).astype(np.float16),
        generator.random((len(counts), 3), np.float32),
        generator.dirichlet([1, 1, 1], (sum(counts), 2)).astype(np.float16),
        np.cumsum([0, *counts]),
    )


def test_probabilities_of_teachers_are_averaged_and_vectors_are_the_first_ones() -> None:
    one, other = targets(1, [2, 3]), targets(2, [2, 3])
    found = mean_of([one, other])
    assert found.topics == pytest.approx((one.topics + other.topics) / 2)
    assert found.marks == pytest.approx((one.marks + other.marks) / 2, abs=1e-3)
    assert np.array_equal(found.vectors, one.vectors)
    assert np.array_equal(found.starts, one.starts)


def test_parts_are_joined_in_order() -> None:
    one, other = targets(1, [2, 3]), targets(2, [1])
    found = joined([one, other])
    assert found.starts.tolist() == [0, 2, 5, 6]
    for name in ("vectors", "topics", "marks"):
        assert np.array_equal(getattr(found, name), np.concatenate([getattr(one, name), getattr(other, name)]))


def test_targets_are_written_and_read(tmp_path: Path) -> None:
    given = targets(1, [3, 1, 4])
    given.save(tmp_path / "t.npz")
    again = SoftTargets.load(tmp_path / "t.npz")
    assert len(again) == 3
    assert all(np.array_equal(value, getattr(again, name)) for name, value in vars(given).items())


def test_centred_vectors_have_no_mean_and_keep_their_differences() -> None:
    given = targets(1, [3, 1, 4])
    centred = given.centred()
    assert centred.vectors.mean(axis=0).tolist() == pytest.approx([0] * 4, abs=1e-2)
    differences = [(t.vectors[0] - t.vectors[1]).astype(float).tolist() for t in (given, centred)]
    assert differences[0] == pytest.approx(differences[1], abs=1e-2)
    assert centred.topics is given.topics


def test_what_is_known_has_its_share_of_a_target() -> None:
    given = targets(1, [3, 1, 4])
    unknown: dict[str, Any] = {"topics": [[]] * 3, **{name: [[]] * 3 for name in MARK_COLUMNS}}
    rows = datasets.Dataset.from_dict(unknown | {"topics": [[1], [], []], "phrase_marks": [[], [1], []]})
    found = given.with_labels(rows, 0.75, 0.5)
    assert found.topics[0].tolist() == pytest.approx((given.topics[0] / 4 + [0, 0.75, 0]).tolist())
    assert np.array_equal(found.topics[1:], given.topics[1:])
    own = given.starts[1]
    assert found.marks[own, 0].tolist() == pytest.approx((given.marks[own, 0] / 2 + [0, 0.5, 0]).tolist(), abs=1e-3)
    found.marks[own, 0] = given.marks[own, 0]
    assert np.array_equal(found.marks, given.marks)
