"""The built wheel: every module and data file of the three parts, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support import ROOT

PARTS = ("model", "train", "eval")
DATA = (
    "*/py.typed", "model/weights/*", "model/weights/base/*", "model/pages/*.json", "train/data/*.xz", "eval/*.jsonl",
    "eval/report/*.j2",
)  # fmt: skip
"""Data files that the packages read, as patterns in the checkout."""


def copy_tree(folder: Path) -> Path:
    """Copy what a wheel is built from, and the tests, which must not get into it; building leaves files behind."""
    for name in (*PARTS, "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, folder / name)
    return folder


def build(tree: Path) -> set[str]:
    """Return the names of the files in the wheel of a tree."""
    command = [sys.executable, "-m", "pip", "wheel", str(tree), "--no-deps", "--no-build-isolation", "--no-index",
               "--disable-pip-version-check", "--quiet", "-w", str(tree / "dist")]  # fmt: skip
    done = subprocess.run(command, capture_output=True, check=False, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    (wheel,) = (tree / "dist").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def expected(tree: Path, patterns: Iterable[str]) -> set[str]:
    """Return the names in a wheel of the files of a tree that have one of some patterns."""
    return {f"wusum/{path.relative_to(tree)}" for pattern in patterns for path in tree.glob(pattern) if path.is_file()}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module")
def names(tree: Path) -> set[str]:
    return build(tree)


def test_the_wheel_has_every_module(tree: Path, names: set[str]) -> None:
    modules = expected(tree, [f"{part}/**/*.py" for part in PARTS])
    assert "wusum/model/tagging/sources/linear.py" in modules
    assert len(modules) > 100
    assert modules - names == set()


@pytest.mark.parametrize("pattern", DATA)
def test_the_wheel_has_every_data_file(tree: Path, names: set[str], pattern: str) -> None:
    files = expected(tree, [pattern])
    assert len(files) >= (len(PARTS) if pattern == "*/py.typed" else 1)
    assert files - names == set()


def test_the_wheel_has_nothing_else(tree: Path, names: set[str]) -> None:
    ours = {name for name in names if not re.match(r"wusum-[\d.]+\.dist-info/", name)}
    allowed = expected(tree, [*(f"{part}/**/*.py" for part in PARTS), *DATA, "eval/*.md", "train/data/*.md"])
    assert ours - allowed == set()
    assert not any("test" in name for name in ours)


def test_a_package_that_is_not_listed_is_missing(tmp_path: Path) -> None:
    """So that the tests above can fail: pyproject.toml lists packages by hand."""
    tree = copy_tree(tmp_path)
    for file in filter(Path.is_file, (tree / "model" / "weights").rglob("*")):
        file.write_bytes(b"")  # packs faster
    settings = (tree / "pyproject.toml").read_text(encoding="utf-8")
    assert settings.count('"wusum.model.text",') == settings.count('"wusum.eval.report" = ["report.html.j2"]\n') == 1
    settings = settings.replace('"wusum.model.text",', "").replace('"wusum.eval.report" = ["report.html.j2"]\n', "")
    (tree / "pyproject.toml").write_text(settings, encoding="utf-8")
    missing = expected(tree, ["model/text/*.py", "eval/report/*.j2"])
    assert len(missing) > 1
    assert expected(tree, ["**/*.py", *DATA]) - expected(tree, ["tests/**/*"]) - build(tree) == missing
