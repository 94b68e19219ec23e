"""`wusum bench` counts correctly; `tests/test_commands.py` runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.support import ROOT, TINY_COUNTS
from wusum.eval.bench import sample, short_articles, tags_add, times_pipeline
from wusum.eval.bench_systems import Rate, Workload, int8_systems, matrix_rate, torch_systems, window_flops
from wusum.eval.config import EvalConfig
from wusum.eval.report.quote import speed_table
from wusum.model.cli import app, load_parts
from wusum.model.network.artifact import SIZES
from wusum.train.data.corpora import Example

BENCH = ROOT / "eval" / "bench.json"


def test_articles_are_drawn_from_the_corpora_in_turns(corpora: Path) -> None:
    config = EvalConfig(corpora, corpora / "topics.yaml", {"plain": []}, transfer_labels={"almayadeen": []})
    assert [e.corpus for e in sample(config, 4)] == ["plain", "almayadeen"] * 2
    assert len(sample(config, 1000)) == sum(counts["train"] for counts in TINY_COUNTS.values())  # all there are


def test_a_model_without_an_int8_graph_is_measured_without(tmp_path: Path) -> None:
    assert int8_systems(Workload([], [], tmp_path / "dump.jsonl"), tmp_path, 1, {}, None) == {}
    bench = json.loads(BENCH.read_text(encoding="utf-8"))
    assert "in int8" in speed_table(bench)
    del bench["times_pipeline_int8"]
    assert "in int8" not in speed_table(bench)


def test_memory_is_measured_on_short_articles_from_all_over_others() -> None:
    rows = [
        Example(id=name, corpus="", title="", body=" ".join(f"{name}{n}" for n in range(50)), label=None, tags=None)
        for name in "اب"
    ]
    found = list(short_articles(rows, 5))
    assert [article.body.split()[0] for article in found] == ["ا0", "ب0", "ا20", "ب20", "ا10"]
    assert {len(article.body.split()) for article in found} == {20}
    assert [article.id for article in found] == list("01234")


def test_the_operations_of_a_window_are_those_of_its_matrix_products() -> None:
    shape = {"hidden_size": 2, "intermediate_size": 8, "num_hidden_layers": 3}
    # A token in a layer: four products of 2 × 2, two of 2 × 8, and two with the 5 tokens there are.
    assert window_flops(shape, 5) == 3 * 5 * 2 * (4 * 4 + 2 * 16 + 2 * 5 * 2)
    assert matrix_rate(64, 0.01) > 0


def test_the_command_is_measured_against_the_pipeline_at_its_best() -> None:
    rates = [
        Rate("wusum tag", 60.0), Rate("wusum tag, topics alone", 75.0), Rate("wusum tag, int8", 90.0),
        Rate("transformers.pipeline, batch 1", 5.0), Rate("transformers.pipeline, batch 32", 12.0),
    ]  # fmt: skip
    assert times_pipeline(rates) == 5.0
    assert times_pipeline(rates, "wusum tag, int8") == 7.5
    assert tags_add(rates) == 0.25


@pytest.mark.parametrize("size", SIZES)
def test_windows_of_unlike_lengths_are_read_together_by_each_size(size: str, tmp_path: Path) -> None:
    article = Example("1", "c", "", "نص", None, None)
    workload = Workload([article] * 2, [[9, 10, 11, 12, 13], [9, 10]], tmp_path / "dump")
    for system in torch_systems(workload, SIZES[size], 16).values():
        assert system().articles > 0


def test_without_corpora_it_says_so(tmp_path: Path) -> None:
    load_parts()
    settings = {"data": str(tmp_path), "topics": "none", "topic_labels": {"plain": ["sport"]}}
    (tmp_path / "eval.yaml").write_text(json.dumps(settings), encoding="utf-8")
    result = CliRunner().invoke(app, ["bench", "--config", str(tmp_path / "eval.yaml")])
    assert result.exit_code == 2
    assert "plain.jsonl.xz" in result.output
