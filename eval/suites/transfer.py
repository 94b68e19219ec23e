"""Transfer: topics of an outlet that was not trained on. For each corpus a model is trained without it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wusum.eval.baselines.label_sets import trained_model
from wusum.eval.config import EvalConfig
from wusum.eval.gold import labelled_articles, topic_sets
from wusum.eval.measures.answers import Answers, Key
from wusum.eval.suites.common import likeliest_sets, model_classes, to_classification
from wusum.eval.suites.retraining import model_folder, retrain
from wusum.eval.suites.suite import Suite
from wusum.model.tagger import Tagger
from wusum.train.data.corpora import LabelMap


def _keys(config: EvalConfig) -> Iterator[Key]:
    """Yield for each corpus a model, and a linear one, that are trained without it."""
    for corpus in config.topic_labels | config.transfer_labels:
        for system in ("wusum", "linear"):
            yield Key("transfer", corpus, system)


def _answer(key: Key, tagger: Tagger, config: EvalConfig) -> Answers:
    """Return one class for each article, by a model trained without the corpus; the given tagger is not used."""
    label_map = LabelMap.load(config.topics)
    labels = (config.topic_labels | config.transfer_labels)[key.corpus]
    split = config.transfer_splits.get(key.corpus, config.split)
    articles = labelled_articles(config, label_map, key.corpus, labels, split)
    if key.system == "wusum":
        model = retrain(config, _name(key), leave_out=[key.corpus])
        return model_classes(Tagger.from_pretrained(model, runtime=config.runtime), key, articles, label_map)
    probabilities = trained_model(config, [key.corpus]).probabilities([row.example.text for row in articles])
    return to_classification(key, articles, label_map, likeliest_sets(probabilities, topic_sets(articles)))


def _models(key: Key, config: EvalConfig) -> list[Path]:
    """Return the folder of the model that answers a key."""
    return [model_folder(config, _name(key), leave_out=[key.corpus])] if key.system == "wusum" else []


def _name(key: Key) -> str:
    return f"without-{key.corpus}"


SUITE = Suite(_keys, _answer, _models)
