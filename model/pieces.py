"""The pieces of an article, counted: what the wide path and the memory know it by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

REACH = 512
"""Tokens of an article that are counted, from its beginning."""


def count(ids: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct pieces [pieces] of an article's token ids, in order, and how often each is there."""
    return np.unique(np.asarray(ids[:REACH], np.int64), return_counts=True)


def tf_idf(counts: NDArray[np.int64], idf: NDArray[np.float32]) -> NDArray[np.float32]:
    """The weights [pieces] of an article's pieces: sublinear in how often each is there, of length one together."""
    values = (1 + np.log(np.maximum(counts, 1))).astype(np.float32) * idf
    return np.asarray(values / max(float(np.sqrt((values * values).sum())), 1e-9), np.float32)
