"""What the README and the shipped configs say is true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import datasets
import pytest
import yaml
from typer.testing import CliRunner

from tests.support import ROOT
from wusum.model.cli import app, load_parts
from wusum.train.config import load
from wusum.train.data.corpora import LabelMap

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"(?:^|\| )(wusum (?:tag|train|eval|bench)[^|#>\n]*)", README, re.MULTILINE)))


def test_the_readme_has_commands_of_every_kind() -> None:
    assert {command.split()[1] for command in COMMANDS} == {"tag", "train", "eval", "bench"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_has_only_options_and_files_that_exist(command: str) -> None:
    load_parts()
    _, name, *words = command.replace("'", "").split()
    options = re.findall(r"--[a-z-]+", CliRunner().invoke(app, [name, "--help"], terminal_width=200).output)
    for word in words:
        if word.startswith("--"):
            assert word in options
        if word.startswith("configs/"):
            assert (ROOT / word).is_file()


STAGES = ["comparison", "tokenizer", "vectors", "packing", "pretrain", "contrast", "finetune", "average",
          "export", "calibrate"]  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
def test_a_shipped_config_fills_its_stage(stage: str) -> None:
    module = __import__(f"wusum.train.stages.{stage}", fromlist=[stage])
    config = load(getattr(module, f"{stage.capitalize()}Config"), ROOT / "configs" / f"{stage}.yaml")
    assert f"wusum train {stage} configs/{stage}.yaml" in README
    for name in getattr(config, "corpora", ()):
        assert (ROOT.parent / "shared" / "data" / f"{name}.jsonl.xz").is_file() or not (ROOT.parent / "shared").exists()


def test_every_config_is_one_of_a_stage() -> None:
    names = {path.stem for path in (ROOT / "configs").glob("*.yaml")}
    assert names == {"topics", "cues", "eval", *STAGES}


def test_the_label_map_has_the_topics_of_the_standard(shared: Path) -> None:
    import json

    standard = json.loads((shared / "data" / "iptc_media_topics.json").read_text(encoding="utf-8"))["topics"][:17]
    labels = LabelMap.load(ROOT / "configs" / "topics.yaml")
    assert labels.codes == tuple(topic["qcode"] for topic in standard)
    assert labels.names_ar == tuple(topic["ar"] for topic in standard)
    assert labels.names_en == tuple(topic["en"] for topic in standard)


def test_the_python_examples_of_the_readme_run() -> None:
    first, second = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    pages = [path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "pages").glob("*.txt")]
    rows = datasets.Dataset.from_dict({"text": ["فاز المنتخب في مباراة كرة القدم"], "title": ["رياضة"]})
    names: dict[str, Any] = {"pages": pages, "dataset": rows}
    exec(first, names)
    assert names["prediction"]
    exec(second, names)
    assert set(names["dataset"].column_names) == {"text", "title", "topics", "tags", "error"}


def test_the_demo_prints_what_the_readme_shows() -> None:
    (shown,) = re.findall(r"```\n(politics\n.*?)```", README, re.DOTALL)
    page = str(ROOT / "tests" / "pages" / "politics.txt")
    printed = CliRunner().invoke(app, ["tag", page, "--format", "table"]).stdout
    # Scores may differ in their last digit from one processor to another.
    assert re.sub(r"\d\.\d\d", "", printed).split() == re.sub(r"\d\.\d\d", "", shown).split()


def test_the_model_card_names_every_topic_that_is_given() -> None:
    card = (ROOT / "model" / "weights" / "README.md").read_text(encoding="utf-8")
    topics = yaml.safe_load((ROOT / "configs" / "topics.yaml").read_text(encoding="utf-8"))["topics"]
    for topic in topics.values():
        line = next(line for line in card.splitlines() if topic["code"] in line)
        assert ("not given" in line) == (topic.get("given") is False)
