"""Packing and pretraining, on a corpus of a few made-up articles."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file
from tokenizers import Tokenizer

from tests.stopping import StopAt
from wusum.train import packing, pretrain, tokenizer
from wusum.train.packing import Deduplicator, pack
from wusum.train.pretrain import MaskedRows

SHAPE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
STORY = "أعلنت الوزارة عن خطة جديدة لبناء مدارس في القرى البعيدة وقال الوزير إن العمل يبدأ في الربيع المقبل"


@pytest.fixture(scope="module")
def packed(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed")
    names = ["plain", "almayadeen"]
    tokenizer.run(
        tokenizer.TokenizerConfig(
            data=corpora, output=folder / "tokenizer", corpora=names, vocab_size=120, min_frequency=1
        )
    )
    packing.run(
        packing.PackingConfig(
            data=corpora, tokenizer=folder / "tokenizer", output=folder, corpora=names, row_tokens=32, max_shared=1.0
        )
    )
    return folder


def test_a_near_duplicate_is_dropped_and_a_new_text_is_not() -> None:
    seen = Deduplicator(max_shared=0.5)
    long = " ".join(f"{word}{n}" for n in range(12) for word in STORY.split())
    assert seen.is_new(long)
    assert not seen.is_new(long)
    assert not seen.is_new(f"خبر عاجل: {long} انتهى.")
    assert not seen.is_new(long.replace("الوزارة", "الوِزارة"))
    assert seen.is_new(" ".join(f"{n}{word}" for n in range(12) for word in STORY.split()))
    assert seen.is_new("خبر قصير")
    assert not seen.is_new("خبر قصير")


def test_rows_hold_every_token_in_order(packed: Path) -> None:
    pieces = Tokenizer.from_file(str(packed / "tokenizer" / "tokenizer.json"))
    cls, sep = pieces.encode("").ids
    documents = [[10, 11, 12], [13], [14, 15, 16, 17]]
    rows = np.concatenate(list(pack(documents, pieces, 6)))
    assert rows.dtype == np.uint16
    assert rows.tolist() == [[cls, 10, 11, 12, sep, sep], [cls, 13, sep, 14, 15, sep]]


def test_test_splits_are_never_read(packed: Path, corpora: Path) -> None:
    counts = json.loads((packed / "counts.json").read_text(encoding="utf-8"))
    assert counts["train"]["corpora"]["plain"]["documents"] == 60
    assert counts["validation"]["corpora"]["plain"]["documents"] == 12
    assert counts["train"]["rows"] == len(np.load(packed / "train.npy"))


def test_whole_words_are_masked_and_only_they(packed: Path) -> None:
    pieces = Tokenizer.from_file(str(packed / "tokenizer" / "tokenizer.json"))
    rows = np.load(packed / "train.npy")
    masked = MaskedRows(rows, pieces, mask_share=0.3, seed=1)
    shares = []
    for i in range(len(masked)):
        item = masked[i]
        chosen = item["labels"] != -100
        np.testing.assert_array_equal(item["labels"][chosen], rows[i][chosen])
        np.testing.assert_array_equal(item["input_ids"][~chosen], rows[i][~chosen])
        assert not masked.special[rows[i][chosen]].any()
        for here, following in zip(range(31), range(1, 32), strict=True):
            if masked.continues[rows[i][following]] and not masked.special[rows[i][here]]:
                assert chosen[here] == chosen[following]
        shares.append(chosen.sum() / (~masked.special[rows[i]]).sum())
        np.testing.assert_array_equal(item["input_ids"], masked[i]["input_ids"])
    assert 0.28 < np.mean(shares) < 0.40


def test_a_killed_run_ends_as_an_unbroken_one(packed: Path, tmp_path: Path) -> None:
    def train(name: str, stop: int | None = None) -> Path:
        config = pretrain.PretrainConfig(
            packed=packed, tokenizer=packed / "tokenizer", output=tmp_path / name, encoder=SHAPE, batch_size=4, steps=40,  # noqa: E501
            learning_rate=3e-3, save_steps=10, eval_steps=40,
        )  # fmt: skip
        pretrain.run(config, callbacks=[StopAt(stop)] if stop else [])
        return tmp_path / name

    unbroken = train("unbroken")
    train("killed", stop=20)
    resumed = train("killed")

    def losses(folder: Path) -> list[float]:
        lines = map(json.loads, (folder / "history.jsonl").read_text(encoding="utf-8").splitlines())
        return [line["eval_loss"] for line in lines if "eval_loss" in line and line["step"] == 40]

    assert losses(resumed)[-1] == pytest.approx(losses(unbroken)[-1], abs=1e-4)
    one, other = (load_file(folder / "encoder" / "model.safetensors") for folder in (unbroken, resumed))
    for name, value in one.items():
        torch.testing.assert_close(other[name], value, atol=1e-4, rtol=1e-3, msg=name)
    assert (resumed / "encoder" / "tokenizer.json").is_file()


def test_pretraining_learns(packed: Path, tmp_path: Path) -> None:
    config = pretrain.PretrainConfig(
        packed=packed, tokenizer=packed / "tokenizer", output=tmp_path, encoder=SHAPE, batch_size=16, steps=60,
        learning_rate=5e-3, eval_steps=20,
    )  # fmt: skip
    pretrain.run(config)
    lines = map(json.loads, (tmp_path / "history.jsonl").read_text(encoding="utf-8").splitlines())
    losses = [line["eval_loss"] for line in lines if "eval_loss" in line]
    assert losses[-1] < losses[0] < np.log(120)
    assert transformers.AutoModel.from_pretrained(tmp_path / "encoder").config.hidden_size == 32
