"""Regression trees evaluated without walking them, many rows at once.

Each leaf of a tree is a bit. A split that sends a row right rules out the leaves on its left, whether the row comes by
it or not; the leaf that the row falls into is the first that no split has ruled out (Lucchese et al., "QuickScorer: a
fast algorithm to rank documents with additive ensembles of regression trees", 2015). So all splits of all trees are
compared at once, with hardly a jump in memory.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAX_LEAVES = 64
"""Leaves of a tree: so many bits has a number."""


class Forest:
    """Trees in flat arrays, made ready for rows of features."""

    def __init__(
        self,
        roots: NDArray[np.int64],
        feature: NDArray[np.int64],
        threshold: NDArray[np.float64],
        left: NDArray[np.int64],
        right: NDArray[np.int64],
        value: NDArray[np.float64],
    ) -> None:
        """Node i sends a row left where its `feature[i]` is at most `threshold[i]`; a leaf, its own `left` and
        `right`, adds its `value`. Raises ValueError for a tree of more than MAX_LEAVES."""
        trees = [_Tree(int(root), left, right) for root in roots]
        bits = np.uint32 if max(len(tree.leaves) for tree in trees) <= 32 else np.uint64
        splits = max(max(len(tree.splits) for tree in trees), 1)
        self._trees = np.arange(len(trees))[:, None]
        self._values = np.zeros((len(trees), max(len(tree.leaves) for tree in trees)))
        # What is not there, where a tree has fewer splits than another, rules out nothing.
        nodes = np.zeros((splits, len(trees)), np.int64)
        self._ruled_out = np.zeros((splits, len(trees), 1), bits)
        for number, tree in enumerate(trees):
            self._values[number, : len(tree.leaves)] = value[tree.leaves]
            for place, (node, first, middle) in enumerate(tree.splits):
                nodes[place, number] = node
                self._ruled_out[place, number] = (1 << middle) - (1 << first)
        # Numbers instead of values: how many of a feature's thresholds lie below. They are small, and compare alike.
        self._feature = feature[nodes].ravel()
        at = threshold[nodes].ravel()
        self._thresholds = [np.unique(at[self._feature == f]) for f in range(int(feature.max()) + 1)]
        codes = [np.searchsorted(self._thresholds[f], t) for f, t in zip(self._feature, at, strict=True)]
        most = max(map(len, self._thresholds))
        self._codes = np.array(codes, np.uint8 if most < 256 else np.uint32)[:, None]

    def sums(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the leaves add up to for each of some rows of features [rows, features]."""
        codes = np.array([np.searchsorted(at, rows[:, f]) for f, at in enumerate(self._thresholds)], self._codes.dtype)
        goes_right = codes.take(self._feature, axis=0) > self._codes
        shape = (*self._ruled_out.shape[:2], len(rows))
        left = ~np.bitwise_or.reduce(goes_right.reshape(shape) * self._ruled_out, axis=0)
        first = left & (~left + left.dtype.type(1))
        leaf = np.frexp(first.astype(np.float64))[1] - 1
        return np.asarray(np.ascontiguousarray(self._values[self._trees, leaf].T).sum(axis=1))


class _Tree:
    """The leaves of a tree from left to right, and its splits: node, first leaf below, first leaf on the right."""

    def __init__(self, root: int, left: NDArray[np.int64], right: NDArray[np.int64]) -> None:
        self.leaves: list[int] = []
        self.splits: list[tuple[int, int, int]] = []
        self._add(root, 0, left, right)

    def _add(self, node: int, depth: int, left: NDArray[np.int64], right: NDArray[np.int64]) -> None:
        if max(depth, len(self.leaves)) == MAX_LEAVES:  # so deep a tree has more leaves than that
            raise ValueError(f"a tree of more than {MAX_LEAVES} leaves")
        if left[node] == node:
            self.leaves.append(node)
            return
        first = len(self.leaves)
        self._add(int(left[node]), depth + 1, left, right)
        self.splits.append((node, first, len(self.leaves)))
        self._add(int(right[node]), depth + 1, left, right)
