"""Regression trees evaluated for many rows at once without walking them.

Each leaf of a tree is a bit. A split that sends a row right rules out the leaves on its left, whether the row reaches
it or not; the row falls into the first leaf that no split has ruled out (Lucchese et al., "QuickScorer: a fast
algorithm to rank documents with additive ensembles of regression trees", 2015). The leaves that all splits on one
feature rule out together depend only on how many of their thresholds the row exceeds, so they are looked up, for all
trees at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_LEAVES = 64
"""Leaves of a tree: the bits of a number."""


class Forest:
    """Trees in flat arrays, prepared for tables of features."""

    def __init__(
        self,
        roots: NDArray[np.int64],
        feature: NDArray[np.int64],
        threshold: NDArray[np.float64],
        left: NDArray[np.int64],
        right: NDArray[np.int64],
        value: NDArray[np.float64],
    ) -> None:
        """Prepare trees whose node i sends a row left if its `feature[i]` is at most `threshold[i]`.

        A leaf, its own `left` and `right`, adds its `value`. Raises ValueError for a tree of more than MAX_LEAVES.
        """
        trees = [_Tree(int(root), left, right) for root in roots]
        most = max(len(tree.leaves) for tree in trees)
        bits = np.uint32 if most <= 32 else np.uint64
        values = np.zeros((len(trees), most))
        splits: dict[int, list[tuple[float, int, int]]] = {}  # of each feature: threshold, tree, leaves on its left
        for number, tree in enumerate(trees):
            values[number, : len(tree.leaves)] = value[tree.leaves]
            for node, first, middle in tree.splits:
                rules_out = (1 << middle) - (1 << first)
                splits.setdefault(int(feature[node]), []).append((float(threshold[node]), number, rules_out))
        self._lookups: list[tuple[int, NDArray[np.float64], NDArray[Any]]] = []
        for name, found in sorted(splits.items()):
            thresholds, place = np.unique([at for at, _, _ in found], return_inverse=True)
            ruled_out = np.zeros((len(thresholds) + 1, len(trees)), bits)
            for row, (_, number, leaves) in zip(place.tolist(), found, strict=True):
                ruled_out[row + 1, number] |= bits(leaves)
            self._lookups.append((name, thresholds, np.bitwise_or.accumulate(ruled_out)))
        self._nothing = np.zeros(len(trees), bits)
        self._values = values.ravel()
        # frexp counts bits from 1.
        self._places = (np.arange(len(trees)) * most - 1).astype(np.int32)

    def sums(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of the leaves [rows] that each row of a table [rows, features] falls into."""
        out = np.tile(self._nothing, (len(table), 1))
        for feature, thresholds, ruled_out in self._lookups:
            out |= ruled_out.take(np.searchsorted(thresholds, table[:, feature]), axis=0)
        first = ~out & (out + out.dtype.type(1))
        leaf = np.frexp(first.astype(np.float32))[1] + self._places
        return np.asarray(self._values.take(leaf).sum(axis=1))


class _Tree:
    """The leaves of a tree from left to right, and its splits: node, first leaf below, first leaf on the right."""

    def __init__(self, root: int, left: NDArray[np.int64], right: NDArray[np.int64]) -> None:
        self.leaves: list[int] = []
        self.splits: list[tuple[int, int, int]] = []
        self._add(root, 0, left, right)

    def _add(self, node: int, depth: int, left: NDArray[np.int64], right: NDArray[np.int64]) -> None:
        if max(depth, len(self.leaves)) == MAX_LEAVES:  # a tree this deep has more leaves than that
            raise ValueError(f"a tree of more than {MAX_LEAVES} leaves")
        if left[node] == node:
            self.leaves.append(node)
            return
        first = len(self.leaves)
        self._add(int(left[node]), depth + 1, left, right)
        self.splits.append((node, first, len(self.leaves)))
        self._add(int(right[node]), depth + 1, left, right)
