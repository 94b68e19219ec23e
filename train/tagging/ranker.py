"""Fit everything that ranks tags on tagged articles: vocabulary, linear model, and boosted trees over candidates.

The trees are two models in one. What the network says of an article helps only if it is as right as it will be in use,
that is, on articles that it was not trained on, and those are few. So one model is fitted on those with all features,
and another on all tagged articles without the network's features; the log odds of a candidate are a mean of both.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from wusum.model.network.outputs import NetworkOutput
from wusum.model.stream import CHUNK_ARTICLES
from wusum.model.tagger import Tagger
from wusum.model.tagging.candidates import Source
from wusum.model.tagging.ranker import TagModel, TagRanker
from wusum.model.tagging.selection import Thresholds
from wusum.model.tagging.trees import BoostedTrees
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.word_statistics import WordStatistics
from wusum.model.text.words import match_key
from wusum.train.data.corpora import Example
from wusum.train.tagging.linear import article_features, fit_linear
from wusum.train.tagging.tag_words import count_roles, fit_tag_words
from wusum.train.tagging.vocabulary import build_vocabulary

log = logging.getLogger(__name__)

FOLDS = 4
"""Parts of the tagged articles; the candidates of one are proposed by models fitted on the others."""


@dataclass(frozen=True, kw_only=True)
class TreeSettings:
    """Settings of the boosted trees; each of the two models is grown by them."""

    trees: int = 150
    """Trees of each model."""
    tree_leaves: int = 25
    """Most leaves of a tree."""
    leaf_size: int = 50
    """Fewest candidates in a leaf."""
    tree_rate: float = 0.08
    """Learning rate of the boosting."""
    tree_features: float = 0.3
    """Share of the features, drawn anew, among which a split is looked for."""
    plain_share: float = 0.35
    """Weight of the model without the network's features; 0 leaves it out."""


@dataclass
class CandidateTable:
    """The candidates of some articles with their features, and which of them are tags."""

    names: Sequence[str]
    """Names of the features."""
    rows: list[NDArray[np.float64]] = field(default_factory=list)
    """Features [candidates, names] of each article."""
    given: list[bool] = field(default_factory=list)
    """Whether each candidate is one of its article's tags."""

    def add(self, ranker: TagRanker, examples: Sequence[Example], outputs: Iterable[NetworkOutput]) -> None:
        """Add the candidates that a ranker has for articles, given the network's output for each."""
        for example, output in zip(examples, outputs, strict=True):
            gold = set(map(match_key, example.phrases or ()))
            document = ranker.document(example.article(), output)
            candidates = ranker.candidates(document)
            self.rows.append(ranker.table(document, candidates, self.names))
            self.given += [key in gold for key in candidates.keys]


def network_outputs(tagger: Tagger, examples: Sequence[Example]) -> Iterator[NetworkOutput]:
    """Yield the network's output for each article."""
    for start in range(0, len(examples), CHUNK_ARTICLES):
        yield from tagger.encoder.encode([row.article() for row in examples[start : start + CHUNK_ARTICLES]])


Sources = Callable[[TagModel], list[Source]]
"""Returns the candidate sources of a model: all of its own, or fewer in an ablation."""


class FoldModels:
    """Tag models without trees, fitted on parts of the tagged articles."""

    def __init__(
        self, tagged: Sequence[Example], statistics: WordStatistics, names: Container[str] = frozenset()
    ) -> None:
        """Fit models on parts of `tagged`, all with the same word statistics; `names` are tags that are no subjects."""
        self.examples, self.statistics, self._names = tagged, statistics, names
        self._features = list(map(article_features, tagged))
        self._roles = list(map(count_roles, tagged))

    def vocabulary(self, numbers: Iterable[int], labels: Sequence[str]) -> Vocabulary:
        """Return the vocabulary of the articles with these numbers; `labels` are the head's tags."""
        return build_vocabulary([self.examples[n] for n in numbers], labels, self._names)

    def fit(self, numbers: Sequence[int], labels: Sequence[str]) -> TagModel:
        """Return vocabulary, linear model and words of tags of the articles with these numbers."""
        examples = [self.examples[n] for n in numbers]
        vocabulary = self.vocabulary(numbers, labels)
        keys = (sorted(set(map(match_key, row.tags or ()))) for row in examples)
        given = [[tag for tag in map(vocabulary.index, some) if tag is not None] for some in keys]
        linear = fit_linear([self._features[n] for n in numbers], given, len(vocabulary.entries))
        tag_words = fit_tag_words([self._roles[n] for n in numbers])
        return TagModel(vocabulary, BoostedTrees.unfitted(), linear, tag_words, self.statistics, Thresholds(0.0, 0.0))


