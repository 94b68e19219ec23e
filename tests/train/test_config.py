"""Configurations: filled from YAML, overridden by flags, with help; mistakes are named."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from wusum.model.errors import ConfigError
from wusum.train.config import load, pin, settings_help


@dataclass(frozen=True, kw_only=True)
class Common:
    """Settings of several stages."""

    max_rows: int = 7
    """Rows to read."""


@dataclass(frozen=True, kw_only=True)
class Settings(Common):
    """Settings of a test."""

    data: Path
    """Folder of the data."""
    learning_rate: float
    """Learning rate: 100% of it
    on two lines."""
    corpora: dict[str, float]
    """Weights of the corpora."""
    names: list[str] = field(default_factory=list)
    encoder: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    fast: bool = False
    pair: tuple[int, ...] = (1, 2)
    before: str = ""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    text = "data: somewhere\nlearning_rate: 5e-4\ncorpora: {a: 1, b: 0.5}\nnames: [x, y]\nbefore: 2024-05-01\n"
    path.write_text(text, encoding="utf-8")
    return path


def test_values_take_the_type_of_their_field(file: Path) -> None:
    assert load(Settings, file) == Settings(
        data=Path("somewhere"),
        learning_rate=5e-4,
        corpora={"a": 1.0, "b": 0.5},
        names=["x", "y"],
        before="2024-05-01",  # no date
    )


@pytest.mark.parametrize(
    "flags",
    [
        ["--max-rows", "9", "--fast", "true", "--learning-rate", "1e-4"],
        ["--max_rows=9", "--fast=true", "--learning_rate=1e-4"],
    ],
)
def test_flags_overrule_the_file(file: Path, flags: list[str]) -> None:
    settings = load(Settings, file, flags)
    assert (settings.max_rows, settings.fast, settings.learning_rate) == (9, True, 1e-4)


def test_the_value_of_a_flag_is_yaml(file: Path) -> None:
    shape = {"hidden_size": 32, "dropout": 0.0, "kind": "bert"}
    flags = ["--names", "['--budget', '60']", "--encoder", str(shape), "--labels", "{a/b@c: {Sport: [sport]}}"]
    settings = load(Settings, file, [*flags, "--pair", "[3, 4, 5]", "--corpora", "{c: 2}", "--before", "2024"])
    assert settings.names == ["--budget", "60"]
    assert settings.encoder == shape
    assert settings.labels == {"a/b@c": {"Sport": ["sport"]}}
    assert settings.pair == (3, 4, 5)
    assert settings.corpora == {"c": 2.0}
    assert settings.before == "2024"
    assert load(Settings, file, ["--names", "[]"]).names == []
    assert load(Settings, file, ["--before", ""]).before == ""


def test_one_key_of_a_setting_can_be_changed(file: Path) -> None:
    assert load(Settings, file, ["--encoder.hidden_size", "64"]).encoder == {"hidden_size": 64}
    assert load(Settings, file, ["--names+", "z"]).names == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--speed", "3"], "unknown setting 'speed'; there are max_rows, data, learning_rate"),
        (["--max-rows", "many"], "max_rows: expected int, got many"),
        (["--max-rows", "true"], "max_rows: expected int, got True"),
        (["--learning-rate", "high"], "learning_rate: expected float, got high"),
        (["--names", "[1]"], "names: expected str, got 1"),
        (["--names", "x"], "names: expected list, got x"),
        (["--corpora", "{a: much}"], "corpora: expected float, got much"),
        (["--max-rows"], "--max_rows: no value given"),
        (["rows"], "rows: a setting is given as --name value"),
    ],
)
def test_a_mistake_in_a_flag_is_named(file: Path, flags: list[str], reason: str) -> None:
    with pytest.raises(ConfigError, match=rf"run\.yaml: {reason}"):
        load(Settings, file, flags)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("speed: 3", "unknown setting 'speed'; there are max_rows, data"),
        ("max_rows: many", "max_rows: expected int, got many"),
        ("max_rows: 9.5", "max_rows: expected int, got 9.5"),
        ("data: 3", "data: .*not int"),
        ("names: {a: b}", "names: expected list"),
        ("names:", "no value for names"),
        ("fast: 3", "fast: expected bool, got 3"),
    ],
)
def test_a_mistake_in_the_file_is_named(file: Path, line: str, reason: str) -> None:
    name = line.partition(":")[0]
    kept = [given for given in file.read_text(encoding="utf-8").splitlines() if not given.startswith(f"{name}:")]
    file.write_text("\n".join([*kept, line]), encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"run\.yaml: {reason}"):
        load(Settings, file)


def test_a_missing_value_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("learning_rate: 1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"run\.yaml: no value for data, corpora"):
        load(Settings, tmp_path / "run.yaml")
    assert load(Settings, tmp_path / "run.yaml", ["--data", "-", "--corpora", "{}"]).data == Path("-")


@pytest.mark.parametrize("content", [b"- 1", b"a: [", b"", b"\xff\xfe", None])
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "run.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"run\.yaml: \S"):
        load(Settings, tmp_path / "run.yaml")


def test_the_help_has_every_setting_with_its_docstring_type_and_default() -> None:
    text = " ".join(settings_help(Settings).split())
    assert "Settings of a test:" in text
    assert "--max-rows MAX_ROWS Rows to read. (type: int, default: 7)" in text
    assert "--data DATA Folder of the data. (required, type: Path)" in text
    rate = "--learning-rate LEARNING_RATE Learning rate: 100% of it on two lines. (required, type: float)"
    assert rate in text
    assert "Weights of the corpora. (required, type: dict[str, float])" in text
    for name in ("names", "encoder", "labels", "fast", "pair", "before"):
        assert f"--{name} " in text


def test_checkpoints_of_other_settings_are_not_gone_on_from(file: Path, tmp_path: Path) -> None:
    first = load(Settings, file)
    pin(first, tmp_path / "run", {})
    pin(first, tmp_path / "run", {})
    pin(load(Settings, file, ["--fast", "true"]), tmp_path / "run", {}, free=["fast"])
    with pytest.raises(
        ConfigError, match=r"run: has checkpoints of a run with other settings or data \(learning_rate\)"
    ):
        pin(load(Settings, file, ["--learning-rate", "1", "--fast", "true"]), tmp_path / "run", {})


@pytest.mark.parametrize(
    ("inputs", "changed"),
    [
        ({"a.jsonl.xz": "1", "topics": "3"}, "contents of topics"),
        ({"a.jsonl.xz": "1", "topics": "2", "cues": "3"}, "contents of cues"),
        ({"topics": "2"}, r"contents of a\.jsonl\.xz"),
        ({}, r"contents of a\.jsonl\.xz, contents of topics"),
    ],
)
def test_checkpoints_of_other_data_are_not_gone_on_from(
    file: Path, tmp_path: Path, inputs: dict[str, str], changed: str
) -> None:
    settings, folder = load(Settings, file), tmp_path / "run"
    pin(settings, folder, {"a.jsonl.xz": "1", "topics": "2"})
    with pytest.raises(ConfigError, match=rf"run: has checkpoints of a run with other settings or data \({changed}\)"):
        pin(settings, folder, inputs)
    pin(settings, folder, {"a.jsonl.xz": "1", "topics": "2"})


def test_checkpoints_of_a_version_that_recorded_no_data_are_not_gone_on_from(file: Path, tmp_path: Path) -> None:
    pin(load(Settings, file), tmp_path / "run", {})
    path = tmp_path / "run" / "settings.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    del settings["inputs"]
    path.write_text(json.dumps(settings), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"contents of a\.jsonl\.xz"):
        pin(load(Settings, file), tmp_path / "run", {"a.jsonl.xz": "1"})
