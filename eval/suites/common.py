"""Predictions of the model and of baselines as answers, shared by several suites."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wusum.eval.baselines.keyphrases import MAX_RANKED, RankedKeys
from wusum.eval.baselines.label_sets import LabelSetModel
from wusum.eval.baselines.topics import ClassPredictions
from wusum.eval.config import EvalConfig
from wusum.eval.gold import LabelledArticle, TopicSet, topic_sets
from wusum.eval.measures.answers import Classification, Key, Labelling, Tagging
from wusum.model.errors import CorpusError
from wusum.model.network.topics import TopicDecoder
from wusum.model.options import PredictOptions
from wusum.model.stream import CHUNK_ARTICLES
from wusum.model.tagger import Tagger
from wusum.model.text.words import match_key
from wusum.train.data.corpora import ANNOTATED, Example, LabelMap, annotated, open_rows


def model_classes(tagger: Tagger, key: Key, articles: Sequence[LabelledArticle], label_map: LabelMap) -> Classification:
    """Return the model's class of each article: the set of topics whose summed probability is highest."""
    columns = [_columns(tagger, label_map, topics, key.corpus) for topics in topic_sets(articles)]
    tables = []
    for start in range(0, len(articles), CHUNK_ARTICLES):
        chunk = [row.example.article() for row in articles[start : start + CHUNK_ARTICLES]]
        tables.append(tagger.topic_decoder.shares(tagger.encoder.encode(chunk).topic_logits))
    return to_classification(key, articles, label_map, likeliest_sets(np.concatenate(tables).astype(float), columns))


def likeliest_sets(probabilities: NDArray[np.float64], sets: Sequence[Sequence[int]]) -> ClassPredictions:
    """Return for each article the set of topics of the highest summed probability, and its share of that of all sets.

    `probabilities` is [articles, topics]; `sets` are columns of it.
    """
    table = np.stack([probabilities[:, list(columns)].sum(axis=1) for columns in sets], axis=1)
    return table.argmax(axis=1), table.max(axis=1) / np.maximum(table.sum(axis=1), 1e-9)


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
    predictions = list(tagger.stream(example.article() for example in articles))
    return Labelling(
        key,
        tuple(e.id for e in articles),
        tuple(gold),
        tuple(tuple(keys.get(t.code, t.code) for t in prediction.topics) for prediction in predictions),
        confidence=tuple(p.topics[0].score if p.topics else 0.0 for p in predictions),
        confident=tuple(p.confident for p in predictions),
    )


def linear_topics(
    model: LabelSetModel, decoder: TopicDecoder, key: Key, articles: Sequence[Example], gold: Sequence[tuple[str, ...]]
) -> Labelling:
    """Return all topics that the linear baseline gives, at most as many as the network, with the gold ones."""
    most = PredictOptions().max_topics
    log_odds = model.log_odds([e.text for e in articles])
    predicted = tuple(tuple(topic.code for topic in decoder.decode(row, most, None)) for row in log_odds)
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
    """Return a system's tags with the gold tags, those of them that occur in the text, and those that are not `known`.

    Of the `given` tags, those that do not occur in the text are kept, too.
    """
    gold = [tuple(dict.fromkeys(filter(None, map(match_key, e.tags or ())))) for e in articles]
    present = _in_text(gold, articles, True)
    return Tagging(
        key,
        tuple(e.id for e in articles),
        tuple(gold),
        tuple(ranked),
        None if given is None else tuple(given),
        present,
        None if known is None else tuple(tuple(tag for tag in tags if tag not in known) for tags in present),
        None if given is None else _in_text(given, articles, False),
    )


def _in_text(rows: RankedKeys, articles: Sequence[Example], wanted: bool) -> tuple[tuple[str, ...], ...]:
    """Return those of the match keys of each article that occur in it as whole words, or those that do not."""
    texts = [f" {match_key(example.text)} " for example in articles]
    pairs = zip(rows, texts, strict=True)
    return tuple(tuple(tag for tag in tags if (f" {tag} " in text) is wanted) for tags, text in pairs)


def training_tags(config: EvalConfig, before: str = "") -> set[str]:
    """Return the match keys of the tags and key phrases that training articles of any corpus have, used or not.

    `before` leaves out articles dated from there on.
    """
    return _training_tags(config.data, before)


@cache
def _training_tags(data: Path, before: str) -> set[str]:
    corpora = sorted(path.name.removesuffix(".jsonl.xz") for path in data.glob("*.jsonl.xz"))
    return {
        match_key(tag)
        for corpus in corpora
        for row in (annotated(data, ["train"]) if corpus == ANNOTATED else open_rows(data, corpus))
        if row.get("split") == "train" and not (before and (row.get("date") or "") >= before)
        for tag in row.get("tags") or ()
    }
