"""What teachers say about passages."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import torch

from tests.support import edit_file
from wusum.model.errors import ConfigError
from wusum.model.network.module import load_network, mean_pool
from wusum.train.data.text_units import unit_marks, units
from wusum.train.data.tokens import SpecialTokens, load_tokenizer
from wusum.train.nets import teachers
from wusum.train.nets.teachers import Teacher, run_network, soft_targets, teacher_digest

SHORT = "فاز الفريق في المباراة، وسجل المهاجم هدفا"
LONG = f"{SHORT} في مرمى الخصم. " * 4


def read_alone(folder: Path, ids: list[int]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the vector, topic logits and marks of one window [tokens, kinds, marks]."""
    network, special = load_network(folder), SpecialTokens.of(load_tokenizer(folder))
    row = torch.tensor([[*special.prefix, *ids, *special.suffix]])
    with torch.no_grad():
        hidden = network.encoder(input_ids=row, attention_mask=torch.ones_like(row)).last_hidden_state
        topics, _, spans = network(row, torch.ones_like(row))
    pooled = mean_pool(hidden, torch.ones_like(row))
    return pooled[0], topics[0], spans[0, 1:-1].view(-1, 2, 3).softmax(-1)


def test_the_network_gives_its_vectors_and_the_logits_that_it_always_gives(finetuned: Path) -> None:
    network = load_network(finetuned)
    ids, mask = torch.randint(5, 60, (3, 8)), torch.ones(3, 8, dtype=torch.long)
    mask[1, 5:] = 0
    with torch.no_grad():
        pooled, *logits = run_network(network, ids, mask)
        hidden = network.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        assert all(map(torch.equal, logits, network(ids, mask)))
    torch.testing.assert_close(pooled[1], hidden[1, :5].mean(0))


def test_a_teacher_answers_for_each_text_by_itself(finetuned: Path) -> None:
    tokenizer = load_tokenizer(finetuned)
    texts = ["البنك", SHORT, "أعلن البنك أرباح الشركة"]
    found = Teacher(finetuned, bf16=False).read(texts)
    assert np.diff(found.starts).tolist() == [len(units(text)) for text in texts]
    for number, text in enumerate(texts):
        encoding = tokenizer.encode(text, add_special_tokens=False)
        vector, topics, marks = read_alone(finetuned, encoding.ids)
        torch.testing.assert_close(torch.tensor(found.vectors[number]).float(), vector, atol=2e-3, rtol=2e-3)
        torch.testing.assert_close(torch.tensor(found.topics[number]), topics.sigmoid(), atol=1e-5, rtol=1e-4)
        own = found.marks[found.starts[number] : found.starts[number + 1]]
        wanted = unit_marks(units(text), encoding, marks.numpy().astype(np.float16))
        assert np.allclose(own, wanted, atol=2e-3)


