"""Learn from tagged articles: vocabulary, memory, linear model, and a ranking, gradient-boosted trees on candidates.

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

from wusum.model.network.outputs import NetworkOutput
from wusum.model.stream import CHUNK_ARTICLES
from wusum.model.tagger import Tagger
from wusum.model.tagging.ranker import TagRanker
from wusum.model.tagging.selection import MIN_TAGS
from wusum.model.tagging.sources.neighbours import Memory
from wusum.model.tagging.trees import FEATURES, BoostedTrees
from wusum.model.text.word_statistics import WordStatistics
from wusum.model.text.words import match_key
from wusum.train.data.corpora import Example
from wusum.train.tagging.linear import article_features, fit_linear
from wusum.train.tagging.vocabulary import build_vocabulary

log = logging.getLogger(__name__)

NETWORKS = ("head", "head_present", "unlabelled", "sure", "phrase", "name", "part_head")
"""Features that come of the network's heads."""

EVEN = 0.003
"""Mean F1 on validation articles that is given for the higher threshold: elsewhere more of the tags are wrong."""

FOLDS = 4
"""Parts of the tagged articles; the candidates of one are told by what the others teach."""


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

    def add(self, ranker: TagRanker, rows: Sequence[Example], readings: Iterable[NetworkOutput]) -> None:
        """Add the candidates of some articles."""
        for row, reading in zip(rows, readings, strict=True):
            gold = set(map(match_key, row.phrases or ()))
            candidates, table = ranker.candidates(row.title, row.body, reading)
            self.features.append(table)
            self.given += [candidate.entry.key in gold for candidate in candidates]


def read(tagger: Tagger, rows: Sequence[Example]) -> Iterator[NetworkOutput]:
    """What the network makes of each row."""
    for start in range(0, len(rows), CHUNK_ARTICLES):
        yield from tagger.read([row.article() for row in rows[start : start + CHUNK_ARTICLES]])


class Lessons:
    """Tagged articles, and what rankers learn of some of them before they are ranked."""

    def __init__(self, tagger: Tagger, tagged: Sequence[Example], rarity: WordStatistics) -> None:
        self.rows, self.rarity, self.pieces = tagged, rarity, tagger.pieces
        self.ids = tagger.ids([row.article() for row in tagged])
        self._features = list(map(article_features, tagged))

    def ranker(self, numbers: Sequence[int], labels: Sequence[str]) -> TagRanker:
        """One with the vocabulary, memory and linear model of the articles with these numbers."""
        rows = [self.rows[n] for n in numbers]
        vocabulary = build_vocabulary(rows, labels)
        keys = (sorted(set(map(match_key, row.tags or ()))) for row in rows)
        given = [[tag for tag in map(vocabulary.index, some) if tag is not None] for some in keys]
        memory = Memory.of([self.ids[n] for n in numbers], given, self.pieces)
        linear = fit_linear([self._features[n] for n in numbers], given, len(vocabulary.entries))
        return TagRanker(vocabulary, BoostedTrees.none(), 0.0, 0.0, memory, linear, rarity=self.rarity)


def fit_ranker(
    trees: Trees,
    tagger: Tagger,
    tagged: Sequence[Example],
    fresh: Sequence[bool],
    phrased: Sequence[Example],
    labels: Sequence[str],
    rarity: WordStatistics,
) -> TagRanker:
    """All that tagged articles teach. The ranking is fitted on them, the network having been trained on those that are
    not `fresh`, and on others whose key phrases are known, on which it has not; `labels` are the tags of its head.

    The ranking must meet tags as it will in use: told by other articles than those it is fitted on.
    """
    lessons = Lessons(tagger, tagged, rarity)
    whole = Table()
    seen = lessons.ranker([n for n, is_fresh in enumerate(fresh) if not is_fresh], labels)
    unseen = [row for row, is_fresh in zip(tagged, fresh, strict=True) if is_fresh]
    for rows in (unseen, phrased):
        whole.add(seen, rows, read(tagger, rows))
    ranking = grow(trees, whole, range(len(FEATURES)))
    everything = lessons.ranker(range(len(tagged)), ())
    if trees.plain_share:
        plain = _without_network(lessons)
        plain.add(everything, phrased, map(_unread, tagger.ids([row.article() for row in phrased])))
        if len(set(plain.given)) < 2:
            log.warning("no ranking without the network's features: the candidates are all tags, or none is")
        else:
            columns = [n for n, name in enumerate(FEATURES) if name not in NETWORKS]
            ranking = mixed(ranking, grow(trees, plain, columns), trees.plain_share)
    vocabulary = build_vocabulary(tagged, labels)
    return TagRanker(vocabulary, ranking, 0.0, 0.0, everything.memory, everything.linear, rarity=rarity)


def _without_network(lessons: Lessons) -> Table:
    """The candidates of all tagged articles, those of a fold as the others tell them."""
    plain = Table()
    fold = [zlib.crc32(row.id.encode()) % FOLDS for row in lessons.rows]
    for part in range(FOLDS):
        inside = [n for n, its in enumerate(fold) if its == part]
        ranker = lessons.ranker([n for n, its in enumerate(fold) if its != part], ())
        plain.add(ranker, [lessons.rows[n] for n in inside], (_unread(lessons.ids[n]) for n in inside))
    return plain


def _unread(ids: Sequence[int]) -> NetworkOutput:
    nothing = np.zeros(0, np.float32)
    return NetworkOutput(nothing, nothing, {}, ids)


def grow(trees: Trees, table: Table, columns: Sequence[int]) -> BoostedTrees:
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


def flattened(model: HistGradientBoostingClassifier, columns: Sequence[int]) -> BoostedTrees:
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
    return BoostedTrees(float(model._baseline_prediction.ravel()[0]), roots, feature, threshold, left, right, value)


def mixed(one: BoostedTrees, other: BoostedTrees, share: float) -> BoostedTrees:
    """One ranking whose log odds are a mean of two; `share` is the weight of the second."""
    shift = len(one.value)
    return BoostedTrees(
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
    """The least scores of given tags: absent ones reach `absent_precision`; then mean F1 of `most` tags, repeats among
    them, is the best but for EVEN; of such scores the highest, for the fewest wrong tags, below that of absent ones."""
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
            if len(kept) < MIN_TAGS:
                spare = [key for key, score, here in tags if here and present / 2 <= score < present]
                kept = [*kept, *spare][:MIN_TAGS]
            total += 2 * len(gold.intersection(kept)) / (len(gold) + len(kept))
        return total / len(ranked)

    steps = [round(float(t), 2) for t in np.arange(0.02, 1.0, 0.01)]
    absent = next((t for t in steps if precision(t) >= absent_precision), 1.0)
    reached = {t: mean_f1(t, absent) for t in steps if t < max(absent, steps[1])}
    present = max(t for t in reached if reached[t] >= max(reached.values()) - EVEN)
    log.info("tags above %.2f, absent ones above %.2f: mean F1 %.4f", present, absent, reached[present])
    return {"threshold": present, "absent_threshold": absent}
