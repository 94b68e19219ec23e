"""Words of a text, their match keys and their hashes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import ARABIC
from wusum.model.text.normalisation import normalise
from wusum.model.text.word_statistics import hash_word
from wusum.model.text.words import MIN_STEM, match_key, split_words, strip_clitics, words


@given(ARABIC | st.text(max_size=40))
def test_every_word_stands_where_it_says(given_text: str) -> None:
    found = words(given_text)
    for word in found:
        assert normalise(given_text[word.start : word.end]) == word.text
        assert word.text
    assert [w.start for w in found] == sorted(w.start for w in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


@given(ARABIC | st.text(max_size=40))
def test_words_and_gaps_make_up_the_text(given_text: str) -> None:
    found, starts, ends, gaps = split_words(given_text)
    assert found == [given_text[start:end] for start, end in zip(starts, ends, strict=True)]
    rest = given_text[ends[-1] if ends else 0 :]
    assert "".join(gap + word for gap, word in zip(gaps, found, strict=True)) + rest == given_text
    assert not any(map(words, [*gaps, rest]))


@pytest.mark.parametrize(
    ("word", "stem"),
    [
        ("والرياض", "رياض"), ("بالرياض", "رياض"), ("كالرياض", "رياض"), ("فالرياض", "رياض"), ("للرياض", "رياض"),
        ("الرياض", "رياض"), ("وموسكو", "موسكو"), ("بموسكو", "بموسكو"), ("موسكو", "موسكو"), ("وزير", "زير"),
        ("وان", "وان"), ("الدم", "الدم"), ("", ""),
    ],
)  # fmt: skip
def test_a_clitic_comes_off_a_word_of_enough_letters(word: str, stem: str) -> None:
    assert strip_clitics(word) == stem
    assert word == stem or len(stem) >= MIN_STEM


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("وموسكو", "موسكو"),
        ("الرياض", "بالرياض"),
        ("إسرائيل", "اسرائيل"),
        ("الولايات المتحدة الأميركية", "للولايات المتحدة الاميركيه"),
        ("كوفيد-19", "كوفيد ١٩"),
    ],
)
def test_spellings_of_one_tag_share_a_key(one: str, other: str) -> None:
    assert match_key(one) == match_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("روسيا", "سوريا"), ("لبنان", "بنان"), ("الله", "له"), ("غزة", "غزة وحماس")]
)
def test_different_tags_have_different_keys(one: str, other: str) -> None:
    assert match_key(one) != match_key(other)


def test_a_hash_is_the_same_on_every_machine() -> None:
    """Model files hold hashes."""
    assert hash_word("موسكو") == 1817938527
    assert hash_word("") == 0
    assert 0 <= hash_word("\ud800") < 1 << 32  # a lone surrogate
