"""Tokenizers: normalisation, whole words, and a way back to the text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import POISON, TINY_CORPORA
from wusum.model.errors import ConfigError
from wusum.model.text.words import words
from wusum.train.data.tokens import load_tokenizer
from wusum.train.stages.tokenizer import SPECIAL, TokenizerConfig, normalizer, run, train

STORY = "أعلنت الوزارة عن خطة جديدة لبناء مدارس في القرى البعيدة وقال الوزير إن العمل يبدأ في الربيع المقبل"
KINDS = ["wordpiece", "bpe", "unigram"]


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("مُؤَكِّدًا", "مؤكدا"),
        ("إلى الأُمَّة", "الي الامة"),
        ("جميـــل", "جميل"),
        ("عام ٢٠٢٤", "عام 2024"),
        ("ﷲ ﻻ", "الله لا"),
        ("BBC\u200f", "bbc"),
        ("کتابی", "كتابي"),
    ],
)
def test_spelling_variants_are_folded(given: str, plain: str) -> None:
    assert normalizer().normalize_str(given) == plain


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_cuts_within_words_and_decodes(kind: str) -> None:
    texts = [f"{STORY} 12 مرة، وقالت BBC إنّ ذلك {n}." for n in range(40)]
    tokenizer = train(iter(texts), 150, 1, kind)
    assert [tokenizer.token_to_id(piece) for piece in SPECIAL] == [0, 1, 2, 3, 4]
    assert tokenizer.encode("").tokens == ["[CLS]", "[SEP]"]
    pieces = tokenizer.encode("الوزارة والوزير", add_special_tokens=False).tokens
    begins = [piece.startswith("▁") if kind == "unigram" else not piece.startswith("##") for piece in pieces]
    assert begins[0]
    assert sum(begins) == 2
    assert tokenizer.normalizer is not None
    for text in texts:
        found = [text[word.start : word.end] for word in words(text)]
        encoded = tokenizer.encode_batch(found, add_special_tokens=False)
        assert all(encoding.ids and tokenizer.token_to_id("[UNK]") not in encoding.ids for encoding in encoded)
        back = tokenizer.decode(tokenizer.encode(text).ids)
        assert "".join(back.split()) == "".join(tokenizer.normalizer.normalize_str(text).split())


@pytest.mark.parametrize("kind", KINDS)
def test_foreign_letters_are_unknown(kind: str) -> None:
    tokenizer = train(iter([STORY] * 20), 150, 1, kind)
    known, foreign = tokenizer.encode_batch(["الوزارة", "вести"], add_special_tokens=False)
    assert "[UNK]" not in [tokenizer.id_to_token(i) for i in known.ids]
    assert "[UNK]" in [tokenizer.id_to_token(i) for i in foreign.ids]


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(ConfigError, match="kind: no 'morphemes'; there are wordpiece, bpe and unigram"):
        train(iter([STORY]), 150, 1, "morphemes")


def test_the_pieces_are_those_of_training_articles(corpora: Path, tokenizer_folder: Path, tmp_path: Path) -> None:
    """The words of the other splits have letters of their own."""
    tokenizer = load_tokenizer(tokenizer_folder)
    for word in POISON.values():
        assert "[UNK]" in tokenizer.encode(word, add_special_tokens=False).tokens
        assert not any((set(word) - set("ن")) & set(piece) for piece in tokenizer.get_vocab())
    assert "[UNK]" not in tokenizer.encode("فاز الفريق في المباراة", add_special_tokens=False).tokens
    few = TokenizerConfig(corpora, tmp_path, TINY_CORPORA, documents=1, vocab_size=300, min_frequency=1)
    run(few)
    assert load_tokenizer(tmp_path).get_vocab_size() < tokenizer.get_vocab_size()
