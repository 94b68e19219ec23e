"""The suites: which systems answer which articles. Their answers are all that a report needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wusum.eval.baselines import hub
from wusum.eval.baselines.keyphrases import MOST, UNSUPERVISED, Ranked, dictionary, embeddings
from wusum.eval.baselines.topics import BASELINES, Guess, linear_topics
from wusum.eval.config import EvalConfig
from wusum.eval.gold import Labelled, Meaning, by_hand, distinct, labelled, own, sample, tagged, with_tags
from wusum.eval.measures.answers import Answers, Classification, Extraction, Key, Labelling, Tagging
from wusum.eval.measures.metrics import micro_f1
from wusum.eval.suites.disturbances import DISTURBANCES, disturbed
from wusum.model.article import Article
from wusum.model.errors import CorpusError
from wusum.model.stream import CHUNK_ARTICLES
from wusum.model.tagger import Tagger
from wusum.model.text.words import match_key
from wusum.train.data.corpora import Example, LabelMap, rows


@dataclass(frozen=True)
class Suite:
    """What is measured together."""

    keys: Callable[[EvalConfig], Iterator[Key]]
    """Which answers it asks for."""
    answer: Callable[[Key, Tagger, EvalConfig], Answers]
    """Has a system answer."""


def topic_keys(config: EvalConfig) -> Iterator[Key]:
    """On each corpus the model, baselines that learn from its own training split, and classifiers of the Hub."""
    for corpus, classifiers in hub.answering(config, LabelMap.load(config.topics)).items():
        for system in ("wusum", *BASELINES, *classifiers):
            yield Key("topics", corpus, system)


def topic_answers(key: Key, tagger: Tagger, config: EvalConfig) -> Answers:
    """One class an article."""
    label_map = LabelMap.load(config.topics)
    labels = config.topic_labels[key.corpus]
    found = labelled(config, label_map, key.corpus, labels, config.split)
    if key.system == "wusum":
        return classified(tagger, key, found, label_map)
    classes = distinct(found)
    if key.system in config.hub_models:
        texts = [row.example.text for row in found]
        guess = hub.guess(key.system, config.hub_models[key.system], label_map, classes, texts)
        return classification(key, found, label_map, guess)
    training = [r for r in labelled(config, label_map, key.corpus, labels, "train") if r.meaning in classes]
    guess = BASELINES[key.system](
        [row.example.text for row in training],
        [classes.index(row.meaning) for row in training],
        [row.example.text for row in found],
    )
    return classification(key, found, label_map, guess)


def tag_keys(config: EvalConfig) -> Iterator[Key]:
    """On each tagged corpus the model, a dictionary of training tags, and unsupervised keyphrases."""
    for corpus in config.tag_corpora:
        for system in ("wusum", *TAG_BASELINES, "embeddings"):
            yield Key("tags", corpus, system)


def tag_answers(key: Key, tagger: Tagger, config: EvalConfig) -> Answers:
    """Ranked tags."""
    found = tagged(config, key.corpus, config.split)
    known = known_tags(config)
    if key.system == "wusum":
        return our_tags(tagger, key, found, known)
    training = [e for name in sorted({key.corpus, "almayadeen"}) for e in with_tags(config.data, name, "train")]
    if config.quick:
        training = sample(training, config.quick_training, config.seed)
    rank = embeddings(tagger) if key.system == "embeddings" else TAG_BASELINES[key.system]
    return tagging(key, found, rank(training, found), known)


def by_hand_keys(config: EvalConfig) -> Iterator[Key]:
    """All articles labelled by hand, and those that have two topics, which a model of classes has no use for."""
    for corpus in ("all", "two topics"):
        yield Key("by-hand", corpus)
        yield Key("by-hand", corpus, "majority")
        if corpus == "all" and config.topic_labels:
            yield Key("by-hand", corpus, "linear")


def by_hand_answers(key: Key, tagger: Tagger, config: EvalConfig) -> Answers:
    """All topics that the model gives, or one by a linear model of the corpora of the topics suite."""
    chosen = [row for row in by_hand(config) if key.corpus == "all" or len(row[1]) > 1]
    found, gold = [e for e, _ in chosen], [topics for _, topics in chosen]
    label_map = LabelMap.load(config.topics)
    if key.system == "majority":
        return majority_topic(key, found, gold)
    if key.system == "linear":
        sets = [(topic,) for topic in range(len(label_map.keys))]
        training = [
            row.example
            for corpus, labels in config.topic_labels.items()
            for row in labelled(config, label_map, corpus, labels, "train")
        ]
        guess = linear_topics(training, label_map, sets, found)
        return Labelling(key, tuple(e.id for e in found), tuple(gold), tuple((label_map.keys[i],) for i in guess))
    return our_topics(tagger, key, found, gold, label_map)


def parser_keys(config: EvalConfig) -> Iterator[Key]:
    """The page parser, which no model has a part in."""
    if config.pages:
        yield Key("parser", config.pages)


def parser_answers(key: Key, tagger: Tagger, config: EvalConfig) -> Answers:
    """The parts of raw pages."""
    pages = [row for row in rows(config.data, key.corpus) if row.get("raw") and row.get("truth")]
    if not pages:
        raise CorpusError(f"{key.corpus}: no raw page with the truth about its parts")
    parts = ("title", "body", "source", "section", "tags F1", "similar", "related")
    return Extraction(key, tuple(page["id"] for page in pages), parts, tuple(map(_parts_found, pages)))


def _parts_found(page: dict[str, Any]) -> tuple[float, ...]:
    article, truth = Article.from_page(page["raw"], page["id"]), page["truth"]
    given, found = ({match_key(tag) for tag in tags} for tags in (truth["tags"], article.tags))
    stories = [(other["title"], other["body"]) for other in truth["related"]]
    return (
        float(article.title == (truth["title"] or "")),
        float(article.body == truth["body"]),
        float(article.source == (truth["source"] or "")),
        float(article.section == (truth["section"] or "")),
        micro_f1([(found, given)]) if found or given else 1.0,
        float(list(article.similar) == truth["similar"]),
        float([(other.title, other.body) for other in article.related] == stories),
    )


def robustness_keys(config: EvalConfig) -> Iterator[Key]:
    """The model on articles as scrapers and typists leave them."""
    for corpus, kind in config.robustness.items():
        if kind not in ("topics", "tags"):
            raise CorpusError(f"robustness: {corpus}: topics or tags can be measured, not {kind}")
        if kind == "topics" and corpus not in config.topic_labels:
            raise CorpusError(f"robustness: {corpus} is not among topic_labels")
        for name in DISTURBANCES:
            yield Key("robustness", corpus, variant=name)


def robustness_answers(key: Key, tagger: Tagger, config: EvalConfig) -> Answers:
    """As in the suites of topics and of tags, after a disturbance."""
    size = max(config.quick_articles // 2, 1) if config.quick else config.robustness_articles
    if config.robustness[key.corpus] == "tags":
        examples = sample(tagged(config, key.corpus, config.split), size, config.seed)
        return our_tags(tagger, key, [disturbed(key.variant, e) for e in examples], known_tags(config))
    label_map = LabelMap.load(config.topics)
    found = labelled(config, label_map, key.corpus, config.topic_labels[key.corpus], config.split)
    changed = [Labelled(disturbed(key.variant, r.example), r.meaning) for r in sample(found, size, config.seed)]
    return classified(tagger, key, changed, label_map)


ENOUGH = 50
"""Articles of one's own from which it can be told what words are common."""


