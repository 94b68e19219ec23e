"""The pages of the repository: their commands, examples, numbers, links and shipped configs are true."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import datasets
import pytest
import typer
import yaml
from typer.testing import CliRunner

from tests.markdown import code_blocks, shell_lines
from tests.support import ROOT
from wusum.eval.report.verdicts import FLOOR
from wusum.model.cli import app, load_parts
from wusum.model.tagger import Tagger
from wusum.model.tagging.sources.similarity import TermSimilarity
from wusum.train.cli import Stage
from wusum.train.config import load
from wusum.train.data.corpora import LabelMap

MAX_README_BYTES = 9_000

NAMES = [
    "README.md", "model/README.md", "model/weights/README.md", "model/weights/base/README.md",
    "train/README.md", "train/EXPERIMENTS.md",
    "eval/README.md", ".github/CONTRIBUTING.md", "CHANGELOG.md",
]  # fmt: skip
PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in NAMES if (ROOT / name).is_file()}
README = PAGES["README.md"]

INLINE_CODE = re.compile(r"`([^`\n]+)`")

CORPORA = ROOT.parent / "shared" / "data"


def _commands() -> list[str]:
    """Return every wusum command in the shell blocks of the pages, without comments, pipes and redirections."""
    blocks = [block for page in PAGES.values() for block in code_blocks(page, "sh")]
    parts = {part.strip() for block in blocks for line in shell_lines(block) for part in re.split(r" [|>] ", line)}
    return sorted(part for part in parts if part.startswith("wusum "))


COMMANDS = _commands()
STAGES = [stage.value for stage in Stage]


@pytest.fixture(scope="module")
def commands() -> dict[str, Any]:
    """The commands of `wusum` by name."""
    load_parts()
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


def test_every_page_is_there_and_the_readme_is_short() -> None:
    assert list(PAGES) == NAMES
    assert len(README.encode()) <= MAX_README_BYTES


def test_the_pages_have_commands_of_every_kind() -> None:
    assert {command.split()[1] for command in COMMANDS} == {"tag", "train", "eval", "bench"}
    assert len(re.findall(r"^wusum tag", README, re.MULTILINE)) >= 4


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_on_the_pages_can_be_run(
    command: str, commands: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    _, name, *arguments = shlex.split(command)
    for argument in arguments:
        if argument.startswith(("configs/", "tests/")):
            assert Path(argument).is_file()
    if name == "train":
        stage, config, *flags = arguments
        load(Stage(stage).config_type(), config, flags)
    else:
        # Raises a usage error for an unknown option, a wrong value or a missing argument.
        context = commands[name].make_context(name, arguments)
        if context.args:  # settings of a training, which `wusum eval` passes on
            load(Stage.finetune.config_type(), "configs/finetune.yaml", context.args)


def test_options_and_commands_in_the_text_exist(commands: dict[str, Any]) -> None:
    known = {option for name in ("tag", "eval", "bench") for p in commands[name].params for option in _options(p)}
    known |= {f"--{field.name.replace('_', '-')}" for stage in STAGES for field in fields(Stage(stage).config_type())}
    known |= {"--help", "--version", "--strict"}  # the last one is of mypy
    for name, page in PAGES.items():
        for code in INLINE_CODE.findall(page):
            for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", code):
                assert option in known, f"{name}: {code}"
            if found := re.match(r"wusum ([a-z]+)", code):
                assert found[1] in commands, f"{name}: {code}"


def _options(parameter: Any) -> list[str]:
    return [*parameter.opts, *parameter.secondary_opts]


def test_files_modules_and_make_targets_in_the_text_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    checked = 0
    for name, page in PAGES.items():
        for path in re.findall(r"`((?:model|train|eval|tests|configs|\.github)/[\w./-]+\.\w+)`", page):
            assert "NAME" in path or (ROOT / path).exists(), f"{name}: {path}"
            checked += 1
        for module in re.findall(r"`(?:python -m )?(wusum(?:\.\w+)+)`", page):
            assert find_spec(module), f"{name}: {module}"
            checked += 1
        for target in re.findall(r"(?:^|`)make (\w+)", page, re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{name}: make {target}"
            checked += 1
    assert checked > 30


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", PAGES[name]) if "://" not in link]
    for link in links:
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.is_file(), link
        assert not anchor or anchor in _anchors(target.read_text(encoding="utf-8")), link


def _anchors(page: str) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# --- Examples


def test_the_first_example_prints_what_the_readme_shows(capsys: pytest.CaptureFixture[str]) -> None:
    shown = re.search(r"^```python\n(.*?)^```\n\n```\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert shown
    assert len([line for line in shown[1].splitlines() if line]) == 5
    exec(shown[1], {})
    _assert_alike(capsys.readouterr().out, shown[2])


def test_the_demo_prints_what_the_readme_shows() -> None:
    (shown,) = re.findall(r"```\n(politics\n.*?)```", README, re.DOTALL)
    page = str(ROOT / "tests" / "pages" / "politics.txt")
    _assert_alike(CliRunner().invoke(app, ["tag", page, "--format", "table"]).stdout, shown)


def test_a_vocabulary_gives_the_row_that_the_readme_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (table,), (row,) = code_blocks(README, "csv"), code_blocks(README, "json")
    vocabulary = tmp_path / "tags.csv"
    vocabulary.write_text(table, encoding="utf-8")
    (command,) = (c for c in COMMANDS if c == "wusum tag tests/pages/economy.txt --vocabulary tags.csv")
    monkeypatch.chdir(ROOT)
    arguments = [str(vocabulary) if word == "tags.csv" else word for word in command.split()[1:]]
    _assert_alike(CliRunner().invoke(app, arguments).stdout, row)


def _assert_alike(printed: str, shown: str) -> None:
    """Compare two outputs; scores may differ in their last digits from one processor to another."""
    score = re.compile(r"\d\.\d+")
    assert score.sub("", printed).split() == score.sub("", shown).split()
    made, wanted = ([float(found) for found in score.findall(text)] for text in (printed, shown))
    assert made == pytest.approx(wanted, abs=0.01)


def test_the_python_examples_of_the_model_page_run() -> None:
    examples = code_blocks(PAGES["model/README.md"], "python")
    assert len(examples) == 3
    pages = [path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "pages").glob("*.txt")]
    rows = datasets.Dataset.from_dict({"text": ["فاز المنتخب في مباراة كرة القدم"], "title": ["رياضة"]})
    names: dict[str, Any] = {"pages": pages, "dataset": rows}
    for example in examples:
        exec(example, names)
    assert names["prediction"]
    assert names["why"]["start"]
    assert set(names["dataset"].column_names) == {"text", "title", "confident", "topics", "tags", "error"}


def test_the_page_explains_every_key_of_an_explanation(tagger: Tagger) -> None:
    ranker: Any = tagger.tag_ranker
    features = {feature.name: feature.description for feature in ranker.features}
    rows = re.findall(r"^\|[^|]*\| `(\w+)` \| ([^|]+) \|$", PAGES["model/README.md"], re.MULTILINE)
    similarity = TermSimilarity.name
    assert {name: text for name, text in rows if name != similarity} == features
    assert similarity in dict(rows)


# --- Numbers

FILES = {
    "metrics": ROOT / "model" / "weights" / "metrics.json",
    "transfer": ROOT / "eval" / "transfer.json",
    "bench": ROOT / "eval" / "bench.json",
}

QUALITY = {
    ("topics: sanad_khaleej", "accuracy"): ("metrics", "topics", "sanad_khaleej", "accuracy"),
    ("topics: annotated", "micro-F1"): ("metrics", "annotated", "topics", "micro-F1"),
    ("topics: annotated, outlets never trained on", "micro-F1"): (
        "metrics", "annotated", "topics of unseen outlets", "micro-F1",
    ),
    ("topics: all topics of an article, labelled by hand", "micro-F1"): ("metrics", "by-hand", "all", "micro-F1"),
    ("tags: almayadeen", "F1@5"): ("metrics", "tags", "almayadeen", "F1@5"),
    ("tags: annotated, outlets never trained on", "F1@5"): ("metrics", "annotated", "tags of unseen outlets", "F1@5"),
}  # fmt: skip
"""The rows of the README's table of quality: file, suite, corpus and metric of each."""

