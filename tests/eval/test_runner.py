"""Runs of suites: the cache of answers, and comparisons with baselines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT, eval_config, read_corpus, write_corpus
from wusum.eval import provenance, runner
from wusum.eval.baselines import hub
from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Answers, Key, Labelling
from wusum.eval.measures.evaluation import Evaluation
from wusum.eval.provenance import record_training
from wusum.eval.runner import evaluate, load_report
from wusum.eval.suites.suite import Suite
from wusum.model.errors import ConfigError
from wusum.train.cache import read_json

SYSTEMS = ("wusum", "linear", "embeddings", "some/hub-model")


class FakeSuite:
    """A suite whose answers are counted by system; `trained` are the folders of its models."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.trained: list[Path] = []

    def load(self, name: str) -> Suite:
        assert name == "suite"
        return Suite(self.keys, self.answer, self.models)

    def keys(self, config: EvalConfig) -> Iterator[Key]:
        return (Key("suite", "corpus", system) for system in SYSTEMS)

    def answer(self, key: Key, tagger: Any, config: EvalConfig) -> Answers:
        self.asked.append(key.system)
        for folder in self.trained:
            (folder / "model").mkdir(parents=True, exist_ok=True)
            record_training(folder, folder / "model")
        return Labelling(key, ("1",), (("sport",),), (("sport",),))

    def models(self, key: Key, config: EvalConfig) -> list[Path]:
        return self.trained if key.system == "wusum" else []

    def new(self) -> set[str]:
        """Return the systems that were asked since the last call."""
        found, self.asked = set(self.asked), []
        return found


@pytest.fixture
def suite(monkeypatch: pytest.MonkeyPatch) -> FakeSuite:
    made = FakeSuite()
    monkeypatch.setattr(runner, "load_suite", made.load)
    monkeypatch.setattr(hub, "model_files", lambda name: [])
    return made


@pytest.fixture
def settings(corpora: Path, tmp_path: Path) -> EvalConfig:
    """Settings whose files can be changed."""
    data = tmp_path / "data"
    data.mkdir()
    write_corpus(data / "plain.jsonl.xz", read_corpus(corpora / "plain.jsonl.xz"))
    for name in ("topics.yaml", "tag_rules.yaml"):
        (tmp_path / name).write_bytes((corpora / name).read_bytes())
    (tmp_path / "cues.yaml").write_text("label: {}", encoding="utf-8")
    training = {"cues": str(tmp_path / "cues.yaml"), "data": str(data), "base_model": "owner/name", "window": 128}
    (tmp_path / "finetune.yaml").write_text(json.dumps(training), encoding="utf-8")
    (tmp_path / "rules.yaml").write_text("edited: []", encoding="utf-8")
    calibration = {"annotated": "annotated", "tag_rules": str(tmp_path / "rules.yaml")}
    (tmp_path / "calibrate.yaml").write_text(json.dumps(calibration), encoding="utf-8")
    return replace(
        eval_config(corpora), data=data, topics=tmp_path / "topics.yaml", tag_rules=str(tmp_path / "tag_rules.yaml"),
        finetune=tmp_path / "finetune.yaml", calibrate=tmp_path / "calibrate.yaml",
        cache=tmp_path / "cache", hub_models={"some/hub-model": {"a": ["sport"]}},
    )  # fmt: skip


def run(fake: Any, settings: EvalConfig) -> Evaluation:
    return evaluate(fake, settings, ["suite"])


def test_an_answer_is_computed_once(suite: FakeSuite, settings: EvalConfig, fake: Any) -> None:
    started: list[tuple[str, int, int]] = []
    first = evaluate(fake, settings, ["suite"], lambda key, done, total: started.append((key.system, done, total)))
    assert started == [(system, number, 4) for number, system in enumerate(SYSTEMS)]
    assert suite.new() == set(SYSTEMS)
    assert [answers.key.system for answers in first.answers] == list(SYSTEMS)
    assert run(fake, settings).answers == first.answers
    assert suite.new() == set()
    assert len(list(settings.cache.glob("*.json"))) == 4


def test_damaged_files_of_the_cache_are_replaced(suite: FakeSuite, settings: EvalConfig, fake: Any) -> None:
    first = run(fake, settings)
    files = sorted(settings.cache.iterdir())
    for file, content in zip(files, ("", "{", "{}", '{"kind": "Labelling", "key": {}}'), strict=True):
        file.write_text(content, encoding="utf-8")
    suite.new()
    assert run(fake, settings).answers == first.answers
    assert suite.new() == set(SYSTEMS)
    run(fake, settings)
    assert suite.new() == set()


