"""The bundled models by name, and the files that they share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from wusum.model.errors import ModelError
from wusum.model.network.artifact import BUNDLED, FILES, SHARED_FILES, SIZES, Artifact, model_file
from wusum.model.run.manifest import model_fingerprint

LARGEST = 60_000_000
"""Bytes of a model beside the files that it shares, at most: each is in the history of the repository for ever."""


def test_the_small_model_is_the_default() -> None:
    assert Artifact.open() == Artifact.open("small") == Artifact.open(BUNDLED)
    assert Artifact.open("base").folder == SIZES["base"] != BUNDLED


@pytest.mark.parametrize("size", SIZES)
def test_a_bundled_model_has_every_file_and_is_not_too_large(size: str) -> None:
    folder = SIZES[size]
    assert all(model_file(folder, file).is_file() for file in FILES)
    assert sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) <= LARGEST


def test_the_base_model_has_the_tags_of_the_small_one() -> None:
    for file in FILES:
        shared = model_file(SIZES["base"], file).parent == BUNDLED
        assert shared == (file in SHARED_FILES)


def test_a_copy_of_the_base_model_shares_nothing(tmp_path: Path) -> None:
    Artifact.open("base").copy_to(tmp_path / "copy")
    assert Artifact.open(tmp_path / "copy").settings == Artifact.open("base").settings
    assert {path.name for path in (tmp_path / "copy").iterdir()} == set(FILES)
    assert model_fingerprint(tmp_path / "copy") == model_fingerprint(SIZES["base"]) != model_fingerprint(BUNDLED)


@pytest.mark.parametrize("file", SHARED_FILES)
def test_another_model_shares_no_file_with_the_bundled_ones(tmp_path: Path, file: str) -> None:
    folder = tmp_path / "weights" / "base"
    Artifact.open("small").copy_to(folder.parent)
    shutil.copytree(SIZES["base"], folder)
    with pytest.raises(ModelError, match=f"base/{SHARED_FILES[0]}: missing"):
        Artifact.open(folder)
    Artifact.open("base").copy_to(folder)
    (folder / file).unlink()
    with pytest.raises(ModelError, match=f"base/{file}: missing"):
        Artifact.open(folder)


def test_a_path_is_a_folder_also_if_it_is_called_like_a_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Artifact.open("small").copy_to(tmp_path / "base")
    assert Artifact.open(Path("base")).folder == Path("base")
    assert Artifact.open("./base").folder == Path("base")
    with pytest.raises(ModelError, match="small: no such model folder"):
        Artifact.open(Path("small"))


def test_a_name_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(ModelError, match="large: no such model folder; give small or base, a folder, or a Hub id"):
        Artifact.open("large")
