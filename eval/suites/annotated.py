"""Annotated: all topics and the tags of articles of many outlets, against those that an annotator gave by reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from wusum.eval.baselines.label_sets import LabelSetModel, fit_decoder, trained_model
from wusum.eval.config import EvalConfig
from wusum.eval.gold import annotated_articles
from wusum.eval.measures.answers import Answers, Key, Labelling
from wusum.eval.suites.common import (
    linear_topics,
    majority_topic,
    model_topics,
)
from wusum.eval.suites.suite import Suite
from wusum.eval.suites.tags import BASELINES, rank_tags
from wusum.model.errors import CorpusError
from wusum.model.network.topics import TopicDecoder
from wusum.model.tagger import Tagger
from wusum.train.data.corpora import Example, LabelMap

UNSEEN = " of unseen outlets"
"""End of the name of a corpus of the outlets that have no annotated training articles."""

TITLES = "topics by title alone"

TOPIC_SYSTEMS = ("wusum", "linear", "majority")
TAG_SYSTEMS = ("wusum", *BASELINES, "embeddings")
SYSTEMS = {
    "topics": TOPIC_SYSTEMS,
    f"topics{UNSEEN}": TOPIC_SYSTEMS,
    TITLES: TOPIC_SYSTEMS,
    "tags": TAG_SYSTEMS,
    f"tags{UNSEEN}": TAG_SYSTEMS,
}
"""The systems that answer on each corpus of the suite."""

MIN_TOPIC_ARTICLES = 8
"""Least validation articles with a topic for a threshold of its own in the linear baseline."""


def _keys(config: EvalConfig) -> Iterator[Key]:
    """Yield topics and tags of all annotated articles and of unseen outlets, and topics of titles alone."""
    for corpus, systems in SYSTEMS.items() if config.annotated else ():
        if _articles(config, corpus, config.split):  # no article of an unseen outlet is for validation
            for system in systems:
                yield Key("annotated", corpus, system)


def _answer(key: Key, tagger: Tagger, config: EvalConfig) -> Answers:
    """Return all topics, or ranked tags."""
    articles = _articles(config, key.corpus, config.split)
    if SYSTEMS[key.corpus] is TAG_SYSTEMS:
        return rank_tags(key, tagger, config, config.annotated, articles)
    return replace(_topics(key, tagger, config, articles), main_first=True)


def _topics(key: Key, tagger: Tagger, config: EvalConfig, articles: Sequence[Example]) -> Labelling:
    """Return all topics that a system gives."""
    gold = [e.topics or () for e in articles]
    if key.system == "majority":
        return majority_topic(key, articles, gold)
    label_map = LabelMap.load(config.topics)
    if key.system == "linear":
        model = trained_model(config)
        return linear_topics(model, _decoder(model, label_map, config, key.corpus), key, articles, gold)
    return model_topics(tagger, key, articles, gold, label_map)


def _articles(config: EvalConfig, corpus: str, split: str) -> list[Example]:
    """Return the articles of a corpus of the suite, which may be none, as systems get them."""
    found = annotated_articles(config, split)
    if corpus.endswith(UNSEEN):
        return [e for e in found if e.unseen_outlet]
    if corpus == TITLES:
        return [replace(e, body="") for e in found if e.title]
    return found


def _decoder(model: LabelSetModel, label_map: LabelMap, config: EvalConfig, corpus: str) -> TopicDecoder:
    """Return a decoder of the linear model's log odds, with thresholds by validation articles like those of a corpus.

    Raises CorpusError if there are no such articles.
    """
    articles = _articles(config, corpus.removesuffix(UNSEEN), "validation")
    if not articles:
        raise CorpusError(f"{config.annotated}: no validation article for {corpus}")
    gold = np.array([[topic in (e.topics or ()) for topic in label_map.keys] for e in articles])
    return fit_decoder(model, label_map, articles, gold, MIN_TOPIC_ARTICLES)


SUITE = Suite(_keys, _answer)
