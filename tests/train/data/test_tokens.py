"""Tokenizers, their special tokens, and batches."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from wusum.model.errors import ConfigError
from wusum.train.data.tokens import SpecialTokens, batched, load_tokenizer, mask_token


def test_items_are_batched_in_order() -> None:
    assert list(batched(iter("abcde"), 2)) == [["a", "b"], ["c", "d"], ["e"]]
    assert list(batched([1, 2], 2)) == [[1, 2]]
    assert list(batched([])) == []


def test_texts_are_padded_between_their_special_tokens(tokenizer_folder: Path) -> None:
    special = SpecialTokens.of(load_tokenizer(tokenizer_folder))
    assert special == SpecialTokens((2,), (3,), 0)
    assert len(special) == 2
    ids, mask = special.padded([[7], [8, 9, 10]])
    assert ids.tolist() == [[2, 7, 3, 0, 0], [2, 8, 9, 10, 3]]
    assert mask.tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]


def test_a_tokenizer_neither_truncates_nor_pads(tokenizer_folder: Path, tmp_path: Path) -> None:
    limited = load_tokenizer(tokenizer_folder)
    limited.enable_truncation(4)
    limited.enable_padding(length=4)
    limited.save(str(tmp_path / "tokenizer.json"))
    text = "فاز الفريق في المباراة وسجل المهاجم هدفا"
    expected = load_tokenizer(tokenizer_folder).encode(text).ids
    assert len(expected) > 4
    assert load_tokenizer(tmp_path).encode(text).ids == expected
    assert len(load_tokenizer(tmp_path).encode("").ids) == 2


def test_a_mask_token_is_found_by_either_name(tokenizer_folder: Path) -> None:
    assert mask_token(load_tokenizer(tokenizer_folder)) == 4
    assert mask_token(Tokenizer(WordLevel({"[UNK]": 0, "<mask>": 1}, unk_token="[UNK]"))) == 1
    with pytest.raises(ConfigError, match="token_dropout: the tokenizer has neither"):
        mask_token(Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]")))


def test_padding_is_found_by_either_name() -> None:
    for name, vocabulary in (("[PAD]", {"[UNK]": 0, "[PAD]": 5}), ("<pad>", {"[UNK]": 0, "<pad>": 1})):
        tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
        assert SpecialTokens.of(tokenizer).pad == vocabulary[name]