SPEED = {
    "`wusum tag`": "wusum tag",
    "`wusum tag --runtime int8`": "wusum tag, int8",
    "`transformers.pipeline`, the same encoder alone": "transformers.pipeline, batch 1",
}
"""The rows of the README's table of speed, and the system of each."""


def _table(heading: str) -> list[list[str]]:
    """Return the rows of the table under a heading of the README, each a list of cells."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def _values(file: str, suite: str, corpus: str, metric: str) -> dict[str, float]:
    """Return the value of each system."""
    scores = json.loads(FILES[file].read_text(encoding="utf-8"))["scores"]
    place = suite, corpus, metric, ""
    found = [s for s in scores if (s["suite"], s["corpus"], s["metric"], s["variant"]) == place]
    values = {score["system"]: float(score["value"]) for score in found}
    assert len(values) == len(found) > 1, place
    return values


def test_the_six_rows_of_quality_are_those_that_were_measured() -> None:
    rows = _table("Quality")
    assert [(split, metric) for split, metric, *_ in rows] == list(QUALITY)
    for split, metric, ours, beside in rows:
        values = _values(*QUALITY[split, metric])
        values.pop(FLOOR, None)  # nobody would use it
        assert ours == f"{values.pop('wusum'):.3f}", split
        best = max(values, key=lambda system: values[system])
        assert beside == f"{values[best]:.3f} ({best})", split


def test_the_three_rows_of_speed_are_those_that_were_measured() -> None:
    found = json.loads(FILES["bench"].read_text(encoding="utf-8"))
    rates = {rate["system"]: rate for rate in found["rates"]}
    rows = _table("Speed")
    assert [system for system, *_ in rows] == list(SPEED)
    for system, articles, memory in rows:
        rate = rates[SPEED[system]]
        assert articles == f"{rate['articles']:,.0f}", system
        assert memory == (f"{rate['peak_mib']:,.0f}" if rate["peak_mib"] else ""), system
    setting = f"{found['articles']:,} articles of {found['words']:.0f} words on {found['processors']} CPU cores"
    assert setting in README


# --- Configs


@pytest.mark.parametrize("stage", STAGES)
def test_a_shipped_config_fills_its_stage_and_is_in_the_recipe(stage: str) -> None:
    config = load(Stage(stage).config_type(), ROOT / "configs" / f"{stage}.yaml")
    assert f"wusum train {stage} configs/{stage}.yaml" in COMMANDS
    for name in getattr(config, "corpora", ()):
        assert (CORPORA / f"{name}.jsonl.xz").is_file() or not CORPORA.exists()


def test_every_config_is_one_of_a_stage() -> None:
    names = {path.stem for path in (ROOT / "configs").glob("*.yaml")}
    assert names == {"topics", "cues", "tag_rules", "eval", *STAGES}


def test_the_label_map_has_the_topics_of_the_standard(shared: Path) -> None:
    standard = json.loads((shared / "data" / "iptc_media_topics.json").read_text(encoding="utf-8"))["topics"][:17]
    labels = LabelMap.load(ROOT / "configs" / "topics.yaml")
    assert labels.codes == tuple(topic["qcode"] for topic in standard)
    assert labels.names_ar == tuple(topic["ar"] for topic in standard)
    assert labels.names_en == tuple(topic["en"] for topic in standard)


def test_card_and_readme_say_which_topics_are_given() -> None:
    topics = yaml.safe_load((ROOT / "configs" / "topics.yaml").read_text(encoding="utf-8"))["topics"]
    bundled = json.loads((ROOT / "model" / "weights" / "config.json").read_text(encoding="utf-8"))["wusum"]["topics"]
    given = {topic["code"]: topic["given"] for topic in bundled}
    limits = README.split("\n## Before you use it\n")[1].split("\n## ")[0]
    for topic in topics.values():
        line = next(line for line in PAGES["model/weights/README.md"].splitlines() if topic["code"] in line)
        assert ("not given" in line) == (topic.get("given") is False)
        assert given[topic["code"]] == topic.get("given", True)
        assert (f"*{topic['name_en']}*" in limits.lower()) == (not given[topic["code"]])
    number = f"All {len(given)}" if all(given.values()) else f"{sum(given.values())} of the {len(given)}"
    assert f"{number} are given" in limits


def test_the_workflow_runs_make_targets_on_every_python() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8"))
    runs = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert sorted(runs) == ["make demo", "make lint", "make test"]
    matrix = workflow["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    for form in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        content = yaml.safe_load(form.read_text(encoding="utf-8"))
        assert form.stem == "config" or {"name", "description", "body"} <= content.keys()
