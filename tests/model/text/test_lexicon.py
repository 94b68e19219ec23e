"""The words of a text, each analysed once."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import ARABIC
from wusum.model.text import lexicon
from wusum.model.text.cache import CACHE_MAX_LETTERS
from wusum.model.text.lexicon import Lexicon, plain_lexicon
from wusum.model.text.normalisation import INNER_MARKS, normalise
from wusum.model.text.word_statistics import WordStatistics
from wusum.model.text.words import words

PATTERN = re.compile(rf"[^\W_](?:[^\W_]|[{INNER_MARKS}])*")


@given(ARABIC | st.text(max_size=40))
def test_a_text_is_its_words_and_the_gaps_between_them(given_text: str) -> None:
    text = plain_lexicon().tokenise(given_text)
    written = [text.slice(n, n) for n in range(len(text.lexemes))]
    assert given_text.startswith("".join(gap + word for gap, word in zip(text.gaps, written, strict=True)))
    found = [word for word in PATTERN.finditer(given_text) if normalise(word[0])]
    assert list(zip(text.starts, text.ends, strict=True)) == [word.span() for word in found]
    assert words(given_text) == list(zip([lexeme.text for lexeme in text.lexemes], text.starts, text.ends, strict=True))
    assert [lexeme.text for lexeme in text.lexemes] == list(map(normalise, written))


def test_a_line_of_tatweel_is_no_word() -> None:
    text = plain_lexicon().tokenise("موسكـو ـــــ بيروت")
    assert [lexeme.text for lexeme in text.lexemes] == ["موسكو", "بيروت"]
    assert text.gaps == ["", " ـــــ "]
    assert text.slice(1, 1) == "بيروت"
    assert plain_lexicon().tokenise("ـﹱ ﹷ").lexemes == []
    assert plain_lexicon().tokenise("ـــ").lexemes == plain_lexicon().tokenise("").lexemes == []


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
def test_a_word_is_read_without_conjunctions_and_prepositions(word: str, readings: tuple[str, ...]) -> None:
    assert plain_lexicon()[word].readings == readings


def test_verbs_are_told_by_the_statistics() -> None:
    words_of_news = Lexicon(WordStatistics.count([], ["ينفجر"]))
    assert words_of_news["ينفجر"].is_verb
    assert not words_of_news["المفاعل"].is_verb
    assert not plain_lexicon()["ينفجر"].is_verb


def test_the_cache_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexicon, "CACHE_SIZE", 3)
    small = Lexicon(WordStatistics.empty())
    long = "ا" * (CACHE_MAX_LETTERS + 1)
    text = f"موسكو بيروت دمشق بغداد موسكو {long}"
    assert small.tokenise(text).lexemes == plain_lexicon().tokenise(text).lexemes
    assert 0 < len(small) <= 3
    assert long not in small
