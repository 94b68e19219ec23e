"""Contrastive pretraining on corpora of a few made-up articles."""

from __future__ import annotations

import json
import lzma
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from safetensors.torch import load_file

from tests.stopping import StopAt
from tests.support import TINY_BERT, TINY_CORPORA, copy_corpora, edit_file
from wusum.model.errors import ConfigError
from wusum.train.config import pin
from wusum.train.data import deduplication
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

    contrast.run(settings(corpora, tokenizer_folder, tmp_path / "unbroken", seed=14))
    contrast.run(settings(corpora, tokenizer_folder, tmp_path / "killed", seed=14), callbacks=[StopAt(10)])
    moved = copy_corpora(corpora, tmp_path / "moved")
    contrast.run(settings(moved, tokenizer_folder, tmp_path / "killed", seed=14))
    unbroken, resumed = losses(tmp_path / "unbroken"), losses(tmp_path / "killed")
    assert unbroken[30] < 0.8 * unbroken[10]
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
    assert sorted(path.name.partition("-")[0] for path in tmp_path.iterdir()) == ["train", "validation"]
    monkeypatch.setattr(Documents, "tokenise", None)
    assert contrast.documents(config, tokenizer, "train").tokens.tolist() == found["train"].tokens.tolist()
    monkeypatch.undo()
    strict = settings(corpora, tokenizer_folder, tmp_path, max_shared=0.0)
    assert len(contrast.documents(strict, tokenizer, "train")) < len(found["train"])
    assert len(list(tmp_path.iterdir())) == 3


def test_tokens_are_kept_only_while_all_that_they_are_made_of_is_the_same(
    corpora: Path, tokenizer_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, tokenizer = copy_corpora(corpora, tmp_path / "data"), load_tokenizer(tokenizer_folder)

    def kept(data: Path = own, **changes: Any) -> int:
        """Return how many sets of tokens are kept after asking for those of some settings."""
        config = replace(settings(data, tokenizer_folder, tmp_path / "out"), **changes)
        contrast.documents(config, tokenizer, "train")
        return len(list((tmp_path / "out").iterdir()))

    assert kept() == 1
    assert kept(copy_corpora(corpora, tmp_path / "moved"), seed=7, steps=3) == 1
    changes = {"outlet_names": ["x"], "max_rows": 9, "max_shared": 0.9, "corpora": TINY_CORPORA[::-1]}
    for count, (name, value) in enumerate(changes.items(), 2):
        assert kept(**{name: value}) == count, name
    edit_file(own / "plain.jsonl.xz", "المباراة", "المنافسة")
    assert kept() == 6
    tokenizer.add_tokens(["المنافسة"])
    assert kept() == 7
    monkeypatch.setattr(contrast, "code_digest", lambda *packages: " ".join(p.__name__ for p in packages))
    assert kept() == 8
    assert kept() == 8


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 14}, "seed"),
        ({"corpora": ["plain"]}, r"corpora, contents of almayadeen\.jsonl\.xz"),
        ({"learning_rate": 1.0, "temperature": 1.0}, "learning_rate, temperature"),
        ({"data": ("plain.jsonl.xz", "المباراة", "المنافسة")}, r"contents of plain\.jsonl\.xz"),
        ({"tokenizer": ("tokenizer.json", "[MASK]", "[HIDE]")}, "tokenizer, contents of tokenizer"),
    ],
)
def test_a_run_does_not_go_on_with_other_settings_or_data(
    corpora: Path, tokenizer_folder: Path, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    config = settings(corpora, tokenizer_folder, tmp_path / "run")
    pin(config, config.output, contrast.run_inputs(config), contrast.FREE)
    folders = {"data": corpora, "tokenizer": tokenizer_folder}
    for name in folders.keys() & changes.keys():
        file, *edit = changes[name]
        copy_corpora(folders[name], tmp_path / name)
        edit_file(tmp_path / name / file, *edit)
        changes = changes | {name: tmp_path / name}
    with pytest.raises(ConfigError, match=rf"has checkpoints of a run with other settings or data \({words}\)"):
        contrast.run(replace(config, **changes))


def test_near_duplicates_are_told_by_title_and_body_together_in_all_corpora(
    tokenizer_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Articles of one body under different titles are different ones, and so are different bodies under one title."""
    monkeypatch.setattr(deduplication, "SAMPLED", 1)
    body = "فاز الفريق في المباراة وسجل المهاجم هدفا في مرمى الخصم"
    other_body = "ارتفعت أسعار الأسهم في البورصة وأعلن البنك أرباح الشركة أمس"
    title = "خبر عن مباراة الأمس بين الفريق الأول والفريق الثاني في المدينة"
    other_title = "تقرير من الملعب يصف كل ما جرى في الشوط الأول وفي الشوط الثاني"
    articles = {
        "first": [(title, body), (other_title, body), (title, other_body)],
        "second": [(title, body), (title, f"{body} اليوم أيضا"), ("", other_body)],
    }
    for corpus, given in articles.items():
        with lzma.open(tmp_path / f"{corpus}.jsonl.xz", "wt", encoding="utf-8") as file:
            for number, (headline, text) in enumerate(given):
                row = {"id": f"{corpus}-{number}", "title": headline, "text": text, "tags": None, "split": "train"}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    config = replace(
        settings(tmp_path, tokenizer_folder, tmp_path), corpora=["first", "second"], outlet_names=["الخصم"]
    )

    def distinct(**changes: Any) -> list[tuple[int, str]]:
        found = list(contrast._distinct(replace(config, **changes), "train"))
        assert not any("الخصم" in example.body for _, example in found)
        return [(corpus, example.id) for corpus, example in found]

    assert distinct(max_shared=0.5) == [(0, "first-0"), (0, "first-1"), (0, "first-2")]
    assert distinct(max_shared=0.5, max_rows=1) == [(0, "first-0")]
    assert len(distinct(max_shared=1.0)) == 6
