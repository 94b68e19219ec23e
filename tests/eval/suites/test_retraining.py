"""Models that suites train: never again for the same data, settings and code, always anew for others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import read_corpus, write_corpus
from wusum.eval.config import EvalConfig
from wusum.eval.provenance import training_record
from wusum.eval.suites import drift, retraining, transfer
from wusum.eval.suites.retraining import calibrated_folder, model_folder, recalibrate, retrain
from wusum.train.stages import calibrate, export, finetune


class Stages:
    """Stand in for the stages of training: they note their settings, and write a file each."""

    def __init__(self) -> None:
        self.trained: list[finetune.FinetuneConfig] = []
        self.exported: list[Path] = []
        self.calibrated: list[calibrate.CalibrateConfig] = []

    def train(self, config: finetune.FinetuneConfig) -> None:
        self.trained.append(config)
        folder = config.output / "model"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(f"training {len(self.trained)}", encoding="utf-8")

    def export(self, config: export.ExportConfig) -> None:
        self.exported.append(config.model)
        (config.model / "model.onnx").write_text("graph", encoding="utf-8")

    def calibrate(self, config: calibrate.CalibrateConfig) -> None:
        self.calibrated.append(config)
        with (config.model / "config.json").open("a", encoding="utf-8") as file:
            file.write(f", calibration {len(self.calibrated)}")


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Stages:
    made = Stages()
    monkeypatch.setattr(finetune, "run", made.train)
    monkeypatch.setattr(export, "run", made.export)
    monkeypatch.setattr(calibrate, "run", made.calibrate)
    return made


@pytest.fixture
def config(trainable: EvalConfig, tmp_path: Path) -> EvalConfig:
    """Settings with corpora of their own, whose files keep their size and time whatever their contents."""
    data = tmp_path / "data"
    data.mkdir()
    for path in trainable.data.glob("*.jsonl.xz"):
        write_corpus(data / path.name, read_corpus(path))
    return replace(trainable, data=data)


def correct(config: EvalConfig, corpus: str) -> None:
    """Change one word of a corpus."""
    path = config.data / f"{corpus}.jsonl.xz"
    first, *rest = read_corpus(path)
    write_corpus(path, [first | {"text": f"{first['text']} خبر"}, *rest])


def test_a_finished_model_is_not_trained_again(config: EvalConfig, stages: Stages) -> None:
    model = retrain(config, "some", leave_out=["plain"])
    assert retrain(config, "some", leave_out=["plain"]) == model
    assert model.parent == model_folder(config, "some", leave_out=["plain"])
    assert model.parent.parent == config.retrained
    assert model.parent.name.startswith("some-")
    (trained,) = stages.trained
    assert (trained.leave_out, trained.budget, trained.data) == (["plain"], 24, config.data)
    assert trained.output / "model" == model
    assert stages.exported == [model]
    record = training_record(model.parent)
    assert record is not None
    assert record.keys() == {"revision", "model_fingerprint"}


def test_other_settings_make_other_models(config: EvalConfig, stages: Stages) -> None:
    others = [
        retrain(config, "some"),
        retrain(config, "some", leave_out=["plain"]),
        retrain(config, "some", before="2024-03"),
        retrain(replace(config, training=["--budget", "25"]), "some"),
    ]
    assert len(set(others)) == len(stages.trained) == 4
    assert [model.read_text(encoding="utf-8") for model in (other / "config.json" for other in others)] == [
        f"training {number}" for number in (1, 2, 3, 4)
    ]
    assert stages.trained[3].budget == 25


@pytest.mark.parametrize("corpus", ["plain", "almayadeen"])
def test_after_a_corpus_is_corrected_no_old_model_answers(config: EvalConfig, stages: Stages, corpus: str) -> None:
    models = {retrain(config, "some")}
    correct(config, corpus)
    models.add(retrain(config, "some"))
    assert len(models) == len(stages.trained) == 2


def test_a_corpus_that_is_left_out_may_change(config: EvalConfig, stages: Stages) -> None:
    model = retrain(config, "some", leave_out=["plain"])
    correct(config, "plain")
    assert retrain(config, "some", leave_out=["plain"]) == model


def test_after_the_code_changes_no_old_model_answers(
    config: EvalConfig, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = retrain(config, "some"), recalibrate(config, "some", "2024-07")
    monkeypatch.setattr("wusum.train.inputs.code_digest", lambda *packages: "changed")
    after = retrain(config, "some"), recalibrate(config, "some", "2024-07")
    assert not set(before) & set(after)
    assert (len(stages.trained), len(stages.calibrated)) == (4, 2)


def test_an_interrupted_training_goes_on_in_its_folder(
    config: EvalConfig, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_: export.ExportConfig) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(export, "run", killed)
    with pytest.raises(KeyboardInterrupt):
        retrain(config, "some")
    monkeypatch.setattr(export, "run", stages.export)
    model = retrain(config, "some")
    assert [trained.output / "model" for trained in stages.trained] == [model, model]


def test_a_calibration_leaves_the_trained_model_as_it_was(config: EvalConfig, stages: Stages) -> None:
    calibrated = recalibrate(config, "some", "2024-07")
    assert recalibrate(config, "some", "2024-07") == calibrated
    assert calibrated.parent == calibrated_folder(config, "some", "2024-07")
    trained = retrain(config, "some", before="2024-07")
    texts = [(model / "config.json").read_text(encoding="utf-8") for model in (trained, calibrated)]
    assert texts == ["training 1", "training 1, calibration 1"]
    assert (calibrated / "model.onnx").is_file()
    (settings,) = stages.calibrated
    assert (settings.before, settings.data, settings.topics) == ("2024-07", config.data, config.topics)
    assert settings.model == calibrated


def test_an_interrupted_calibration_begins_anew(
    config: EvalConfig, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(settings: calibrate.CalibrateConfig) -> None:
        stages.calibrate(settings)
        raise KeyboardInterrupt

    monkeypatch.setattr(calibrate, "run", killed)
    with pytest.raises(KeyboardInterrupt):
        recalibrate(config, "some", "2024-07")
    monkeypatch.setattr(calibrate, "run", stages.calibrate)
    model = recalibrate(config, "some", "2024-07")
    assert (model / "config.json").read_text(encoding="utf-8") == "training 1, calibration 2"


def test_other_settings_of_the_calibration_calibrate_anew_and_do_not_train(config: EvalConfig, stages: Stages) -> None:
    models = {recalibrate(config, "some", "2024-07")}
    text = config.calibrate.read_text(encoding="utf-8")
    config.calibrate.write_text(text.replace("{", '{"absent_precision": 0.6, ', 1), encoding="utf-8")
    models.add(recalibrate(config, "some", "2024-07"))
    assert (len(models), len(stages.trained), len(stages.calibrated)) == (2, 1, 2)


def test_after_a_corpus_is_corrected_the_calibration_is_made_anew(config: EvalConfig, stages: Stages) -> None:
    config.calibrate.write_text(
        config.calibrate.read_text(encoding="utf-8").replace('"plain"', '"plain", "other"'), encoding="utf-8"
    )
    write_corpus(config.data / "other.jsonl.xz", read_corpus(config.data / "plain.jsonl.xz"))
    models = {recalibrate(config, "some", "2024-07")}
    correct(config, "other")  # which only the calibration reads
    models.add(recalibrate(config, "some", "2024-07"))
    assert (len(models), len(stages.trained), len(stages.calibrated)) == (2, 1, 2)
    correct(config, "plain")
    models.add(recalibrate(config, "some", "2024-07"))
    assert (len(models), len(stages.trained), len(stages.calibrated)) == (3, 2, 3)


@pytest.mark.parametrize("suite", [transfer.SUITE, drift.SUITE])
def test_the_folders_that_a_suite_names_are_those_that_it_makes(
    config: EvalConfig, stages: Stages, suite: Any, short_articles_count: None
) -> None:
    named: set[Path] = set()
    for key in suite.keys(config):
        models = suite.models(key, config)
        assert bool(models) == (key.system == "wusum")
        if models:
            with pytest.raises(Exception, match="missing"):  # the model has no weights
                suite.answer(key, None, config)
        named |= set(models)
    assert named == set(config.retrained.iterdir())
    assert all(training_record(folder) for folder in named)


def test_the_name_of_a_folder_has_sixteen_digits(config: EvalConfig) -> None:
    for folder in (model_folder(config, "some"), calibrated_folder(config, "some", "2024")):
        digits = folder.name.rsplit("-", 1)[1]
        assert len(digits) == retraining.DIGITS == 16
        int(digits, 16)