def own_keys(config: EvalConfig) -> Iterator[Key]:
    """What a user's own articles are labelled with, and the baselines that need no other articles."""
    found = own(Path(config.labelled), LabelMap.load(config.topics))
    if any(gold is not None for _, gold in found):
        yield Key("own", "topics")
        yield Key("own", "topics", "majority")
    if any(example.tags for example, _ in found):
        for system in ("wusum", *UNSUPERVISED):
            yield Key("own", "tags", system)


def own_answers(key: Key, tagger: Tagger, config: EvalConfig) -> Answers:
    """All topics, or ranked tags."""
    label_map = LabelMap.load(config.topics)
    found = own(Path(config.labelled), label_map)
    if key.corpus == "tags":
        chosen = [e for e, _ in found if e.tags]
        if key.system == "wusum":
            return our_tags(tagger, key, chosen, None)
        every = [e for e, _ in found]
        return tagging(key, chosen, UNSUPERVISED[key.system](every if len(every) >= ENOUGH else [], chosen), None)
    with_topics = [(e, gold) for e, gold in found if gold is not None]
    chosen, topics = [e for e, _ in with_topics], [gold for _, gold in with_topics]
    if key.system == "majority":
        return majority_topic(key, chosen, topics)
    return our_topics(tagger, key, chosen, topics, label_map)


TAG_BASELINES = {"dictionary": dictionary, **UNSUPERVISED}
SUITES = {
    "topics": Suite(topic_keys, topic_answers),
    "tags": Suite(tag_keys, tag_answers),
    "by-hand": Suite(by_hand_keys, by_hand_answers),
    "parser": Suite(parser_keys, parser_answers),
    "robustness": Suite(robustness_keys, robustness_answers),
    "own": Suite(own_keys, own_answers),
}


