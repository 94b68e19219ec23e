"""Marked phrases: from logits to spans to phrases, and the marks of training articles."""

from __future__ import annotations

import numpy as np
import pytest

from wusum.model.network.outputs import KINDS, MIN_LOG_ODDS
from wusum.model.network.spans import (
    BEGIN,
    INSIDE,
    MARKS,
    OUTSIDE,
    OUTSIDE_PENALTY,
    MarkedSpan,
    decode_spans,
    group_phrases,
)
from wusum.model.text.words import MAX_PHRASE_WORDS
from wusum.train.data.corpora import Example
from wusum.train.data.mentions import marks, name_mentions, phrase_mentions

TEXT = "زار أنطونيو غوتيريش مدينة رفح"
OFFSETS = [(0, 3), (4, 11), (12, 15), (15, 19), (20, 25), (26, 29)]


def logits(*marks_of_kinds: str) -> np.ndarray:
    """Sure logits [tokens, kinds * marks] of one word of marks (O, B, I) a kind."""
    table = np.full((len(marks_of_kinds[0]), len(KINDS), len(MARKS)), -5.0, np.float32)
    for kind, word in enumerate(marks_of_kinds):
        for token, mark in enumerate(word):
            table[token, kind, "OBI".index(mark)] = 5.0
    return table.reshape(len(table), -1)


def test_marks_become_spans_of_each_kind() -> None:
    found = list(decode_spans(logits("OOOOBI", "OBIIOO"), OFFSETS))
    assert [(KINDS[m.kind], TEXT[m.start : m.end]) for m in found] == [
        ("phrase", "مدينة رفح"),
        ("name", "أنطونيو غوتيريش"),
    ]
    assert all(m.log_odds > 9 for m in found)
    assert list(decode_spans(logits("OOOOOO", "OIIOOO"), OFFSETS)) == []


def test_a_doubtful_phrase_is_a_candidate() -> None:
    table = logits("O", "O").reshape(1, len(KINDS), len(MARKS))
    table[0, 0] = (1.0, 0.0, -5.0)
    (found,) = decode_spans(table.reshape(1, -1), [(0, 3)])
    assert found.log_odds == pytest.approx(-1.0, abs=0.01)
    table[0, 0] = (2.0, 0.0, -5.0)
    assert not list(decode_spans(table.reshape(1, -1), [(0, 3)]))


def test_a_phrase_ends_where_the_next_begins_or_the_text_ends() -> None:
    found = list(decode_spans(logits("BIBIOB", "OOOOOO"), OFFSETS))
    assert [TEXT[m.start : m.end] for m in found] == ["زار أنطونيو", "غوتيريش", "رفح"]


def test_a_phrase_is_as_likely_as_its_tokens_are_on_average() -> None:
    table = np.full((6, len(KINDS), len(MARKS)), -5.0, np.float32)
    table[..., OUTSIDE] = 5.0
    table[1, 1] = (0.5, 2.0, -1.0)
    table[2, 1] = (1.0, -2.0, 1.5)
    odds = [np.log(np.exp(2.0) + np.exp(-1.0)) - 0.5, np.log(np.exp(-2.0) + np.exp(1.5)) - 1.0]
    (found,) = decode_spans(table.reshape(6, -1), OFFSETS)
    assert found == MarkedSpan(1, 4, 15, round(sum(odds) / 2, 3))
    assert round(found.log_odds, 2) != found.log_odds


def test_a_mark_is_taken_if_it_comes_within_the_penalty_of_outside() -> None:
    table = logits("B", "O").reshape(1, len(KINDS), len(MARKS))
    for outside, marked in ((OUTSIDE_PENALTY - 0.01, True), (OUTSIDE_PENALTY + 0.01, False)):
        table[0, 0] = (outside, 0.0, -5.0)
        assert bool(list(decode_spans(table.reshape(1, -1), [(0, 3)]))) is marked


def test_a_phrase_goes_on_within_the_penalty_of_outside() -> None:
    table = logits("BI", "OO").reshape(2, len(KINDS), len(MARKS))
    table[1, 0] = (OUTSIDE_PENALTY - 0.01, -5.0, 0.0)
    (found,) = decode_spans(table.reshape(2, -1), [(0, 3), (3, 6)])
    assert (found.start, found.end) == (0, 6)


