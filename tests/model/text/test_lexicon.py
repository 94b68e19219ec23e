"""The words of a text, each looked at once."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.model.text.test_normalisation import ARABIC
from wusum.model.text import lexicon
from wusum.model.text import normalisation as spelling
from wusum.model.text.lexicon import Lexicon, plain_lexicon
from wusum.model.text.word_statistics import WordStatistics

PATTERN = re.compile(rf"[^\W_](?:[^\W_]|[{spelling._INSIDE}])*")


@given(ARABIC | st.text(max_size=40))
def test_a_text_is_its_words_and_what_stands_between_them(given_text: str) -> None:
    text = plain_lexicon().read(given_text)
    written = [text.slice(n, n) for n in range(len(text.lexemes))]
    assert given_text.startswith("".join(gap + word for gap, word in zip(text.gaps, written, strict=True)))
    found = [word for word in PATTERN.finditer(given_text) if spelling.normalise(word[0])]
    assert list(zip(text.starts, text.ends, strict=True)) == [word.span() for word in found]
    assert spelling.words(given_text) == list(
        zip([lexeme.text for lexeme in text.lexemes], text.starts, text.ends, strict=True)
    )
    assert [lexeme.text for lexeme in text.lexemes] == list(map(spelling.normalise, written))


def test_a_line_of_tatweel_is_no_word() -> None:
    text = plain_lexicon().read("موسكـو ـــــ بيروت")
    assert [lexeme.text for lexeme in text.lexemes] == ["موسكو", "بيروت"]
    assert text.gaps == ["", " ـــــ "]
    assert text.slice(1, 1) == "بيروت"
    assert plain_lexicon().read("ـﹱ ﹷ").lexemes == []
    assert plain_lexicon().read("ـــ").lexemes == plain_lexicon().read("").lexemes == []


@pytest.mark.parametrize(
    ("word", "readings"),
    [
        ("وبموسكو", ("بموسكو", "موسكو")),
        ("والرياض", ("رياض",)),
        ("موسكو", ("موسكو",)),
        ("بن", ("بن",)),
        ("البحرية", ("بحريه",)),
        ("ووزارة", ("وزاره", "زاره")),
        ("الوزارة", ("وزاره", "زاره")),
        ("وبكموسكو", ("بكموسكو", "كموسكو", "موسكو")),
    ],
)
def test_what_stands_under_conjunctions_and_prepositions(word: str, readings: tuple[str, ...]) -> None:
    assert plain_lexicon()[word].readings == readings


def test_which_words_a_phrase_may_begin_with() -> None:
    rarity = WordStatistics.of([*[["قال", "امس"]] * 19, ["قال", "مفاعل"]], ["ينفجر"])
    lexicon = Lexicon(rarity)
    assert lexicon["المفاعل"].edge
    assert lexicon["المفاعل"].rare == rarity("مفاعل")
    assert lexicon["ينفجر"].verb
    assert not any(lexicon[word].edge for word in ("قال", "ينفجر", "2024", "دم"))


def test_no_more_words_are_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexicon, "CACHED", 3)
    words_of = Lexicon(WordStatistics.none())
    words = ["موسكو", "بيروت", "دمشق", "بغداد", "موسكو", "ا" * (spelling.CACHED_LETTERS + 1)]
    assert words_of.read(" ".join(words)).lexemes == plain_lexicon().read(" ".join(words)).lexemes
    assert 0 < len(words_of) <= 3
    assert words[-1] not in words_of
