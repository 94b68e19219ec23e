"""What each source of tags is worth: measured on validation articles, against all sources."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import calibrate_config
from wusum.model.prediction import Tag
from wusum.model.tagger import Tagger
from wusum.model.tagging.ranker import TagModel
from wusum.model.tagging.sources.centrality import Centrality
from wusum.model.tagging.sources.linear import LinearTags
from wusum.model.tagging.sources.nesting import Nesting
from wusum.model.tagging.sources.new_phrases import NewPhrases, marked_phrases
from wusum.model.tagging.sources.phrase_statistics import PhraseStatistics
from wusum.model.tagging.sources.tag_head import TagHead
from wusum.train.data.corpora import Example, examples
from wusum.train.stages import ablation
from wusum.train.stages.ablation import VARIANTS, AblationConfig


@pytest.fixture
def settings(corpora: Path, trained: Path, tmp_path: Path) -> AblationConfig:
    shared = asdict(calibrate_config(corpora, trained))
    return AblationConfig(**shared, output=tmp_path / "table.json", measured=["almayadeen"])


def test_every_variant_is_measured_on_validation_articles(
    corpora: Path, settings: AblationConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tiny articles are shorter than those that are measured on otherwise, and some have a tag less."""
    asked = []
    outputs = ablation.network_outputs
    monkeypatch.setattr(ablation, "network_outputs", lambda tagger, rows: asked.append(rows) or outputs(tagger, rows))
    monkeypatch.setattr(ablation, "VARIANTS", {name: VARIANTS[name] for name in ("all sources", "without new phrases")})
    monkeypatch.setattr(ablation, "MIN_CHARS", 10)
    ablation.run(settings)
    expected = [example.id for example in examples(corpora, "almayadeen", ["validation"])]
    assert [[row.id for row in rows] for rows in asked] == [expected] * 2
    whole, without = json.loads(settings.output.read_text(encoding="utf-8"))
    assert (whole["variant"], without["variant"]) == ("all sources", "without new phrases")
    assert without["almayadeen"]["articles"] == len(expected)
    assert whole["megabytes"] > 0
    for name in ("f1_at_5", "f1_at_10", "f1_given"):
        mean, difference, half = whole["almayadeen"][name]
        assert 0 < mean <= 1
        assert difference == half == 0
        assert without["almayadeen"][name][1] == pytest.approx(without["almayadeen"][name][0] - mean, abs=2e-4)


def test_short_articles_and_those_of_few_tags_are_not_measured_on(
    settings: AblationConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured() -> int:
        return len(list(ablation._measurable(settings, "almayadeen")))

    found = list(examples(settings.data, "almayadeen", ["validation"]))
    longest = max(len(e.body) for e in found)
    monkeypatch.setattr(ablation, "MIN_CHARS", longest)
    assert measured() == sum(len(e.body) == longest for e in found) < len(found)
    monkeypatch.setattr(ablation, "MIN_CHARS", longest + 1)
    assert measured() == 0
    monkeypatch.setattr(ablation, "MIN_CHARS", 10)
    monkeypatch.setattr(ablation, "MIN_TAGS", 4)
    assert measured() == 0


class Ranker:
    """Ranks six tags, and gives the first two of them."""

    def rank(self, article: Any, output: Any, options: Any) -> list[Tag]:
        ranked = [Tag(text, 0.5) for text in ("أ", "ب", "ت", "ث", "ج", "ح")]
        return ranked if options.min_score == 0 else ranked[:2]


def test_scores_are_f1_at_a_rank_and_of_the_given_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ablation, "network_outputs", lambda tagger, rows: rows)
    rows = [
        Example("1", "x", "", "", None, None, "", ("ب", "ح", "د")),
        Example("2", "x", "", "", None, None, "", ("أ",)),
    ]
    tagger: Any = None
    ranker: Any = Ranker()
    found = ablation._measure(tagger, ranker, rows)
    np.testing.assert_allclose(found.f1_at_5, [2 * 1 / (5 + 3), 2 * 1 / (5 + 1)])
    np.testing.assert_allclose(found.f1_at_10, [2 * 2 / (10 + 3), 2 * 1 / (10 + 1)])
    np.testing.assert_allclose(found.f1_given, [2 * 1 / (2 + 3), 2 * 1 / (2 + 1)])
    assert found.given.tolist() == [2, 2]


def test_numbers_are_means_with_the_paired_difference_and_its_interval() -> None:
    def measured(*values: float) -> ablation.Measured:
        return ablation.Measured(*[np.array(values)] * 5)

    made = ablation._numbers(measured(0.5, 0.7, 0.9), measured(0.4, 0.7, 0.7))
    difference = np.array([0.1, 0.0, 0.2])
    half = 1.96 * difference.std() / 3**0.5
    assert made["f1_at_5"] == [0.7, 0.1, round(float(half), 4)]
    assert made["given"] == made["milliseconds"] == 0.7


def test_variants_leave_their_sources_out(trained: Path) -> None:
    model = Tagger.from_pretrained(trained).tag_model

    def kinds(name: str) -> set[type]:
        return {type(source) for source in VARIANTS[name](model)}

    whole = kinds("all sources")
    assert whole == {type(source) for source in TagModel.sources(model)}
    left_out = {
        "without the tag head": TagHead, "without the linear model": LinearTags, "without nesting": Nesting,
        "without TF-IDF": PhraseStatistics, "without new phrases": NewPhrases, "without centrality": Centrality,
    }  # fmt: skip
    for name, kind in left_out.items():
        assert whole - kinds(name) == {kind}
        assert kinds(name) < whole
    (new,) = (s for s in VARIANTS["without likely phrases"](model) if isinstance(s, NewPhrases))
    assert new._finders == (marked_phrases,)
    proposing = VARIANTS["without the span head"](model)
    assert NewPhrases not in map(type, proposing)
    features = {feature.name for source in proposing for feature in source.features}
    assert not features & {feature.name for feature in NewPhrases.features}
