"""The splitter of unseparated tags: its weights file, the scores of gaps and the best cuts."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from wusum.model.errors import ModelError
from wusum.model.pages import splitter
from wusum.model.pages.splitter import (
    FEATURES,
    MAX_TAG_WORDS,
    WEIGHTS_FILE,
    Phrases,
    SplitterWeights,
    best_cuts,
    boundary_scores,
    bundled_weights,
    gap_features,
    plain_words,
)
from wusum.model.pages.tag_line import parse_tags


def weights_of(bias: float = 0.0, **changes: float) -> SplitterWeights:
    named = {name.replace("_", " "): weight for name, weight in changes.items()}
    return SplitterWeights(bias, dict.fromkeys(FEATURES, 0.0) | named, {})


def test_the_file_has_a_weight_for_each_feature() -> None:
    data = json.loads(WEIGHTS_FILE.read_text(encoding="utf-8"))
    assert sorted(data["weights"]) == sorted(FEATURES)
    assert len(FEATURES) == 29
    weights = bundled_weights()
    assert (weights.bias, weights.weights) == (data["bias"], data["weights"])
    # From the provenance, the weights can be fitted again and compared.
    assert data["provenance"]["settings"]["corpora"] == list(data["provenance"]["training"])
    assert all(score["gap accuracy"] > 0.9 for score in data["provenance"]["validation"].values())


def test_every_gap_has_every_feature_in_one_order() -> None:
    line = plain_words(["وزارة", "الخارجية", "الروسية", "موسكو", "2024", "من", "موسكو"])
    found = list(gap_features(line, Phrases("قالت وزارة الخارجية الروسية في موسكو")))
    assert len(found) == len(line) - 1
    assert {tuple(features) for features in found} == {FEATURES}
    held = [{name for name, value in features.items() if value} for features in found]
    assert {"head first", "pair in text", "share of first"} <= held[0]
    assert "definite, definite adjective" in held[1]
    assert {"number second", "place, indefinite"} <= held[3]
    assert {"number first", "function word second"} <= held[4]
    assert "second elsewhere in line" in held[5]


def test_saved_weights_come_back(tmp_path: Path) -> None:
    weights = SplitterWeights(-0.4, {name: i / 10 for i, name in enumerate(FEATURES)}, {"training": {"ب": 1}})
    weights.save(tmp_path / "weights.json")
    assert SplitterWeights.load(tmp_path / "weights.json") == weights


def without(name: str) -> Callable[[dict[str, Any]], Any]:
    def damage(data: dict[str, Any]) -> Any:
        return {key: value for key, value in data.items() if key != name}

    return damage


def with_weight(name: str, weight: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda data: data | {"weights": data["weights"] | {name: weight}}


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (without("bias"), r"not the weights of a tag-line splitter \(KeyError\('bias'\)\)"),
        (without("weights"), r"not the weights of a tag-line splitter \(KeyError\('weights'\)\)"),
        (without("provenance"), r"not the weights of a tag-line splitter \(KeyError\('provenance'\)\)"),
        (lambda data: [], "not the weights of a tag-line splitter"),
        (lambda data: data | {"weights": 3}, "not the weights of a tag-line splitter"),
        (lambda data: data | {"bias": None}, "not the weights of a tag-line splitter"),
        (with_weight("head first", "high"), "not the weights of a tag-line splitter.*high"),
        (with_weight("head first", float("nan")), "a weight is not finite"),
        (with_weight("head third", 1.0), r"\(head third missing or unknown\)"),
        (
            lambda data: data | {"weights": without("same word")(without("head first")(data["weights"]))},
            r"\(head first, same word missing or unknown\)",
        ),
    ],
)
def test_a_damaged_file_is_named(damage: Callable[[dict[str, Any]], Any], reason: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    path.write_text(json.dumps(damage(json.loads(WEIGHTS_FILE.read_text(encoding="utf-8")))), encoding="utf-8")
    with pytest.raises(ModelError, match=rf"weights\.json: .*{reason}"):
        SplitterWeights.load(path)


@pytest.mark.parametrize("content", [None, b"", b'{"bias": 1', b"\xff\xfe\x00"])
def test_an_unreadable_file_is_named(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"weights\.json: not the weights of a tag-line splitter"):
        SplitterWeights.load(path)


def test_only_a_line_without_separators_needs_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(splitter, "WEIGHTS_FILE", tmp_path / "gone.json")
    bundled_weights.cache_clear()
    try:
        assert parse_tags("موسكو، وزارة الخارجية", "").tags == ("موسكو", "وزارة الخارجية")
        with pytest.raises(ModelError, match=r"gone\.json"):
            parse_tags("موسكو وزارة الخارجية", "")
    finally:
        bundled_weights.cache_clear()


def test_a_score_is_the_weighted_sum_of_the_features() -> None:
    line = plain_words(["وزارة", "الخارجية", "موسكو"])
    phrases = Phrases("وزارة الخارجية. وزارة.")
    weights = weights_of(0.25, head_first=-3.0, share_of_first=-1.0, pair_in_text=-0.5)
    assert boundary_scores(line, phrases, weights) == [0.25 - 3.0 - 0.5 - 0.5, 0.25]
    assert boundary_scores(line, phrases) == boundary_scores(line, phrases, bundled_weights())
    assert boundary_scores(line, phrases) != boundary_scores(line, phrases, weights)


def test_punctuation_divides_a_pair_but_quotation_marks_do_not() -> None:
    phrases = Phrases('حركة "حماس" في غزة، حماس')
    assert phrases.pair("حركه", "حماس") == 1
    assert phrases.pair("غزه", "حماس") == 0


def test_a_token_without_a_word_is_empty() -> None:
    assert plain_words(["أحمد،", "…", "«القدس»"]) == ["احمد", "", "القدس"]


def test_no_tag_is_longer_than_the_limit() -> None:
    assert best_cuts([-1.0] * (MAX_TAG_WORDS - 1)) == []
    assert best_cuts([-1.0, 2.0, -1.0]) == [2]
    bounds = [0, *best_cuts([-1.0] * 100), 101]
    assert max(end - start for start, end in pairwise(bounds)) <= MAX_TAG_WORDS
