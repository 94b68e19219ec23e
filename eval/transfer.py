"""How topics carry over to an outlet never seen: train without a corpus, measure on it, one corpus after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean

from wusum.eval.baselines import linear_topics
from wusum.eval.suites import EvalConfig, Score, classification_scores, distinct_sets, labelled, topic_scores
from wusum.model.tagger import Tagger
from wusum.train import export, finetune
from wusum.train.config import load, pin
from wusum.train.corpora import LabelMap, examples


def transfer_suite(config: EvalConfig, flags: Sequence[str] = ()) -> list[Score]:
    """Accuracy and macro-F1 on each corpus of a model, and of a linear one, that were trained without it.

    `flags` change the training.
    """
    label_map = LabelMap.load(config.topics)
    corpora = load(finetune.FinetuneConfig, config.finetune, flags).corpora
    training = {name: list(examples(config.data, name)) for name in corpora}
    scores = []
    for corpus, labels in (config.topic_labels | config.transfer_labels).items():
        rows = labelled(config, label_map, corpus, labels, config.transfer_splits.get(corpus, config.split))
        model = train_without(config, corpus, flags)
        scores += topic_scores(Tagger.from_pretrained(model), corpus, rows)
        others = [e for name, found in training.items() if name != corpus for e in found]
        predicted = linear_topics(others, label_map, distinct_sets(rows), [e for e, _ in rows])
        scores += classification_scores(corpus, rows, predicted.tolist(), "linear")
    for system in ("wusum", "linear"):
        for metric in ("accuracy", "macro-F1"):
            values = [s.value for s in scores if (s.system, s.metric) == (system, metric)]
            scores.append(Score("transfer", "mean", metric, mean(values), len(values), system))
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
