"""What a student reads of passages, what it is to answer, and how passages come into batches."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from wusum.model.errors import ConfigError
from wusum.train.data import passage_batches
from wusum.train.data.passage_batches import (
    CARELESS,
    PassageBatches,
    PassageTokens,
    ReadingSettings,
    batches_of_like_length,
)
from wusum.train.data.soft_targets import SoftTargets
from wusum.train.data.text_units import marks_within, units

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "مدرس", "##ة", "##ه", "أحمد", "احمد", ".", "في", "على", "علي"]
PAD, _, CLS, SEP, MASK = range(5)

TEXTS = ["مدرسة أحمد.", "في", "على مدرسة أحمد مدرسة"]
TITLE_UNITS = [1, 0, 0]


@pytest.fixture
def tokenizer() -> Tokenizer:
    """A WordPiece tokenizer of few pieces, which tells careless from careful spelling."""
    made = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(PIECES)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.BertProcessing(("[SEP]", SEP), ("[CLS]", CLS))
    return made


@pytest.fixture
def tokens(tokenizer: Tokenizer) -> PassageTokens:
    return PassageTokens.tokenise(TEXTS, TITLE_UNITS, tokenizer)


def targets_of(texts: list[str], topics: int = 2, size: int = 3) -> SoftTargets:
    """Return targets for texts: random ones, but those of marks are probabilities."""
    generator = np.random.default_rng(1)
    counts = [len(units(text)) for text in texts]
    marks = generator.dirichlet([1, 1, 1], (sum(counts), 2)).astype(np.float16)
    return SoftTargets(
        generator.normal(2, 1, (len(texts), size)).astype(np.float16),
        generator.random((len(texts), topics), np.float32),
        marks,
        np.cumsum([0, *counts]),
    )


def text_of(tokens: PassageTokens, number: int) -> list[tuple[str, int]]:
    """Return the pieces of a text, each with the number of its unit."""
    part = slice(tokens.starts[number], tokens.starts[number + 1])
    return [(PIECES[i], int(unit)) for i, unit in zip(tokens.ids[part], tokens.units[part], strict=True)]


def test_passages_are_tokenised_as_written_and_carelessly(tokens: PassageTokens) -> None:
    assert len(tokens) == 3
    assert tokens.lengths.tolist() == [4, 1, 6]
    assert text_of(tokens, 0) == [("مدرس", 0), ("##ة", 0), ("أحمد", 1), (".", 2)]
    assert text_of(tokens, 3) == [("مدرس", 0), ("##ه", 0), ("احمد", 1), (".", 2)]
    assert text_of(tokens, 5)[0] == ("علي", 0)
    assert tokens.titles.tolist() == [2, 0, 0] * 2  # two pieces of the first word
    assert "أإآٱ ى ة".translate(CARELESS) == "اااا ي ه"


def test_tokens_are_kept_while_passages_and_tokenizer_are_the_same(
    tokenizer: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = datasets.Dataset.from_dict({"text": TEXTS, "title_units": TITLE_UNITS})

    def kept(digest: str = "rows") -> PassageTokens:
        return PassageTokens.kept(tmp_path, digest, rows, tokenizer)

    first = kept()
    monkeypatch.setattr(PassageTokens, "tokenise", None)
    again = kept()
    monkeypatch.undo()
    assert all(np.array_equal(value, getattr(again, name)) for name, value in vars(first).items())
    kept("other rows")
    assert len(list(tmp_path.iterdir())) == 2
    tokenizer.add_tokens(["مدرسة"])
    assert len(kept().ids) < len(first.ids)
    monkeypatch.setattr(passage_batches, "code_digest", lambda *modules: " ".join(m.__name__ for m in modules))
    kept()
    assert len(list(tmp_path.iterdir())) == 4


NOTHING = ReadingSettings(token_dropout=0.0, title_dropout=0.0, careless_share=0.0)


def batches_of(
    tokens: PassageTokens,
    targets: SoftTargets,
    tokenizer: Tokenizer,
    settings: ReadingSettings = NOTHING,
    **changes: Any,
) -> PassageBatches:
    """Return batches, the first of which has all passages."""
    made: dict[str, Any] = {
        "batches": [np.array([2, 0, 1])] * 40, "tags": [[1], [], [0, 2]], "labels": 3, "window": 32, "seed": 1
    }  # fmt: skip
    return PassageBatches(settings, tokens=tokens, targets=targets, tokenizer=tokenizer, **made | changes)


def test_a_batch_has_tokens_and_what_is_to_be_answered(tokens: PassageTokens, tokenizer: Tokenizer) -> None:
    targets = targets_of(TEXTS)
    batch = batches_of(tokens, targets, tokenizer)[0]
    assert batch["input_ids"].tolist() == [
        [CLS, 12, 5, 6, 8, 5, 6, SEP], [CLS, 5, 6, 8, 10, SEP, PAD, PAD], [CLS, 11, SEP, *[PAD] * 5]
    ]  # fmt: skip
    assert batch["attention_mask"].tolist() == [[1] * 8, [1] * 6 + [0] * 2, [1] * 3 + [0] * 5]
    assert batch["tags"].tolist() == [[True, False, True], [False, True, False], [False, False, False]]
    assert np.array_equal(batch["topics"].numpy(), targets.topics[[2, 0, 1]])
    assert np.array_equal(batch["vectors"].numpy(), targets.vectors[[2, 0, 1]])
    words, within = targets.marks[targets.starts[2] :], marks_within(targets.marks[targets.starts[2] :])
    wanted = [np.zeros_like(words[0]), words[0], words[1], within[1], words[2], words[3], within[3]]
    assert np.array_equal(batch["marks"][0, :7].numpy(), np.stack(wanted))
    assert batch["marks"].any(-1).any(-1).sum(-1).tolist() == [6, 4, 1]


def test_a_passage_is_cut_to_the_window(tokens: PassageTokens, tokenizer: Tokenizer) -> None:
    batch = batches_of(tokens, targets_of(TEXTS), tokenizer, window=5)[0]
    assert batch["input_ids"].tolist() == [[CLS, 12, 5, 6, SEP], [CLS, 5, 6, 8, SEP], [CLS, 11, SEP, PAD, PAD]]
    assert batch["marks"].shape[:2] == (3, 5)


def test_tokens_titles_and_careful_spelling_are_taken_from_a_share(tokens: PassageTokens, tokenizer: Tokenizer) -> None:
    targets = targets_of(TEXTS)

    def share(token: int, **changes: float) -> float:
        """Return the share of passages number 0 with a token as their second, first after [CLS], or that token."""
        settings = ReadingSettings(**vars(NOTHING) | changes)
        found = batches_of(tokens, targets, tokenizer, settings, batches=[np.zeros(50, int)] * 8)
        return float(np.mean([(found[i]["input_ids"][:, 1:3] == token).any(-1).float().mean() for i in range(8)]))

    assert share(6) == 1
    assert share(7) == share(MASK) == 0
    assert 0.2 < share(7, careless_share=0.3) < 0.4
    assert 0.2 < share(8, title_dropout=0.3) < 0.4
    assert 0.4 < share(MASK, token_dropout=0.3) < 0.6  # of two
    untitled = batches_of(tokens, targets, tokenizer, ReadingSettings(**vars(NOTHING) | {"title_dropout": 1.0}))[0]
    assert untitled["input_ids"][1].tolist()[:4] == [CLS, 8, 10, SEP]  # the other passages have no title
    assert untitled["input_ids"][0].tolist() == [CLS, 12, 5, 6, 8, 5, 6, SEP]
    assert np.array_equal(untitled["marks"][1, 1].numpy(), targets.marks[1])
    assert np.array_equal(untitled["topics"][1].numpy(), targets.topics[0])


def test_special_tokens_and_padding_are_never_hidden(tokens: PassageTokens, tokenizer: Tokenizer) -> None:
    settings = ReadingSettings(token_dropout=1.0, title_dropout=0.0)
    hidden = batches_of(tokens, targets_of(TEXTS), tokenizer, settings)[0]["input_ids"]
    assert hidden[1].tolist() == [CLS, *[MASK] * 4, SEP, PAD, PAD]
    assert hidden[2].tolist() == [CLS, MASK, SEP, *[PAD] * 5]


def test_a_batch_is_the_same_each_time_it_is_read(tokens: PassageTokens, tokenizer: Tokenizer) -> None:
    targets = targets_of(TEXTS)
    settings = ReadingSettings(token_dropout=0.3, title_dropout=0.5, careless_share=0.5)
    one, other = (batches_of(tokens, targets, tokenizer, settings) for _ in range(2))
    texts = set()
    for i in (5, 3, 20):
        assert all(value.equal(other[i][name]) for name, value in one[i].items())
        texts.add(str(one[i]["input_ids"].tolist()))
    assert len(texts) == 3  # and batches of the same passages differ
    assert str(batches_of(tokens, targets, tokenizer, settings, seed=2)[5]["input_ids"].tolist()) not in texts


def test_a_tokenizer_without_mask_token_hides_nothing(tokens: PassageTokens) -> None:
    bare = Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]"))
    with pytest.raises(ConfigError, match="token_dropout"):
        batches_of(tokens, targets_of(TEXTS), bare, ReadingSettings())
    assert len(batches_of(tokens, targets_of(TEXTS), bare)) == 40


def test_batches_are_of_like_length_in_another_order_each_time() -> None:
    lengths = np.random.default_rng(1).permutation(400)
    batches = batches_of_like_length(lengths, [1] * 400, 10, 2.0, seed=1)
    assert len(batches) == 80
    assert {len(batch) for batch in batches} == {10}
    for epoch in (batches[:40], batches[40:]):
        assert Counter(np.concatenate(epoch).tolist()) == Counter(range(400))
    assert max(np.ptp(lengths[batch]) for batch in batches) < 90  # 399 if they were at random
    firsts = [lengths[batch].min() for batch in batches[:40]]
    assert firsts != sorted(firsts)
    assert batches[0].tolist() != batches[40].tolist()
    again = batches_of_like_length(lengths, [1] * 400, 10, 2.0, seed=1)
    assert all(map(np.array_equal, batches, again))
    assert batches_of_like_length(lengths, [1] * 400, 10, 2.0, seed=2)[0].tolist() != batches[0].tolist()


def test_some_rows_are_read_more_often_and_a_rest_is_left_out() -> None:
    batches = batches_of_like_length(np.ones(10, int), [3, 1, 1, 1, 1, 1, 1, 1, 1, 1], 4, 1.0, seed=1)
    assert Counter(np.concatenate(batches).tolist()) == Counter([0, 0, *range(10)])
    assert len(batches_of_like_length(np.ones(10, int), [1] * 10, 4, 1.0, seed=1)) == 2
    assert len(batches_of_like_length(np.ones(10, int), [1] * 10, 4, 0.5, seed=1)) == 1
    assert len(batches_of_like_length(np.ones(10, int), [1] * 10, 4, 10.0, seed=1)) == 25
    for size, epochs in ((11, 10.0), (5, 0.2)):
        with pytest.raises(ConfigError, match=r"10 passages, read .* too few for a batch"):
            batches_of_like_length(np.ones(10, int), [1] * 10, size, epochs, seed=1)
