"""The commands of the pages are run, in the order of the pages, on a checkout in miniature.

Only the sizes in `SMALLER` and `tests/miniature.py` differ from what the pages and the shipped configs say.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from tests.markdown import code_blocks, shell_lines
from tests.miniature import hand_labels, make_checkout
from tests.support import ROOT
from wusum.eval import gold
from wusum.model.cli import app, load_parts
from wusum.model.network.artifact import BUNDLED
from wusum.model.run.manifest import model_fingerprint

PAGES = ("README.md", "model/README.md", "train/README.md", "eval/README.md")

BLOCKS = {
    f"{page} {number}": shell_lines(block)
    for page in PAGES
    for number, block in enumerate(code_blocks((ROOT / page).read_text(encoding="utf-8"), "sh"))
    if "wusum " in block
}
"""The lines of each block of commands, by its page and its number there."""

RECIPE = "train/README.md 0"
"""The block that makes a model from its beginning."""

SMALLER = {"--workers 8": "--workers 2", "--workers 64": "--workers 2", "--memory 200000": "--memory 1000"}
"""Numbers on the pages, and those that are tried."""

WUSUM = [sys.executable, "-c", "from wusum.model.cli import main; main()"]

OUTPUTS = ("tags", "part3")
"""Beginnings of the names of outputs; two commands of a page may write to one file in different runs."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout in miniature."""
    return make_checkout(tmp_path_factory.mktemp("miniature"))


@pytest.fixture(scope="module")
def finished(checkout: Path) -> Path:
    """The checkout after the recipe has been followed."""
    run_block(BLOCKS[RECIPE], checkout)
    return checkout


