"""`wusum train`: its help, and its answers to mistakes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.support import ROOT
from wusum.train.cli import Stage, app


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["train", *arguments], terminal_width=200)


def test_the_stages_are_the_modules() -> None:
    modules = {path.stem for path in (ROOT / "train" / "stages").glob("*.py")} - {"__init__"}
    assert {stage.value for stage in Stage} == modules


def test_the_help_lists_the_stages() -> None:
    text = invoke("--help").output
    for stage in Stage:
        assert stage in text
        assert stage.summary in text


def test_the_help_needs_none_of_the_heavy_packages() -> None:
    program = (
        "import sys; from typer.testing import CliRunner; from wusum.train.cli import app;"
        "assert CliRunner().invoke(app, ['train', '--help']).exit_code == 0;"
        "heavy = {'torch', 'transformers', 'datasets', 'sklearn', 'scipy', 'numpy', 'jsonargparse'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("arguments", [("--help",), ("run.yaml", "-h")])
def test_the_help_of_a_stage_lists_its_settings(stage: Stage, arguments: tuple[str, ...]) -> None:
    done = invoke(stage, *arguments)
    assert done.exit_code == 0
    assert f"Usage: wusum train {stage} CONFIG" in done.output
    settings = fields(stage.config_type())
    assert settings
    for setting in settings:
        assert f"--{setting.name.replace('_', '-')} " in done.output


@pytest.mark.parametrize("stage", Stage)
def test_every_setting_has_a_help_text(stage: Stage) -> None:
    text = " ".join(invoke(stage, "--help").output.split())
    for setting in fields(stage.config_type()):
        flag = f" --{setting.name.replace('_', '-')} "
        after = text.split(flag)[1]
        # Behind the flag come its value, once or twice, and then the text; the type is in brackets.
        assert not after.partition(" ")[2].startswith("(type"), setting.name
        assert not after.partition(" ")[2].startswith("(required"), setting.name


def test_flags_reach_the_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wusum.train.stages import export

    given = []
    monkeypatch.setattr(export, "run", given.append)
    (tmp_path / "run.yaml").write_text("model: here\n", encoding="utf-8")
    assert invoke("export", str(tmp_path / "run.yaml"), "--max-windows", "3").exit_code == 0
    assert invoke("export", str(tmp_path / "run.yaml"), "--max_windows=4", "--model", "there").exit_code == 0
    assert given == [export.ExportConfig(Path("here"), 3), export.ExportConfig(Path("there"), 4)]


def test_a_mistake_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("colour: red\n", encoding="utf-8")
    for arguments, message in (
        (["export", str(tmp_path / "run.yaml")], "run.yaml: unknown setting 'colour'; there are model, max_windows"),
        (["export", str(tmp_path / "none.yaml")], "none.yaml: File does not exist"),
        (["export"], "export: name a YAML file with the settings first, such as configs/export.yaml"),
        (["export", "--model", "here"], "export: name a YAML file with the settings first"),
    ):
        done = invoke(*arguments)
        assert done.exit_code == 2
        assert message in done.stderr
    assert invoke("pretrain").exit_code == 2
