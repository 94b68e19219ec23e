"""Contrastive pretraining, on a corpus of a few made-up articles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from tests.stopping import StopAt
from wusum.model.errors import ConfigError
from wusum.train.data.corpora import Example
from wusum.train.data.pairs import Documents, PairBatches, PairCollator, crop
from wusum.train.stages import contrast, tokenizer

SHAPE = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
NAMES = ["plain", "almayadeen"]


@pytest.fixture(scope="module")
def pieces(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pieces")
    tokenizer.run(tokenizer.TokenizerConfig(corpora, folder, NAMES, vocab_size=120, min_frequency=1))
    return folder


def settings(corpora: Path, pieces: Path, output: Path, **changes: Any) -> contrast.ContrastConfig:
    made: dict[str, Any] = {
        "data": corpora, "tokenizer": pieces, "output": output, "corpora": NAMES, "encoder": SHAPE, "batch_size": 4,
        "steps": 30, "learning_rate": 3e-3, "save_steps": 10, "eval_steps": 10, "eval_batches": 2, "max_shared": 1.0,
        "window": 32,
    }  # fmt: skip
    return contrast.ContrastConfig(**made | changes)


def test_documents_come_back_as_they_were_written(pieces: Path, tmp_path: Path) -> None:
    reader = Tokenizer.from_file(str(pieces / "tokenizer.json"))
    body = "فاز الفريق في المباراة " * 10
    articles = [(0, Example("a", "plain", "فاز الفريق", body, None, None)), (0, Example("b", "plain", "", "قصير", None, None)), (1, Example("c", "almayadeen", "", body, None, None))]  # fmt: skip # noqa: E501
    found = Documents.tokenise(reader, articles)
    found.save(tmp_path / "d.npz")
    again = Documents.load(tmp_path / "d.npz")
    assert len(again) == 2  # the short one is no article
    assert again.corpora.tolist() == [0, 1]
    title, text = again[0]
    assert title.tolist() == reader.encode("فاز الفريق", add_special_tokens=False).ids
    assert text.tolist() == reader.encode(body, add_special_tokens=False).ids
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
    batches = PairBatches(documents, 4, 20, room=50, title_share=0.5, seed=1)
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
    in_an_epoch = np.concatenate(batches.rows[:9])
    assert len(set(in_an_epoch.tolist())) == len(in_an_epoch)
    assert batches.rows[0].tolist() != batches.rows[9].tolist()
    with pytest.raises(ValueError, match="no corpus has the 64 articles"):
        PairBatches(documents, 64, 1, 50, 0.5, 1)


def test_a_crop_is_a_run_of_tokens_from_anywhere() -> None:
    generator, tokens = np.random.default_rng(1), np.arange(10, dtype=np.uint16)
    found = [crop(tokens, 4, generator).tolist() for _ in range(100)]
    assert {tuple(c) for c in found} == {tuple(range(i, i + 4)) for i in range(7)}
    assert crop(tokens, 40, generator).tolist() == list(range(10))


def test_passages_are_padded_side_by_side() -> None:
    side = PairCollator([1], [2], 0)([[(np.array([5]), np.array([6, 7, 8])), (np.array([9, 9]), np.array([4]))]])
    assert side["short_ids"].tolist() == [[1, 5, 2, 0], [1, 9, 9, 2]]
    assert side["short_mask"].tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert side["long_ids"].tolist() == [[1, 6, 7, 8, 2], [1, 4, 2, 0, 0]]


def test_the_loss_is_the_cross_entropy_of_finding_ones_own(corpora: Path, pieces: Path, tmp_path: Path) -> None:
    encoder = contrast.start(settings(corpora, pieces, tmp_path), 120, 0)
    model = contrast.TwinEncoder(encoder, 0.5).eval()
    ids, mask = torch.randint(5, 120, (3, 8)), torch.ones(3, 8, dtype=torch.long)
    with torch.no_grad():
        vectors = model.embed(ids, mask)
        assert vectors.norm(dim=-1).tolist() == pytest.approx([1, 1, 1])
        logits = (vectors @ vectors.T / 0.5).log_softmax(-1)
        assert float(model(ids, mask, ids, mask)["loss"]) == pytest.approx(float(-logits.diagonal().mean()), abs=1e-5)


def test_a_killed_run_ends_as_an_unbroken_one_that_learns(corpora: Path, pieces: Path, tmp_path: Path) -> None:
    def losses(folder: Path) -> dict[int, float]:
        lines = map(json.loads, (folder / "history.jsonl").read_text(encoding="utf-8").splitlines())
        return {line["step"]: line["eval_loss"] for line in lines if "eval_loss" in line}

    contrast.run(settings(corpora, pieces, tmp_path / "unbroken"))
    contrast.run(settings(corpora, pieces, tmp_path / "killed"), callbacks=[StopAt(10)])
    contrast.run(settings(corpora, pieces, tmp_path / "killed"))
    unbroken, resumed = losses(tmp_path / "unbroken"), losses(tmp_path / "killed")
    assert unbroken[30] < unbroken[10]
    assert resumed[30] == pytest.approx(unbroken[30], abs=1e-4)
    one, other = (load_file(tmp_path / name / "encoder" / "model.safetensors") for name in ("unbroken", "killed"))
    for name, value in one.items():
        torch.testing.assert_close(other[name], value, atol=1e-4, rtol=1e-3, msg=name)
    ElementTree.fromstring((tmp_path / "killed" / "curve.svg").read_text(encoding="utf-8"))
    assert (tmp_path / "killed" / "encoder" / "tokenizer.json").is_file()


def test_it_goes_on_from_an_encoder_of_the_same_pieces(corpora: Path, pieces: Path, tmp_path: Path) -> None:
    contrast.run(settings(corpora, pieces, tmp_path / "one", steps=2))
    base = str(tmp_path / "one" / "encoder")
    encoder = contrast.start(settings(corpora, pieces, tmp_path, base_model=base), 120, 0)
    weights = load_file(tmp_path / "one" / "encoder" / "model.safetensors")
    torch.testing.assert_close(
        encoder.get_parameter("embeddings.word_embeddings.weight"), weights["embeddings.word_embeddings.weight"]
    )
    with pytest.raises(ConfigError, match="120 pieces"):
        contrast.start(settings(corpora, pieces, tmp_path, base_model=base), 130, 0)
