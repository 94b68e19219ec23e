"""Pairs of passages for contrastive pretraining."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wusum.train.data.corpora import Example
from wusum.train.data.pairs import (
    BODY_TOKENS,
    MIN_TOKENS,
    TITLE_TOKENS,
    Documents,
    PairBatches,
    PairCollator,
    crop,
)
from wusum.train.data.tokens import SpecialTokens, load_tokenizer


def test_documents_come_back_as_they_were_written(tokenizer_folder: Path, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(tokenizer_folder)
    body = "فاز الفريق في المباراة " * 10
    articles = [
        (0, Example("a", "plain", "فاز الفريق", body, None, None)),
        (0, Example("b", "plain", "", "قصير", None, None)),
        (1, Example("c", "almayadeen", "", body, None, None)),
    ]
    found = Documents.tokenise(tokenizer, articles)
    found.save(tmp_path / "d.npz")
    again = Documents.load(tmp_path / "d.npz")
    assert len(again) == 2  # without the short one
    assert again.corpora.tolist() == [0, 1]
    title, text = again[0]
    assert title.tolist() == tokenizer.encode("فاز الفريق", add_special_tokens=False).ids
    assert text.tolist() == tokenizer.encode(body, add_special_tokens=False).ids
    assert len(again[1][0]) == 0
    assert again[1][1].tolist() == text.tolist()


def made(articles: int = 40) -> Documents:
    lengths = np.random.default_rng(1).integers(30, 300, articles)
    titles = np.where(np.arange(articles) % 2, 8, 0)
    starts = np.cumsum([0, *(lengths + titles)])
    tokens = np.concatenate([np.arange(n) + 1000 * i for i, n in enumerate(lengths + titles)]).astype(np.uint16)
    return Documents(tokens, starts, titles, np.arange(articles) % 3)


def test_a_batch_is_of_one_corpus_and_the_passages_of_an_article_are_its_own_and_apart() -> None:
    documents = made()
    batches = PairBatches(documents, 4, 20, max_tokens=50, title_share=0.5, seed=1)
    titled = 0
    for number in range(20):
        batch = batches[number]
        assert len(batch) == 4
        assert len({int(documents.corpora[row]) for row in batches.rows[number]}) == 1
        for row, (short, long), again in zip(batches.rows[number], batch, batches[number], strict=True):
            title, _ = documents[row]
            assert 0 < len(short) <= 63
            assert 0 < len(long) <= 50
            assert not set(short.tolist()) & set(long.tolist())
            assert {*short.tolist(), *long.tolist()} <= set(range(1000 * row, 1000 * (row + 1)))
            titled += len(title) > 0 and short.tolist() == title.tolist()
            assert (short.tolist(), long.tolist()) == (again[0].tolist(), again[1].tolist())
    assert 10 < titled < 40
    assert len(batches) == len(batches.rows) == 20
    in_an_epoch = np.concatenate(batches.rows[:9])
    assert len(set(in_an_epoch.tolist())) == len(in_an_epoch)
    assert batches.rows[0].tolist() != batches.rows[9].tolist()
    with pytest.raises(ValueError, match="no corpus has the 64 articles"):
        PairBatches(documents, 64, 1, 50, 0.5, 1)


def test_titles_and_bodies_are_kept_up_to_a_length(tokenizer_folder: Path) -> None:
    tokenizer = load_tokenizer(tokenizer_folder)
    title, body = "فاز الفريق " * 30, "فاز الفريق " * 400
    articles = [
        (0, Example("a", "plain", title, body, None, None)),
        (0, Example("b", "plain", "", "فاز " * 24, None, None)),
    ]
    found = Documents.tokenise(tokenizer, [*articles, (0, Example("c", "plain", "", "فاز " * 23, None, None))])
    assert len(found) == 2  # 24 tokens are enough, 23 are not
    assert [len(part) for part in found[0]] == [TITLE_TOKENS, BODY_TOKENS] == [40, 600]
    assert [len(part) for part in found[1]] == [0, MIN_TOKENS] == [0, 24]


def passages(title: int, body: int, title_share: float, times: int = 300) -> list[tuple[list[int], list[int]]]:
    """Return pairs of passages of an article, whose title has tokens from 1000 on, of at most 80 tokens each."""
    batches, generator = PairBatches(made(), 4, 1, 80, title_share, seed=1), np.random.default_rng(1)
    tokens = np.arange(1000, 1000 + title, dtype=np.uint16), np.arange(body, dtype=np.uint16)
    found = [batches.passages(*tokens, generator) for _ in range(times)]
    return [(short.tolist(), long.tolist()) for short, long in found]


def test_a_title_stands_for_its_article_if_it_is_longer_than_two_tokens() -> None:
    for short, long in passages(3, 400, 1.0):
        assert short == [1000, 1001, 1002]
        assert len(long) == 80
        assert long == list(range(long[0], long[0] + 80))
    begins = [long[0] for _, long in passages(3, 400, 1.0)]
    assert 0.3 < begins.count(0) / len(begins) < 0.7  # half of them are the beginning
    assert max(begins) > 200
    assert all(short[0] < 1000 for short, _ in passages(2, 400, 1.0))
    assert all(short[0] < 1000 for short, _ in passages(3, 400, 0.0))


def test_without_title_a_short_passage_of_the_first_half_belongs_to_one_of_the_second() -> None:
    found = passages(0, 400, 0.7)
    assert {len(short) for short, _ in found} == set(range(16, 64))
    assert all(short[-1] < 200 <= long[0] and len(long) == 80 for short, long in found)


def test_a_crop_is_a_run_of_tokens_from_anywhere() -> None:
    generator, tokens = np.random.default_rng(1), np.arange(10, dtype=np.uint16)
    found = [crop(tokens, 4, generator).tolist() for _ in range(100)]
    assert {tuple(c) for c in found} == {tuple(range(i, i + 4)) for i in range(7)}
    assert crop(tokens, 40, generator).tolist() == list(range(10))


def test_passages_are_padded_side_by_side() -> None:
    collator = PairCollator(SpecialTokens((1,), (2,), 0))
    side = collator([[(np.array([5]), np.array([6, 7, 8])), (np.array([9, 9]), np.array([4]))]])
    assert side["short_ids"].tolist() == [[1, 5, 2, 0], [1, 9, 9, 2]]
    assert side["short_mask"].tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert side["long_ids"].tolist() == [[1, 6, 7, 8, 2], [1, 4, 2, 0, 0]]
