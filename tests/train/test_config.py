"""Configurations: filled from YAML, overridden by flags, mistakes named."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from wusum.model.errors import ConfigError
from wusum.train.config import load, pin


@dataclass(frozen=True)
class Settings:
    data: Path
    rate: float
    corpora: dict[str, float]
    names: list[str] = field(default_factory=list)
    steps: int = 7
    fast: bool = False


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text("data: somewhere\nrate: 5e-4\ncorpora: {a: 1, b: 0.5}\nnames: [x, y]\n", encoding="utf-8")
    return path


def test_values_take_the_type_of_their_field(file: Path) -> None:
    assert load(Settings, file) == Settings(Path("somewhere"), 5e-4, {"a": 1.0, "b": 0.5}, ["x", "y"])


@pytest.mark.parametrize("flags", [["--steps", "9", "--fast", "true"], ["--steps=9", "--fast=true"]])
def test_flags_overrule_the_file(file: Path, flags: list[str]) -> None:
    settings = load(Settings, file, flags)
    assert (settings.steps, settings.fast) == (9, True)


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--speed", "3"], "unknown setting 'speed'; there are data, rate"),
        (["--steps", "many"], "steps: 'many' is no int"),
        (["--steps", "true"], "steps: True is no int"),
        (["--rate", "high"], "rate: 'high' is no number"),
        (["--names", "[1]"], r"names\[0\]: 1 is no str"),
        (["--steps"], "--steps: no value given"),
        (["steps"], "'steps': a setting is given as --name value"),
    ],
)
def test_a_mistake_is_named(file: Path, flags: list[str], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        load(Settings, file, flags)


def test_a_missing_value_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("rate: 1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"run\.yaml: no value for data, corpora"):
        load(Settings, tmp_path / "run.yaml")


@pytest.mark.parametrize("content", ["- 1", "a: [", None])
def test_an_unreadable_file_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "run.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"run\.yaml"):
        load(Settings, tmp_path / "run.yaml")


def test_checkpoints_of_other_settings_are_not_gone_on_from(file: Path, tmp_path: Path) -> None:
    first = load(Settings, file)
    pin(first, tmp_path / "run")
    pin(first, tmp_path / "run")
    pin(load(Settings, file, ["--steps", "9"]), tmp_path / "run", free=["steps"])
    with pytest.raises(ConfigError, match=r"run: has checkpoints of a run with other settings \(rate\)"):
        pin(load(Settings, file, ["--rate", "1", "--steps", "9"]), tmp_path / "run")
