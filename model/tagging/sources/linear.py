"""A linear model of tags: what each word of an article, and each two that follow one another, say for and against each.

Ridge regression on TF-IDF (`train/linear.py` fits it): an article's words are weighed together, where the memory weighs
whole articles. Words are known by a hash of their stem (Weinberger et al., "Feature hashing", 2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from wusum.model.errors import ModelError
from wusum.model.tagging.sources.neighbours import postings, tf_idf
from wusum.model.text.lexicon import Lexeme

FILE = "linear.safetensors"

REACH = 400
"""Words of an article that are weighed, title first."""

COMMON = 0.3
"""A word or pair of more than this share of the articles tells nothing."""

_PAIR = np.uint32(2654435761)
"""What the first word of a pair is multiplied with; any large odd number would do."""

_TYPES = {
    "features": np.dtype(np.uint32), "idf": np.dtype(np.float32), "starts": np.dtype(np.int32),
    "tags": np.dtype(np.uint16), "weights": np.dtype(np.float16),
}  # fmt: skip
"""What `linear.safetensors` is made of."""


class LinearTags:
    """Weights of words and pairs for the tags of a vocabulary."""

    def __init__(
        self,
        features: NDArray[np.uint32],
        idf: NDArray[np.float32],
        starts: NDArray[np.int32],
        tags: NDArray[np.uint16],
        weights: NDArray[np.float16],
        entries: int,
    ) -> None:
        """`features` are hashes in ascending order, of inverse document frequency `idf`; feature f says
        `weights[starts[f] : starts[f + 1]]` of the vocabulary's entries `tags[starts[f] : starts[f + 1]]`."""
        self.features, self.idf, self.starts, self.tags = features, idf, starts, tags
        self.weights = weights.astype(np.float32)
        self.entries = entries

    @classmethod
    def none(cls) -> LinearTags:
        """One that says nothing of a vocabulary without entries."""
        nothing = np.zeros(0)
        return cls(
            nothing.astype(np.uint32), nothing.astype(np.float32), np.zeros(1, np.int32),
            nothing.astype(np.uint16), nothing.astype(np.float16), 0,
        )  # fmt: skip

    @classmethod
    def load(cls, folder: Path, entries: int) -> LinearTags:
        """Read `linear.safetensors`; raises ModelError for one that is damaged or has tags beyond those entries."""
        try:
            parts = load_file(folder / FILE)
            model = cls(**parts, entries=entries)
            sizes = np.diff(model.starts)
            if (
                {name: part.dtype for name, part in parts.items()} != _TYPES
                or any(part.ndim != 1 for part in parts.values())
                or not (np.isfinite(model.weights).all() and np.isfinite(model.idf).all())
                or len(model.features) != len(model.idf)
                or len(model.features) != len(sizes)
                or model.starts[0] != 0
                or (sizes < 0).any()
                or (np.diff(model.features.astype(np.int64)) <= 0).any()
                or not model.starts[-1] == len(model.tags) == len(model.weights)
                or model.tags.max(initial=0) >= max(entries, 1)
            ):
                raise ValueError("its parts do not fit together")
        except (OSError, ValueError, TypeError, IndexError, SafetensorError) as error:
            raise ModelError(f"{folder / FILE}: damaged, or not of this model ({error}); install it again") from error
        return model

    def save(self, folder: Path) -> None:
        """Write `linear.safetensors`, the weights in half precision."""
        names = ("features", "idf", "starts", "tags")
        parts: dict[str, NDArray[Any]] = {name: np.ascontiguousarray(getattr(self, name)) for name in names}
        save_file({**parts, "weights": self.weights.astype(np.float16)}, folder / FILE)

    def scores(self, found: NDArray[np.uint32]) -> NDArray[np.float64]:
        """What an article of these features says for each entry of the vocabulary: about 1 for a tag it has, 0 else."""
        places, values = self.values(found)
        posted, sizes = postings(self.starts, places)
        products = self.weights[posted] * np.repeat(values, sizes)
        return np.asarray(np.bincount(self.tags[posted], products, self.entries), np.float64)

    def values(self, found: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The places of those features of an article that are known, and what they count there: TF-IDF, as for the
        memory."""
        distinct, counts = np.unique(found, return_counts=True)
        places = np.searchsorted(self.features, distinct)
        known = places < len(self.features)
        known[known] = self.features[places[known]] == distinct[known]
        places = places[known]
        return places, tf_idf(counts[known], self.idf[places])


def features(words: Sequence[Lexeme]) -> NDArray[np.uint32]:
    """The hashes of the stems of an article's words, title first, and of all neighbours among them, up to its REACH."""
    single = np.array([word.hash for word in words[:REACH]], np.uint32)
    return np.concatenate([single, single[:-1] * _PAIR + single[1:]])
