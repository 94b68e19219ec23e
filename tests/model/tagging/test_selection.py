"""Selection: which scored candidates become tags, on candidates made by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from wusum.model.tagging.candidates import Candidate, Candidates
from wusum.model.tagging.entry import Entry, Mentions
from wusum.model.tagging.selection import Distinct, Thresholds, first, fuller_names, select, without_repeats
from wusum.model.text.words import match_key

SHORT, WHOLE, FULLEST = "الخارجية", "وزارة الخارجية", "وزارة الخارجية الروسية"


def candidate(text: str, mentions: int = 1, *, known: bool = True, in_title: bool = False) -> Candidate:
    """A candidate with so many mentions in the body; a `known` one has been given by editors."""
    entry = Entry(match_key(text), text, 10, 8 if known else 0, 5, -1)
    return Candidate(entry, Mentions([(n, n) for n in range(mentions)], in_title))


def new(text: str, mentions: int = 1, *, in_title: bool = False) -> Candidate:
    return candidate(text, mentions, known=False, in_title=in_title)


def selected(
    scored: Sequence[tuple[Candidate, float]],
    max_tags: int = 10,
    min_score: float | None = None,
    distinct: Distinct = first,
) -> list[str]:
    """The texts of the selected candidates, at the thresholds 0.5 and 0.9."""
    candidates = Candidates(one for one, _ in scored)
    scores = np.array([score for _, score in scored])
    chosen = select(candidates, scores, Thresholds(0.5, 0.9), max_tags, min_score, distinct)
    return [candidates[n].entry.text for n in chosen]


# ---- thresholds


@pytest.mark.parametrize(
    ("mentions", "in_title", "score", "given"),
    [
        (1, False, 0.5, True),
        (1, False, 0.49, False),
        (0, True, 0.5, True),
        (0, False, 0.9, True),
        (0, False, 0.89, False),
    ],
)
def test_a_tag_reaches_the_threshold_of_its_kind(mentions: int, in_title: bool, score: float, given: bool) -> None:
    two = [(candidate("روما"), 0.95), (candidate("طوكيو"), 0.95)]
    found = selected([*two, (candidate("موسكو", mentions, in_title=in_title), score)])
    assert found == ["روما", "طوكيو", *["موسكو"] * given]


@pytest.mark.parametrize(("score", "given"), [(0.3, True), (0.29, False)])
def test_a_least_score_takes_the_place_of_both_thresholds(score: float, given: bool) -> None:
    for mentions in (0, 1):
        assert selected([(candidate("موسكو", mentions), score)], min_score=0.3) == ["موسكو"] * given


def test_tags_come_best_first_and_equal_ones_in_the_order_of_their_keys() -> None:
    scored = [
        (candidate(text), score) for text, score in (("روما", 0.7), ("بيروت", 0.8), ("تونس", 0.7), ("موسكو", 0.9))
    ]
    assert selected(scored) == ["موسكو", "بيروت", "تونس", "روما"]
    assert selected(scored, max_tags=2) == ["موسكو", "بيروت"]
    assert selected([]) == []


@pytest.mark.parametrize(("score", "given"), [(0.25, True), (0.24, False)])
def test_half_the_threshold_is_enough_for_the_second_tag(score: float, given: bool) -> None:
    best, second = (candidate("موسكو"), 0.8), (candidate("روما"), score)
    assert selected([best, second]) == ["موسكو", *["روما"] * given]
    assert selected([best, second], max_tags=1) == ["موسكو"]
    assert selected([best, (candidate("لندن"), 0.5), second]) == ["موسكو", "لندن"]
    assert selected([best, second], min_score=0.5) == ["موسكو"]


def test_tags_below_the_threshold_stand_in_the_article_and_are_two_at_most() -> None:
    scored = [
        (candidate("موسكو"), 0.4),
        (candidate("روما"), 0.3),
        (candidate("لندن"), 0.26),
        (candidate("دبي", 0), 0.8),
    ]
    assert selected(scored) == ["موسكو", "روما"]
    assert selected([*scored, (candidate("قطر", 0), 0.95)]) == ["قطر", "موسكو"]
    assert selected([(candidate("دبي", 0), 0.8), (candidate("قطر", 0), 0.7)]) == []
    assert selected([(candidate("دبي"), 0.5)]) == ["دبي"]


# ---- fuller names


def fuller(*scored: tuple[Candidate, float]) -> dict[str, str]:
    """The names that give way, by their texts, and the fuller ones."""
    candidates = [one for one, _ in scored]
    found = fuller_names(candidates, np.array([score for _, score in scored]))
    return {candidates[part].entry.text: candidates[whole].entry.text for part, whole in found.items()}


@pytest.mark.parametrize(("mentions", "gives_way"), [(1, True), (2, True), (3, False), (0, False)])
def test_a_name_gives_way_to_a_fuller_one_if_it_stands_nowhere_else(mentions: int, gives_way: bool) -> None:
    for make in (candidate, new):
        found = fuller((make(SHORT, mentions), 0.5), (make(WHOLE, 2), 0.5))
        assert found == ({SHORT: WHOLE} if gives_way else {})


def test_a_name_that_does_not_stand_in_the_body_takes_no_place() -> None:
    assert fuller((candidate(SHORT, 0), 0.5), (candidate(WHOLE, 0, in_title=True), 0.9)) == {}
    assert fuller((candidate(SHORT, 1), 0.5), (candidate(WHOLE, 0, in_title=True), 0.9)) == {}


@pytest.mark.parametrize(("score", "gives_way"), [(0.4, True), (0.39, False)])
def test_a_known_tag_gives_way_to_a_known_one_with_half_its_score(score: float, gives_way: bool) -> None:
    assert fuller((candidate(SHORT), 0.8), (candidate(WHOLE), score)) == ({SHORT: WHOLE} if gives_way else {})
    assert fuller((candidate(SHORT), 0.8), (new(WHOLE), 0.9)) == {}
    assert fuller((new(SHORT), 0.8), (candidate(WHOLE), 0.1)) == {SHORT: WHOLE}
    assert fuller((new(SHORT), 0.8), (new(WHOLE), 0.1)) == {SHORT: WHOLE}


def test_of_several_fuller_names_the_fullest_counts() -> None:
    names = [(candidate(text), 0.5) for text in (WHOLE, SHORT, FULLEST)]
    assert fuller(*names) == {SHORT: FULLEST, WHOLE: FULLEST}
    assert fuller((candidate(SHORT, 2), 0.5), (candidate(WHOLE, 2), 0.5), (candidate(FULLEST, 1), 0.5)) == {
        SHORT: WHOLE
    }
    # The fullest has half the score of the middle one, but not of the shortest.
    assert fuller((candidate(SHORT), 0.8), (candidate(WHOLE), 0.5), (candidate(FULLEST), 0.3)) == {
        SHORT: FULLEST,
        WHOLE: FULLEST,
    }


@pytest.mark.parametrize(("of_part", "of_whole"), [(0.8, 0.5), (0.5, 0.8)])
def test_the_fuller_name_is_given_with_the_better_score_of_both(of_part: float, of_whole: float) -> None:
    candidates = Candidates([candidate(SHORT), candidate(WHOLE), candidate("روما")])
    scores = np.array([of_part, of_whole, 0.7])
    chosen = select(candidates, scores, Thresholds(0.5, 0.9), 10, None, first)
    assert [candidates[n].entry.text for n in chosen] == [WHOLE, "روما"]
    assert scores.tolist() == [of_part, 0.8, 0.7]


# ---- repetitions


def without(*candidates: Candidate, most: int = 10) -> list[str]:
    """The texts that are left of candidates, best first."""
    return [candidates[n].entry.text for n in without_repeats(candidates, range(len(candidates)), most)]


def test_the_first_candidates_are_taken_as_far_as_the_limit() -> None:
    three = [candidate(text) for text in ("موسكو", "روما", "لندن")]
    assert first(three, [2, 0, 1], 2) == [2, 0]
    assert without_repeats(three, [2, 0, 1], 2) == [2, 0]
    assert without_repeats(three, [2, 0, 1], 9) == [2, 0, 1]


def test_a_new_phrase_repeats_its_parts_and_wholes() -> None:
    assert without(new(WHOLE), new(SHORT, 9)) == [WHOLE]
    assert without(new(SHORT, 9), new(WHOLE)) == [SHORT]
    assert without(candidate(SHORT, 9), new(WHOLE)) == [SHORT]
    assert without(new(WHOLE), new("موسكو")) == [WHOLE, "موسكو"]
    assert without(new(FULLEST), new("الروسية"), new("وزارة")) == [FULLEST]


def test_a_tag_that_stands_nowhere_repeats_any_whole_and_a_part_of_several_words() -> None:
    assert without(candidate(WHOLE, 0), candidate(SHORT, 0)) == [WHOLE]
    assert without(candidate(WHOLE), candidate(SHORT, 0)) == [WHOLE]
    assert without(candidate(WHOLE), candidate(FULLEST, 0)) == [WHOLE]
    assert without(candidate(SHORT), candidate(FULLEST, 0)) == [SHORT, FULLEST]


@pytest.mark.parametrize(("mentions", "given"), [(1, False), (2, False), (3, True)])
def test_a_tag_repeats_a_part_of_several_words_that_stands_nowhere_else(mentions: int, given: bool) -> None:
    assert without(candidate(WHOLE, mentions), candidate(FULLEST, 2)) == [WHOLE, *[FULLEST] * given]
    assert without(candidate(SHORT, mentions), candidate(WHOLE, 2)) == [SHORT, WHOLE]
    other = candidate("الخارجية الروسية", 9)
    assert without(other, candidate(WHOLE, mentions), candidate(FULLEST, 2))[2:] == [FULLEST] * given


def test_a_tag_of_several_words_repeats_a_whole_that_does_not_stand_in_the_article() -> None:
    assert without(candidate(FULLEST, 0), candidate(WHOLE)) == [FULLEST]
    assert without(candidate(FULLEST, 0, in_title=True), candidate(WHOLE)) == [FULLEST, WHOLE]
    assert without(candidate(FULLEST, 1), candidate(WHOLE)) == [FULLEST, WHOLE]
    assert without(candidate(FULLEST, 0), candidate(SHORT)) == [FULLEST, SHORT]


def test_a_name_behind_a_title_repeats_the_name() -> None:
    name, titled = "فلاديمير بوتين", "الرئيس الروسي فلاديمير بوتين"
    assert without(candidate(name, 2), candidate(titled)) == [name]
    assert without(new(name, 2), new(titled)) == [name]
    assert without(candidate(titled), candidate(name, 2)) == [titled, name]
    assert without(candidate("ماركو روبيو"), candidate(titled)) == ["ماركو روبيو", titled]


def test_a_repetition_does_not_count_towards_the_limit_or_the_two_tags() -> None:
    assert without(new(WHOLE), new(SHORT), new("موسكو"), most=2) == [WHOLE, "موسكو"]
    scored = [(candidate(FULLEST, 0), 0.95), (candidate(WHOLE), 0.8), (candidate("روما"), 0.3)]
    assert selected(scored, distinct=without_repeats) == [FULLEST, "روما"]