@pytest.fixture(autouse=True, scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Few articles stand in for those labelled by hand; every command is there."""
    load_parts()
    labels = tmp_path_factory.mktemp("labels") / "topics_by_hand.jsonl"
    labels.write_bytes(hand_labels())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gold, "HAND_LABELLED", labels)
        yield


def run_block(lines: list[str], folder: Path) -> None:
    """Run the lines of a block in a folder, one after the other."""
    for line in lines:
        run(line, folder)


def run(line: str, folder: Path) -> str:
    """Run a line of a page in a folder and return what it prints; fails if its exit status is not 0."""
    for large, few in SMALLER.items():
        line = line.replace(large, few)
    if " tag " in line:
        remove_outputs(folder)
    if "|" in line:
        return run_in_shell(line, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = CliRunner().invoke(app, shlex.split(line)[1:])
    assert done.exit_code == 0, f"{line}\n{done.output}\n{done.exception!r}"
    return done.output


def run_in_shell(line: str, folder: Path) -> str:
    """Run a line with pipes in a shell."""
    script = f'wusum() {{ {shlex.join(WUSUM)} "$@"; }}\nset -euo pipefail\n{line}'
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def remove_outputs(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name.startswith(OUTPUTS) and path.name != "tags.csv":
            path.unlink()


def copied(checkout: Path, folder: Path) -> Path:
    """Return a copy of a checkout, without the models that a block trains anew, beside the same corpora."""
    folder.mkdir(exist_ok=True)
    (folder / "shared").symlink_to(checkout.parent / "shared")
    return Path(shutil.copytree(checkout, folder / "checkout"))


def blocks(name: str) -> list[str]:
    """Return the blocks with a command of `wusum`."""
    return [block for block, lines in BLOCKS.items() if any(f"wusum {name}" in line for line in lines)]


def test_every_command_of_the_pages_is_in_one_of_the_tests() -> None:
    tried = {RECIPE, *blocks("train"), *blocks("eval"), *blocks("bench")}
    assert {block for block in BLOCKS if block not in tried} <= set(blocks("tag"))
    counts = {name: len([line for lines in BLOCKS.values() for line in lines if f"wusum {name}" in line])
              for name in ("tag", "train", "eval", "bench")}  # fmt: skip
    assert counts["tag"] > 20
    assert counts["train"] > 15
    assert counts["eval"] > 6
    assert counts["bench"] > 1


def test_the_recipe_makes_a_model_that_is_measured_and_tags(finished: Path) -> None:
    stages = [shlex.split(line)[2] for line in BLOCKS[RECIPE] if "wusum train" in line]
    assert stages == ["prune", "finetune", "tokenizer", "distill", "export", "calibrate"]
    for path in ("runs/pruned/config.json", "runs/finetune/model/config.json", "runs/tokenizer/tokenizer.json"):
        assert (finished / path).is_file()
    metrics = json.loads((finished / "report" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["about"]["model_fingerprint"] == model_fingerprint(finished / "runs" / "distill" / "model")
    assert {score["suite"] for score in metrics["scores"]} == {
        "topics", "tags", "by-hand", "annotated", "parser", "robustness"
    }  # fmt: skip
    rows = [json.loads(line) for line in (finished / "tags.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == len(list((finished / "pages").iterdir()))
    assert all(row["topics"] for row in rows)


@pytest.mark.parametrize("block", [block for block in blocks("train") if block != RECIPE])
def test_the_other_trainings_run(block: str, finished: Path, tmp_path: Path) -> None:
    """From where the recipe ends; a block that fine-tunes begins a training of its own."""
    folder = copied(finished, tmp_path)
    if any("wusum train finetune" in line for line in BLOCKS[block]):
        shutil.rmtree(folder / "runs" / "finetune")
    run_block(BLOCKS[block], folder)
    made = {
        "prune": "runs/arabert-pruned-tuned/model/model.safetensors",
        "contrast": "runs/own/model/model.safetensors",
        "ablation": "runs/ablation.json",
        "splitter": "runs/splitter/splitter.json",
    }
    for stage, path in made.items():
        if any(f"wusum train {stage}" in line for line in BLOCKS[block]):
            assert (folder / path).stat().st_size > 100


TAG_LINES = list(dict.fromkeys(line for block in blocks("tag") for line in BLOCKS[block] if "--model" not in line))


@pytest.mark.parametrize("line", [line for line in TAG_LINES if "wusum tag" in line])
def test_a_command_that_tags_writes_what_it_says(line: str, checkout: Path) -> None:
    if "--engine ray" in line:
        ray = pytest.importorskip("ray", reason="the ray extra is not installed")
    printed = run(line, checkout)
    if "--engine ray" in line:
        ray.shutdown()
    words = shlex.split(line)
    if "-o" not in words and ">" not in words:
        assert '"topics"' in printed or "topics" in printed
        return
    output = words[words.index("-o" if "-o" in words else ">") + 1]
    path = checkout / output
    if "--shard-rows" in words:
        path = path.with_name(f"{path.stem}-00000{path.suffix}")
    assert path.stat().st_size > 0 or "--part" in words  # parts take turns of 256 records: a third has none of these
    if path.suffix == ".parquet":
        assert pq.read_table(path).num_rows == (24 if "--shard-rows" in words else 36)


def test_an_evaluation_writes_reports_that_can_be_compared(finished: Path, tmp_path: Path) -> None:
    folder = copied(finished, tmp_path)
    shutil.rmtree(folder / "report")
    names = sorted(blocks("eval"), key=lambda block: not block.startswith("eval/"))  # other pages compare its reports
    lines = [line for block in names if block != RECIPE for line in BLOCKS[block] if "wusum eval" in line]
    printed = {line: run(line, folder) for line in dict.fromkeys(lines)}
    assert all(printed.values())
    for name in ("report", "other", "int8"):
        assert (folder / name / "report.html").stat().st_size > 1000
        metrics = json.loads((folder / name / "metrics.json").read_text(encoding="utf-8"))
        model = folder / "runs" / "distill" / "model" if name == "other" else BUNDLED
        assert metrics["about"]["model_fingerprint"] == model_fingerprint(model)
        assert metrics["about"]["settings"]["runtime"] == ("int8" if name == "int8" else "onnx")


def test_the_benchmark_measures_every_system(checkout: Path) -> None:
    """One turn over a hundred articles: the most that a test can wait for."""
    lines = [line for block in blocks("bench") for line in BLOCKS[block] if "wusum bench" in line]
    (line,) = [line for line in lines if "--memory" in line]
    printed = run(f"{line} --articles 100 -o bench.json", checkout)
    found = json.loads((checkout / "bench.json").read_text(encoding="utf-8"))
    check_benchmark(found)
    assert printed.count("wusum tag") >= 1


def check_benchmark(found: dict[str, Any]) -> None:
    """Check that the numbers of a benchmark are there and possible."""
    about = found["about"]
    assert (about["turns"], about["articles"], about["memory_articles"]) == (1, 100, 1000)
    assert about["model_fingerprint"] == model_fingerprint(BUNDLED)
    assert "hespress.jsonl.xz" in about["data"]
    rates = {row["system"]: row for row in found["rates"]}
    assert rates.keys() == {
        "wusum tag", "wusum tag, topics alone", "wusum tag, int8", "network alone", "network alone, int8",
        "linear TF-IDF", "transformers.pipeline, batch 1", "transformers.pipeline, batch 32", "eager torch, batch 32",
    }  # fmt: skip
    assert all(row["articles"] > 0 for row in rates.values())
    assert 0 < rates["network alone"]["share"] < 1.5
    assert 30 < rates["wusum tag"]["peak_mib"] < 4000
    assert rates["network alone"]["tokens"] / rates["network alone"]["articles"] == pytest.approx(found["tokens"])
    assert found["times_pipeline"] > 0
    assert -1 < found["tags_add"] < 10
    assert 0 < found["p50_ms"] <= found["p99_ms"]
    assert 0 < found["help_s"] < found["first_result_s"]
    assert found["memory_articles"] == 1000
    assert 30 < found["memory_mib_of_a_tenth"] < 4000
    assert 30 < found["memory_mib"] < 4000
