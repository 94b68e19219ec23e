"""Contrastive pretraining on corpora of a few made-up articles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from safetensors.torch import load_file

from tests.stopping import StopAt
from tests.support import TINY_BERT, TINY_CORPORA
from wusum.model.errors import ConfigError
from wusum.train.data.corpora import examples
from wusum.train.data.pairs import MIN_TOKENS, Documents
from wusum.train.data.tokens import load_tokenizer
from wusum.train.stages import contrast


def settings(corpora: Path, tokenizer: Path, output: Path, **changes: Any) -> contrast.ContrastConfig:
    made: dict[str, Any] = {
        "data": corpora, "tokenizer": tokenizer, "output": output, "corpora": TINY_CORPORA,
        "encoder": TINY_BERT | {"num_hidden_layers": 1}, "batch_size": 4, "steps": 30, "learning_rate": 3e-3,
        "save_steps": 10, "eval_steps": 10, "eval_batches": 2, "max_shared": 1.0, "window": 32,
    }  # fmt: skip
    return contrast.ContrastConfig(**made | changes)


def test_a_killed_run_ends_as_an_unbroken_one_that_learns(
    corpora: Path, tokenizer_folder: Path, tmp_path: Path
) -> None:
    def losses(folder: Path) -> dict[int, float]:
        lines = map(json.loads, (folder / "history.jsonl").read_text(encoding="utf-8").splitlines())
        return {line["step"]: line["eval_loss"] for line in lines if "eval_loss" in line}

    contrast.run(settings(corpora, tokenizer_folder, tmp_path / "unbroken"))
    contrast.run(settings(corpora, tokenizer_folder, tmp_path / "killed"), callbacks=[StopAt(10)])
    contrast.run(settings(corpora, tokenizer_folder, tmp_path / "killed"))
    unbroken, resumed = losses(tmp_path / "unbroken"), losses(tmp_path / "killed")
    assert unbroken[30] < unbroken[10]
    assert resumed[30] == pytest.approx(unbroken[30], abs=1e-4)
    one, other = (load_file(tmp_path / name / "encoder" / "model.safetensors") for name in ("unbroken", "killed"))
    for name, value in one.items():
        torch.testing.assert_close(other[name], value, atol=1e-4, rtol=1e-3, msg=name)
    ElementTree.fromstring((tmp_path / "killed" / "curve.svg").read_text(encoding="utf-8"))
    assert (tmp_path / "killed" / "encoder" / "tokenizer.json").is_file()


def test_it_goes_on_from_an_encoder_of_the_same_pieces(corpora: Path, tokenizer_folder: Path, tmp_path: Path) -> None:
    contrast.run(settings(corpora, tokenizer_folder, tmp_path / "one", steps=2))
    base = str(tmp_path / "one" / "encoder")
    pieces = load_tokenizer(tokenizer_folder).get_vocab_size()
    config = settings(corpora, tokenizer_folder, tmp_path, base_model=base)
    encoder = contrast.start_encoder(config, pieces, 0)
    weights = load_file(tmp_path / "one" / "encoder" / "model.safetensors")
    torch.testing.assert_close(
        encoder.get_parameter("embeddings.word_embeddings.weight"), weights["embeddings.word_embeddings.weight"]
    )
    with pytest.raises(ConfigError, match=f"{pieces} pieces, .*tokenizer has {pieces + 1}"):
        contrast.start_encoder(config, pieces + 1, 0)


def test_a_split_is_read_alone_without_near_duplicates_and_kept(
    corpora: Path, tokenizer_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = load_tokenizer(tokenizer_folder)

    def long(split: str) -> int:
        bodies = [e.body for corpus in TINY_CORPORA for e in examples(corpora, corpus, [split])]
        return sum(len(tokenizer.encode(body, add_special_tokens=False).ids) >= MIN_TOKENS for body in bodies)

    config = settings(corpora, tokenizer_folder, tmp_path)
    found = {split: contrast.documents(config, tokenizer, split) for split in ("train", "validation")}
    assert {split: len(documents) for split, documents in found.items()} == {s: long(s) for s in found}
    assert 0 < len(found["validation"]) < len(found["train"])
    assert {path.name for path in tmp_path.iterdir()} == {"train.npz", "validation.npz"}  # and no scratch file
    monkeypatch.setattr(Documents, "tokenise", None)
    assert contrast.documents(config, tokenizer, "train").tokens.tolist() == found["train"].tokens.tolist()
    monkeypatch.undo()
    strict = settings(corpora, tokenizer_folder, tmp_path / "strict", max_shared=0.0)
    assert len(contrast.documents(strict, tokenizer, "train")) < len(found["train"])
