"""How topics carry over to an outlet never seen: train without a corpus, measure on it, one corpus after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean

from wusum.eval.suites import EvalConfig, Score, labelled, topic_scores
from wusum.model.tagger import Tagger
from wusum.train import export, finetune
from wusum.train.config import load, pin
from wusum.train.corpora import LabelMap


def transfer_suite(config: EvalConfig, flags: Sequence[str] = ()) -> list[Score]:
    """Accuracy and macro-F1 on each corpus of a model that was trained without it; `flags` change the training."""
    label_map = LabelMap.load(config.topics)
    scores = []
    for corpus, labels in config.transfer_labels.items():
        rows = labelled(config, label_map, corpus, labels, config.transfer_splits.get(corpus, config.split))
        model = train_without(config, corpus, flags)
        scores += topic_scores(Tagger.from_pretrained(model), corpus, rows)
    scores += [
        Score(
            "transfer", "mean", metric, mean(s.value for s in scores if s.metric == metric), len(config.transfer_labels)
        )
        for metric in ("accuracy", "macro-F1")
    ]
    return [replace(score, suite="transfer") for score in scores]


def train_without(config: EvalConfig, corpus: str, flags: Sequence[str]) -> Path:
    """Folder of the model that was trained on the other corpora."""
    settings = load(finetune.FinetuneConfig, config.finetune, flags)
    settings = replace(settings, data=config.data, leave_out=[corpus], output=config.transfer_output / corpus)
    pin(settings, settings.output, free=finetune.FREE)
    model = settings.output / "model"
    if not (model / "model.onnx").is_file():
        finetune.run(settings)
        export.run(export.ExportConfig(model))
    return model
