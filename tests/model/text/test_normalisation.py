"""Normalisation for matching and its offsets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import ARABIC
from wusum.model.text import normalisation


@pytest.mark.parametrize(
    ("given_text", "plain"),
    [
        ("مُؤَكِّدًا", "مؤكدا"),
        ("إسرائيـــل", "اسرائيل"),
        ("أوروبا آسيا ٱلله", "اوروبا اسيا الله"),
        ("مصطفى", "مصطفي"),
        ("غزّة", "غزه"),
        ("٢٠٢٤ ۲۰۲۴ NASA", "2024 2024 nasa"),
        ("\u200fموسكو\ufeff", "موسكو"),
        ("ﻻﷲ", "لاالله"),
        ("وزارة‌الخارجية", "وزارهالخارجيه"),
    ],
)
def test_normalise_folds_spellings(given_text: str, plain: str) -> None:
    assert normalisation.normalise(given_text) == plain


@given(ARABIC | st.text(max_size=40))
def test_every_span_of_the_alignment_is_the_text_it_names(given_text: str) -> None:
    aligned = normalisation.align(given_text)
    assert aligned.text == normalisation.normalise(given_text)
    for i, char in enumerate(aligned.text):
        start, end = aligned.span(i, i + 1)
        assert 0 <= start < end <= len(given_text)
        assert char in normalisation.normalise(given_text[start:end])
    if aligned.text:
        start, end = aligned.span(0, len(aligned.text))
        assert normalisation.normalise(given_text[start:end]) == aligned.text


@given(ARABIC | st.text("كتابﹱﹷﻼﻻﷲﳲـَ"))
def test_normalising_twice_changes_nothing(given_text: str) -> None:
    once = normalisation.normalise(given_text)
    assert normalisation.normalise(once) == once


def test_an_outside_span_is_refused() -> None:
    with pytest.raises(ValueError, match="no span 0:9"):
        normalisation.align("موسكو").span(0, 9)


@pytest.mark.parametrize(
    ("sample", "share"), [("", 0.0), ("123 !", 0.0), ("مرحبا", 1.0), ("abcde مرحبا", 0.5), ("مَرْحَبًا", 1.0)]
)
def test_arabic_share_counts_letters_only(sample: str, share: float) -> None:
    assert normalisation.arabic_share(sample) == pytest.approx(share)
