"""Fine-tuning on two tiny corpora: what is learned, checkpoints, base models and kept heads."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file

from tests.stopping import StopAt
from tests.support import TINY_BERT, annotate, copy_corpora, edit_file, finetune_config, finish_model
from wusum.model.errors import ConfigError
from wusum.model.tagger import Tagger
from wusum.train import inputs
from wusum.train.config import pin
from wusum.train.data.tokens import load_tokenizer
from wusum.train.stages import finetune


def test_the_trained_model_tags_what_it_was_taught(trained: Path) -> None:
    tagger = Tagger.from_pretrained(trained)
    body = "سجل المهاجم هدفا في مرمى الخصم وفاز الفريق في المباراة"
    prediction = tagger(body)
    assert prediction.topics[0].name_en == "sport"
    assert {"مباراة", "كرة القدم"} & {tag.text for tag in tagger(body, min_score=0.0).tags}


def test_the_loss_falls_and_its_curve_is_kept(finetuned: Path) -> None:
    curve = json.loads((finetuned / "history.json").read_text(encoding="utf-8"))
    assert len(curve) >= 2
    assert [windows for windows, _ in curve] == [50 * 8 * (n + 1) for n in range(len(curve))]
    assert curve[-1][1] < curve[0][1]


def test_a_hugging_face_user_can_load_the_encoder(finetuned: Path) -> None:
    encoder = transformers.AutoModel.from_pretrained(finetuned)
    weights = load_file(finetuned / "model.safetensors")
    torch.testing.assert_close(
        encoder.embeddings.word_embeddings.weight.float(), weights["bert.embeddings.word_embeddings.weight"].float()
    )


def test_training_goes_on_from_its_last_checkpoint(corpora: Path, tokenizer_folder: Path, tmp_path: Path) -> None:
    """A run that is cut and started again ends with the weights of an unbroken one."""

    def weights(folder: Path, *epochs: float) -> dict[str, torch.Tensor]:
        for count in epochs:
            data = copy_corpora(corpora, folder / f"data-{count}")  # the place of the data does not matter
            config = finetune_config(data, folder, tokenizer=str(tokenizer_folder), epochs=2.0, save_steps=10)
            config = replace(config, topics=corpora / "topics.yaml", tag_rules=str(corpora / "tag_rules.yaml"))
            stop = StopAt(round(count * 10)) if count < 2 else None
            finetune.run(config, callbacks=[stop] if stop else [])
        return load_file(folder / "finetune" / "model" / "model.safetensors")

    unbroken, resumed = weights(tmp_path / "a", 2.0), weights(tmp_path / "b", 1.0, 2.0)
    for name, value in unbroken.items():
        torch.testing.assert_close(resumed[name], value, msg=name, atol=1e-3, rtol=1e-2)


@pytest.fixture
def own(corpora: Path, tokenizer_folder: Path, finetuned: Path, tmp_path: Path) -> finetune.FinetuneConfig:
    """Settings of a training all of whose inputs lie in a folder of its own."""
    data = copy_corpora(corpora, tmp_path / "data")
    (data / "cues.yaml").write_text("label: {weather: [القلب]}\nnarrow: {}", encoding="utf-8")
    shutil.copytree(tokenizer_folder, tmp_path / "tokenizer")
    shutil.copyfile(finetuned.parents[1] / "vectors.npy", tmp_path / "vectors.npy")
    return finetune_config(data, tmp_path, cues=str(data / "cues.yaml"), vectors=str(tmp_path / "vectors.npy"))


EDITS: dict[str, tuple[str, str, str]] = {
    "plain.jsonl.xz": ("data/plain.jsonl.xz", "المباراة", "المنافسة"),
    "topics": ("data/topics.yaml", "طقس", "الجو"),
    "tag_rules": ("data/tag_rules.yaml", "almayadeen", "plain"),
    "cues": ("data/cues.yaml", "القلب", "المرض"),
    "tokenizer": ("tokenizer/tokenizer.json", "[MASK]", "[HIDE]"),
}
"""For each input of a training a file, and an edit of it."""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 14}, "seed"),
        ({"corpora": {"plain": 1.0}}, r"corpora, contents of almayadeen\.jsonl\.xz"),
        ({"corpora": {"plain": 2.0, "almayadeen": 1.0}}, "corpora"),
        ({"leave_out": ["almayadeen"]}, r"leave_out, contents of almayadeen\.jsonl\.xz"),
        *(({}, f"contents of {name}") for name in EDITS),
        ({"vectors": ""}, "vectors, contents of vectors"),
    ],
)
def test_training_does_not_go_on_with_other_settings_or_data(
    own: finetune.FinetuneConfig, changes: dict[str, Any], words: str
) -> None:
    pin(own, own.output, finetune.run_inputs(own), finetune.FREE)
    if not changes:
        file, *edit = EDITS[words.removeprefix("contents of ")]
        edit_file(own.data.parent / file, *edit)
    with pytest.raises(ConfigError, match=rf"has checkpoints of a run with other settings or data \({words}\)"):
        finetune.run(replace(own, **changes))


@pytest.fixture
def digest(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """A function that returns the digest of a training of some settings; the code is always the same."""
    monkeypatch.setattr(inputs, "code_digest", lambda *packages: "")
    return lambda config, **changes: finetune.inputs_digest(replace(config, **changes))


def test_the_digest_of_a_training_counts_settings_and_the_contents_of_its_inputs(
    own: finetune.FinetuneConfig, digest: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = own.data.parent
    found = [digest(own), digest(own, seed=14), digest(own, corpora={"plain": 1.0}), digest(own, leave_out=["plain"])]
    for file, *edit in EDITS.values():
        edit_file(folder / file, *edit)
        found.append(digest(own))
    (folder / "vectors.npy").write_bytes(b"others")
    found.append(digest(own))
    (folder / "data" / "annotated.jsonl.xz").write_bytes(b"rows")
    found.append(digest(own))
    annotate(monkeypatch, folder)
    found.append(digest(own))
    assert len(set(found)) == len(found)


def test_the_digest_of_a_training_does_not_depend_on_what_it_does_not_read(
    own: finetune.FinetuneConfig, digest: Callable[..., str], tmp_path: Path
) -> None:
    first, without = digest(own), digest(own, leave_out=["almayadeen"])
    elsewhere = {name: tmp_path / "elsewhere" / name for name in ("output", "cache")}
    assert digest(own, data=copy_corpora(own.data, tmp_path / "moved"), save_steps=7, **elsewhere) == first
    (own.data / "other.jsonl.xz").write_bytes(b"rows")
    assert digest(own) == first
    edit_file(own.data / "almayadeen.jsonl.xz", "المباراة", "المنافسة")
    assert digest(own, leave_out=["almayadeen"]) == without
    assert digest(own) != first


def test_the_digest_of_a_training_counts_the_base_model_itself(
    own: finetune.FinetuneConfig, digest: Callable[..., str], finetuned: Path, tmp_path: Path
) -> None:
    base = shutil.copytree(finetuned, tmp_path / "base")
    config = replace(own, base_model=str(base), tokenizer="", vectors="", encoder={})
    found = [digest(config)]
    edit_file(base / "config.json", '"wusum"', '"others"')
    edit_file(base / "config.json", '"others": {', '"wusum": {"threshold": 0.5, ')  # as calibrating does
    (base / "model.onnx").write_bytes(b"graph")
    assert digest(config) == found[0]
    for name, *edit in (
        ("config.json", '"hidden_size": 32', '"hidden_size": 64'), ("tokenizer.json", "[MASK]", "[HIDE]"),
        ("tag_labels.json", "البورصة", "بورصة"),
    ):  # fmt: skip
        edit_file(base / name, *edit)
        found.append(digest(config))
    weights = (base / "model.safetensors").read_bytes()
    (base / "model.safetensors").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    found.append(digest(config))
    (base / "model.safetensors").rename(base / "pytorch_model.bin")
    found.append(digest(config))
    assert len(set(found)) == len(found)
    with pytest.raises(ConfigError, match="nowhere"):
        digest(replace(config, base_model=str(tmp_path / "nowhere")))


@pytest.mark.parametrize("family", ["bert", "roberta", "electra", "modernbert", "deberta-v2"])
def test_any_base_model_takes_the_encoders_place(
    corpora: Path, tokenizer_folder: Path, tmp_path: Path, family: str
) -> None:
    base = tmp_path / "base"
    tokenizer = load_tokenizer(tokenizer_folder)
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    fast.save_pretrained(base)
    shape = transformers.AutoConfig.for_model(
        family, vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=64, pad_token_id=0, **TINY_BERT
    )
    if family == "electra":
        shape.embedding_size = 32
    encoder = transformers.AutoModel.from_config(shape)
    encoder.save_pretrained(base)
    config = finetune_config(
        corpora, tmp_path, base_model=str(base), tokenizer="", encoder={}, epochs=0.3, learning_rate=0.0
    )
    finetune.run(config)
    model = tmp_path / "finetune" / "model"
    finish_model(corpora, model)
    kept = load_file(model / "model.safetensors")
    weight = encoder.get_input_embeddings().weight
    name = next(name for name, parameter in encoder.named_parameters() if parameter is weight)
    torch.testing.assert_close(kept[f"{encoder.base_model_prefix}.{name}"].float(), weight, atol=1e-3, rtol=1e-3)
    one, other, rounded = (
        Tagger.from_pretrained(model, runtime=name)("فاز الفريق في المباراة") for name in ("onnx", "torch", "int8")
    )
    assert [t.code for t in one.topics] == [t.code for t in other.topics]
    assert one.topics[0].score == pytest.approx(other.topics[0].score, abs=1e-3)
    assert one.topics[0].score == pytest.approx(rounded.topics[0].score, abs=0.03)


def test_a_model_goes_on_with_its_heads(corpora: Path, finetuned: Path, tmp_path: Path) -> None:
    settings = {"base_model": str(finetuned), "tokenizer": "", "encoder": {}, "keep_heads": True}
    finetune.run(finetune_config(corpora, tmp_path / "on", epochs=0.3, learning_rate=0.0, **settings))
    before = load_file(finetuned / "model.safetensors")
    after = load_file(tmp_path / "on" / "finetune" / "model" / "model.safetensors")
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], weight) for name, weight in before.items())

    rare = finetune_config(corpora, tmp_path / "rare", tag_min_count=25, **settings)
    with pytest.raises(ConfigError, match="heads are of other tags"):
        finetune.run(rare)
    shutil.copytree(finetuned, tmp_path / "bare")
    (tmp_path / "bare" / "tag_labels.json").unlink()
    settings["base_model"] = str(tmp_path / "bare")
    with pytest.raises(ConfigError, match="no heads of a fine-tuned model"):
        finetune.run(finetune_config(corpora, tmp_path / "of-bare", **settings))