def test_phrases_are_whole_words_in_one_sentence() -> None:
    text = "في رفح. وغزة، قال أنطونيو غوتيريش، 2024 في رفح"
    found = group_phrases(
        text,
        [
            MarkedSpan(0, 3, 6, 1.0),
            MarkedSpan(0, 3, 11, 1.0),  # over the end of a sentence
            MarkedSpan(1, text.index("أنطونيو") + 2, text.index("غوتيريش") + 3, 2.0),  # cut in the middle of words
            MarkedSpan(0, text.index("2024"), text.index("2024") + 4, 3.0),
            MarkedSpan(0, text.rindex("رفح"), text.rindex("رفح") + 3, 0.5),
        ],
    )
    assert {key: phrase.log_odds for key, phrase in found.items()} == {
        "رفح": [1.0, MIN_LOG_ODDS],
        "انطونيو غوتيريش": [MIN_LOG_ODDS, 2.0],
    }
    assert found["رفح"].forms.total() == 2


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("رفح", {"رفح"}),
        ("رف", {"رف"}),
        ("ر", set()),
        ("!", set()),
        ("2024", set()),
        ("20 24", set()),
        ("كوفيد 19", {"كوفيد 19"}),
        ("19 حزيران", {"19 حزيران"}),
        (" ".join(["رفح"] * MAX_PHRASE_WORDS), {" ".join(["رفح"] * MAX_PHRASE_WORDS)}),
        (" ".join(["رفح"] * (MAX_PHRASE_WORDS + 1)), set()),
    ],
)
def test_a_phrase_has_two_letters_a_word_and_no_more_words_than_a_tag(text: str, keys: set[str]) -> None:
    assert set(group_phrases(text, [MarkedSpan(0, 0, len(text), 1.0)])) == keys


@pytest.mark.parametrize(
    ("start", "end", "form"),
    [
        (0, 7, "غزة/رفح"),
        (2, 5, "غزة/رفح"),
        (0, 1, "غزة"),
        (1, 2, "غزة"),
        (4, 5, "رفح"),
        (5, 6, "رفح"),
        (6, 7, "رفح"),
    ],
)
def test_a_mark_inside_words_is_extended_to_their_ends(start: int, end: int, form: str) -> None:
    (phrase,) = group_phrases("غزة/رفح", [MarkedSpan(0, start, end, 1.0)]).values()
    assert list(phrase.forms) == [form]


def test_the_mentions_of_a_phrase_are_counted_by_form_and_the_likeliest_counts() -> None:
    text = "الفريق ثم للفريق ثم الفريق"
    spans = [(0, 6, 0.5), (10, 16, 2.5), (20, 26, 1.5)]
    found = group_phrases(text, [MarkedSpan(1, *span) for span in spans])
    assert found.keys() == {"فريق"}
    assert found["فريق"].forms == {"الفريق": 2, "للفريق": 1}
    assert found["فريق"].log_odds == [MIN_LOG_ODDS, 2.5]


def example(**fields: object) -> Example:
    return Example("1", "news", "زيارة رفح", TEXT, None, None, "", **fields)  # type: ignore[arg-type]


def test_key_phrases_of_an_article_are_found_the_longest_first() -> None:
    found = phrase_mentions(example(phrases=("رفح", "مدينة رفح", "غزة")))
    assert found is not None
    text = example().text
    assert [text[start:end] for start, end in found] == ["رفح", "مدينة رفح"]
    assert phrase_mentions(example()) is None


def test_names_of_an_article_stand_in_its_body() -> None:
    found = name_mentions(example(names=((4, 19),)))
    assert found is not None
    assert [example().text[start:end] for start, end in found] == ["أنطونيو غوتيريش"]
    assert name_mentions(example()) is None


def test_mentions_become_marks_of_tokens() -> None:
    assert marks(OFFSETS, [(4, 19), (26, 29)]) == [OUTSIDE, BEGIN, INSIDE, INSIDE, OUTSIDE, BEGIN]
    assert marks(OFFSETS, [(4, 11), (12, 19)]) == [OUTSIDE, BEGIN, BEGIN, INSIDE, OUTSIDE, OUTSIDE]
    assert marks(OFFSETS[:3], [(4, 19), (26, 29)]) == [OUTSIDE, BEGIN, INSIDE]
    assert marks(OFFSETS, []) == [OUTSIDE] * 6
    assert marks(OFFSETS, None) == []
