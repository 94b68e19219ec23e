"""Models that a suite trains itself, by the recipe of the measured one with some settings changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from wusum.eval.config import EvalConfig
from wusum.train.config import load, pin
from wusum.train.stages import export, finetune


def retrain(config: EvalConfig, name: str, **changes: Any) -> Path:
    """Return the folder of a model trained and exported with changed settings; a finished one is not trained again.

    Raises ConfigError if the folder has checkpoints of a training with other settings.
    """
    settings = load(finetune.FinetuneConfig, config.finetune, config.training)
    settings = replace(settings, data=config.data, output=config.retrained / name, **changes)
    pin(settings, settings.output, free=finetune.FREE)
    model = settings.output / "model"
    if not (model / "model.onnx").is_file():
        finetune.run(settings)
        export.run(export.ExportConfig(model))
    elif not (model / "model.int8.onnx").is_file():  # of a version that did not write this graph
        export.export_onnx(model)
    return model
