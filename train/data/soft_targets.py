"""Targets of a student: the answers of its teachers, mixed with the labels that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import datasets
import numpy as np
from numpy.typing import NDArray

from wusum.model.network.spans import MARKS
from wusum.train.data.mentions import MARK_COLUMNS


@dataclass(frozen=True)
class SoftTargets:
    """The answers that a student is to give for each passage."""

    vectors: NDArray[np.float16]
    """Vectors [passages, size]."""
    topics: NDArray[np.float32]
    """Probability of each topic [passages, topics]."""
    marks: NDArray[np.float16]
    """Probabilities of the marks of each unit, one passage after the other [units, kinds, marks]."""
    starts: NDArray[np.int64]
    """Position of each passage's first unit, and the number of all units [passages + 1]."""

    def __len__(self) -> int:
        """Return the number of passages."""
        return len(self.topics)

    def save(self, path: Path) -> None:
        """Write the targets to an `.npz` file."""
        np.savez(path, vectors=self.vectors, topics=self.topics, marks=self.marks, starts=self.starts)

    @classmethod
    def load(cls, path: Path) -> SoftTargets:
        """Read the file that `save` wrote."""
        with np.load(path) as arrays:
            return cls(**arrays)

    def centred(self) -> SoftTargets:
        """Return the targets with vectors whose mean is zero."""
        mean = self.vectors.mean(axis=0, dtype=np.float32)
        return replace(self, vectors=(self.vectors - mean).astype(np.float16))

    def with_labels(self, rows: datasets.Dataset, topic_share: float, mark_share: float) -> SoftTargets:
        """Return the targets mixed with the topics and marks that are known for the passages, rows of `passage_rows`.

        They have the shares `topic_share` and `mark_share` of a target; the teachers keep the rest.
        """
        topics, unit_marks = self.topics.copy(), self.marks.copy()
        for row, known in enumerate(rows["topics"]):
            if known:
                topics[row] *= 1 - topic_share
                topics[row, known] += topic_share
        certain = np.eye(len(MARKS), dtype=np.float16) * np.float16(mark_share)
        for kind, name in enumerate(MARK_COLUMNS):
            for row, known in enumerate(rows[name]):
                if known:
                    own = unit_marks[self.starts[row] : self.starts[row + 1], kind]
                    own *= np.float16(1 - mark_share)
                    own += certain[known]
        return replace(self, topics=topics, marks=unit_marks)


def mean_of(outputs: Sequence[SoftTargets]) -> SoftTargets:
    """Return the mean of the answers of teachers for the same passages, with the vectors of the first."""
    topics = np.stack([found.topics for found in outputs]).mean(axis=0)
    marks = np.stack([found.marks for found in outputs]).mean(axis=0, dtype=np.float32)
    return SoftTargets(outputs[0].vectors, topics, marks.astype(np.float16), outputs[0].starts)


def joined(parts: Sequence[SoftTargets]) -> SoftTargets:
    """Return the targets of all passages of parts, in order."""
    counts = np.concatenate([np.diff(part.starts) for part in parts])
    vectors, topics, marks = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("vectors", "topics", "marks")
    )
    return SoftTargets(vectors, topics, marks, np.cumsum([0, *counts]))
