"""The tokenizer of the bundled model: which spellings the network sees as one."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer

from wusum.model.network.artifact import BUNDLED


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(BUNDLED / "tokenizer.json"))


@pytest.mark.parametrize(
    ("spelling", "plain"),
    [
        *((alef, "ا") for alef in "أإآٱ"),
        *((yeh, "ي") for yeh in "ىی"),
        ("ک", "ك"),
        *((chr(zero + digit), str(digit)) for zero in (0x0660, 0xFF10) for digit in range(10)),
        ("ABCXYZ", "abcxyz"),
        ("ﻻ", "لا"),
        ("ﷲ", "الله"),
        ("ﮎﯽ", "كي"),
        *((f"م{mark}ن", "من") for mark in "ًٌٍَُِّْٰـؚۭٕۖۜ۟ؐ"),
        *((f"م{chr(code)}ن", "من") for code in (0xAD, 0x61C, *range(0x200B, 0x2010), *range(0x202A, 0x202F))),
        *((f"م{chr(code)}ن", "من") for code in (*range(0x2060, 0x206A), 0xFEFF)),
        # Words are more often told apart by these than misspelt.
        ("ة", "ة"),
        ("ه", "ه"),
        ("ؤئء", "ؤئء"),
    ],
)
def test_spellings_are_folded(tokenizer: Tokenizer, spelling: str, plain: str) -> None:
    assert tokenizer.normalizer.normalize_str(spelling) == plain


@pytest.mark.parametrize(
    ("one", "other"),
    [("كتاب علی", "کتاب على"), ("عام ٢٠٢٤", "عام ２０２４"), ("مُؤَكِّد", "مؤكد"), ("إسرائيـــل", "اسرائيل")],
)
def test_spellings_of_a_word_have_the_same_tokens(tokenizer: Tokenizer, one: str, other: str) -> None:
    assert tokenizer.encode(one).ids == tokenizer.encode(other).ids
