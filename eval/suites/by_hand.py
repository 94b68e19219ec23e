"""Topics by hand: any number of topics for each article, against a reader's."""

from __future__ import annotations

from collections.abc import Iterator

from wusum.eval.baselines.topics import linear_topics
from wusum.eval.config import EvalConfig
from wusum.eval.gold import hand_labelled, labelled_articles
from wusum.eval.measures.answers import Answers, Key, Labelling
from wusum.eval.suites.common import majority_topic, model_topics
from wusum.eval.suites.suite import Suite
from wusum.model.tagger import Tagger
from wusum.train.data.corpora import LabelMap


def _keys(config: EvalConfig) -> Iterator[Key]:
    """Yield keys for all articles, and for those of two topics, where a classifier can find only one."""
    for corpus in ("all", "two topics"):
        yield Key("by-hand", corpus)
        yield Key("by-hand", corpus, "majority")
        if corpus == "all" and config.topic_labels:
            yield Key("by-hand", corpus, "linear")


def _answer(key: Key, tagger: Tagger, config: EvalConfig) -> Answers:
    """Return all topics that the model gives, or one topic by a linear model of the corpora of `topic_labels`."""
    chosen = [row for row in hand_labelled(config) if key.corpus == "all" or len(row[1]) > 1]
    articles, gold = [e for e, _ in chosen], [topics for _, topics in chosen]
    label_map = LabelMap.load(config.topics)
    if key.system == "majority":
        return majority_topic(key, articles, gold)
    if key.system == "linear":
        sets = [(topic,) for topic in range(len(label_map.keys))]
        training = [
            row.example
            for corpus, labels in config.topic_labels.items()
            for row in labelled_articles(config, label_map, corpus, labels, "train")
        ]
        predicted = linear_topics(training, label_map, sets, articles)
        topics = tuple((label_map.keys[topic],) for topic in predicted)
        return Labelling(key, tuple(e.id for e in articles), tuple(gold), topics)
    return model_topics(tagger, key, articles, gold, label_map)


SUITE = Suite(_keys, _answer)
