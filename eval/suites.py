"""The suites: what a model is measured on, each a function from a tagger and data to a table of numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean

import numpy as np
from sklearn.metrics import accuracy_score, f1_score

from wusum.eval.metrics import f1_at, micro_f1
from wusum.model.article import Article
from wusum.model.blocks import CHUNK
from wusum.model.tagger import Tagger
from wusum.model.text import match_key
from wusum.train.corpora import CorpusError, Example, LabelMap, examples

HAND_WORDS = 60
"""Words of the body that were read to label topics by hand."""

MIN_TAGGED_CHARS = 300
MIN_GOLD_TAGS = 3
"""An article counts for tags when it is an article, not a teaser, and was tagged with some care."""


@dataclass(frozen=True)
class EvalConfig:
    """Settings of `wusum eval`."""

    data: Path
    """Folder of the corpora."""
    topics: Path
    """The label map."""
    topic_labels: dict[str, list[str]] = field(default_factory=dict)
    """For each corpus the labels that are told apart, whose sets of topics must not overlap."""
    split: str = "test"
    transfer_labels: dict[str, list[str]] = field(default_factory=dict)
    """The same for corpora that only the transfer suite measures on, which leaves out one after another."""
    transfer_splits: dict[str, str] = field(default_factory=dict)
    """The split it measures on where that is another: a corpus left out may be measured on all it has."""
    finetune: Path = Path("configs/finetune.yaml")
    """Config of the training that it repeats."""
    transfer_output: Path = Path("runs/transfer")
    """Folder that gets a folder for each corpus left out; what was finished there before is not trained again."""


@dataclass(frozen=True, slots=True)
class Score:
    """One measured number."""

    suite: str
    corpus: str
    metric: str
    value: float
    articles: int
    system: str = "wusum"


def topic_suite(tagger: Tagger, config: EvalConfig) -> list[Score]:
    """Accuracy and macro-F1 on each corpus."""
    label_map = LabelMap.load(config.topics)
    return [
        score
        for corpus, labels in config.topic_labels.items()
        for score in topic_scores(tagger, corpus, labelled(config, label_map, corpus, labels, config.split))
    ]


def labelled(
    config: EvalConfig, label_map: LabelMap, corpus: str, labels: Sequence[str], split: str
) -> list[tuple[Example, tuple[int, ...]]]:
    """Articles with one of some labels, and the set of topics that it means; labels of one meaning are one class.

    Raises CorpusError where meanings overlap, a label means nothing, or no article has one.
    """
    sets = {label_map.topics(corpus, label) for label in labels}
    if sum(map(len, sets)) != len({topic for meaning in sets for topic in meaning}) or not all(sets):
        raise CorpusError(f"{config.topics}: the labels {', '.join(labels)} of {corpus} overlap or mean nothing")
    found = [
        (e, label_map.topics(corpus, e.label)) for e in examples(config.data, corpus, [split]) if e.label in labels
    ]
    if not found:
        raise CorpusError(f"{corpus}: no {split} article with one of the labels {', '.join(labels)}")
    return found


def topic_scores(tagger: Tagger, corpus: str, rows: Sequence[tuple[Example, tuple[int, ...]]]) -> list[Score]:
    """Accuracy and macro-F1 where the answer is, of the sets there are, the one whose summed probability is highest."""
    sets = distinct_sets(rows)
    predicted: list[int] = []
    for start in range(0, len(rows), CHUNK):
        logits, _ = tagger.logits([e.article() for e, _ in rows[start : start + CHUNK]])
        probabilities = tagger.topics.probabilities(logits)
        predicted += np.stack([probabilities[:, list(m)].sum(axis=1) for m in sets], axis=1).argmax(axis=1).tolist()
    return classification_scores(corpus, rows, predicted)


def distinct_sets(rows: Sequence[tuple[Example, tuple[int, ...]]]) -> list[tuple[int, ...]]:
    """The classes of some labelled articles: the different sets of topics, sorted."""
    return sorted({meaning for _, meaning in rows})


def classification_scores(
    corpus: str, rows: Sequence[tuple[Example, tuple[int, ...]]], predicted: Sequence[int], system: str = "wusum"
) -> list[Score]:
    """Accuracy and macro-F1 of predicted indices of `distinct_sets`."""
    sets = distinct_sets(rows)
    gold = [sets.index(meaning) for _, meaning in rows]
    macro = f1_score(gold, predicted, labels=range(len(sets)), average="macro", zero_division=0)
    return [
        Score("topics", corpus, "accuracy", float(accuracy_score(gold, predicted)), len(rows), system),
        Score("topics", corpus, "macro-F1", float(macro), len(rows), system),
    ]


def tag_suite(tagger: Tagger, config: EvalConfig, ks: Sequence[int] = (5, 10)) -> list[Score]:
    """Mean F1@k on almayadeen, compared by match key."""
    rows = [
        e
        for e in examples(config.data, "almayadeen", [config.split])
        if len(e.body) >= MIN_TAGGED_CHARS and len(e.tags or ()) >= MIN_GOLD_TAGS
    ]
    if not rows:
        raise CorpusError(
            f"almayadeen: no {config.split} article of {MIN_TAGGED_CHARS} characters with {MIN_GOLD_TAGS} tags"
        )
    predictions = tagger.stream(map(Example.article, rows), max_tags=max(ks), min_score=0.0)
    ranked = [[match_key(tag.text) for tag in prediction.tags] for prediction in predictions]
    gold = [set(map(match_key, e.tags or ())) for e in rows]
    return [
        Score("tags", "almayadeen", f"F1@{k}", mean(map(f1_at, gold, ranked, [k] * len(rows))), len(rows)) for k in ks
    ]


def by_hand_suite(tagger: Tagger, config: EvalConfig) -> list[Score]:
    """Micro-F1 of all topics given, on articles with one or two that were labelled by hand (`topics_by_hand.md`)."""
    label_map = LabelMap.load(config.topics)
    lines = (Path(__file__).parent / "topics_by_hand.jsonl").read_text(encoding="utf-8").splitlines()
    gold = {row["id"]: (row["corpus"], row["topics"]) for row in map(json.loads, lines)}
    articles: list[Article] = []
    for corpus in dict.fromkeys(corpus for corpus, _ in gold.values()):
        for e in examples(config.data, corpus, ["test"]):
            if e.id in gold:
                articles.append(Article(id=e.id, title=e.title, body=" ".join(e.body.split()[:HAND_WORDS])))
    if missing := len(gold) - len(articles):
        raise CorpusError(f"{config.data}: {missing} of the {len(gold)} articles labelled by hand are not there")
    codes = dict(zip(label_map.codes, label_map.keys, strict=True))
    pairs = [
        ({codes.get(topic.code, topic.code) for topic in prediction.topics}, set(gold[article.id][1]))
        for article, prediction in zip(articles, tagger.stream(articles), strict=True)
    ]
    return [
        Score("by-hand", name, "micro-F1", micro_f1(chosen), len(chosen))
        for name, chosen in (("all", pairs), ("two topics", [pair for pair in pairs if len(pair[1]) > 1]))
    ]


SUITES = {"topics": topic_suite, "tags": tag_suite, "by-hand": by_hand_suite}