def classified(tagger: Tagger, key: Key, found: Sequence[Labelled], label_map: LabelMap) -> Classification:
    """The model's answer is, of the sets there are, the one whose summed probability is highest."""
    sets = distinct(found)
    columns = [_columns(tagger, label_map, meaning, key.corpus) for meaning in sets]
    tables = []
    for start in range(0, len(found), CHUNK_ARTICLES):
        readings = tagger.read([row.example.article() for row in found[start : start + CHUNK_ARTICLES]])
        probabilities = tagger.topics.probabilities(readings.topics)
        tables.append(np.stack([probabilities[:, places].sum(axis=1) for places in columns], axis=1))
    table = np.concatenate(tables).astype(float)
    confidence = table.max(axis=1) / np.maximum(table.sum(axis=1), 1e-9)
    return classification(key, found, label_map, (table.argmax(axis=1), confidence))


def _columns(tagger: Tagger, label_map: LabelMap, meaning: Meaning, corpus: str) -> list[int]:
    """Where a model has some topics, for its order need not be the label map's."""
    codes = [topic["code"] for topic in tagger.topics.topics]
    if unknown := [label_map.keys[topic] for topic in meaning if label_map.codes[topic] not in codes]:
        raise CorpusError(f"{corpus}: the model has no topic {', '.join(unknown)}, which labels of it mean")
    return [codes.index(label_map.codes[topic]) for topic in meaning]


def classification(key: Key, found: Sequence[Labelled], label_map: LabelMap, guess: Guess) -> Classification:
    """A guess beside what the articles are labelled with."""
    sets = distinct(found)
    predicted, confidence = guess
    return Classification(
        key,
        tuple(class_name(label_map, meaning) for meaning in sets),
        tuple(row.example.id for row in found),
        tuple(sets.index(row.meaning) for row in found),
        tuple(map(int, predicted)),
        None if confidence is None else tuple(round(float(c), 6) for c in confidence),
    )


def class_name(label_map: LabelMap, meaning: Meaning) -> str:
    """What a set of topics is called."""
    return " / ".join(label_map.keys[topic] for topic in meaning)


def majority_topic(key: Key, found: Sequence[Example], gold: Sequence[tuple[str, ...]]) -> Labelling:
    """To each article the topic that is most frequent among them all; that it knows which one is in its favour."""
    best = Counter(topic for topics in gold for topic in topics).most_common(1)[0][0]
    return Labelling(key, tuple(e.id for e in found), tuple(gold), ((best,),) * len(found))


def our_topics(
    tagger: Tagger, key: Key, found: Sequence[Example], gold: Sequence[tuple[str, ...]], label_map: LabelMap
) -> Labelling:
    """All topics that the model gives."""
    keys = dict(zip(label_map.codes, label_map.keys, strict=True))
    predictions = tagger.stream(example.article() for example in found)
    given = tuple(tuple(keys.get(t.code, t.code) for t in prediction.topics) for prediction in predictions)
    return Labelling(key, tuple(e.id for e in found), tuple(gold), given)


def our_tags(tagger: Tagger, key: Key, found: Sequence[Example], known: set[str] | None) -> Tagging:
    """The model's first tags, and those that it gives by its own threshold."""
    articles = [example.article() for example in found]
    ranked, given = (
        [
            tuple(match_key(tag.text) for tag in prediction.tags)
            for prediction in tagger.stream(articles, max_tags=MOST, min_score=least)
        ]
        for least in (0.0, None)
    )
    return tagging(key, found, ranked, known, given)


def tagging(
    key: Key, found: Sequence[Example], ranked: Ranked, known: set[str] | None, given: Ranked | None = None
) -> Tagging:
    """Ranked keys beside the editors' tags, with those that stand in the text and those that are new to training."""
    gold = [tuple(dict.fromkeys(filter(None, map(match_key, e.tags or ())))) for e in found]
    texts = [f" {match_key(example.text)} " for example in found]
    present = tuple(tuple(tag for tag in tags if f" {tag} " in text) for tags, text in zip(gold, texts, strict=True))
    new = None if known is None else tuple(tuple(tag for tag in tags if tag not in known) for tags in present)
    return Tagging(
        key,
        tuple(e.id for e in found),
        tuple(gold),
        tuple(ranked),
        None if given is None else tuple(given),
        present,
        new,
    )


def known_tags(config: EvalConfig) -> set[str]:
    """Match keys of all tags of training articles."""
    return {match_key(tag) for e in with_tags(config.data, "almayadeen", "train") for tag in e.tags or ()}
