"""A linear model of tags: weights of the article's words, and of pairs of neighbouring words, for each tag.

Ridge regression on TF-IDF, fitted by `wusum.train.tagging.linear`. Words are identified by a hash of their stem
(Weinberger et al., "Feature hashing", 2009).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from wusum.model.errors import ModelError
from wusum.model.tagging.candidates import Candidate, Candidates, Columns, Document, Feature
from wusum.model.tagging.entry import Mentions
from wusum.model.tagging.tf_idf import largest, postings, tf_idf
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.lexicon import Lexeme

MAX_WORDS = 400
"""Words of an article that are weighed, title first."""

MAX_SHARE = 0.3
"""A word or pair of more than this share of the training articles is left out."""

MAX_PROPOSALS = 12
"""Tags that the linear model proposes for an article."""

MIN_SCORE = 0.02
"""Least score of a tag that it proposes."""

_PAIR = np.uint32(2654435761)
"""Multiplier of the first word's hash in a pair; any large odd number would do."""

_TYPES = {
    "features": np.dtype(np.uint32), "idf": np.dtype(np.float32), "starts": np.dtype(np.int32),
    "tags": np.dtype(np.uint16), "weights": np.dtype(np.float16),
}  # fmt: skip
"""The arrays of `linear.safetensors`."""


class LinearTags:
    """Proposes the subjects of which a linear model is surest."""

    features = (Feature("linear", "score of the tag under the linear model of the article's words"),)

    def __init__(self, model: LinearTagModel, numbering: Vocabulary, vocabulary: Vocabulary) -> None:
        """Propose entries of `vocabulary`; the model numbers tags as the entries of `numbering`."""
        self.model, self.numbering, self.vocabulary = model, numbering, vocabulary
        subjects = {entry.key for entry in vocabulary.entries if entry.subject}
        self._subjects = np.array([entry.key in subjects for entry in numbering.entries], bool)

    def propose(self, document: Document) -> Iterable[Candidate]:
        """Return the entries with the highest scores, best first."""
        scores = document.memo(self, self._scores)
        likely = np.flatnonzero(self._subjects & (scores >= MIN_SCORE)) if len(scores) else np.zeros(0, np.int64)
        for tag in likely[largest(scores[likely], MAX_PROPOSALS)].tolist():
            if (number := self.vocabulary.index(self.numbering.entries[tag].key)) is not None:
                yield Candidate(self.vocabulary.entries[number], Mentions())

    def measure(self, document: Document, candidates: Candidates) -> Columns:
        """Return the score of each candidate, 0 for one that the model does not know."""
        scores = np.append(document.memo(self, self._scores), 0.0)
        return {"linear": scores[np.minimum(self.numbering.numbers(candidates.keys), len(scores) - 1)]}

    def _scores(self, document: Document) -> NDArray[np.float64]:
        return self.model.scores(word_features([*document.title.lexemes, *document.body.lexemes[:MAX_WORDS]]))


class LinearTagModel:
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
        """Take the hashes of features in ascending order and their inverse document frequencies [features].

        Feature f has the weights `weights[starts[f] : starts[f + 1]]` for the vocabulary's entries
        `tags[starts[f] : starts[f + 1]]`; the vocabulary has `entries` of them.
        """
        self.features, self.idf, self.starts, self.tags = features, idf, starts, tags
        self.weights = weights.astype(np.float32)
        self.entries = entries

    @classmethod
    def none(cls) -> LinearTagModel:
        """Return a model without weights."""
        nothing = np.zeros(0)
        return cls(
            nothing.astype(np.uint32), nothing.astype(np.float32), np.zeros(1, np.int32),
            nothing.astype(np.uint16), nothing.astype(np.float16), 0,
        )  # fmt: skip

    @classmethod
    def load(cls, path: Path, entries: int) -> LinearTagModel:
        """Read the file that `save` wrote; raises ModelError if it is damaged or has tags beyond `entries`."""
        try:
            parts = load_file(path)
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
            raise ModelError(f"{path}: damaged, or not of this model ({error}); install it again") from error
        return model

    def save(self, path: Path) -> None:
        """Write `linear.safetensors` of a model, the weights in half precision."""
        names = ("features", "idf", "starts", "tags")
        parts: dict[str, NDArray[Any]] = {name: np.ascontiguousarray(getattr(self, name)) for name in names}
        save_file({**parts, "weights": self.weights.astype(np.float16)}, path)

    def scores(self, found: NDArray[np.uint32]) -> NDArray[np.float64]:
        """Return the score [entries] of each entry for an article with these features: near 1 for a likely tag."""
        places, values = self.values(found)
        posted, sizes = postings(self.starts, places)
        products = self.weights[posted] * np.repeat(values, sizes)
        return np.asarray(np.bincount(self.tags[posted], products, self.entries), np.float64)

    def values(self, found: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the places of an article's known features, and their TF-IDF weights."""
        distinct, counts = np.unique(found, return_counts=True)
        places = np.searchsorted(self.features, distinct)
        known = places < len(self.features)
        known[known] = self.features[places[known]] == distinct[known]
        places = places[known]
        return places, tf_idf(counts[known], self.idf[places])


def word_features(words: Sequence[Lexeme]) -> NDArray[np.uint32]:
    """Return the hashes of an article's words, title first, and of its pairs of neighbouring words."""
    single = np.array([word.hash for word in words[:MAX_WORDS]], np.uint32)
    return np.concatenate([single, single[:-1] * _PAIR + single[1:]])
