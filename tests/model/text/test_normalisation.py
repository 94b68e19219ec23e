"""Normalisation for matching and its offsets."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

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


LETTERS = {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ة": "ه", "ۀ": "ه", "ہ": "ه", "ک": "ك"}
"""Letters of one sound in several spellings, some of them on Persian and Urdu keyboards, with the one that stays."""
DIGITS = {chr(zero + digit): str(digit) for zero in (0x0660, 0x06F0, 0xFF10) for digit in range(10)}
"""Arabic-Indic, Persian and full-width digits."""


def characters(*ends: int) -> list[str]:
    """All characters from the first to the last of each pair of code points."""
    return [chr(code) for first, last in zip(ends[::2], ends[1::2], strict=True) for code in range(first, last + 1)]


def changed(chars: Iterable[str]) -> dict[str, str]:
    """The characters that normalisation changes, with their replacements."""
    return {char: plain for char in chars if (plain := normalisation.normalise(char)) != char}


def test_in_the_arabic_block_letters_and_digits_are_folded_and_all_marks_removed() -> None:
    block = characters(0x0600, 0x06FF)
    removed = {char for char in block if unicodedata.category(char) == "Mn"} | {"\u0640", "\u061c"}
    digits = {char: plain for char, plain in DIGITS.items() if char in block}
    assert changed(block) == LETTERS | digits | dict.fromkeys(removed, "")


def test_capitals_and_full_width_digits_are_folded_and_invisible_characters_removed() -> None:
    chars = characters(0x0000, 0x05FF, 0x0700, 0xFB4F, 0xFE00, 0xFE6F, 0xFEFD, 0xFFFF)
    invisible = ["\u00ad", "\ufeff", *characters(0x200B, 0x200F, 0x202A, 0x202E, 0x2060, 0x2069)]
    capitals = {char: char.lower() for char in characters(ord("A"), ord("Z"))}
    wide = {char: plain for char, plain in DIGITS.items() if char > "\uff00"}
    assert changed(chars) == capitals | wide | dict.fromkeys(invisible, "")


def test_presentation_forms_are_the_letters_that_they_show() -> None:
    forms = characters(0xFB50, 0xFDFF, 0xFE70, 0xFEFC)
    for form in forms:
        letters = unicodedata.normalize("NFKC", form)
        apart = letters.startswith(" ")  # a mark over nothing
        assert normalisation.normalise(form) == (form if apart else normalisation.normalise(letters)), hex(ord(form))
    assert len(changed(forms)) > 600
    assert changed("ﭐﮎﯽﺔﻼﷳﹷ") == {"ﭐ": "ا", "ﮎ": "ك", "ﯽ": "ي", "ﺔ": "ه", "ﻼ": "لا", "ﷳ": "اكبر", "ﹷ": ""}


def test_erased_letters_are_the_letters_that_vanish() -> None:
    vanish = {char for char in map(chr, range(0x10000)) if char.isalnum() and not normalisation.normalise(char)}
    assert set(normalisation.ERASED_LETTERS) == vanish
    assert vanish >= set("ـﹱﹷ")


@pytest.mark.parametrize(
    ("given_text", "starts", "ends"),
    [
        ("مُوسَى", (0, 2, 3, 5), (2, 3, 5, 6)),
        ("\u200fمو\u200f", (1, 2), (2, 4)),
        ("لﷲـى", (0, 1, 1, 1, 1, 3), (1, 3, 3, 3, 3, 4)),
        ("ﻻ", (0, 0), (1, 1)),
        ("ـَ", (), ()),
        ("", (), ()),
    ],
)
def test_a_letter_comes_from_its_character_and_the_marks_after_it(
    given_text: str, starts: tuple[int, ...], ends: tuple[int, ...]
) -> None:
    aligned = normalisation.align(given_text)
    assert (aligned.starts, aligned.ends) == (starts, ends)


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


@pytest.mark.parametrize(("start", "end"), [(0, 6), (-1, 2), (2, 2), (3, 2), (5, 6)])
def test_an_outside_span_is_refused(start: int, end: int) -> None:
    aligned = normalisation.align("موسكو")
    assert aligned.span(0, 5) == (0, 5)
    with pytest.raises(ValueError, match=f"no span {start}:{end} in a text of 5 characters"):
        aligned.span(start, end)


@pytest.mark.parametrize(
    ("sample", "share"),
    [
        ("", 0.0),
        ("123 !", 0.0),
        ("مرحبا", 1.0),
        ("abcde مرحبا", 0.5),
        ("a مرحبا_12 bc", 0.625),
        ("مَرْحَبًا", 1.0),
        ("ﻣﺮﺣﺒﺎ גג", 5 / 7),
        *((letter + "x", 0.5) for letter in "ؠؿفيٱۓﭐﮱﯓﴽﵐﷇﷰﷻﹰﻼ"),  # first and last of each range of letters
        *((other + "x", 0.0) for other in "ـ؟٪۔﴾﴿"),
    ],
)
def test_arabic_share_counts_letters_only(sample: str, share: float) -> None:
    assert normalisation.arabic_share(sample) == pytest.approx(share)
