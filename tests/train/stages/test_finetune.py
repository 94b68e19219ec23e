"""The way from a corpus to a model that tags, on two tiny corpora; and any base model in the encoder's place."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx as onnxlib
import pytest
import torch
import transformers
from safetensors.torch import load_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from tests.stopping import StopAt
from wusum.model.errors import ConfigError
from wusum.model.tagger import Tagger
from wusum.model.tagging.sources.linear import LinearTagModel
from wusum.model.tagging.trees import BoostedTrees
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.train.data.corpora import LabelMap
from wusum.train.data.windows import UNKNOWN, TagLabels, Windows, drawn, training_rows
from wusum.train.stages import calibrate, export, finetune, tokenizer, vectors
from wusum.train.stages.finetune import span_loss, tag_loss, topic_loss

SHAPE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}


def finetune_config(data: Path, folder: Path, **changes: Any) -> finetune.FinetuneConfig:
    settings: dict[str, Any] = {
        "data": data,
        "output": folder / "finetune",
        "cache": folder / "rows",
        "topics": data / "topics.yaml",
        "corpora": {"plain": 2.0, "almayadeen": 2.0},
        "tokenizer": str(folder / "tokenizer"),
        "encoder": SHAPE,
        "window": 32,
        "batch_size": 8,
        "epochs": 4.0,
        "learning_rate": 2e-3,
        "save_steps": 20,
    }
    return finetune.FinetuneConfig(**settings | changes)


def finish(corpora: Path, folder: Path) -> Path:
    model = folder / "finetune" / "model"
    export.run(export.ExportConfig(model=model))
    calibrate.run(
        calibrate.CalibrateConfig(data=corpora, model=model, topics=corpora / "topics.yaml", corpora=["plain"])
    )
    return model


@pytest.fixture(scope="module")
def trained(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every stage has run, on embeddings that start from vectors."""
    folder = tmp_path_factory.mktemp("trained")
    names = ["plain", "almayadeen"]
    tokenizer.run(
        tokenizer.TokenizerConfig(
            data=corpora, output=folder / "tokenizer", corpora=names, vocab_size=300, min_frequency=1
        )
    )
    vectors.run(
        vectors.VectorsConfig(
            data=corpora, tokenizer=folder / "tokenizer", output=folder / "vectors.npy", corpora=names, dimensions=32
        )
    )
    finetune.run(finetune_config(corpora, folder, vectors=str(folder / "vectors.npy")))
    finish(corpora, folder)
    return folder


def test_the_trained_model_tags_what_it_was_taught(trained: Path) -> None:
    tagger = Tagger.from_pretrained(trained / "finetune" / "model")
    body = "سجل المهاجم هدفا في مرمى الخصم وفاز الفريق في المباراة"
    prediction = tagger(body)
    assert prediction.topics[0].name_en == "sport"
    assert {"مباراة", "كرة القدم"} & {tag.text for tag in tagger(body, min_score=0.0).tags}


