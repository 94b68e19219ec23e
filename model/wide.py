"""The wide path: topic logits from the pieces of a whole article, beside the network, which reads its beginning.

A linear model over TF-IDF of pieces, added to a deep one (Cheng et al., "Wide and deep learning for recommender
systems", 2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from wusum.model.pieces import count, tf_idf
from wusum.model.runtime import ModelError

FILE = "wide.safetensors"


class WidePath:
    """Topic logits of an article from its token ids."""

    def __init__(self, weight: NDArray[np.float32], bias: NDArray[np.float32], idf: NDArray[np.float32]) -> None:
        """`weight` [pieces, topics], `bias` [topics] and `idf` [pieces], the inverse document frequency."""
        self.weight, self.bias, self.idf = weight, bias, idf

    @classmethod
    def none(cls, pieces: int, topics: int) -> WidePath:
        """One that adds nothing."""
        return cls(np.zeros((pieces, topics), np.float32), np.zeros(topics, np.float32), np.ones(pieces, np.float32))

    @classmethod
    def load(cls, folder: Path, pieces: int, topics: int) -> WidePath:
        """Read `wide.safetensors`; raises ModelError for one that is damaged or of other pieces or topics."""
        try:
            parts = {name: part.astype(np.float32) for name, part in load_file(folder / FILE).items()}
            shapes = {name: part.shape for name, part in parts.items()}
            if shapes != {"weight": (pieces, topics), "bias": (topics,), "idf": (pieces,)}:
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
        found, counts = count(ids)
        return np.asarray(tf_idf(counts, self.idf[found]) @ self.weight[found] + self.bias, np.float32)