def test_after_a_corpus_is_corrected_no_cached_answer_is_given(
    suite: FakeSuite, settings: EvalConfig, fake: Any
) -> None:
    run(fake, settings)
    suite.new()
    path = settings.data / "plain.jsonl.xz"
    first, *rest = read_corpus(path)
    stat = path.stat()
    write_corpus(path, [first | {"text": f"{first['text']} خبر"}, *rest])
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (stat.st_size, stat.st_mtime_ns)
    run(fake, settings)
    assert suite.new() == set(SYSTEMS)
    write_corpus(settings.data / "another.jsonl.xz", rest)
    run(fake, settings)
    assert suite.new() == set(SYSTEMS)


@pytest.mark.parametrize(
    "name", ["topics.yaml", "tag_rules.yaml", "finetune.yaml", "cues.yaml", "calibrate.yaml", "rules.yaml"]
)
def test_after_a_config_changes_no_cached_answer_is_given(
    suite: FakeSuite, settings: EvalConfig, fake: Any, tmp_path: Path, name: str
) -> None:
    run(fake, settings)
    suite.new()
    text = (tmp_path / name).read_text(encoding="utf-8")
    (tmp_path / name).write_text(f"{text}\n# changed", encoding="utf-8")
    run(fake, settings)
    assert suite.new() == set(SYSTEMS)


