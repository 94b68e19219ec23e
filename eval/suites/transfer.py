"""How topics carry over to an outlet never seen: train without a corpus, measure on it, one corpus after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from wusum.eval.baselines.topics import linear_topics
from wusum.eval.config import EvalConfig
from wusum.eval.gold import distinct, labelled, read
from wusum.eval.measures.answers import Answers, Key
from wusum.eval.suites.core import classification, classified
from wusum.model.tagger import Tagger
from wusum.train.config import load, pin
from wusum.train.data.corpora import LabelMap
from wusum.train.stages import export, finetune


def transfer_keys(config: EvalConfig) -> Iterator[Key]:
    """On each corpus a model, and a linear one, that are trained without it."""
    for corpus in config.topic_labels | config.transfer_labels:
        for system in ("wusum", "linear"):
            yield Key("transfer", corpus, system)


def transfer_answers(key: Key, tagger: Tagger, config: EvalConfig) -> Answers:
    """One class an article. The given model has no part in it: another is trained by the config it was made with."""
    label_map = LabelMap.load(config.topics)
    labels = (config.topic_labels | config.transfer_labels)[key.corpus]
    found = labelled(config, label_map, key.corpus, labels, config.transfer_splits.get(key.corpus, config.split))
    if key.system == "wusum":
        return classified(
            Tagger.from_pretrained(train_without(config, key.corpus), runtime=config.runtime), key, found, label_map
        )
    corpora = load(finetune.FinetuneConfig, config.finetune, config.training).corpora
    others = [e for name in corpora if name != key.corpus for e in read(config.data, name, "train")]
    predicted = linear_topics(others, label_map, distinct(found), [row.example for row in found])
    return classification(key, found, label_map, (predicted, None))


def train_without(config: EvalConfig, corpus: str) -> Path:
    """Folder of the model that was trained on the other corpora."""
    return retrained(config, f"without-{corpus}", leave_out=[corpus])


def retrained(config: EvalConfig, name: str, **changes: Any) -> Path:
    """Folder of a model that was trained and exported by the config, with some settings changed."""
    settings = load(finetune.FinetuneConfig, config.finetune, config.training)
    settings = replace(settings, data=config.data, output=config.retrained / name, **changes)
    pin(settings, settings.output, free=finetune.FREE)
    model = settings.output / "model"
    if not (model / "model.onnx").is_file():
        finetune.run(settings)
        export.run(export.ExportConfig(model))
    elif not (model / "model.int8.onnx").is_file():  # trained before there was one
        export.export_onnx(model)
    return model
