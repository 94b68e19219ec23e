"""Fit the ranking of tags: gradient-boosted trees on the candidates of articles whose tags are known.

Two models as one. What the network says of an article helps only where it is as right as it will be in use: on articles
that it was not trained on, and they are few. So one model is fitted on those with all features, and another on all
tagged articles without the network's; the log odds of a candidate are a mean of both.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from wusum.model.blocks import CHUNK
from wusum.model.memory import Memory
from wusum.model.ranking import FEATURES, Ranking
from wusum.model.rarity import Rarity
from wusum.model.reading import Reading
from wusum.model.tagger import Tagger
from wusum.model.tags import FEW, TagRanker
from wusum.model.text import match_key
from wusum.model.vocabulary import Vocabulary
from wusum.train.corpora import Example
from wusum.train.vocabulary import build_vocabulary

log = logging.getLogger(__name__)

NETWORKS = ("head", "head_present", "unlabelled", "sure", "phrase", "name", "part_head")
"""Features that come of the network's heads."""

FOLDS = 4
"""Parts of the tagged articles; the candidates of one are told by the vocabulary and memory of the others."""


@dataclass(frozen=True, kw_only=True)
class Trees:
    """How the trees of each of the two models are grown."""

    trees: int = 150
    """With so many leaves at most, and so many candidates in a leaf at least."""
    tree_leaves: int = 25
    leaf_size: int = 50
    tree_rate: float = 0.08
    """Learning rate of the boosting."""
    tree_features: float = 0.3
    """Share of the features, drawn anew, that a split is looked for among."""
    plain_share: float = 0.35
    """Weight of the model without the network's features; 0 leaves it out."""


@dataclass
class Table:
    """The candidates of some articles."""

    features: list[NDArray[np.float64]] = field(default_factory=list)
    """For each article [candidates, features]."""
    given: list[bool] = field(default_factory=list)
    """Whether each candidate is one of the article's tags."""

    def add(self, ranker: TagRanker, rows: Sequence[Example], readings: Iterable[Reading]) -> None:
        """Add the candidates of some articles."""
        for row, reading in zip(rows, readings, strict=True):
            gold = set(map(match_key, row.phrases or ()))
            candidates, table = ranker.candidates(row.title, row.body, reading)
            self.features.append(table)
            self.given += [candidate.entry.key in gold for candidate in candidates]


def read(tagger: Tagger, rows: Sequence[Example]) -> Iterator[Reading]:
    """What the network makes of each row."""
    for start in range(0, len(rows), CHUNK):
        yield from tagger.read([row.article() for row in rows[start : start + CHUNK]])


def build_memory(ids: Sequence[Sequence[int]], rows: Sequence[Example], vocabulary: Vocabulary, pieces: int) -> Memory:
    """The memory of some tagged articles, by their token ids; tags that the vocabulary has not are forgotten."""
    found = [[vocabulary.index(key) for key in sorted(set(map(match_key, row.tags or ())))] for row in rows]
    return Memory.of(ids, [[tag for tag in tags if tag is not None] for tags in found], pieces)


def fit_ranking(
    trees: Trees,
    tagger: Tagger,
    tagged: Sequence[Example],
    fresh: Sequence[bool],
    phrased: Sequence[Example],
    labels: Sequence[str],
    rarity: Rarity,
) -> Ranking:
    """The ranking, of tagged articles, the network having been trained on those that are not `fresh`, and of others
    whose key phrases are known, on which it has not; `labels` are the tags of its head."""
    ids = tagger.ids([row.article() for row in tagged])

    def ranker_of(numbers: Sequence[int], labels: Sequence[str]) -> TagRanker:
        # The ranking must meet tags as it will in use: counted on other articles than those it is fitted on.
        rows = [tagged[n] for n in numbers]
        vocabulary = build_vocabulary(rows, labels)
        memory = build_memory([ids[n] for n in numbers], rows, vocabulary, tagger.pieces)
        return TagRanker(vocabulary, Ranking.none(), 0.0, 0.0, memory, rarity=rarity)

    whole = Table()
    seen = ranker_of([n for n, is_fresh in enumerate(fresh) if not is_fresh], labels)
    unseen = [row for row, is_fresh in zip(tagged, fresh, strict=True) if is_fresh]
    for rows in (unseen, phrased):
        whole.add(seen, rows, read(tagger, rows))
    ranking = grow(trees, whole, range(len(FEATURES)))
    if not trees.plain_share:
        return ranking

    plain = Table()
    fold = [zlib.crc32(row.id.encode()) % FOLDS for row in tagged]
    for part in range(FOLDS):
        inside = [n for n in range(len(tagged)) if fold[n] == part]
        ranker = ranker_of([n for n in range(len(tagged)) if fold[n] != part], ())
        plain.add(ranker, [tagged[n] for n in inside], (_unread(ids[n]) for n in inside))
    ranker = ranker_of(range(len(tagged)), ())
    plain.add(ranker, phrased, map(_unread, tagger.ids([row.article() for row in phrased])))
    if len(set(plain.given)) < 2:
        log.warning("no ranking without the network's features: the candidates are all tags, or none is")
        return ranking
    columns = [n for n, name in enumerate(FEATURES) if name not in NETWORKS]
    return mixed(ranking, grow(trees, plain, columns), trees.plain_share)


