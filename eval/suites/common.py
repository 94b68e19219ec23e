"""Predictions of the model and of baselines as answers, shared by several suites."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from wusum.eval.baselines.keyphrases import MAX_RANKED, RankedKeys
from wusum.eval.baselines.topics import ClassPredictions
from wusum.eval.config import EvalConfig
from wusum.eval.gold import LabelledArticle, TopicSet, edited_articles, topic_sets
from wusum.eval.measures.answers import Classification, Key, Labelling, Tagging
from wusum.model.errors import CorpusError
from wusum.model.stream import CHUNK_ARTICLES
from wusum.model.tagger import Tagger
from wusum.model.text.words import match_key
from wusum.train.data.corpora import Example, LabelMap


def model_classes(tagger: Tagger, key: Key, articles: Sequence[LabelledArticle], label_map: LabelMap) -> Classification:
    """Return the model's class of each article: the set of topics whose summed probability is highest."""
    sets = topic_sets(articles)
    columns = [_columns(tagger, label_map, topics, key.corpus) for topics in sets]
    tables = []
    for start in range(0, len(articles), CHUNK_ARTICLES):
        chunk = [row.example.article() for row in articles[start : start + CHUNK_ARTICLES]]
        probabilities = tagger.topic_decoder.probabilities(tagger.encoder.encode(chunk).topic_logits)
        tables.append(np.stack([probabilities[:, column].sum(axis=1) for column in columns], axis=1))
    table = np.concatenate(tables).astype(float)
    confidence = table.max(axis=1) / np.maximum(table.sum(axis=1), 1e-9)
    return to_classification(key, articles, label_map, (table.argmax(axis=1), confidence))


def _columns(tagger: Tagger, label_map: LabelMap, topics: TopicSet, corpus: str) -> list[int]:
    """Return the columns of topics in the model's output, whose order may differ from that of the label map."""
    codes = [topic.code for topic in tagger.topic_decoder.topics]
    if unknown := [label_map.keys[topic] for topic in topics if label_map.codes[topic] not in codes]:
        raise CorpusError(f"{corpus}: the model lacks the topic {', '.join(unknown)} that labels of this corpus mean")
    return [codes.index(label_map.codes[topic]) for topic in topics]


def to_classification(
    key: Key, articles: Sequence[LabelledArticle], label_map: LabelMap, predictions: ClassPredictions
) -> Classification:
    """Return a system's predicted classes with the gold ones."""
    sets = topic_sets(articles)
    predicted, confidence = predictions
    return Classification(
        key,
        tuple(class_name(label_map, topics) for topics in sets),
        tuple(row.example.id for row in articles),
        tuple(sets.index(row.topics) for row in articles),
        tuple(map(int, predicted)),
        None if confidence is None else tuple(round(float(c), 6) for c in confidence),
    )


def class_name(label_map: LabelMap, topics: TopicSet) -> str:
    """Return the name of a class: the keys of its topics."""
    return " / ".join(label_map.keys[topic] for topic in topics)


def model_topics(
    tagger: Tagger, key: Key, articles: Sequence[Example], gold: Sequence[tuple[str, ...]], label_map: LabelMap
) -> Labelling:
    """Return all topics that the model gives, with the gold ones."""
    keys = dict(zip(label_map.codes, label_map.keys, strict=True))
    predictions = tagger.stream(example.article() for example in articles)
    predicted = tuple(tuple(keys.get(t.code, t.code) for t in prediction.topics) for prediction in predictions)
    return Labelling(key, tuple(e.id for e in articles), tuple(gold), predicted)


def majority_topic(key: Key, articles: Sequence[Example], gold: Sequence[tuple[str, ...]]) -> Labelling:
    """Return for every article the most frequent gold topic, which this baseline knows from the test articles."""
    best = Counter(topic for topics in gold for topic in topics).most_common(1)[0][0]
    return Labelling(key, tuple(e.id for e in articles), tuple(gold), ((best,),) * len(articles))


def model_tags(tagger: Tagger, key: Key, articles: Sequence[Example], known: set[str] | None) -> Tagging:
    """Return the model's best tags, whatever their scores, and those that it gives by its own thresholds.

    `known` are the match keys of the tags of training articles, if there are such articles.
    """
    texts = [example.article() for example in articles]
    ranked, given = (
        [
            tuple(match_key(tag.text) for tag in prediction.tags)
            for prediction in tagger.stream(texts, max_tags=MAX_RANKED, min_score=min_score)
        ]
        for min_score in (0.0, None)
    )
    return to_tagging(key, articles, ranked, known, given)


def to_tagging(
    key: Key,
    articles: Sequence[Example],
    ranked: RankedKeys,
    known: set[str] | None,
    given: RankedKeys | None = None,
) -> Tagging:
    """Return a system's ranked tags with the gold tags, those that occur in the text and those not `known`."""
    gold = [tuple(dict.fromkeys(filter(None, map(match_key, e.tags or ())))) for e in articles]
    texts = [f" {match_key(example.text)} " for example in articles]
    present = tuple(tuple(tag for tag in tags if f" {tag} " in text) for tags, text in zip(gold, texts, strict=True))
    new = None if known is None else tuple(tuple(tag for tag in tags if tag not in known) for tags in present)
    return Tagging(
        key,
        tuple(e.id for e in articles),
        tuple(gold),
        tuple(ranked),
        None if given is None else tuple(given),
        present,
        new,
    )


def training_tags(config: EvalConfig) -> set[str]:
    """Return the match keys of all tags by editors of training articles."""
    return {match_key(tag) for e in edited_articles(config, "train") for tag in e.tags or ()}
