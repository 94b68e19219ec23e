"""Packing and pretraining, on a corpus of a few made-up articles."""

from __future__ import annotations

import json
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file
from tokenizers import Tokenizer

from tests.stopping import StopAt
from wusum.train.curve import draw, draw_history
from wusum.train.nets.bert import look_at_neighbours, new_bert
from wusum.train.nets.optimizer import Muon, MuonAdamW
from wusum.train.stages import comparison, packing, pretrain, tokenizer
from wusum.train.stages.packing import Deduplicator, pack
from wusum.train.stages.pretrain import MaskedRows

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
    ElementTree.fromstring((tmp_path / "curve.svg").read_text(encoding="utf-8"))
    assert transformers.AutoModel.from_pretrained(tmp_path / "encoder").config.hidden_size == 32


def test_heads_of_the_first_layer_start_on_the_neighbours() -> None:
    torch.manual_seed(0)
    encoder = new_bert(SHAPE | {"hidden_size": 128, "num_attention_heads": 2}, 500, 32, 0)
    look_at_neighbours(encoder)
    encoder.set_attn_implementation("eager")
    with torch.no_grad():
        first = encoder(torch.randint(5, 500, (4, 32)), output_attentions=True).attentions[0].mean(0)
    before, after = first[0], first[1]
    assert before.diagonal(offset=-1).min() > 0.5
    assert after.diagonal(offset=1).min() > 0.5


@pytest.mark.parametrize("shape", [(24, 8), (8, 24)])
def test_muon_is_torchs_but_for_its_rounding(shape: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(1)
    ours, theirs = (torch.nn.Parameter(torch.full(shape, 0.5)) for _ in range(2))
    optimizers = Muon([ours], 0.02, 0.1), torch.optim.Muon([theirs], lr=0.02, weight_decay=0.1)
    for _ in range(3):
        ours.grad = torch.randn(shape, generator=generator)
        theirs.grad = ours.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=0)  # bfloat16 has three digits, of steps of 0.01
    assert (ours - 0.5).abs().mean() > 0.005


def test_the_optimizer_gives_matrices_to_muon_and_comes_back_as_it_was() -> None:
    def new() -> tuple[torch.nn.Module, MuonAdamW]:
        torch.manual_seed(1)
        model = torch.nn.ModuleDict({"embeddings": torch.nn.Embedding(9, 4), "layer": torch.nn.Linear(4, 3)})
        return model, MuonAdamW(model, 0.02, 1e-3, 0.1)

    def step(model: torch.nn.Module, optimizer: MuonAdamW, times: int) -> None:
        for _ in range(times):
            model["layer"](model["embeddings"](torch.arange(9))).square().sum().backward()  # type: ignore[index]
            optimizer.step()
            optimizer.zero_grad()

    model, optimizer = new()
    assert [[tuple(p.shape) for p in group["params"]] for group in optimizer.param_groups] == [
        [(3, 4)],
        [(9, 4), (3,)],
    ]
    step(model, optimizer, 2)
    other, again = new()
    other.load_state_dict(model.state_dict())
    again.load_state_dict(deepcopy(optimizer.state_dict()))
    for group in (*optimizer.param_groups, *again.param_groups):
        group["lr"] *= 0.5  # as a schedule does; the parts must see it after loading, too
    step(model, optimizer, 2)
    step(other, again, 2)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], value, msg=name)
    assert [part.param_groups[0]["lr"] for part in again.parts] == [0.01, 0.0005]


def test_a_curve_goes_down_where_the_numbers_do(tmp_path: Path) -> None:
    root = ElementTree.fromstring(draw([(0, 4.0), (1, 3.0), (2, 2.5)], "bits", "steps"))
    (line,) = (e for e in root.iter() if e.get("class") == "line")
    places = [tuple(map(float, p.split())) for p in line.get("d", "").removeprefix("M").split("L")]
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(places))  # down the page
    with pytest.raises(ValueError, match="two points"):
        draw([(0, 1.0)], "", "")
    history = tmp_path / "history.jsonl"
    history.write_text('{"step": 1, "bits_per_character": 3}\n', encoding="utf-8")
    draw_history(history, tmp_path / "curve.svg", key="bits_per_character", per_step=10, title="", across="")
    assert not (tmp_path / "curve.svg").exists()


def test_bits_per_character_take_the_length_of_the_masked_pieces_into_account(packed: Path, tmp_path: Path) -> None:
    config = pretrain.PretrainConfig(
        packed=packed, tokenizer=packed / "tokenizer", output=tmp_path, encoder=SHAPE, steps=1, eval_steps=1
    )
    pretrain.run(config)
    pieces = Tokenizer.from_file(str(packed / "tokenizer" / "tokenizer.json"))
    rows = np.load(packed / "validation.npy")
    masked = MaskedRows(rows, pieces, config.mask_share, config.seed)
    labels = [label for i in range(len(rows)) for label in masked[i]["labels"] if label != -100]
    letters = sum(len(pieces.id_to_token(label).removeprefix("##")) for label in labels)
    lines = map(json.loads, (tmp_path / "history.jsonl").read_text(encoding="utf-8").splitlines())
    line = next(line for line in lines if "eval_loss" in line)
    assert line["bits_per_character"] == pytest.approx(line["eval_loss"] / np.log(2) * len(labels) / letters)


@pytest.mark.parametrize("kind", ["wordpiece", "bpe", "unigram"])
def test_every_kind_of_tokenizer_knows_where_words_begin_and_decodes(kind: str) -> None:
    texts = [f"{STORY} 12 مرة، وقالت BBC إنّ ذلك {n}." for n in range(40)]
    pieces = tokenizer.train(iter(texts), 150, 1, kind)
    masked = MaskedRows(np.zeros((1, 4), np.uint16), pieces, 0.2, 1)
    ids = pieces.encode("الوزارة والوزير", add_special_tokens=False).ids
    begins = [not masked.continues[i] for i in ids]
    assert begins[0]
    assert sum(begins) == 2
    measured = comparison.cutting(pieces, texts)
    assert measured["round_trip"] == 1
    assert measured["unknown_words"] == 0
    assert measured["tokens_per_word"] >= 1
    foreign = comparison.cutting(pieces, ["الوزارة вести"])
    assert foreign["unknown_words"] == 0.5
    assert foreign["round_trip"] == 0


def test_tokenizers_are_compared_at_equal_compute(corpora: Path, tmp_path: Path) -> None:
    config = comparison.ComparisonConfig(
        data=corpora, output=tmp_path, corpora=["plain", "almayadeen"], kinds=["wordpiece", "unigram"],
        vocab_sizes=[200], encoder=SHAPE, teraflops=0.005, batch_size=4,
    )  # fmt: skip
    comparison.run(config)
    table = json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))
    assert [row["kind"] for row in table] == ["wordpiece", "unigram"]
    for row in table:
        assert row["steps"] > 0
        assert 0 < row["bits_per_character"] < 8