def _unread(ids: Sequence[int]) -> Reading:
    nothing = np.zeros(0, np.float32)
    return Reading(nothing, nothing, {}, ids)


def grow(trees: Trees, table: Table, columns: Sequence[int]) -> Ranking:
    """Trees that look at some of the features."""
    given = np.array(table.given)
    log.info("ranking fitted on %d candidates of %d articles, %d of them tags",
             len(given), len(table.features), given.sum())  # fmt: skip
    model = HistGradientBoostingClassifier(
        max_iter=trees.trees, learning_rate=trees.tree_rate, max_leaf_nodes=trees.tree_leaves,
        min_samples_leaf=trees.leaf_size, max_features=trees.tree_features, l2_regularization=1.0,
        early_stopping=False, random_state=0,
    )  # fmt: skip
    return flattened(model.fit(np.concatenate(table.features)[:, list(columns)], given), columns)


def flattened(model: HistGradientBoostingClassifier, columns: Sequence[int]) -> Ranking:
    """The trees of a fitted classifier of two classes that has been given some of the features. scikit-learn has no
    public way to them; a test compares."""
    trees = [predictor.nodes for (predictor,) in model._predictors]
    roots = np.cumsum([0, *map(len, trees[:-1])])
    nodes = np.concatenate(trees)
    shift = np.repeat(roots, list(map(len, trees)))
    leaf, own = nodes["is_leaf"].astype(bool), np.arange(len(nodes))
    left, right = (np.where(leaf, own, nodes[side].astype(np.int64) + shift) for side in ("left", "right"))
    value, count = np.where(leaf, nodes["value"], 0.0), nodes["count"].astype(float)
    for node in sorted(own[~leaf], key=lambda n: -int(nodes["depth"][n])):  # from the leaves up
        below = [left[node], right[node]]
        value[node] = np.average(value[below], weights=count[below])
    feature = np.where(leaf, 0, np.asarray(columns)[nodes["feature_idx"]]).astype(np.int64)
    threshold = np.where(leaf, 0.0, nodes["num_threshold"])
    return Ranking(float(model._baseline_prediction.ravel()[0]), roots, feature, threshold, left, right, value)


def mixed(one: Ranking, other: Ranking, share: float) -> Ranking:
    """One ranking whose log odds are a mean of two; `share` is the weight of the second."""
    shift = len(one.value)
    return Ranking(
        (1 - share) * one.baseline + share * other.baseline,
        np.concatenate([one.roots, other.roots + shift]),
        np.concatenate([one.feature, other.feature]),
        np.concatenate([one.threshold, other.threshold]),
        np.concatenate([one.left, other.left + shift]),
        np.concatenate([one.right, other.right + shift]),
        np.concatenate([(1 - share) * one.value, share * other.value]),
    )


def fit_tag_thresholds(
    tagger: Tagger, ranker: TagRanker, rows: Sequence[Example], absent_precision: float, most: int = 10
) -> dict[str, float]:
    """The least scores of given tags: absent ones reach `absent_precision`; then mean F1 of `most` tags is the best,
    repeats among them."""
    ranked = []
    for row, reading in zip(rows, read(tagger, rows), strict=True):
        candidates, features = ranker.candidates(row.title, row.body, reading)
        present = features[:, FEATURES.index("present")] == 1
        keys = [candidate.entry.key for candidate in candidates]
        tags = sorted(zip(keys, ranker.scores(features), present, strict=True), key=lambda tag: (-tag[1], tag[0]))
        ranked.append((set(map(match_key, row.tags or ())), tags[: 2 * most]))

    def precision(absent: float) -> float:
        hits = [key in gold for gold, tags in ranked for key, score, here in tags if not here and score >= absent]
        return sum(hits) / len(hits) if hits else 1.0

    def mean_f1(present: float, absent: float) -> float:
        total = 0.0
        for gold, tags in ranked:
            kept = [key for key, score, here in tags if score >= (present if here else absent)][:most]
            if len(kept) < FEW:
                spare = [key for key, score, here in tags if here and present / 2 <= score < present]
                kept = [*kept, *spare][:FEW]
            total += 2 * len(gold.intersection(kept)) / (len(gold) + len(kept))
        return total / len(ranked)

    steps = [round(float(t), 2) for t in np.arange(0.02, 1.0, 0.01)]
    absent = next((t for t in steps if precision(t) >= absent_precision), 1.0)
    present = max(steps, key=lambda t: mean_f1(t, absent))
    log.info("tags above %.2f, absent ones above %.2f: mean F1 %.4f", present, absent, mean_f1(present, absent))
    return {"threshold": present, "absent_threshold": absent}