def test_a_text_longer_than_the_window_is_read_in_several(finetuned: Path) -> None:
    tokenizer, teacher = load_tokenizer(finetuned), Teacher(finetuned, bf16=False)
    encoding = tokenizer.encode(LONG, add_special_tokens=False)
    count = len(encoding.ids)
    assert 30 < count <= 60
    found = teacher.read([LONG, SHORT])
    parts = [read_alone(finetuned, part) for part in (encoding.ids[: count // 2], encoding.ids[count // 2 :])]
    sizes = torch.tensor([count // 2, count - count // 2])[:, None] / count
    vectors, topics = (torch.stack([part[i] for part in parts]) for i in (0, 1))
    torch.testing.assert_close(torch.tensor(found.vectors[0]).float(), (vectors * sizes).sum(0), atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(torch.tensor(found.topics[0]), (topics * sizes).sum(0).sigmoid(), atol=1e-5, rtol=1e-4)
    marks = torch.cat([part[2] for part in parts]).numpy().astype(np.float16)
    assert np.allclose(found.marks[: found.starts[1]], unit_marks(units(LONG), encoding, marks), atol=2e-3)


def test_batches_of_another_size_change_nothing(finetuned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    teacher, texts = Teacher(finetuned, bf16=False), [SHORT, LONG, "البنك", f"{LONG} البنك"]
    first = teacher.read(texts)
    monkeypatch.setattr(teachers, "TOKENS", {"cpu": 33, "cuda": 33})
    again = teacher.read(texts)
    assert all(np.allclose(value, getattr(again, name), atol=2e-3) for name, value in vars(first).items())


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of texts that teachers have been asked about, three to a file."""
    asked: list[int] = []
    read = Teacher.read
    monkeypatch.setattr(teachers, "SHARD", 3)
    monkeypatch.setattr(Teacher, "read", lambda self, texts: asked.append(len(texts)) or read(self, texts))
    return asked


def rows_of(*texts: str) -> datasets.Dataset:
    return datasets.Dataset.from_dict({"text": list(texts)})


TEXTS = (SHORT, "البنك", "أعلن البنك", LONG, "الطبيب في المستشفى")


def test_answers_are_kept_and_only_those_that_lack_are_asked_for(
    finetuned: Path, tmp_path: Path, counted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*texts: str, models: tuple[Path, ...] = (finetuned,), bf16: bool = False) -> list[int]:
        counted.clear()
        soft_targets(rows_of(*texts), models, tmp_path / "kept", bf16)
        return list(counted)

    first = soft_targets(rows_of(*TEXTS), [finetuned], tmp_path / "kept", bf16=False)
    assert counted == [3, 2]
    assert len(first) == 5
    whole = Teacher(finetuned, bf16=False).read(TEXTS)
    assert all(np.allclose(value, getattr(whole, name), atol=2e-3) for name, value in vars(first).items())
    assert asked(*TEXTS) == []
    again = soft_targets(rows_of(*TEXTS), [finetuned], tmp_path / "kept", bf16=False)
    assert all(np.array_equal(value, getattr(again, name)) for name, value in vars(first).items())
    next((tmp_path / "kept").iterdir()).unlink()  # a run that was cut
    assert len(asked(*TEXTS)) == 1
    assert asked(*TEXTS, "جديد") == [3]  # the first three are the same
    assert asked(*TEXTS, models=(finetuned, finetuned)) == [3, 3, 2, 2]
    assert asked(*TEXTS, bf16=True) == [3, 2]
    monkeypatch.setattr(teachers, "code_digest", lambda *modules: " ".join(m.__name__ for m in modules))
    assert asked(*TEXTS) == [3, 2]
    assert asked(*TEXTS) == []


def test_the_digest_of_a_teacher_is_that_of_its_network(finetuned: Path, tmp_path: Path) -> None:
    own = shutil.copytree(finetuned, tmp_path / "teacher")
    found: list[Any] = [teacher_digest(finetuned)]
    (own / "model.onnx").write_bytes(b"graph")
    edit_file(own / "config.json", '"wusum": {', '"wusum": {"threshold": 0.5, ')  # as calibrating does
    assert teacher_digest(own) == found[0]
    for name, *edit in (
        ("config.json", '"window": 32', '"window": 31'), ("config.json", "medtop:00000001", "medtop:00000009"),
        ("tokenizer.json", "[MASK]", "[HIDE]"),
    ):  # fmt: skip
        edit_file(own / name, *edit)
        found.append(teacher_digest(own))
    weights = (own / "model.safetensors").read_bytes()
    (own / "model.safetensors").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    found.append(teacher_digest(own))
    assert len(set(found)) == len(found)
    with pytest.raises(ConfigError, match="nowhere"):
        teacher_digest(tmp_path / "nowhere")
    edit_file(own / "config.json", '"wusum"', '"others"')
    with pytest.raises(ConfigError, match="teacher: not the folder of a fine-tuned model"):
        teacher_digest(own)
