"""Robustness: topics or tags of articles as scrapers and typists leave them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wusum.eval.config import EvalConfig
from wusum.eval.gold import labelled_articles, sample, tagged_articles
from wusum.eval.measures.answers import Answers, Key
from wusum.eval.suites.common import model_classes, model_tags, training_tags
from wusum.eval.suites.disturbances import DISTURBANCES, disturb
from wusum.eval.suites.suite import Suite
from wusum.model.errors import CorpusError
from wusum.model.tagger import Tagger
from wusum.train.data.corpora import LabelMap


def _keys(config: EvalConfig) -> Iterator[Key]:
    """Yield the model on each corpus and disturbance; raises CorpusError for wrong settings."""
    for corpus, kind in config.robustness.items():
        if kind not in ("topics", "tags"):
            raise CorpusError(f"robustness: {corpus}: topics or tags can be measured, not {kind}")
        if kind == "topics" and corpus not in config.topic_labels:
            raise CorpusError(f"robustness: {corpus} is not among topic_labels")
        for name in DISTURBANCES:
            yield Key("robustness", corpus, variant=name)


def _answer(key: Key, tagger: Tagger, config: EvalConfig) -> Answers:
    """Return the answers that the suite of topics or of tags would, for disturbed articles."""
    size = max(config.quick_articles // 2, 1) if config.quick else config.robustness_articles
    if config.robustness[key.corpus] == "tags":
        examples = sample(tagged_articles(config, key.corpus, config.split), size, config.seed)
        return model_tags(tagger, key, [disturb(key.variant, e) for e in examples], training_tags(config))
    label_map = LabelMap.load(config.topics)
    articles = labelled_articles(config, label_map, key.corpus, config.topic_labels[key.corpus], config.split)
    chosen = sample(articles, size, config.seed)
    disturbed = [replace(row, example=disturb(key.variant, row.example)) for row in chosen]
    return model_classes(tagger, key, disturbed, label_map)


SUITE = Suite(_keys, _answer)