def test_onnx_is_the_network_itself(trained: Path) -> None:
    model = trained / "finetune" / "model"
    onnx, torch_ = (Tagger.from_pretrained(model, runtime=name).runtime for name in ("onnx", "torch"))
    ids = np.array([[2, 7, 8, 9, 3], [2, 7, 3, 0, 0]])
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    for one, other in zip(onnx(ids, mask), torch_(ids, mask), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    assert (model / "model.onnx").stat().st_size < 200_000  # the graph; the weights stand once, in safetensors
    graph = onnxlib.load(model / "model.onnx", load_external_data=False).graph
    layers = SHAPE["num_hidden_layers"] * 6 + 3  # query, key, value, three more, and the heads: all with their bias
    assert [node.op_type for node in graph.node].count("Gemm") == layers


def test_integers_have_the_same_weights(trained: Path) -> None:
    model = trained / "finetune" / "model"
    integers, exact = (Tagger.from_pretrained(model, runtime=name).runtime for name in ("int8", "onnx"))
    ids, mask = np.array([[2, 7, 8, 9, 3], [2, 7, 3, 0, 0]]), np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    for one, other in zip(integers(ids, mask), exact(ids, mask), strict=True):
        np.testing.assert_allclose(one, other, atol=0.1)
    assert (model / "model.int8.onnx").stat().st_size < 200_000
    graph = onnxlib.load(model / "model.int8.onnx", load_external_data=False).graph
    operators = [node.op_type for node in graph.node]
    assert operators.count("Gemm") == 3  # the heads
    assert operators.count("MatMulIntegerToFloat") == SHAPE["num_hidden_layers"] * 6


def test_a_hugging_face_user_can_load_the_encoder(trained: Path) -> None:
    model = trained / "finetune" / "model"
    encoder = transformers.AutoModel.from_pretrained(model)
    weights = load_file(model / "model.safetensors")
    torch.testing.assert_close(
        encoder.embeddings.word_embeddings.weight.float(), weights["bert.embeddings.word_embeddings.weight"].float()
    )


def test_training_goes_on_from_its_last_checkpoint(corpora: Path, trained: Path, tmp_path: Path) -> None:
    """A run that is cut and started again ends with the weights of an unbroken one."""

    def weights(folder: Path, *epochs: float) -> dict[str, torch.Tensor]:
        for count in epochs:
            config = finetune_config(corpora, folder, tokenizer=str(trained / "tokenizer"), epochs=2.0, save_steps=10)
            stop = StopAt(round(count * 10)) if count < 2 else None
            finetune.run(config, callbacks=[stop] if stop else [])
        return load_file(folder / "finetune" / "model" / "model.safetensors")

    unbroken, resumed = weights(tmp_path / "a", 2.0), weights(tmp_path / "b", 1.0, 2.0)
    for name, value in unbroken.items():
        torch.testing.assert_close(resumed[name], value, msg=name, atol=1e-3, rtol=1e-2)


@pytest.mark.parametrize("family", ["bert", "roberta", "electra", "modernbert", "deberta-v2"])
def test_any_base_model_takes_the_encoders_place(corpora: Path, trained: Path, tmp_path: Path, family: str) -> None:
    base = tmp_path / "base"
    pieces = Tokenizer.from_file(str(trained / "tokenizer" / "tokenizer.json"))
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=pieces, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    fast.save_pretrained(base)
    shape = transformers.AutoConfig.for_model(
        family, vocab_size=pieces.get_vocab_size(), max_position_embeddings=64, pad_token_id=0, **SHAPE
    )
    if family == "electra":
        shape.embedding_size = 32
    encoder = transformers.AutoModel.from_config(shape)
    encoder.save_pretrained(base)
    config = finetune_config(
        corpora, tmp_path, base_model=str(base), tokenizer="", encoder={}, epochs=0.3, learning_rate=0.0
    )
    finetune.run(config)
    model = finish(corpora, tmp_path)
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


def test_a_model_goes_on_with_its_heads(corpora: Path, trained: Path, tmp_path: Path) -> None:
    model = trained / "finetune" / "model"
    settings = {"base_model": str(model), "tokenizer": "", "encoder": {}, "keep_heads": True}
    finetune.run(finetune_config(corpora, tmp_path / "on", epochs=0.3, learning_rate=0.0, **settings))
    before = load_file(model / "model.safetensors")
    after = load_file(tmp_path / "on" / "finetune" / "model" / "model.safetensors")
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], weight) for name, weight in before.items())

    rare = finetune_config(corpora, tmp_path / "rare", tag_min_count=25, **settings)
    with pytest.raises(ConfigError, match="heads are of other tags"):
        finetune.run(rare)
    shutil.copytree(model, tmp_path / "bare")
    (tmp_path / "bare" / "tag_labels.json").unlink()
    settings["base_model"] = str(tmp_path / "bare")
    with pytest.raises(ConfigError, match="no heads of a fine-tuned model"):
        finetune.run(finetune_config(corpora, tmp_path / "of-bare", **settings))


