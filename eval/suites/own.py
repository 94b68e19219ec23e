"""Own: topics and tags of a user's own labelled articles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wusum.eval.baselines.keyphrases import UNSUPERVISED
from wusum.eval.config import EvalConfig
from wusum.eval.gold import user_articles
from wusum.eval.measures.answers import Answers, Key
from wusum.eval.suites.common import majority_topic, model_tags, model_topics, to_tagging
from wusum.eval.suites.suite import Suite
from wusum.model.tagger import Tagger
from wusum.train.data.corpora import LabelMap

MIN_TRAINING = 50
"""Fewer articles do not show which words are common, so the baselines of tags learn from none."""


def _keys(config: EvalConfig) -> Iterator[Key]:
    """Yield topics, tags or both, whichever the articles have, with the baselines that need no other articles."""
    articles = user_articles(Path(config.labelled), LabelMap.load(config.topics))
    if any(topics is not None for _, topics in articles):
        yield Key("own", "topics")
        yield Key("own", "topics", "majority")
    if any(example.tags for example, _ in articles):
        for system in ("wusum", *UNSUPERVISED):
            yield Key("own", "tags", system)


def _answer(key: Key, tagger: Tagger, config: EvalConfig) -> Answers:
    """Return all topics, or ranked tags."""
    label_map = LabelMap.load(config.topics)
    articles = user_articles(Path(config.labelled), label_map)
    if key.corpus == "tags":
        tagged = [e for e, _ in articles if e.tags]
        if key.system == "wusum":
            return model_tags(tagger, key, tagged, None)
        training = [e for e, _ in articles] if len(articles) >= MIN_TRAINING else []
        return to_tagging(key, tagged, UNSUPERVISED[key.system](training, tagged), None)
    labelled = [(e, topics) for e, topics in articles if topics is not None]
    examples, gold = [e for e, _ in labelled], [topics for _, topics in labelled]
    if key.system == "majority":
        return majority_topic(key, examples, gold)
    return model_topics(tagger, key, examples, gold, label_map)


SUITE = Suite(_keys, _answer)
