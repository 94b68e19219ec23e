"""The splitter of unseparated tags: its weights file, the scores of gaps and the best cuts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def held(line: str, text: str = "") -> list[set[str]]:
    """The names of the features that each gap of a line has, without the shares."""
    found = gap_features(plain_words(line.split()), Phrases(text))
    return [{name for name, value in features.items() if value and "share" not in name} for features in found]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("شمس قمر", set()),
        ("شمس شمس", {"same word"}),
        ("من شمس", {"function word first"}),
        ("شمس من", {"function word second"}),
        ("… شمس", {"function word first"}),
        ("شمس …", {"function word second"}),
        ("عبد الله", {"name part first"}),
        ("وزارة شمس", {"head first"}),
        ("شمس وزارة", {"head second"}),
        ("المتحدة شمس", {"follower first", "definite, indefinite"}),
        ("شمس المتحدة", {"follower second"}),
        ("موسكو شمس", {"place, indefinite"}),
        ("موسكو الشمس", {"place, definite"}),
        ("القاهرة الشمس", {"definite noun, definite noun"}),
        ("القاهرة شمس", {"place, indefinite", "definite, indefinite"}),
        ("شمس بالسمك", {"preposition joined"}),
        ("شمس للسمك", {"preposition joined"}),
        ("شمس والسمك", {"preposition joined"}),
        ("شمس وشمس", {"conjunction joined"}),
        *((f"شمس {first}مر", set()) for first in ("وز", "وك", "وس", "وق", "ول")),
        ("الشمس شمس", {"definite, indefinite"}),
        ("الشمس القمر", {"definite noun, definite noun"}),
        ("الشمس العربي", {"definite, definite adjective"}),
        ("السمكة العربية", {"definite, definite adjective", "feminine both"}),
        ("السمكة الشمسة", {"definite noun, definite noun", "feminine both"}),
        ("السمكة الشمس", {"definite noun, definite noun"}),
        ("الشمس السمكة", {"definite noun, definite noun"}),
        *((f"شمس {word}", {"indefinite, indefinite adjective"}) for word in ("عربي", "عربية", "عربيين", "عربيون")),
        *((f"{word} الشمس", {"adjective, definite noun"}) for word in ("عربي", "عربية", "عربيين", "عربيون")),
        ("عربي قمر", {"adjective, indefinite noun"}),
        ("عربي عربية", {"indefinite, indefinite adjective"}),
        ("عربي العربية", set()),
        ("العربي عربية", {"definite, indefinite"}),
        ("7 شمس", {"number first"}),
        ("شمس 7", {"number second"}),
    ],
)
def test_features_of_two_words(line: str, names: set[str]) -> None:
    assert held(line) == [names]


def test_features_of_a_pair_in_the_text() -> None:
    line = "سوق السمك زورق"
    previous = {"only the previous pair in text", "definite, indefinite"}
    assert held(line, "سوق السمك") == [{"pair in text"}, previous]
    assert held(line, "سوق السمك وسوق السمك") == [{"pair in text", "pair in text twice"}, previous]
    assert held(line, "سوق السمك زورق") == [{"pair in text"}, {"pair in text", "definite, indefinite"}]
    assert held(line, "سمك زورق") == [{"only the next pair in text"}, {"pair in text", "definite, indefinite"}]
    assert held(line, "سوق زورق") == [set(), {"definite, indefinite"}]


def test_features_of_a_pair_in_the_line() -> None:
    twice, other = {"pair twice in line"}, {"second elsewhere in line"}
    assert held("شمس قمر زورق شمس قمر") == [twice, set(), set(), twice]
    assert held("شمس قمر زورق قمر") == [other, set(), other]
    assert held("شمس قمر زورق قمر شمس قمر") == [twice, set(), other, set(), twice]


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("", 0.0, 0.0),
        ("شمس ثم قمر", 0.0, 0.0),
        ("شمس قمر", 1.0, 1.0),
        ("شمس قمر ثم شمس قمر ثم شمس ثم شمس ثم قمر", 0.5, 2 / 3),
    ],
)
def test_shares_are_the_part_of_a_word_that_stands_in_the_pair(text: str, first: float, second: float) -> None:
    (features,) = gap_features(["شمس", "قمر"], Phrases(text))
    assert (features["share of first"], features["share of second"]) == pytest.approx((first, second))


def test_a_pair_cannot_be_more_frequent_than_its_words() -> None:
    (features,) = gap_features(["قطاع", "بحر"], Phrases("بقطاع بحر"))  # بقطاع is counted as قطاع, too
    assert features["share of first"] == 1.0


def test_saved_weights_come_back(tmp_path: Path) -> None:
    weights = SplitterWeights(-0.4, {name: i / 10 for i, name in enumerate(FEATURES)}, {"training": {"ب": 1}})
    weights.save(tmp_path / "weights.json")
    assert SplitterWeights.load(tmp_path / "weights.json") == weights
    bundled_weights().save(tmp_path / "bundled.json")
    assert (tmp_path / "bundled.json").read_bytes() == WEIGHTS_FILE.read_bytes()


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


def test_a_feature_without_value_costs_nothing() -> None:
    weights = weights_of(0.5, same_word=2.0, share_of_first=3.0)
    assert weights.log_odds({"same word": True, "share of first": 0.5, "head first": False}) == 4.0
    assert weights.log_odds({}) == 0.5


@pytest.mark.parametrize("between", [" ", "  ", ' "', " '", " «", "» ", " (", " [", "-", " – ", "_", " \u200f", "”"])
def test_spaces_quotation_marks_brackets_and_dashes_do_not_divide_a_pair(between: str) -> None:
    assert Phrases(f"حركة{between}حماس").pair("حركه", "حماس") == 1


@pytest.mark.parametrize("between", [". ", "، ", ",", ":", "؛", "/", " | ", "\u0640 ، "])
def test_other_punctuation_divides_a_pair(between: str) -> None:
    phrases = Phrases(f"حركة{between}حماس")
    assert phrases.pair("حركه", "حماس") == 0
    assert phrases.words == {"حركه": 1, "حماس": 1}


def test_words_and_pairs_are_counted_without_clitics() -> None:
    phrases = Phrases("حكومة المدينة، والحكومة المدينة، بقطاع غزة وقطاع غزة، في لبن")
    assert phrases.pair("حكومه", "المدينه") == phrases.pair("الحكومه", "مدينه") == 2
    assert phrases.pair("قطاع", "غزه") == 2
    assert phrases.pair("بقطاع", "غزه") == 1
    assert phrases.pair("غزه", "قطاع") == 0
    assert phrases.words["قطاع"] == 2
    assert phrases.words["لبن"] == 1
    assert "بن" not in phrases.words
    assert Phrases("بنك الدم").pair("بنك", "الدم") == 1
    assert Phrases("بنك الدم").pair("بنك", "دم") == 0


def test_a_token_without_a_word_is_empty() -> None:
    assert plain_words(["أحمد،", "…", "«القدس»", "كرة_القدم"]) == ["احمد", "", "القدس", "كرهالقدم"]


def test_no_tag_has_more_than_eight_words() -> None:
    assert MAX_TAG_WORDS == 8
    assert best_cuts([]) == best_cuts([-1.0] * 7) == []
    assert best_cuts([-1.0, 2.0, -1.0]) == [2]
    assert best_cuts([-1.0] * 3 + [-0.5] + [-1.0] * 4) == [4]
    bounds = [0, *best_cuts([-1.0] * 100), 101]
    assert max(end - start for start, end in pairwise(bounds)) <= 8


@given(st.lists(st.integers(-3, 3), max_size=11))
def test_the_best_cuts_have_the_highest_sum(scores: list[int]) -> None:
    def is_allowed(cuts: Sequence[int]) -> bool:
        return all(end - start <= MAX_TAG_WORDS for start, end in pairwise([0, *cuts, len(scores) + 1]))

    gaps = range(1, len(scores) + 1)
    every = [cuts for size in range(len(scores) + 1) for cuts in combinations(gaps, size) if is_allowed(cuts)]
    found = best_cuts(scores)
    assert is_allowed(found)
    assert sum(scores[cut - 1] for cut in found) == max(sum(scores[cut - 1] for cut in cuts) for cuts in every)
