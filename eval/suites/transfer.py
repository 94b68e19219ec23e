"""Transfer: topics of an outlet that was not trained on. For each corpus a model is trained without it."""

from __future__ import annotations

from collections.abc import Iterator

from wusum.eval.baselines.topics import linear_topics
from wusum.eval.config import EvalConfig
from wusum.eval.gold import labelled_articles, read_split, topic_sets
from wusum.eval.measures.answers import Answers, Key
from wusum.eval.suites.common import model_classes, to_classification
from wusum.eval.suites.retraining import retrain
from wusum.eval.suites.suite import Suite
from wusum.model.tagger import Tagger
from wusum.train.config import load
from wusum.train.data.corpora import LabelMap
from wusum.train.stages.finetune import FinetuneConfig


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
        model = retrain(config, f"without-{key.corpus}", leave_out=[key.corpus])
        return model_classes(Tagger.from_pretrained(model, runtime=config.runtime), key, articles, label_map)
    corpora = load(FinetuneConfig, config.finetune, config.training).corpora
    others = [e for name in corpora if name != key.corpus for e in read_split(config.data, name, "train")]
    predicted = linear_topics(others, label_map, topic_sets(articles), [row.example for row in articles])
    return to_classification(key, articles, label_map, (predicted, None))


SUITE = Suite(_keys, _answer)