def test_after_the_code_changes_no_cached_answer_is_given(
    suite: FakeSuite, settings: EvalConfig, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(fake, settings)
    suite.new()
    monkeypatch.setattr(provenance, "code_digest", lambda *packages: "changed")
    run(fake, settings)
    assert suite.new() == set(SYSTEMS)


@pytest.mark.parametrize("name", ["topics_by_hand.jsonl", "annotations.jsonl.xz", "splitter.json"])
def test_after_hand_made_labels_change_no_cached_answer_is_given(
    suite: FakeSuite, settings: EvalConfig, fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    run(fake, settings)
    suite.new()
    changed = tmp_path / "labels.jsonl"
    changed.write_text("changed", encoding="utf-8")
    assert name in {path.name for path in provenance.PACKAGE_DATA}
    files = [changed if path.name == name else path for path in provenance.PACKAGE_DATA]
    monkeypatch.setattr(provenance, "PACKAGE_DATA", files)
    run(fake, settings)
    assert suite.new() == set(SYSTEMS)


def test_another_model_answers_anew_but_baselines_need_not(
    suite: FakeSuite, settings: EvalConfig, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(fake, settings)
    suite.new()
    monkeypatch.setattr(provenance, "model_fingerprint", lambda folder: "another")
    run(fake, settings)
    assert suite.new() == {"wusum", "embeddings"}


def test_another_runtime_answers_anew_but_baselines_need_not(suite: FakeSuite, settings: EvalConfig, fake: Any) -> None:
    run(fake, settings)
    suite.new()
    run(fake, replace(settings, runtime="int8"))
    assert suite.new() == {"wusum", "embeddings"}


def test_classifiers_of_the_hub_answer_anew_only_when_they_change(
    suite: FakeSuite, settings: EvalConfig, fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(fake, settings)
    suite.new()
    other = settings.hub_models | {"another/hub-model": {"a": ["sport"]}}
    run(fake, replace(settings, hub_models=other))
    assert suite.new() == set()
    run(fake, replace(settings, hub_models={"some/hub-model": {"a": ["economy"]}}))
    assert suite.new() == {"some/hub-model"}
    weights = tmp_path / "weights"
    monkeypatch.setattr(hub, "model_files", lambda name: [weights])
    for content in ("one", "another"):
        weights.write_text(content, encoding="utf-8")
        run(fake, settings)
        assert suite.new() == {"some/hub-model"}


def test_other_settings_answer_anew_but_not_other_folders(suite: FakeSuite, settings: EvalConfig, fake: Any) -> None:
    run(fake, settings)
    suite.new()
    for change in ({"split": "validation"}, {"quick": True}, {"seed": 14}, {"training": ["--budget", "1"]}):
        run(fake, replace(settings, **change))  # type: ignore[arg-type]
        assert suite.new() == set(SYSTEMS)
    moved = settings.cache.rename(settings.cache.with_name("moved"))
    run(fake, replace(settings, cache=moved, retrained=Path("elsewhere"), baselines=False))
    assert suite.new() == set()


def test_only_the_model_answers_without_baselines(suite: FakeSuite, settings: EvalConfig, fake: Any) -> None:
    found = evaluate(fake, replace(settings, baselines=False), ["suite"])
    assert [answers.key.system for answers in found.answers] == ["wusum"]


def test_a_model_that_a_suite_trained_counts_in_place_of_the_measured_one(
    suite: FakeSuite, settings: EvalConfig, fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.trained = [tmp_path / "made-0123", tmp_path / "made-4567"]
    found = run(fake, settings)
    records = {folder.name: read_json(folder / "trained.json") for folder in suite.trained}
    assert found.about["retrained"] == records
    assert all(records.values())
    suite.new()
    monkeypatch.setattr(provenance, "model_fingerprint", lambda folder: "another")
    assert run(fake, settings).about["retrained"] == records
    assert suite.new() == {"embeddings"}
    suite.trained = [tmp_path / "made-0123", tmp_path / "made-89ab"]  # of other data, settings or code
    run(fake, settings)
    assert suite.new() == {"wusum"}
    (suite.trained[1] / "trained.json").unlink()
    run(fake, settings)
    assert suite.new() == {"wusum"}
    run(fake, replace(settings, runtime="int8"))
    assert suite.new() == {"wusum", "embeddings"}


def test_the_files_of_a_run_are_described(suite: FakeSuite, settings: EvalConfig, fake: Any, tmp_path: Path) -> None:
    found = run(fake, settings).about
    assert found["model_fingerprint"]
    assert found["data"].keys() == {"plain.jsonl.xz"}
    assert found["retrained"] == {}
    fake.artifact.folder = tmp_path
    assert run(fake, settings).about["training_loss"] == []
    (tmp_path / "history.json").write_text("[[64, 2.5]]", encoding="utf-8")
    assert run(fake, settings).about["training_loss"] == [[64, 2.5]]


def test_nothing_to_measure_is_an_error(corpora: Path, tmp_path: Path, fake: Any) -> None:
    with pytest.raises(ConfigError, match="nothing to measure"):
        evaluate(fake, eval_config(corpora), ["topics"])


def test_the_suites_of_the_command_are_run(corpora: Path, tmp_path: Path, fake: Any) -> None:
    settings = replace(eval_config(corpora, plain=["sport", "economy"]), cache=tmp_path, baselines=False)
    (answers,) = evaluate(fake, settings, ["topics"]).answers
    assert answers.key == Key("topics", "plain")
    assert answers.ids


def test_a_report_is_read_back_and_a_damaged_one_is_an_error(tmp_path: Path) -> None:
    assert load_report(tmp_path) is None
    answers = Labelling(Key("by-hand", "all"), ("1",), (("sport",),), ((),))
    line = json.dumps({"kind": "Labelling", "key": {"suite": "by-hand", "corpus": "all"}, "ids": ["1"],
                       "gold": [["sport"]], "predicted": [[]]})  # fmt: skip
    (tmp_path / "answers.jsonl").write_text(f"{line}\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_report(tmp_path)
    (tmp_path / "metrics.json").write_text('{"about": {"model": "m"}}', encoding="utf-8")
    assert load_report(tmp_path) == Evaluation((answers, answers), {"model": "m"})
    (tmp_path / "answers.jsonl").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_report(tmp_path)


def test_the_configs_of_the_repository_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = {str(path) for path in runner._config_files(EvalConfig(Path("data"), Path("configs/topics.yaml")))}
    names = ("topics", "finetune", "calibrate", "tag_rules", "cues")
    assert found == {f"configs/{name}.yaml" for name in names}


def test_a_comparison_is_by_the_headline_measure() -> None:
    ours = Labelling(Key("by-hand", "all"), ("1", "2", "3"), (("a",), ("a", "c"), ("b",)), (("a",), ("a",), ("b",)))
    theirs = replace(ours, key=Key("by-hand", "all", "linear"), predicted=(("a",), ("c",), ()))
    (row,) = Evaluation((ours, theirs), {}).comparisons()
    assert row["difference"] == pytest.approx(2 * 3 / (3 + 4) - 2 * 2 / (2 + 4))
    assert (row["baseline"], row["metric"]) == ("linear", "micro-F1")
