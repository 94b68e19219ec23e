"""Runs of suites: the cache of answers, and comparisons with baselines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import eval_config
from wusum.eval import runner
from wusum.eval.measures.answers import Key, Labelling
from wusum.eval.measures.evaluation import Evaluation
from wusum.eval.runner import evaluate
from wusum.model.errors import ConfigError
from wusum.model.tagging.sources import linear


def test_an_answer_is_computed_once_for_a_model_and_its_data(corpora: Path, tmp_path: Path, fake: Any) -> None:
    settings = replace(eval_config(corpora, plain=["sport", "economy"]), cache=tmp_path, baselines=False)
    started: list[tuple[str, int, int]] = []
    first = evaluate(fake, settings, ["topics"], lambda key, done, total: started.append((key.corpus, done, total)))
    assert started == [("plain", 0, 1)]
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]
    calls = fake.encoder.calls
    assert evaluate(fake, settings, ["topics"]).answers == first.answers
    assert fake.encoder.calls == calls
    for file in tmp_path.glob("*.json"):
        file.write_text(file.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    assert evaluate(fake, settings, ["topics"]).answers == first.answers  # a damaged file is replaced
    evaluate(fake, replace(settings, topic_labels={"plain": ["sport", "health"]}), ["topics"])
    assert fake.encoder.calls == calls + 2
    evaluate(fake, replace(settings, runtime="int8"), ["topics"])
    assert fake.encoder.calls == calls + 3
    with pytest.raises(ConfigError, match="nothing to measure"):
        evaluate(fake, replace(settings, topic_labels={}), ["topics"])
    assert first.about["data"].keys() == {"plain.jsonl.xz", "almayadeen.jsonl.xz"}
    assert first.about["versions"]["numpy"] == np.__version__


def test_a_changed_file_of_a_subpackage_makes_answers_stale(
    corpora: Path, tmp_path: Path, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = runner._code_files()
    assert Path(linear.__file__) in code  # three levels down
    assert any(path.name == "topics_by_hand.jsonl" for path in code)
    module = tmp_path / "code" / "tagging" / "sources" / "module.py"
    module.parent.mkdir(parents=True)
    module.write_text("A = 1", encoding="utf-8")
    monkeypatch.setattr(runner, "CODE_FOLDERS", (tmp_path / "code",))
    settings = replace(eval_config(corpora, plain=["sport", "economy"]), cache=tmp_path / "cache", baselines=False)
    for content, calls in (("A = 1", 1), ("A = 1", 1), ("A = 2", 2)):
        module.write_text(content, encoding="utf-8")
        evaluate(fake, settings, ["topics"])
        assert fake.encoder.calls == calls


def test_a_comparison_is_by_the_headline_measure() -> None:
    ours = Labelling(Key("by-hand", "all"), ("1", "2", "3"), (("a",), ("a", "c"), ("b",)), (("a",), ("a",), ("b",)))
    theirs = replace(ours, key=Key("by-hand", "all", "linear"), predicted=(("a",), ("c",), ()))
    (row,) = Evaluation((ours, theirs), {}).comparisons()
    assert row["difference"] == pytest.approx(2 * 3 / (3 + 4) - 2 * 2 / (2 + 4))
    assert (row["baseline"], row["metric"]) == ("linear", "micro-F1")
