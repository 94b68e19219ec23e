"""Gradient-boosted trees over named features, as read from `ranking.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wusum.model.errors import ModelError
from wusum.model.tagging.forest import Forest


class BoostedTrees:
    """Trees in flat arrays: node i sends a row left if its `feature` is at most `threshold`."""

    def __init__(
        self,
        features: Sequence[str],
        baseline: float,
        roots: NDArray[np.int64],
        feature: NDArray[np.int64],
        threshold: NDArray[np.float64],
        left: NDArray[np.int64],
        right: NDArray[np.int64],
        value: NDArray[np.float64],
    ) -> None:
        """Take the names of the features, which `feature` numbers, and the trees.

        `value` of a leaf is what it adds to the log odds; of another node, the mean of the leaves below it, weighted by
        the training rows that came there. A leaf is its own `left` and `right`. Raises ValueError for a tree of more
        than `forest.MAX_LEAVES`.
        """
        self.features = tuple(features)
        self.baseline, self.roots = baseline, roots
        self.feature, self.threshold = feature, threshold
        self.left, self.right, self.value = left, right, value
        self._forest = Forest(roots, feature, threshold, left, right, value)

    @classmethod
    def unfitted(cls) -> BoostedTrees:
        """Return trees that look at no feature and give every row even odds."""
        whole = np.zeros(1, np.int64)
        return cls((), 0.0, whole, whole, np.zeros(1), whole, whole, np.zeros(1))

    @classmethod
    def load(cls, path: Path) -> BoostedTrees:
        """Read `ranking.json`; raises ModelError if it is damaged."""
        try:
            data: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            features = [str(name) for name in data["features"]]
            whole = (np.array(data[name], np.int64) for name in ("roots", "feature", "left", "right"))
            roots, feature, left, right = whole
            threshold, value = (np.array(data[name], np.float64) for name in ("threshold", "value"))
            sizes = {len(part) for part in (feature, threshold, left, right, value)}
            inside = all(((part >= 0) & (part < len(feature))).all() for part in (left, right, roots))
            here = np.arange(len(feature))
            onward = (left == right) & (left == here) | (left > here) & (right > here)  # a leaf, or further on
            numbered = (feature >= 0) & (feature < max(len(features), 1))
            if len(sizes) != 1 or not inside or not onward.all() or not numbered.all():
                raise ValueError("its trees lead nowhere")
            return cls(features, float(data["baseline"]), roots, feature, threshold, left, right, value)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{path}: no ranking of tags ({error}); install the model again") from error

    def save(self, path: Path) -> None:
        """Write `ranking.json`."""
        arrays = {name: getattr(self, name).tolist() for name in ("roots", "feature", "left", "right")}
        arrays |= {name: np.round(getattr(self, name), 6).tolist() for name in ("threshold", "value")}
        data = {"features": self.features, "baseline": round(self.baseline, 6)} | arrays
        path.write_text(json.dumps(data) + "\n", encoding="utf-8")

    def log_odds(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log odds [rows] of a table of features [rows, features]."""
        return np.asarray(self.baseline + self._forest.sums(table))

    def contributions(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what each feature adds to the log odds [rows, features].

        A split adds the difference of the means of its node and the node below (Saabas, "Interpreting random forests",
        2014); the contributions and `bias` sum up to the log odds.
        """
        made = np.zeros_like(table)
        if not self.features:
            return made
        for here, there in pairwise(self._paths(table)):
            steps = self.value[there] - self.value[here]
            for row in range(len(table)):
                np.add.at(made[row], self.feature[here[row]], steps[row])
        return made

    @property
    def bias(self) -> float:
        """The log odds before any feature is known."""
        return float(self.baseline + self.value[self.roots].sum())

    def _paths(self, table: NDArray[np.float64]) -> Any:
        """Yield the nodes [rows, trees] on the way down, level by level, until all are leaves."""
        rows = np.arange(len(table))[:, None]
        nodes = np.broadcast_to(self.roots, (len(table), len(self.roots)))
        yield nodes
        while True:
            goes_left = table[rows, self.feature[nodes]] <= self.threshold[nodes]
            below = np.where(goes_left, self.left[nodes], self.right[nodes])
            if (below == nodes).all():
                return
            nodes = below
            yield nodes
