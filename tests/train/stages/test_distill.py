"""Distillation on corpora of a few made-up articles: what the student learns, checkpoints, and what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.stopping import StopAt
from tests.support import TINY_BERT, TINY_CORPORA, copy_corpora, edit_file, finish_model
from wusum.model.errors import ConfigError
from wusum.model.network.module import load_network
from wusum.model.tagger import Tagger
from wusum.train.config import pin
from wusum.train.data.corpora import LabelMap, examples
from wusum.train.data.passages import passage_rows
from wusum.train.data.tokens import load_tokenizer
from wusum.train.nets.teachers import Teacher
from wusum.train.stages import distill


def settings(data: Path, teacher: Path, tokenizer: Path, output: Path, **changes: Any) -> distill.DistillConfig:
    """Return the settings of a training of seconds."""
    made: dict[str, Any] = {
        "data": data, "topics": data / "topics.yaml", "tag_rules": str(data / "tag_rules.yaml"),
        "corpora": TINY_CORPORA, "teachers": [teacher], "tokenizer": tokenizer, "output": output,
        "cache": output.parent / "passages", "encoder": TINY_BERT, "window": 48, "passage_words": 20,
        "short_words": 5, "batch_size": 16, "epochs": 6.0, "learning_rate": 3e-3, "save_steps": 10,
    }  # fmt: skip
    return distill.DistillConfig(**made | changes)


@pytest.fixture(scope="module")
def distilled(corpora: Path, finetuned: Path, tokenizer_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a student's model."""
    output = tmp_path_factory.mktemp("distilled") / "distill"
    distill.run(settings(corpora, finetuned, tokenizer_folder, output))
    return output / "model"


def test_the_student_answers_as_its_teacher_does(corpora: Path, finetuned: Path, distilled: Path) -> None:
    texts = [example.text for example in examples(corpora, "plain", ["validation"])]
    said, answered = (Teacher(folder, bf16=False).read(texts) for folder in (finetuned, distilled))
    assert (said.topics.argmax(1) == answered.topics.argmax(1)).mean() > 0.9
    assert abs(said.topics - answered.topics).mean() < 0.1
    assert (said.marks.argmax(-1) == answered.marks.argmax(-1)).mean() > 0.9


def test_the_loss_falls_and_its_curve_is_kept(distilled: Path) -> None:
    curve = json.loads((distilled / "history.json").read_text(encoding="utf-8"))
    assert [passages for passages, _ in curve] == [50 * 16 * (n + 1) for n in range(len(curve))]
    assert curve[-1][1] < curve[0][1]


def test_the_student_is_a_model_as_fine_tuning_writes_it(corpora: Path, finetuned: Path, distilled: Path) -> None:
    assert {path.name for path in distilled.iterdir()} == {path.name for path in finetuned.iterdir()}
    weights = load_file(distilled / "model.safetensors")
    assert not any("projection" in name for name in weights)
    config = json.loads((distilled / "config.json").read_text(encoding="utf-8"))
    assert config["wusum"]["window"] == 48
    finish_model(corpora, distilled)
    body = "سجل المهاجم هدفا في مرمى الخصم وفاز الفريق في المباراة"
    tagger = Tagger.from_pretrained(distilled)
    assert tagger(body).topics[0].name_en == "sport"
    assert {"مباراة", "كرة القدم"} & {tag.text for tag in tagger(body, min_score=0.0).tags}


def test_training_goes_on_from_its_last_checkpoint(
    corpora: Path, finetuned: Path, tokenizer_folder: Path, tmp_path: Path
) -> None:
    """A run that is cut and started again, on corpora that have moved, ends with the weights of an unbroken one."""
    config = settings(corpora, finetuned, tokenizer_folder, tmp_path / "unbroken", epochs=1.5)
    distill.run(config)
    cut = replace(config, output=tmp_path / "cut")
    distill.run(cut, callbacks=[StopAt(10)])
    distill.run(replace(cut, data=copy_corpora(corpora, tmp_path / "moved"), cache=tmp_path / "elsewhere"))
    one, other = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("unbroken", "cut"))
    for name, value in one.items():
        torch.testing.assert_close(other[name], value, msg=name, atol=1e-3, rtol=1e-2)


