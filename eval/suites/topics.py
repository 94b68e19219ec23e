"""Topics: one class for each article, on the corpora's own labels."""

from __future__ import annotations

from collections.abc import Iterator

from wusum.eval.baselines import hub
from wusum.eval.baselines.topics import TOPIC_BASELINES
from wusum.eval.config import EvalConfig
from wusum.eval.gold import labelled_articles, topic_sets
from wusum.eval.measures.answers import Answers, Key
from wusum.eval.suites.common import model_classes, to_classification
from wusum.eval.suites.suite import Suite
from wusum.model.tagger import Tagger
from wusum.train.data.corpora import LabelMap


def _keys(config: EvalConfig) -> Iterator[Key]:
    """Yield for each corpus the model, the baselines that learn from its training split, and classifiers of the Hub."""
    for corpus, classifiers in hub.classifiers_by_corpus(config, LabelMap.load(config.topics)).items():
        for system in ("wusum", *TOPIC_BASELINES, *classifiers):
            yield Key("topics", corpus, system)


def _answer(key: Key, tagger: Tagger, config: EvalConfig) -> Answers:
    """Return one class for each article."""
    label_map = LabelMap.load(config.topics)
    labels = config.topic_labels[key.corpus]
    articles = labelled_articles(config, label_map, key.corpus, labels, config.split)
    if key.system == "wusum":
        return model_classes(tagger, key, articles, label_map)
    sets = topic_sets(articles)
    texts = [row.example.text for row in articles]
    if key.system in config.hub_models:
        predictions = hub.classify(key.system, config.hub_models[key.system], label_map, sets, texts)
        return to_classification(key, articles, label_map, predictions)
    training = labelled_articles(config, label_map, key.corpus, labels, "train")
    training = [row for row in training if row.topics in sets]
    predictions = TOPIC_BASELINES[key.system](
        [row.example.text for row in training], [sets.index(row.topics) for row in training], texts
    )
    return to_classification(key, articles, label_map, predictions)


SUITE = Suite(_keys, _answer)
