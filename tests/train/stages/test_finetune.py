"""Fine-tuning on two tiny corpora: what is learned, checkpoints, base models and kept heads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file

from tests.stopping import StopAt
from tests.support import TINY_BERT, finetune_config, finish_model
from wusum.model.errors import ConfigError
from wusum.model.tagger import Tagger
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
            config = finetune_config(corpora, folder, tokenizer=str(tokenizer_folder), epochs=2.0, save_steps=10)
            stop = StopAt(round(count * 10)) if count < 2 else None
            finetune.run(config, callbacks=[stop] if stop else [])
        return load_file(folder / "finetune" / "model" / "model.safetensors")

    unbroken, resumed = weights(tmp_path / "a", 2.0), weights(tmp_path / "b", 1.0, 2.0)
    for name, value in unbroken.items():
        torch.testing.assert_close(resumed[name], value, msg=name, atol=1e-3, rtol=1e-2)


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
