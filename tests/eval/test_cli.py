"""`wusum eval` as a command."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.fakes import FakeTagger
from wusum.eval.cli import app, side_by_side, split_flags, table
from wusum.eval.measures.answers import Classification, Key
from wusum.eval.measures.evaluation import Evaluation
from wusum.model.errors import ConfigError, CorpusError
from wusum.model.tagger import Tagger


@pytest.fixture
def command(corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `wusum eval` with a fake model; takes settings of the config, then arguments.

    `command.opened` has the runtimes of the models opened so far.
    """
    opened: list[str] = []
    monkeypatch.setattr(Tagger, "from_pretrained", lambda name, *, runtime: opened.append(runtime) or FakeTagger())

    def run(settings: dict[str, Any], *arguments: str) -> Any:
        file = tmp_path / "eval.yaml"
        whole = {"data": str(corpora), "topics": str(corpora / "topics.yaml"), "cache": str(tmp_path / "cache")}
        file.write_text(json.dumps(whole | settings), encoding="utf-8")
        return CliRunner().invoke(app, ["eval", str(file), *arguments])

    run.opened = opened  # type: ignore[attr-defined]
    return run


TOPICS = {"topic_labels": {"plain": ["sport", "economy"]}}
FLAGS = ("--suite", "topics", "--no-baselines")


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (ModuleNotFoundError("No module named 'torch'"), "'torch': pip install 'wusum[train,eval]'"),
        (CorpusError("plain: not there"), "wusum eval: plain: not there"),
    ],
)
def test_it_says_what_is_missing(
    corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception, reason: str
) -> None:
    def failing(*_: Any, **__: Any) -> None:
        raise raised

    file = tmp_path / "eval.yaml"
    file.write_text(json.dumps({"data": str(corpora), "topics": str(corpora / "topics.yaml")}), encoding="utf-8")
    monkeypatch.setattr(Tagger, "from_pretrained", failing)
    done = CliRunner().invoke(app, ["eval", str(file)])
    assert (done.exit_code, reason in done.stderr) == (2, True)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert "wusum[train,eval]" in CliRunner().invoke(app, ["eval", str(file)]).stderr


def test_it_writes_reports_and_compares_them_and_models(command: Any, tmp_path: Path) -> None:
    report = tmp_path / "report"
    done = command(TOPICS, *FLAGS, "-o", str(report))
    assert (done.exit_code, f"wrote {report / 'report.html'}" in done.stderr.replace("\n", "")) == (0, True)
    assert {path.name for path in report.iterdir()} == {"report.html", "metrics.json", "answers.jsonl"}
    for other in (str(report), "a-model"):
        done = command(TOPICS, *FLAGS, "--compare", str(report), other)
        assert (done.exit_code, "+0.0000" in done.stdout, "1.0000" in done.stdout) == (0, True, True)
    done = command(TOPICS, "--compare", "one", "other", "-o", str(tmp_path / "third"))
    assert (done.exit_code, "writes no report" in done.stderr) == (2, True)
    more = {"topic_labels": {"plain": ["sport", "economy", "health"]}}
    done = command(more, *FLAGS, "--compare", "a-model", str(report))
    assert (done.exit_code, "not the same articles" in done.stderr) == (2, True)


def shown(table: Any) -> list[dict[str, str]]:
    """Return the rows of a table."""
    heads = [column.header for column in table.columns]
    return [dict(zip(heads, row, strict=True)) for row in zip(*(column.cells for column in table.columns), strict=True)]


CLASSES = Classification(Key("topics", "plain"), ("x", "y"), ("1", "2", "3"), (0, 1, 1), (0, 1, 0), (0.9, 0.9, 0.9))


def test_every_score_is_a_row_and_a_dash_stands_for_no_interval() -> None:
    disturbed = replace(CLASSES, key=Key("robustness", "plain", variant="no title"), confidence=None)
    accuracy, _, error, other, _ = rows = shown(table(Evaluation((CLASSES, disturbed), {})))
    score = CLASSES.scores()[0]
    assert accuracy == {
        "suite": "topics", "corpus": "plain", "system": "wusum", "metric": "accuracy", "value": "0.6667",
        "95% interval": f"{score.low:.4f} – {score.high:.4f}", "articles": "3",
    }  # fmt: skip
    assert (error["metric"], error["value"], error["95% interval"]) == ("ECE", "0.2333", "–")
    assert (other["suite"], other["corpus"]) == ("robustness", "plain, no title")
    assert len(rows) == 5


def test_two_models_stand_side_by_side() -> None:
    better = replace(CLASSES, predicted=CLASSES.gold)
    (row,) = shown(side_by_side(Evaluation((CLASSES,), {}), Evaluation((better,), {}), ("old", "new")))
    assert row == {
        "suite": "topics", "corpus": "plain", "metric": "accuracy", "old": "0.6667", "new": "1.0000",
        "difference": "+0.3333", "p": "1.0000", "corrected": "1.0000",
    }  # fmt: skip
    with pytest.raises(ConfigError, match="old and new: no suite in common"):
        side_by_side(Evaluation((CLASSES,), {}), Evaluation((), {}), ("old", "new"))
    with pytest.raises(ConfigError, match="not the same articles"):
        side_by_side(Evaluation((CLASSES,), {}), Evaluation((replace(CLASSES, ids=("4", "5", "6")),), {}), ("a", "b"))


