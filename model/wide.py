"""The wide path: topic logits from the pieces of a whole article, beside the network, which reads its beginning.

A linear model over TF-IDF of pieces and of pairs of neighbouring pieces, added to a deep one (Cheng et al., "Wide and
deep learning for recommender systems", 2016); pairs are hashed (Weinberger et al., "Feature hashing", 2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from wusum.model.runtime import ModelError

FILE = "wide.safetensors"

REACH = 512
"""Tokens of an article that are counted, from its beginning."""

BUCKETS = 1 << 17
"""Of pairs of pieces."""


class WidePath:
    """Topic logits of an article from its token ids."""

    def __init__(self, weight: NDArray[np.float32], bias: NDArray[np.float32], idf: NDArray[np.float32]) -> None:
        """`weight` [features, topics] and `idf` [features] have a row for each piece, then one for each bucket."""
        self.weight, self.bias, self.idf = weight, bias, idf
        self.pieces = len(idf) - BUCKETS

    @classmethod
    def none(cls, pieces: int, topics: int) -> WidePath:
        """One that adds nothing."""
        features = pieces + BUCKETS
        return cls(
            np.zeros((features, topics), np.float32), np.zeros(topics, np.float32), np.ones(features, np.float32)
        )

    @classmethod
    def load(cls, folder: Path, pieces: int, topics: int) -> WidePath:
        """Read `wide.safetensors`; raises ModelError for one that is damaged or of other pieces or topics."""
        try:
            parts = {name: part.astype(np.float32) for name, part in load_file(folder / FILE).items()}
            shapes = {name: part.shape for name, part in parts.items()}
            features = pieces + BUCKETS
            if shapes != {"weight": (features, topics), "bias": (topics,), "idf": (features,)}:
                raise ValueError(f"tensors of shape {shapes}")
        except (OSError, ValueError, SafetensorError) as error:
            raise ModelError(f"{folder / FILE}: damaged, or not of this model ({error}); install it again") from error
        return cls(**parts)

    def save(self, folder: Path) -> None:
        """Write `wide.safetensors`, in half precision."""
        parts = {"weight": self.weight, "bias": self.bias, "idf": self.idf}
        save_file({name: np.ascontiguousarray(part, np.float16) for name, part in parts.items()}, folder / FILE)

    def __call__(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """Topic logits [topics] of an article's token ids, special ones left out; those beyond REACH do not count."""
        features, counts = count(ids, self.pieces)
        values = tf_idf(counts, self.idf[features])
        return np.asarray(values @ self.weight[features] + self.bias, np.float32)


def count(ids: Sequence[int], pieces: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The features of an article, in order, and how often each is there."""
    single = np.asarray(ids[:REACH], np.uint64)
    with np.errstate(over="ignore"):  # wrapping around is what a hash does
        pairs = (single[:-1] * np.uint64(1_000_003) + single[1:]) * np.uint64(0x9E3779B97F4A7C15)
    buckets = pieces + (pairs >> np.uint64(40)) % np.uint64(BUCKETS)
    features, counts = np.unique(np.concatenate([single, buckets]), return_counts=True)
    return features.astype(np.int64), counts


def tf_idf(counts: NDArray[np.int64], idf: NDArray[np.float32]) -> NDArray[np.float32]:
    """The values of an article's features: sublinear in how often each is there, of length one together."""
    values = (1 + np.log(np.maximum(counts, 1))).astype(np.float32) * idf
    return np.asarray(values / max(float(np.sqrt((values * values).sum())), 1e-9), np.float32)