def test_calibrating_again_changes_nothing(corpora: Path, trained: Path) -> None:
    model = trained / "finetune" / "model"

    def settings() -> dict[str, Any]:
        found: dict[str, Any] = json.loads((model / "config.json").read_text(encoding="utf-8"))["wusum"]
        return found

    fitted = ("tags.tsv", "ranking.json", "memory.safetensors", "linear.safetensors", "rarity.safetensors")
    rows, files = settings(), [(model / name).read_bytes() for name in fitted]
    calibrate.run(
        calibrate.CalibrateConfig(data=corpora, model=model, topics=corpora / "topics.yaml", corpora=["plain"])
    )
    assert (settings(), [(model / name).read_bytes() for name in fitted]) == (rows, files)
    ranking = BoostedTrees.load(model / "ranking.json")
    assert len(ranking.roots) == calibrate.CalibrateConfig.trees  # all candidates are tags without the network
    assert ranking.start != BoostedTrees.none().start
    assert len(LinearTagModel.load(model, len(Vocabulary.load(model / "tags.tsv").entries)).weights) > 50
    assert 0 < rows["tags"]["threshold"] < rows["tags"]["absent_threshold"]
    assert rows["topics"][3]["given"] is False


def test_the_topic_loss_is_the_log_of_the_summed_probability() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]))
    sets = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    assert topic_loss(logits, sets).item() == pytest.approx(-np.log(0.8), abs=1e-6)
    assert topic_loss(logits, torch.zeros(2, 3)).item() == 0


def test_the_tag_loss_is_a_cross_entropy_over_the_given_tags() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25], [1 / 3, 1 / 3, 1 / 3]]))
    tags = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    assert tag_loss(logits, tags).item() == pytest.approx(-(np.log(0.5) + np.log(0.25)) / 2, abs=1e-6)


def test_tag_labels_count_spellings_together() -> None:
    labels = TagLabels.count([["إيران"], ["ايران"], ["إيران", "لبنان"]], min_count=2)
    assert labels.texts == ("إيران",)
    assert labels.index == {"ايران": 0}


def test_a_title_can_be_left_out_and_weak_labels_come_in(corpora: Path, trained: Path, tmp_path: Path) -> None:
    cues = tmp_path / "cues.yaml"
    cues.write_text("label: {weather: [القلب]}\nnarrow: {}", encoding="utf-8")
    config = finetune_config(
        corpora, trained, output=tmp_path, cues=str(cues), corpora={"plain": 1.0, "almayadeen": 1.0}
    )
    topics = LabelMap.load(corpora / "topics.yaml")
    pieces = Tokenizer.from_file(str(trained / "tokenizer" / "tokenizer.json"))
    rows = training_rows(config, pieces, topics)
    told = [row for row in rows if row["topics"] == [topics.keys.index("weather")]]
    assert told
    for row in told:  # health or weather by the label, weather by the headline; almayadeen has no label at all
        assert "القلب" in pieces.decode(row["input_ids"][: row["title_tokens"]])
    windows = Windows(rows, 64, 1.0, 0, title_dropout=1.0)
    for i, row in enumerate(rows):
        assert windows[i]["input_ids"] == row["input_ids"][row["title_tokens"] :][:64]


def test_tokens_are_hidden_the_same_ones_each_time_a_row_is_read(corpora: Path, trained: Path, tmp_path: Path) -> None:
    pieces = Tokenizer.from_file(str(trained / "tokenizer" / "tokenizer.json"))
    config = finetune_config(corpora, trained, output=tmp_path)
    rows = training_rows(config, pieces, LabelMap.load(corpora / "topics.yaml"))
    mask = finetune.mask_token(pieces)
    whole = Windows(rows, 64, 1.0, 0)
    first, again = (Windows(rows, 64, 1.0, 0, token_dropout=0.3, mask=mask) for _ in range(2))
    hidden = total = 0
    for i in range(len(rows)):
        window, unhidden = first[i], whole[i]
        assert window == again[i]
        kept = [a == b for a, b in zip(window["input_ids"], unhidden["input_ids"], strict=True)]
        assert {t for t, same in zip(window["input_ids"], kept, strict=True) if not same} <= {mask}
        assert window["phrase_marks"] == unhidden["phrase_marks"]
        hidden, total = hidden + kept.count(False), total + len(kept)
    assert 0.2 < hidden / total < 0.4


