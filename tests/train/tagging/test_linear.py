"""The linear model of tags is a ridge regression on the words of articles."""

from __future__ import annotations

import numpy as np
import pytest

from wusum.model.tagging.sources.linear import MAX_SHARE
from wusum.train.data.corpora import Example
from wusum.train.tagging import linear
from wusum.train.tagging.linear import article_features, fit_linear

GENERATOR = np.random.default_rng(3)
ARTICLES = [np.unique(GENERATOR.choice(40, 12)).astype(np.uint32) * 1000 for _ in range(60)]
"""Features of articles, none of which is in too many of them."""
GIVEN = [[tag for tag in range(5) if 1000 * tag in features or GENERATOR.random() < 0.05] for features in ARTICLES]
"""Tags, which follow from the first features but for a few."""


def dense() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return features, idf and weights [features, tags] of the regression, solved without tricks."""
    known, seen = np.unique(np.concatenate(ARTICLES), return_counts=True)
    kept = (seen >= linear.MIN_FEATURE_ARTICLES) & (seen <= MAX_SHARE * len(ARTICLES))
    known, seen = known[kept], seen[kept]
    idf = np.log((1 + len(ARTICLES)) / (1 + seen))
    table = np.array([np.isin(known, features) * idf for features in ARTICLES])
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    targets = np.array([[tag in tags for tag in range(5)] for tags in GIVEN], float)
    weights = np.linalg.solve(table.T @ table + linear.PENALTY * np.eye(len(known)), table.T @ targets)
    weights[np.abs(weights) < linear.MIN_WEIGHT] = 0
    return known, idf, weights


@pytest.mark.parametrize("at_once", [8192, 7])
def test_the_weights_are_those_of_a_ridge_regression(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(linear, "_FEATURES_AT_ONCE", at_once)
    model = fit_linear(ARTICLES, GIVEN, 5)
    known, idf, weights = dense()
    assert model.features.tolist() == known.tolist()
    np.testing.assert_allclose(model.idf, idf, rtol=1e-5)
    found = np.zeros_like(weights)
    for row, (start, end) in enumerate(zip(model.starts, model.starts[1:], strict=False)):
        found[row, model.tags[start:end]] = model.weights[start:end]
    np.testing.assert_allclose(found, weights, atol=2e-3)
    assert np.abs(model.weights).min() >= linear.MIN_WEIGHT - 1e-3


def test_rare_features_and_tags_are_left_out() -> None:
    words = ([1, 2, 9], [1, 2, 9], [1, 3, 9], [3, 4, 9], [4, 9], *[[10 + n] for n in range(7)])
    articles = [np.array(features, np.uint32) for features in words]
    model = fit_linear(articles, [[0], [0], [1], [1, 2], *[[]] * 8], 70)
    assert model.features.tolist() == [1]  # in three articles, not in two, and not in five of twelve
    assert set(model.tags.tolist()) <= {0, 1}  # the tags of two articles
    with pytest.raises(ValueError, match="65536 tags to learn; there is room for 65535"):
        fit_linear(articles, [[]] * 12, 65536)


def test_an_article_has_the_features_of_its_title_and_body_as_one_text() -> None:
    whole = article_features(Example("", "x", "زيارة الوزير", "إلى بيروت", None, None))
    title = article_features(Example("", "x", "زيارة الوزير", "", None, None))
    body = article_features(Example("", "x", "", "إلى بيروت", None, None))
    assert {*title.tolist(), *body.tolist()} < {*whole.tolist()}
