"""Models that a suite trains itself, by the configured fine-tuning with some settings changed.

The folder of a model is named by a digest of everything that the model depends on: settings, contents of the data, and
code. A model of other data or other code therefore never answers in its place.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from wusum.eval.config import EvalConfig
from wusum.eval.provenance import record_training, training_record
from wusum.train.cache import digest_of
from wusum.train.config import load
from wusum.train.stages import calibrate, export, finetune

DIGITS = 16
"""Digits of the digest in the name of a folder."""


def retrain(config: EvalConfig, name: str, **changes: Any) -> Path:
    """Return the model trained and exported with changed settings; a finished one is not trained again.

    A training that was interrupted goes on.
    """
    folder = model_folder(config, name, **changes)

    def train(model: Path) -> None:
        finetune.run(replace(_training(config, changes), output=folder))
        export.run(export.ExportConfig(model))

    return _finished(folder, train)


def model_folder(config: EvalConfig, name: str, **changes: Any) -> Path:
    """Return the folder of the model that `retrain` returns for the same arguments, and of its checkpoints."""
    return config.retrained / f"{name}-{finetune.inputs_digest(_training(config, changes))[:DIGITS]}"


def recalibrate(config: EvalConfig, name: str, before: str) -> Path:
    """Return the model trained, and then calibrated, on articles before a date."""

    def fit(model: Path) -> None:
        shutil.rmtree(model, ignore_errors=True)
        shutil.copytree(retrain(config, name, before=before), model)
        calibrate.run(replace(_calibration(config, before), model=model))

    return _finished(calibrated_folder(config, name, before), fit)


def calibrated_folder(config: EvalConfig, name: str, before: str) -> Path:
    """Return the folder of the model that `recalibrate` returns for the same arguments."""
    trained = model_folder(config, name, before=before)
    digest = digest_of(trained.name, calibrate.inputs_digest(_calibration(config, before)))
    return config.retrained / f"{name}-calibrated-{digest[:DIGITS]}"


def _training(config: EvalConfig, changes: dict[str, Any]) -> finetune.FinetuneConfig:
    """Return the settings of a training."""
    settings = load(finetune.FinetuneConfig, config.finetune, config.training)
    return replace(settings, data=config.data, **changes)


def _calibration(config: EvalConfig, before: str) -> calibrate.CalibrateConfig:
    """Return the settings of a calibration on articles before a date."""
    settings = load(calibrate.CalibrateConfig, config.calibrate)
    return replace(settings, data=config.data, topics=config.topics, before=before)


def _finished(folder: Path, make: Callable[[Path], None]) -> Path:
    """Return the model in a folder, after making it unless it has been finished."""
    model = folder / "model"
    if training_record(folder) is None:
        make(model)
        record_training(folder, model)
    return model
