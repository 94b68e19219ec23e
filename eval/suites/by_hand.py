"""Topics by hand: any number of topics for each article, against a reader's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from wusum.eval.baselines.label_sets import LabelSetModel, decoder, fit_decoder, trained_model
from wusum.eval.config import EvalConfig
from wusum.eval.gold import hand_labelled, read_split
from wusum.eval.measures.answers import Answers, Key
from wusum.eval.suites.common import linear_topics, majority_topic, model_topics
from wusum.eval.suites.suite import Suite
from wusum.model.network.topics import TopicDecoder
from wusum.model.tagger import Tagger
from wusum.train.config import load
from wusum.train.data.corpora import LabelMap
from wusum.train.stages.calibrate import CalibrateConfig


def _keys(config: EvalConfig) -> Iterator[Key]:
    """Yield keys for all articles, and for those of two topics."""
    for corpus in ("all", "two topics"):
        for system in ("wusum", "majority", "linear"):
            yield Key("by-hand", corpus, system)


def _answer(key: Key, tagger: Tagger, config: EvalConfig) -> Answers:
    """Return all topics that the model gives, or a linear model that learned from the same articles."""
    chosen = [row for row in hand_labelled(config) if key.corpus == "all" or len(row[1]) > 1]
    articles, gold = [e for e, _ in chosen], [topics for _, topics in chosen]
    label_map = LabelMap.load(config.topics)
    if key.system == "majority":
        return majority_topic(key, articles, gold)
    if key.system == "linear":
        model = trained_model(config)
        return linear_topics(model, _decoder(model, label_map, config), key, articles, gold)
    return model_topics(tagger, key, articles, gold, label_map)


def _decoder(model: LabelSetModel, label_map: LabelMap, config: EvalConfig) -> TopicDecoder:
    """Return a decoder of the linear model's log odds, calibrated like that of the network."""
    settings = load(CalibrateConfig, config.calibrate)
    known = read_split(config.data, settings.annotated, "validation") if settings.annotated else []
    if not known:
        return decoder(label_map, settings.topic_threshold, {})
    gold = np.array([[topic in (e.topics or ()) for topic in label_map.keys] for e in known])
    return fit_decoder(model, label_map, known, gold, settings.topic_count)


SUITE = Suite(_keys, _answer)