def test_a_flag_overrides_the_config(command: Any) -> None:
    for more, arguments in ({}, ()), ({"runtime": "torch"}, ()), ({"runtime": "torch"}, ("--runtime", "int8")):
        assert command(TOPICS | more, *FLAGS, *arguments).exit_code == 0
    assert command.opened == ["onnx", "torch", "int8"]


def test_every_setting_of_the_config_is_a_flag(command: Any, tmp_path: Path) -> None:
    done = command({}, *FLAGS, "--topic-labels", "{plain: [sport, economy]}", "--quick", "--quick-articles=5")
    assert (done.exit_code, " 5 " in done.stdout) == (0, True), done.output
    report = tmp_path / "report"
    done = command(TOPICS | {"split": "validation"}, *FLAGS, "--cache", str(tmp_path / "other"), "-o", str(report))
    assert done.exit_code == 0
    assert len(list((tmp_path / "other").iterdir())) == 1
    settings = json.loads((report / "metrics.json").read_text(encoding="utf-8"))["about"]["settings"]
    assert (settings["split"], settings["quick"], settings["baselines"]) == ("validation", False, False)


def test_other_flags_are_settings_of_the_training(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = [
        "--seed",
        "7",
        "--budget=24",
        "--training+",
        "x",
        "--base-model",
        "",
        "--topic-labels.plain",
        "[sport]",
    ]
    ours = ["--seed", "7", "--training+", "x", "--topic-labels.plain", "[sport]"]
    assert split_flags(arguments, ["seed", "training", "topic_labels"]) == (ours, ["--budget=24", "--base-model", ""])
    assert split_flags(["stray", "--seed=7", "--topic-labels=--x"], ["seed", "topic_labels"]) == (
        ["--seed=7", "--topic-labels=--x"], ["stray"],
    )  # fmt: skip
    done = command(TOPICS, *FLAGS, "--budget", "24")
    assert (done.exit_code, "--budget: not a setting of wusum eval" in done.stderr) == (2, True)
    found: list[Any] = []
    monkeypatch.setattr("wusum.eval.runner.evaluate", lambda tagger, config, *_: found.append(config) or 1 / 0)
    command(TOPICS, "--suite", "transfer", "--budget", "24", "--seed", "7")
    assert (found[0].training, found[0].seed) == (["--budget", "24"], 7)


def test_the_help_lists_the_settings_of_the_config(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = CliRunner().invoke(app, ["eval", "--help"]).stdout
    options, settings = shown.split("Further settings of the config")
    assert "--robustness-articles" not in options
    assert "--robustness-articles" in settings
    assert "Folder of cached answers" in settings
    assert not {"--data", "--split", "--quick", "--labelled", "--baselines"} & set(settings.split())
    monkeypatch.setitem(sys.modules, "wusum.train.config", None)
    light = CliRunner().invoke(app, ["eval", "--help"])
    assert (light.exit_code, "--compare" in light.stdout, "Further settings" in light.stdout) == (0, True, False)


@pytest.mark.parametrize(
    ("suite", "settings", "reason"),
    [
        ("topics", {"topic_labels": {"nowhere": ["sport"]}}, "overlap or mean nothing"),
        ("topics", {"topic_labels": {"plain": ["sport", "sports"]}}, "overlap or mean nothing"),
        ("tags", {"tag_corpora": ["nowhere"]}, "nowhere.jsonl.xz"),
        ("annotated", {"annotated": "nowhere"}, "nowhere.jsonl.xz"),
        ("annotated", {"annotated": "plain"}, "are needed"),
        ("annotated", {}, "nothing to measure"),
        ("parser", {"pages": "nowhere"}, "nowhere.jsonl.xz"),
        ("parser", {"pages": "plain"}, "plain: no raw page has its parts annotated"),
        ("parser", {}, "nothing to measure"),
        ("robustness", {"robustness": {"nowhere": "tags"}}, "nowhere.jsonl.xz"),
        ("topics", {"topic_label": {}}, "topic_label"),
    ],
)
def test_it_says_what_is_wrong_with_a_suite(command: Any, suite: str, settings: dict[str, Any], reason: str) -> None:
    done = command(settings, "--suite", suite)
    assert (done.exit_code, done.stdout, reason in done.stderr.replace("\n", "")) == (2, "", True)


def test_an_unknown_suite_is_refused() -> None:
    done = CliRunner().invoke(app, ["eval", "--suite", "topic"])
    assert done.exit_code == 2
    assert "'topic' is not one of" in done.stderr