def test_nothing_is_asked_twice(
    corpora: Path, finetuned: Path, tokenizer_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings(corpora, finetuned, tokenizer_folder, tmp_path / "one", epochs=0.2)
    distill.run(config)
    monkeypatch.setattr(Teacher, "read", None)
    distill.run(replace(config, output=tmp_path / "other", learning_rate=1e-4, seed=3, gold_share=0.2))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 14, "gold_share": 0.1}, "seed, gold_share"),
        ({"corpora": ["plain"]}, r"corpora, contents of almayadeen\.jsonl\.xz"),
        ({"data": ("plain.jsonl.xz", "المباراة", "المنافسة")}, r"contents of plain\.jsonl\.xz"),
        ({"tokenizer": ("tokenizer.json", "[MASK]", "[HIDE]")}, "tokenizer, contents of tokenizer"),
        ({"teachers": ("config.json", '"window": 32', '"window": 31')}, "teachers, contents of teachers"),
        ({"vectors": "vectors.npy"}, "vectors, contents of vectors"),
    ],
)
def test_training_does_not_go_on_with_other_settings_or_data(
    corpora: Path, finetuned: Path, tokenizer_folder: Path, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    config = settings(corpora, finetuned, tokenizer_folder, tmp_path / "run")
    pin(config, config.output, distill.run_inputs(config), distill.FREE)
    folders = {"data": corpora, "tokenizer": tokenizer_folder, "teachers": finetuned}
    for name in folders.keys() & changes.keys():
        file, *edit = changes[name]
        own = copy_corpora(folders[name], tmp_path / name)
        edit_file(own / file, *edit)
        changes = {name: [own] if name == "teachers" else own}
    if "vectors" in changes:
        changes = {"vectors": str(finetuned.parents[1] / changes["vectors"])}
    with pytest.raises(ConfigError, match=rf"has checkpoints of a run with other settings or data \({words}\)"):
        distill.run(replace(config, **changes))


def test_a_teacher_of_other_topics_is_refused(
    corpora: Path, finetuned: Path, tokenizer_folder: Path, tmp_path: Path
) -> None:
    own = shutil.copytree(finetuned, tmp_path / "teacher")
    edit_file(own / "config.json", "medtop:00000001", "medtop:00000009")
    config = settings(corpora, finetuned, tokenizer_folder, tmp_path / "run", teachers=[finetuned, own])
    with pytest.raises(ConfigError, match="teacher: its topics are not those of the label map"):
        distill.run(config)
    with pytest.raises(ConfigError, match="teachers: none"):
        distill.run(replace(config, teachers=[]))
    assert not config.output.exists()  # nothing that a run with right teachers would have to go on with


def test_more_than_one_gpu_is_refused(
    corpora: Path, finetuned: Path, tokenizer_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ConfigError, match="one GPU: choose it by CUDA_VISIBLE_DEVICES=0"):
        distill.run(settings(corpora, finetuned, tokenizer_folder, tmp_path / "run"))


def test_an_encoder_starts_from_its_teacher_from_vectors_or_from_a_base_model(
    corpora: Path, finetuned: Path, tokenizer_folder: Path, tmp_path: Path
) -> None:
    tokenizer = load_tokenizer(tokenizer_folder)

    def table(**changes: Any) -> torch.Tensor:
        config = settings(corpora, finetuned, tokenizer_folder, tmp_path / "run", **changes)
        found: torch.Tensor = distill.start_encoder(config, tokenizer).get_input_embeddings().weight.detach()
        return found

    teacher = load_network(finetuned).encoder.get_input_embeddings().weight.detach()
    # Student and teacher have the same tokenizer: the same vectors, seen from elsewhere.
    made = table()[5:]
    distances, wanted = torch.pdist(made[:40]), torch.pdist(teacher[5:45])
    torch.testing.assert_close(distances, wanted * (distances.sum() / wanted.sum()), atol=0.02, rtol=0.1)
    assert made.std().item() == pytest.approx(0.05, rel=1e-3)
    assert table(teacher_embeddings=False)[5:].std().item() == pytest.approx(0.02, abs=2e-3)
    vectors = torch.from_numpy(np.load(finetuned.parents[1] / "vectors.npy"))
    torch.testing.assert_close(table(vectors=str(finetuned.parents[1] / "vectors.npy"))[5:], vectors[5:] * 0.05)
    torch.testing.assert_close(table(base_model=str(finetuned)), teacher)
    tokenizer.add_tokens(["جديد"])
    pieces = tokenizer.get_vocab_size()
    with pytest.raises(ConfigError, match=f"{pieces - 1} pieces, .* has {pieces}"):
        table(base_model=str(finetuned))


def test_tags_are_counted_by_article(corpora: Path, finetuned: Path, tokenizer_folder: Path, tmp_path: Path) -> None:
    config = settings(corpora, finetuned, tokenizer_folder, tmp_path / "run", tag_holdout=0.0)
    rows = passage_rows(config, LabelMap.load(config.topics))
    assert len(rows) > sum(rows["first"])
    counts = [sum(tag in row["tags"] for row in rows if row["first"]) for tag in ("كرة القدم",)]
    assert "كرة القدم" in distill.tag_labels(rows, counts[0]).texts
    assert "كرة القدم" not in distill.tag_labels(rows, counts[0] + 1).texts
