"""The ranking of tags: gradient-boosted trees over a few features.

What a feature adds to a score is what the splits on it add on the way down the trees (Saabas, "Interpreting random
forests", 2014): the parts and the baseline sum up to the log odds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wusum.model.errors import ModelError
from wusum.model.tagging.forest import Forest

FEATURES = (
    "present",  # it stands in the body or the title
    "prior",  # log odds that editors give it to an article in which it stands
    "frequency",  # log of how often it stands there
    "position",  # log of how many words before its first mention
    "title",  # it stands in the title
    "head",  # log probability under the tag head
    "head_present",  # the same, where it stands in the article
    "unlabelled",  # too rare for the head
    "popularity",  # log of how many training articles have it
    "length",  # words
    "single_word",
    "once",  # given to one training article only
    "phrase",  # log odds that the span head takes it for a key phrase
    "name",  # the same for a name
    "new",  # no editor of the training data has given it
    "neighbours",  # log of the share that it has of what similar articles were given
    "nearest",  # how similar the most similar of those that were given it is
    "words",  # how sure the linear model of its words is of it
    "familiar",  # how similar the most similar of all is
    "sure",  # log probability of the tag head's first tag
    "size",  # log of the characters of the body
    "rarity",  # how rare its words are, on average
    "commonest",  # how rare the least rare of them is
    "keyness",  # log of its TF-IDF here
    "key_rank",  # its place by that among the candidates
    "parts",  # candidates that are a part of it
    "wholes",  # candidates here that have it as a part
    "whole_share",  # how often the most frequent of these stands here, for each time that it does
    "part_head",  # log probability under the tag head of the likeliest of its parts
)


class Ranking:
    """Trees in flat arrays: node i sends a candidate left where its `feature` is at most `threshold`."""

    def __init__(
        self,
        baseline: float,
        roots: NDArray[np.int64],
        feature: NDArray[np.int64],
        threshold: NDArray[np.float64],
        left: NDArray[np.int64],
        right: NDArray[np.int64],
        value: NDArray[np.float64],
    ) -> None:
        """`value` of a leaf is what it adds to the log odds, of another node the mean of the leaves below, by how many
        training candidates came there. A leaf is its own `left` and `right`. Raises ValueError for a tree of more than
        `forest.MAX_LEAVES`."""
        self.baseline, self.roots = baseline, roots
        self.feature, self.threshold = feature, threshold
        self.left, self.right, self.value = left, right, value
        self._forest = Forest(roots, feature, threshold, left, right, value)

    @classmethod
    def none(cls) -> Ranking:
        """One that has not been fitted: even odds for every tag."""
        whole = np.zeros(1, np.int64)
        return cls(0.0, whole, whole, np.zeros(1), whole, whole, np.zeros(1))

    @classmethod
    def load(cls, path: Path) -> Ranking:
        """Read `ranking.json`; raises ModelError for one that is damaged or of other features."""
        try:
            data: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if tuple(data["features"]) != FEATURES:
                raise ValueError("made for other features")
            whole = (np.array(data[name], np.int64) for name in ("roots", "feature", "left", "right"))
            roots, feature, left, right = whole
            threshold, value = (np.array(data[name], np.float64) for name in ("threshold", "value"))
            sizes = {len(part) for part in (feature, threshold, left, right, value)}
            inside = all(((part >= 0) & (part < len(feature))).all() for part in (left, right, roots))
            here = np.arange(len(feature))
            onward = (left == right) & (left == here) | (left > here) & (right > here)  # a leaf, or further on
            if (
                len(sizes) != 1
                or not inside
                or not onward.all()
                or not ((feature >= 0) & (feature < len(FEATURES))).all()
            ):
                raise ValueError("its trees lead nowhere")
            return cls(float(data["baseline"]), roots, feature, threshold, left, right, value)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{path}: no ranking of tags ({error}); install the model again") from error

    def save(self, path: Path) -> None:
        """Write `ranking.json`."""
        arrays = {name: getattr(self, name).tolist() for name in ("roots", "feature", "left", "right")}
        arrays |= {name: np.round(getattr(self, name), 6).tolist() for name in ("threshold", "value")}
        data = {"features": FEATURES, "baseline": round(self.baseline, 6)} | arrays
        path.write_text(json.dumps(data) + "\n", encoding="utf-8")

    def log_odds(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """The log odds [candidates] that an editor gives each, from its features [candidates, features]."""
        return np.asarray(self.baseline + self._forest.sums(features))

    def parts(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each feature adds [candidates, features] to the log odds, beside the same for all, `start`."""
        made = np.zeros_like(features)
        paths = list(self._paths(features))
        for here, there in pairwise(paths):
            steps = self.value[there] - self.value[here]
            for candidate in range(len(features)):
                np.add.at(made[candidate], self.feature[here[candidate]], steps[candidate])
        return made

    @property
    def start(self) -> float:
        """The log odds before anything is known of a candidate."""
        return float(self.baseline + self.value[self.roots].sum())

    def _paths(self, features: NDArray[np.float64]) -> Any:
        """The nodes [candidates, trees] that are come by, level by level, down to the leaves."""
        rows = np.arange(len(features))[:, None]
        nodes = np.broadcast_to(self.roots, (len(features), len(self.roots)))
        yield nodes
        while True:
            goes_left = features[rows, self.feature[nodes]] <= self.threshold[nodes]
            below = np.where(goes_left, self.left[nodes], self.right[nodes])
            if (below == nodes).all():
                return
            nodes = below
            yield nodes
