"""Fit the linear model of tags: ridge regression on the words and pairs of tagged articles.

With far more features than articles, it is solved in the products of the articles with one another (Saunders et al.,
"Ridge regression learning algorithm in dual variables", 1998).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy import sparse

from wusum.model.tagging.sources.linear import MAX_SHARE, LinearTagModel, word_features
from wusum.model.text.lexicon import plain_lexicon
from wusum.train.data.corpora import Example

PENALTY = 1.0
"""Ridge penalty; the product of an article's features with themselves is 1."""

MIN_FEATURE_ARTICLES = 3
"""Fewest articles with a feature."""

MIN_TAG_ARTICLES = 2
"""Fewest articles with a tag."""

MIN_WEIGHT = 0.05
"""Smaller weights are left out."""

_FEATURES_AT_ONCE = 8192
"""Features whose weights are computed at once; bounds memory."""


def article_features(row: Example) -> NDArray[np.uint32]:
    """Return the features of an article, as the tagger finds them."""
    return word_features([*plain_lexicon().tokenise(row.title).lexemes, *plain_lexicon().tokenise(row.body).lexemes])


def fit_linear(
    articles: Sequence[NDArray[np.uint32]],
    given: Sequence[Sequence[int]],
    entries: int,
) -> LinearTagModel:
    """Fit the linear model on articles, each with its features and the numbers of its tags in a vocabulary.

    Raises ValueError for more than 65,535 `entries`.
    """
    if entries > np.iinfo(np.uint16).max:
        raise ValueError(f"{entries} tags to learn; there is room for {np.iinfo(np.uint16).max}")
    known, seen = np.unique(np.concatenate([np.unique(found) for found in articles]), return_counts=True)
    kept = (seen >= MIN_FEATURE_ARTICLES) & (seen <= MAX_SHARE * len(articles))
    idf = np.log((1 + len(articles)) / (1 + seen[kept])).astype(np.float32)
    nothing = np.zeros(0)
    starts = np.zeros(kept.sum() + 1, np.int32)
    bare = LinearTagModel(known[kept], idf, starts, nothing.astype(np.uint16), nothing.astype(np.float16), entries)

    values = [bare.values(found) for found in articles]
    table = sparse.csr_matrix(
        (
            np.concatenate([value for _, value in values]),
            np.concatenate([places for places, _ in values]),
            np.cumsum([0, *(len(places) for places, _ in values)]),
        ),
        (len(articles), len(idf)),
    )
    often, targets = _targets(given, entries)
    alike = (table @ table.T).toarray()
    alike[np.diag_indices_from(alike)] += PENALTY
    solved = scipy.linalg.solve(alike, targets, assume_a="pos", overwrite_a=True, overwrite_b=True)
    parts = []
    for start in range(0, len(idf), _FEATURES_AT_ONCE):
        weights = table.T[start : start + _FEATURES_AT_ONCE] @ solved
        weights[np.abs(weights) < MIN_WEIGHT] = 0
        parts.append(sparse.csr_matrix(weights))
    weights = sparse.vstack(parts).tocsr() if parts else sparse.csr_matrix((0, len(often)), dtype=np.float32)
    tags, halves = often[weights.indices].astype(np.uint16), weights.data.astype(np.float16)
    return LinearTagModel(bare.features, idf, weights.indptr.astype(np.int32), tags, halves, entries)


def _targets(given: Sequence[Sequence[int]], entries: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the entries of enough articles, and a table [articles, those] of which article has which."""
    owners = np.repeat(np.arange(len(given)), list(map(len, given)))
    tags = np.array([tag for some in given for tag in some], np.int64)
    table = sparse.csr_matrix((np.ones(len(tags), np.float32), (owners, tags)), (len(given), entries))
    often = np.flatnonzero(np.bincount(tags, minlength=entries) >= MIN_TAG_ARTICLES)
    return often, table[:, often].toarray()
