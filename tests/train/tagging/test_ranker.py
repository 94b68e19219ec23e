"""Fitted trees give the same numbers in numpy as in scikit-learn, and folds keep training articles apart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from wusum.model.errors import ModelError
from wusum.model.network.outputs import NetworkOutput
from wusum.model.tagging.candidates import Source
from wusum.model.tagging.ranker import TagModel
from wusum.model.tagging.sources.new_phrases import NewPhrases
from wusum.model.tagging.tag_words import MIN_SCORE
from wusum.model.tagging.trees import BoostedTrees
from wusum.model.text.word_statistics import WordStatistics
from wusum.model.text.words import match_key
from wusum.train.data.corpora import Example
from wusum.train.tagging import ranker
from wusum.train.tagging.ranker import (
    CandidateTable,
    FoldModels,
    TreeSettings,
    _no_output,
    _without_network,
    fit_tag_model,
    flattened,
    mixed,
)

NAMES = [f"feature {number}" for number in range(29)]
GENERATOR = np.random.default_rng(5)
TABLE = np.round(GENERATOR.normal(size=(3000, len(NAMES))), 2)  # rounded, so that values meet thresholds
GIVEN = (TABLE[:, 1] + TABLE[:, 5] * (TABLE[:, 0] > 0) + GENERATOR.normal(size=3000) / 2) > 0.5


@pytest.fixture(scope="module")
def model() -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=9, early_stopping=False).fit(TABLE, GIVEN)


@pytest.fixture(scope="module")
def ranking(model: HistGradientBoostingClassifier, tmp_path_factory: pytest.TempPathFactory) -> BoostedTrees:
    path = tmp_path_factory.mktemp("ranking") / "ranking.json"
    flattened(model, NAMES).save(path)
    return BoostedTrees.load(path)


def test_the_log_odds_are_those_of_the_classifier(ranking: BoostedTrees, model: HistGradientBoostingClassifier) -> None:
    np.testing.assert_allclose(ranking.log_odds(TABLE), model.decision_function(TABLE), atol=1e-4)
    assert ranking.log_odds(TABLE[:0]).shape == (0,)
    np.testing.assert_array_equal(ranking.log_odds(TABLE[7:8]), ranking.log_odds(TABLE)[7:8])


@pytest.mark.parametrize(("leaves", "bins"), [(2, 255), (33, 255), (64, 20)])
def test_trees_of_any_size_are_those_of_the_classifier(leaves: int, bins: int) -> None:
    model = HistGradientBoostingClassifier(
        max_iter=5, max_leaf_nodes=leaves, max_bins=bins, min_samples_leaf=2, early_stopping=False
    ).fit(TABLE, GIVEN)
    made = flattened(model, NAMES)
    np.testing.assert_allclose(made.log_odds(TABLE), model.decision_function(TABLE), atol=1e-9)


def test_more_thresholds_than_a_byte_can_number() -> None:
    one, other = (
        HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=31, min_samples_leaf=2, early_stopping=False).fit(
            TABLE[rows, :1], GIVEN[rows]
        )
        for rows in (slice(0, 1500), slice(1500, 3000))
    )
    both = mixed(flattened(one, NAMES[:1]), flattened(other, NAMES[:1]), 0.5)
    assert len(np.unique(both.threshold)) > 256
    wanted = (one.decision_function(TABLE[:, :1]) + other.decision_function(TABLE[:, :1])) / 2
    np.testing.assert_allclose(both.log_odds(TABLE), wanted, atol=1e-9)


def test_a_tree_of_more_leaves_than_bits_is_refused() -> None:
    model = HistGradientBoostingClassifier(max_iter=1, max_leaf_nodes=65, min_samples_leaf=2).fit(TABLE, GIVEN)
    with pytest.raises(ValueError, match="more than 64 leaves"):
        flattened(model, NAMES)


def test_a_mean_of_two_rankings_is_one(ranking: BoostedTrees, tmp_path: Path) -> None:
    columns = [0, 1, 3]
    few = HistGradientBoostingClassifier(max_iter=20, early_stopping=False).fit(TABLE[:, columns], GIVEN)
    other = flattened(few, [NAMES[column] for column in columns])
    np.testing.assert_allclose(other.log_odds(TABLE[:, columns]), few.decision_function(TABLE[:, columns]), atol=1e-9)
    mixed(ranking, other, 0.25).save(tmp_path / "ranking.json")
    both = BoostedTrees.load(tmp_path / "ranking.json")
    wanted = 0.75 * ranking.log_odds(TABLE) + 0.25 * few.decision_function(TABLE[:, columns])
    np.testing.assert_allclose(both.log_odds(TABLE), wanted, atol=1e-4)
    np.testing.assert_allclose(
        both.bias + both.contributions(TABLE[:20]).sum(axis=1), both.log_odds(TABLE[:20]), atol=1e-9
    )


def test_the_parts_of_the_features_sum_up_and_fall_to_those_that_matter(ranking: BoostedTrees) -> None:
    parts = ranking.contributions(TABLE[:50])
    np.testing.assert_allclose(ranking.bias + parts.sum(axis=1), ranking.log_odds(TABLE[:50]), atol=1e-9)
    weight = np.abs(parts).mean(axis=0)
    assert set(np.argsort(-weight)[:3].tolist()) == {0, 1, 5}


def test_unfitted_trees_give_even_odds(tmp_path: Path) -> None:
    BoostedTrees.unfitted().save(tmp_path / "ranking.json")
    assert BoostedTrees.load(tmp_path / "ranking.json").log_odds(TABLE[:3]).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "damage",
    [{"features": 7}, {"left": [7]}, {"feature": [99]}, {"value": []}, {"roots": "x"}, {"baseline": None}],
)
def test_a_damaged_ranking_is_refused(tmp_path: Path, damage: dict[str, object]) -> None:
    path = tmp_path / "ranking.json"
    BoostedTrees.unfitted().save(path)
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | damage), encoding="utf-8")
    with pytest.raises(ModelError, match=r"ranking\.json: no ranking of tags"):
        BoostedTrees.load(path)


def test_a_ranking_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ranking.json"
    on = [*range(1, 5000), 4999]  # each split leads to one further on, on both sides
    deep = {"feature": [0] * 5000, "threshold": [0] * 5000, "left": on, "right": on, "value": [0] * 5000}
    BoostedTrees.unfitted().save(path)
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | deep), encoding="utf-8")
    with pytest.raises(ModelError, match="more than 64 leaves"):
        BoostedTrees.load(path)


def test_a_ranking_that_leads_in_a_circle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ranking.json"
    two = {"feature": [0, 0], "threshold": [0, 0], "left": [1, 0], "right": [1, 0], "value": [0, 0]}
    BoostedTrees.unfitted().save(path)
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | two), encoding="utf-8")
    with pytest.raises(ModelError):
        BoostedTrees.load(path)


def known_alone(model: TagModel) -> list[Source]:
    """Return the sources of a model without new phrases."""
    return [source for source in model.sources() if not isinstance(source, NewPhrases)]


def test_the_candidates_of_a_fold_come_from_the_other_folds() -> None:
    """Each of forty articles has a tag that stands in it and that no other has, and one that all have."""
    bodies = [f"حديث عن لبنان ومدينة{n} ثم مدينة{n} ومدينة{n} ومدينة{n}" for n in range(40)]
    rows = [Example(f"{n}", "almayadeen", "", body, None, ("لبنان", f"مدينة{n}")) for n, body in enumerate(bodies)]
    models = FoldModels(rows, WordStatistics.empty())
    whole = models.fit(range(40), ())
    assert len(whole.vocabulary.entries) == 41
    plain = _without_network(models, whole, [], known_alone)
    assert len(plain.given) == 40  # لبنان alone, as no other fold has the other tag
    assert whole.tag_words.score(match_key("مدينة3")) >= MIN_SCORE  # whoever has learned from the article proposes it
    assert len(_without_network(models, whole, [], TagModel.sources).given) == 40
    ranker = whole.ranker()
    found = ranker.candidates(ranker.document(rows[3].article(), _no_output()))
    assert {candidate.entry.text for candidate in found} >= {"لبنان", "مدينة3"}


def test_a_part_of_the_features_is_looked_up_by_name() -> None:
    """The second model knows its features in another order."""
    both, reversed_names = [0, 1], [NAMES[1], NAMES[0]]
    one, other = (
        HistGradientBoostingClassifier(max_iter=10, early_stopping=False).fit(TABLE[:, columns], GIVEN)
        for columns in (both, both[::-1])
    )
    mean = mixed(flattened(one, NAMES[:2]), flattened(other, reversed_names), 0.5)
    wanted = (one.decision_function(TABLE[:, both]) + other.decision_function(TABLE[:, both[::-1]])) / 2
    np.testing.assert_allclose(mean.log_odds(TABLE[:, both]), wanted, atol=1e-9)


FORTY = [
    Example(f"{n}", "almayadeen", "", f"حديث عن لبنان ومدينة{n}", None, tags, "", tags)
    for n in range(40)
    for tags in [("لبنان", f"مدينة{n}")]
]
"""Articles that each have a tag that no other has, and one that all have."""
PHRASED = [Example(f"p{n}", "akec", "", "حديث عن لبنان وعن مدينة1", None, None, "", ("لبنان",)) for n in range(3)]
"""Articles with key phrases, one of which holds a tag of another article."""


class Encoder:
    """Finds nothing in any article."""

    def encode(self, articles: Any) -> list[NetworkOutput]:
        return [_no_output() for _ in articles]


@pytest.fixture
def grown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[CandidateTable, Sequence[str]]]:
    """The tables that trees are grown on, with the features that they look at."""
    tables: list[tuple[CandidateTable, Sequence[str]]] = []
    real = ranker.grow

    def grow(settings: TreeSettings, table: CandidateTable, names: Sequence[str]) -> BoostedTrees:
        tables.append((table, names))
        return real(settings, table, names)

    monkeypatch.setattr(ranker, "grow", grow)
    return tables


def fitted(plain_share: float = 0.35) -> TagModel:
    """Fit on the forty articles, of which the network has not seen every fourth."""
    fresh = [n % 4 == 0 for n in range(40)]
    tagger: Any = SimpleNamespace(encoder=Encoder())
    settings = TreeSettings(plain_share=plain_share, trees=3, leaf_size=1)
    return fit_tag_model(settings, tagger, FORTY, fresh, PHRASED, ["مدينة7"], WordStatistics.empty(), known_alone)


def test_the_ranking_learns_from_articles_that_its_candidates_were_not_fitted_on(
    grown: list[tuple[CandidateTable, Sequence[str]]],
) -> None:
    """A model that has learned from an article knows both of its tags; one that has not knows the one that all have."""
    model = fitted()
    (table, names), (plain, without) = grown
    assert (len(table.rows), len(plain.rows)) == (10 + 3, 40 + 3)
    # مدينة1 is known to the models that propose the candidates of PHRASED, and it is none of their phrases.
    assert table.given == [True] * 10 + [True, False] * 3
    assert sorted(plain.given) == sorted([True] * 40 + [True, False] * 3)
    assert list(names) == list(table.names)
    assert list(without) == list(plain.names)
    assert set(without) < set(names)
    assert set(names) - set(without) == {
        feature.name for source in known_alone(model) for feature in source.features if feature.from_network
    }
    # The finished model has learned from all of them, and knows the labels of the tag head.
    assert len(model.vocabulary.entries) == 41
    assert {entry.text: entry.label for entry in model.vocabulary.entries if entry.label >= 0} == {"مدينة7": 0}


def test_the_model_without_the_network_can_be_left_out(grown: list[tuple[CandidateTable, Sequence[str]]]) -> None:
    fitted(plain_share=0.0)
    assert len(grown) == 1
