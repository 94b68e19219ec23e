"""What a run depends on: the contents of its inputs, its settings and the code, and nothing else."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import annotate, write_corpus
from wusum.model.errors import ConfigError, CorpusError
from wusum.train import inputs
from wusum.train.inputs import corpus_inputs, file_inputs, run_digest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of three corpora, one of which is the annotated one, with an article of another."""
    for name in ("news", "other", "annotated"):
        write_corpus(tmp_path / f"{name}.jsonl.xz", [{"id": "news-1", "text": name}])
    return tmp_path


def test_the_inputs_are_the_files_of_the_corpora_and_the_annotated_rows(folder: Path) -> None:
    before = corpus_inputs(folder, ["news"])
    assert set(before) == {"news.jsonl.xz", "annotated.jsonl.xz", "annotations.jsonl.xz"}
    assert corpus_inputs(folder, ["news", "annotated"]) == before
    (folder / "other.jsonl.xz").write_bytes(b"changed")
    os.utime(folder / "news.jsonl.xz", (1, 1))
    assert corpus_inputs(folder, ["news"]) == before
    for name in ("news.jsonl.xz", "annotated.jsonl.xz"):
        kept = (folder / name).read_bytes()
        (folder / name).write_bytes(kept[::-1])  # of the same size
        changed = corpus_inputs(folder, ["news"])
        assert {key for key in before if changed[key] != before[key]} == {name}
        (folder / name).write_bytes(kept)
    (folder / "annotated.jsonl.xz").unlink()
    assert set(corpus_inputs(folder, ["news", "other"])) == {"news.jsonl.xz", "other.jsonl.xz", "annotations.jsonl.xz"}


def test_annotations_count_and_where_they_are_read_the_corpora_that_they_are_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"id": "x-1", "split": "train", "topics": ["sport"], "tags": ["وسم"]}
    path = annotate(monkeypatch, folder, row | {"corpus": "other"}, row | {"corpus": "absent"})
    with_others = {"news.jsonl.xz", "other.jsonl.xz", "annotated.jsonl.xz", "annotations.jsonl.xz"}
    for names in (["annotated", "news"], ["annotated", "news", "other", "annotated"]):
        assert set(corpus_inputs(folder, names)) == with_others
    before = corpus_inputs(folder, ["news"])
    assert "other.jsonl.xz" not in before
    path.write_bytes(path.read_bytes()[::-1])
    changed = corpus_inputs(folder, ["news"])
    assert {name for name in before if changed[name] != before[name]} == {"annotations.jsonl.xz"}
    write_corpus(folder / "annotated.jsonl.xz", [{"id": "blog-1"}])
    write_corpus(folder / "blog.jsonl.xz", [{"id": "blog-1"}])
    assert set(corpus_inputs(folder, ["annotated", "news"])) == with_others | {"blog.jsonl.xz"}
    (folder / "annotated.jsonl.xz").unlink()
    assert set(corpus_inputs(folder, ["annotated", "news"])) == with_others - {"annotated.jsonl.xz"}


def test_an_input_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(CorpusError, match=r"nothing\.jsonl\.xz"):
        corpus_inputs(folder, ["news", "nothing"])
    with pytest.raises(ConfigError, match=r"cues\.yaml"):
        file_inputs({"cues": folder / "cues.yaml"})


def test_files_count_by_their_contents_and_an_empty_setting_names_none(folder: Path) -> None:
    (folder / "a").write_text("topics", encoding="utf-8")
    (folder / "b").write_text("topics", encoding="utf-8")
    found = file_inputs({"topics": folder / "a", "rules": str(folder / "b"), "cues": ""})
    assert found.keys() == {"topics", "rules"}
    assert found["topics"] == found["rules"]
    (folder / "b").write_text("others", encoding="utf-8")
    assert file_inputs({"rules": folder / "b"}) != {"rules": found["rules"]}


@dataclass(frozen=True)
class Settings:
    data: Path = Path("here")
    seed: int = 1


def test_a_digest_of_a_run_counts_settings_inputs_and_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def digest(settings: Settings = Settings(), contents: str = "x") -> str:
        return run_digest(settings, {"topics": contents}, ["data"])

    first = digest()
    assert digest() == digest(Settings(data=Path("there"))) == first
    others = {digest(Settings(seed=2)), digest(contents="y")}
    given = []
    monkeypatch.setattr(inputs, "code_digest", lambda *packages: given.append(packages) or "other code")
    others.add(digest())
    assert len(others - {first}) == 3
    assert [package.__name__ for package in given[0]] == ["wusum.model", "wusum.train"]
