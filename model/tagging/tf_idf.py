"""TF-IDF weights and the inverted lists that go with them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def tf_idf(counts: NDArray[np.int64], idf: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the weights [features] of a text: sublinear in the counts, scaled to unit length."""
    values = (1 + np.log(np.maximum(counts, 1))).astype(np.float32) * idf
    return np.asarray(values / max(float(np.sqrt((values * values).sum())), 1e-9), np.float32)


def postings(starts: NDArray[np.int32], features: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places of all postings of some features, one list after the other, and the length of each list.

    The postings of feature f are at `starts[f] : starts[f + 1]`.
    """
    sizes = (starts[features + 1] - starts[features]).astype(np.int64)
    return np.arange(sizes.sum()) + np.repeat(starts[features] - (np.cumsum(sizes) - sizes), sizes), sizes


def largest(values: NDArray[Any], most: int) -> NDArray[np.int64]:
    """Return the places [at most `most`] of the largest values, largest first; equal values in their order."""
    if len(values) > most:
        least = np.partition(values, -most)[-most]
        found = np.flatnonzero(values >= least)
    else:
        found = np.arange(len(values))
    return found[np.argsort(-values[found], kind="stable")][:most]