def fit_tag_model(
    settings: TreeSettings,
    tagger: Tagger,
    tagged: Sequence[Example],
    fresh: Sequence[bool],
    phrased: Sequence[Example],
    labels: Sequence[str],
    statistics: WordStatistics,
    sources: Sources = TagModel.sources,
    models: FoldModels | None = None,
) -> TagModel:
    """Fit a tag model, without thresholds, on tagged articles.

    The network was trained on those that are not `fresh`; `phrased` are others, with key phrases, on which it was not.
    `labels` are the tags of its head. The trees meet every article as they will in use: its candidates are proposed by
    models fitted on other articles. `sources` can leave out candidate sources; `models` saves fitting them again.
    """
    models = models or FoldModels(tagged, statistics)
    seen = _ranker(models.fit([n for n, is_fresh in enumerate(fresh) if not is_fresh], labels), sources)
    table = CandidateTable([feature.name for feature in seen.features])
    unseen = [row for row, is_fresh in zip(tagged, fresh, strict=True) if is_fresh]
    for examples in (unseen, phrased):
        table.add(seen, examples, network_outputs(tagger, examples))
    trees = grow(settings, table, table.names)
    everything = models.fit(range(len(tagged)), ())
    if settings.plain_share:
        plain = _without_network(models, everything, phrased, sources)
        if len(set(plain.given)) < 2:
            log.warning("no ranking without the network's features: the candidates are all tags, or none is")
        else:
            trees = mixed(trees, grow(settings, plain, plain.names), settings.plain_share)
    return replace(everything, vocabulary=models.vocabulary(range(len(tagged)), labels), trees=trees)


def _ranker(model: TagModel, sources: Sources) -> TagRanker:
    return TagRanker(sources(model), model.trees, model.thresholds, model.lexicon)


def _without_network(
    models: FoldModels, everything: TagModel, phrased: Sequence[Example], sources: Sources
) -> CandidateTable:
    """Return the candidates of all articles without the features of the network, each fold's by the other folds."""
    ranker = _ranker(everything, sources)
    plain = CandidateTable([feature.name for feature in ranker.features if not feature.from_network])
    fold = [zlib.crc32(row.id.encode()) % FOLDS for row in models.examples]
    for part in range(FOLDS):
        inside = [n for n, its in enumerate(fold) if its == part]
        others = _ranker(models.fit([n for n, its in enumerate(fold) if its != part], ()), sources)
        plain.add(others, [models.examples[n] for n in inside], (_no_output() for _ in inside))
    plain.add(ranker, phrased, (_no_output() for _ in phrased))
    return plain


def _no_output() -> NetworkOutput:
    nothing = np.zeros(0, np.float32)
    return NetworkOutput(nothing, nothing, {})


def grow(settings: TreeSettings, table: CandidateTable, names: Sequence[str]) -> BoostedTrees:
    """Fit trees on a table, looking only at the features `names`."""
    given = np.array(table.given)
    log.info("ranking fitted on %d candidates of %d articles, %d of them tags",
             len(given), len(table.rows), given.sum())  # fmt: skip
    model = HistGradientBoostingClassifier(
        max_iter=settings.trees, learning_rate=settings.tree_rate, max_leaf_nodes=settings.tree_leaves,
        min_samples_leaf=settings.leaf_size, max_features=settings.tree_features, l2_regularization=1.0,
        early_stopping=False, random_state=0,
    )  # fmt: skip
    columns = [list(table.names).index(name) for name in names]
    return flattened(model.fit(np.concatenate(table.rows)[:, columns], given), names)


def flattened(model: HistGradientBoostingClassifier, names: Sequence[str]) -> BoostedTrees:
    """Return the trees of a fitted classifier of two classes whose features have these names.

    scikit-learn has no public way to its trees; a test compares the results.
    """
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
    feature = np.where(leaf, 0, nodes["feature_idx"]).astype(np.int64)
    threshold = np.where(leaf, 0.0, nodes["num_threshold"])
    return BoostedTrees(
        names, float(model._baseline_prediction.ravel()[0]), roots, feature, threshold, left, right, value
    )


def mixed(one: BoostedTrees, other: BoostedTrees, share: float) -> BoostedTrees:
    """Return trees whose log odds are a mean of two; `share` is the weight of the second.

    The features of `other` must be among those of `one`.
    """
    shift = len(one.value)
    names = np.array([one.features.index(name) for name in other.features], np.int64)
    return BoostedTrees(
        one.features,
        (1 - share) * one.baseline + share * other.baseline,
        np.concatenate([one.roots, other.roots + shift]),
        np.concatenate([one.feature, names[other.feature]]),
        np.concatenate([one.threshold, other.threshold]),
        np.concatenate([one.left, other.left + shift]),
        np.concatenate([one.right, other.right + shift]),
        np.concatenate([(1 - share) * one.value, share * other.value]),
    )
