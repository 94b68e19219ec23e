"""A pretrained encoder and its tokenizer with the pieces of the corpora alone."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tokenizers import Tokenizer
from torch import Tensor

from tests.support import POISON, TINY_BERT, TINY_CORPORA
from wusum.model.errors import ConfigError
from wusum.model.network.module import mean_pool, pooling
from wusum.train.data.corpora import examples
from wusum.train.nets.base_tokenizer import open_base_tokenizer
from wusum.train.nets.encoders import EncoderSettings, open_encoder
from wusum.train.stages import prune
from wusum.train.stages.prune import PruneConfig, run
from wusum.train.stages.tokenizer import train

FOREIGN = "quick brown foxes jump over lazy dogs"
PROMPT = "query: "
FAMILIES = {"bert": "wordpiece", "xlm-roberta": "unigram", "roberta": "bpe"}
"""Families of encoders, and the kind of tokenizer of each."""


def base_model(folder: Path, corpora: Path, family: str = "bert", **settings: Any) -> Path:
    """Write an encoder and a tokenizer that knows the corpora, all their splits, and another language."""
    texts = [e.text for name in TINY_CORPORA for e in examples(corpora, name, ["train", "validation", "test"])]
    tokenizer = train(iter([*texts, *[f"{FOREIGN} {PROMPT}"] * 9]), 400, 1, FAMILIES[family])
    torch.manual_seed(1)
    shape = TINY_BERT | {"max_position_embeddings": 64, "pad_token_id": 0} | settings
    config = transformers.AutoConfig.for_model(family, vocab_size=tokenizer.get_vocab_size() + 3, **shape)
    encoder = transformers.AutoModel.from_config(config)
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    encoder.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def prune_config(data: Path, base: Path, **changes: Any) -> PruneConfig:
    settings: dict[str, Any] = {
        "base_model": str(base), "data": data, "output": base.with_name("pruned"), "corpora": TINY_CORPORA
    }  # fmt: skip
    return PruneConfig(**settings | changes)


def pruned(data: Path, base: Path, **changes: Any) -> Path:
    config = prune_config(data, base, **changes)
    run(config)
    return config.output


def tokenizer_of(folder: Path) -> Tokenizer:
    return open_base_tokenizer(str(folder), "auto")


def vectors(folder: Path, texts: list[str]) -> Tensor:
    """Return the pooled vectors of texts by `AutoModel` and `AutoTokenizer`."""
    config = transformers.AutoConfig.from_pretrained(folder)
    encoder = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32, **pooling(config.to_dict()))
    batch = transformers.AutoTokenizer.from_pretrained(folder)(
        texts, return_tensors="pt", padding=True, truncation=True, max_length=60
    )
    ids, mask = batch["input_ids"], batch["attention_mask"]
    with torch.inference_mode():
        return mean_pool(encoder(input_ids=ids, attention_mask=mask).last_hidden_state, mask)


def training_texts(corpora: Path) -> list[str]:
    return [example.text for name in TINY_CORPORA for example in examples(corpora, name)][::9]


@pytest.mark.parametrize("family", FAMILIES)
def test_texts_of_the_corpora_have_the_same_vectors(family: str, corpora: Path, tmp_path: Path) -> None:
    base = base_model(tmp_path / "base", corpora, family)
    # What its class would read from its files, which are of another family.
    names = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]", "model_max_length": 9}
    (base / "tokenizer_config.json").write_text(json.dumps(names), encoding="utf-8")
    output = pruned(corpora, base)
    before, after = tokenizer_of(base).get_vocab_size(), tokenizer_of(output).get_vocab_size()
    assert after < before - 20
    assert open_encoder(EncoderSettings(base_model=str(output)), 0, 0).config.vocab_size == after
    texts = training_texts(corpora)
    made = vectors(output, texts)
    assert made.std() > 0.1
    torch.testing.assert_close(made, vectors(base, texts), atol=1e-6, rtol=0)


def test_the_folder_loads_as_any_other_of_the_hub(corpora: Path, tmp_path: Path) -> None:
    output = pruned(corpora, base_model(tmp_path / "base", corpora, "xlm-roberta"))
    loaded = transformers.AutoTokenizer.from_pretrained(output)
    assert loaded.special_tokens_map == {
        "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]"
    }  # fmt: skip
    assert loaded.model_max_length == 63  # of 64 positions, after that of padding
    tokenizer = tokenizer_of(output)
    for text in ["", *training_texts(corpora)]:
        assert loaded(text)["input_ids"] == tokenizer.encode(text).ids
    encoder, problems = transformers.AutoModel.from_pretrained(
        output, add_pooling_layer=False, output_loading_info=True
    )
    assert not any(problems.values())
    assert encoder.config.pad_token_id == tokenizer.token_to_id("[PAD]")


def test_the_pieces_are_those_of_training_articles(corpora: Path, tmp_path: Path) -> None:
    base = base_model(tmp_path / "base", corpora)
    known = tokenizer_of(base)
    kept = tokenizer_of(pruned(corpora, base)).get_vocab()
    assert "المباراة" in kept
    for word in [*POISON.values(), *FOREIGN.split()]:
        assert word in known.encode(word).tokens
        assert word not in kept
    assert not set(FOREIGN) & kept.keys()


def test_prompts_stay_and_rare_pieces_go(corpora: Path, tmp_path: Path) -> None:
    base = base_model(tmp_path / "base", corpora)

    def pieces(**changes: Any) -> set[str]:
        return {*tokenizer_of(pruned(corpora, base, **changes)).get_vocab()}

    every = pieces()
    prompted = pieces(prompts=[PROMPT, "lazy"])
    assert {"query", ":", "lazy"} <= prompted - every
    assert "dogs" not in prompted
    counts = dict.fromkeys(every, 0)
    tokenizer = tokenizer_of(base)
    for name in TINY_CORPORA:
        for example in examples(corpora, name):
            for piece in tokenizer.encode(example.text, add_special_tokens=False).tokens:
                counts[piece] += 1
    limit = sorted(counts.values())[-9]
    words = {piece for piece in every if len(piece.removeprefix("##")) > 1 and piece[0] != "["}
    assert words & pieces(min_count=limit) == {word for word in words if counts[word] >= limit}
    assert pieces(max_rows=1) < every


def test_special_tokens_keep_the_names_that_the_files_give(corpora: Path, tmp_path: Path) -> None:
    base = base_model(tmp_path / "base", corpora)
    older = {"pad_token": "dogs", "cls_token": {"content": "lazy", "lstrip": False}, "mask_token": "quick"}
    (base / "special_tokens_map.json").write_text(json.dumps(older), encoding="utf-8")
    newer = {"mask_token": "over", "sep_token": "not a piece", "bos_token": None}
    (base / "tokenizer_config.json").write_text(json.dumps(newer), encoding="utf-8")
    output = pruned(corpora, base)
    found = json.loads((output / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert {role: name for role, name in found.items() if role.endswith("_token")} == {
        "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "dogs", "cls_token": "lazy", "mask_token": "over"
    }  # fmt: skip
    assert {"dogs", "lazy", "over"} <= tokenizer_of(output).get_vocab().keys()


def test_what_the_configuration_names_stays(corpora: Path, tmp_path: Path) -> None:
    base = base_model(tmp_path / "base", corpora)
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    config["sep_token_id"] = tokenizer_of(base).token_to_id("dogs")
    (base / "config.json").write_text(json.dumps(config), encoding="utf-8")
    output = pruned(corpora, base)
    found = json.loads((output / "config.json").read_text(encoding="utf-8"))
    assert tokenizer_of(output).id_to_token(found["sep_token_id"]) == "dogs"


def test_weights_can_be_written_in_half_precision(corpora: Path, tmp_path: Path) -> None:
    base = base_model(tmp_path / "base", corpora)
    sizes = {
        half: (pruned(corpora, base, float16=half, output=tmp_path / str(half)) / "model.safetensors").stat().st_size
        for half in (False, True)
    }
    assert sizes[True] < 0.6 * sizes[False]
    texts = training_texts(corpora)
    torch.testing.assert_close(vectors(tmp_path / "True", texts), vectors(tmp_path / "False", texts), atol=0.02, rtol=0)


def test_the_log_says_what_stays(corpora: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    base = base_model(tmp_path / "base", corpora)
    with caplog.at_level(logging.INFO):
        output = pruned(corpora, base)
    before, after = (tokenizer_of(folder).get_vocab_size() for folder in (base, output))
    assert f"{after} of {before} pieces stay, with 100.000% of the text" in caplog.text
    size = (output / "model.safetensors").stat().st_size / 1e6
    assert f"M weights: {size:.1f} MB" in caplog.text


def test_preprocessing_is_counted_and_kept(corpora: Path, tmp_path: Path) -> None:
    output = pruned(corpora, base_model(tmp_path / "bert-base-arabertv02", corpora))
    tokenizer = tokenizer_of(output)
    assert tokenizer.encode("الفريققققق 📚").tokens == tokenizer.encode("الفريقق").tokens
    plain = tokenizer_of(
        pruned(corpora, tmp_path / "bert-base-arabertv02", preprocessing="none", output=tmp_path / "b")
    )
    assert "[UNK]" in plain.encode("📚").tokens


def test_a_base_model_that_is_not_there_is_named(corpora: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=str(tmp_path / "none")):
        run(prune_config(corpora, tmp_path / "none"))


def test_a_base_model_is_not_overwritten(corpora: Path, tmp_path: Path) -> None:
    base = base_model(tmp_path / "base", corpora)
    with pytest.raises(ConfigError, match=r"output: .*base is the base model"):
        run(prune_config(corpora, base, output=base / ".." / "base"))


def test_an_encoder_whose_vectors_would_change_is_refused(
    corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prune, "greatest_difference", lambda *_: 0.02)
    with pytest.raises(ConfigError, match=r"base: its vectors change by 0\.02; it cannot be pruned"):
        run(prune_config(corpora, base_model(tmp_path / "base", corpora)))
    assert not (tmp_path / "pruned").exists()