def test_a_tokenizer_without_a_mask_hides_no_tokens() -> None:
    with pytest.raises(ConfigError, match="token_dropout"):
        finetune.mask_token(Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]")))


@pytest.mark.parametrize("family", ["bert", "modernbert"])
def test_dropout_goes_for_the_attention_too(family: str) -> None:
    own = {"attention_dropout": 0.5} if family == "modernbert" else {}
    shape = transformers.AutoConfig.for_model(
        family, vocab_size=50, max_position_embeddings=16, pad_token_id=0, **SHAPE, **own
    )
    encoder = transformers.AutoModel.from_config(shape).train()
    ids = torch.arange(16)[None]

    def differs() -> bool:
        first, second = (encoder(input_ids=ids).last_hidden_state for _ in range(2))
        return not torch.equal(first, second)

    assert differs()
    finetune.set_dropout(encoder, 0.0)
    assert not differs()


def test_tags_that_stand_in_the_text_are_marked_among_its_tokens(corpora: Path, trained: Path, tmp_path: Path) -> None:
    pieces = Tokenizer.from_file(str(trained / "tokenizer" / "tokenizer.json"))
    config = finetune_config(corpora, trained, output=tmp_path)
    rows = training_rows(config, pieces, LabelMap.load(corpora / "topics.yaml"))
    windows = Windows(rows, 24, 0.0, 0, title_dropout=0.5)
    phrases = set()
    for i, row in enumerate(rows):
        window = windows[i]
        if row["corpus"] == "plain":  # of which nobody has said what is a tag
            assert window["phrase_marks"] == window["name_marks"] == []
            continue
        assert len(window["phrase_marks"]) == len(window["input_ids"]) <= 24
        phrases.add(pieces.decode([t for t, m in zip(row["input_ids"], row["phrase_marks"], strict=True) if m]))
    assert phrases
    assert all(set(phrase.split()) <= {"مباراة", "المباراة", "البورصة", "المستشفي"} for phrase in phrases), phrases


def test_unmarked_tokens_have_no_part_in_the_loss_of_spans() -> None:
    logits = torch.zeros(1, 3, 6, requires_grad=True)
    marks = torch.full((1, 3, 2), UNKNOWN)
    assert span_loss(logits, marks).item() == 0
    marks[0, 1, 0] = 2
    loss = span_loss(logits, marks)
    assert loss.item() == pytest.approx(np.log(3))
    loss.backward()
    assert logits.grad is not None
    assert logits.grad.nonzero().tolist() == [[0, 1, 0], [0, 1, 1], [0, 1, 2]]


def test_a_corpus_can_be_left_out_and_the_windows_limited(corpora: Path, trained: Path, tmp_path: Path) -> None:
    topics = LabelMap.load(corpora / "topics.yaml")
    pieces = Tokenizer.from_file(str(trained / "tokenizer" / "tokenizer.json"))

    def rows(**changes: Any) -> Any:
        config = finetune_config(corpora, trained, output=tmp_path, **changes)
        found = training_rows(config, pieces, topics)
        return found.select(drawn(config, found["corpus"]))

    assert set(rows()["corpus"]) == {"plain", "almayadeen"}
    assert set(rows(leave_out=["almayadeen"])["corpus"]) == {"plain"}
    assert len(rows(budget=7)) == 7
    with pytest.raises(ConfigError, match="leave_out: other"):
        rows(leave_out=["other"])
