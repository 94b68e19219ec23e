"""The suites: what a model is measured on, each a function from a tagger and data to a table of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean

import numpy as np
from sklearn.metrics import accuracy_score, f1_score

from wusum.eval.metrics import f1_at
from wusum.model.tagger import CHUNK, Tagger
from wusum.model.text import match_key
from wusum.train.corpora import CorpusError, Example, LabelMap, examples

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


@dataclass(frozen=True, slots=True)
class Score:
    """One measured number."""

    suite: str
    corpus: str
    metric: str
    value: float
    articles: int


def topic_suite(tagger: Tagger, config: EvalConfig) -> list[Score]:
    """Accuracy and macro-F1 on each corpus; the answer is the label whose topics are, summed, the most probable."""
    label_map = LabelMap.load(config.topics)
    scores = []
    for corpus, labels in config.topic_labels.items():
        sets = [label_map.topics(corpus, label) for label in labels]
        if sum(map(len, sets)) != len({topic for meaning in sets for topic in meaning}) or not all(sets):
            raise CorpusError(f"{config.topics}: the labels {', '.join(labels)} of {corpus} overlap or mean nothing")
        rows = [e for e in examples(config.data, corpus, [config.split]) if e.label in labels]
        if not rows:
            raise CorpusError(f"{corpus}: no {config.split} article with one of the labels {', '.join(labels)}")
        predicted: list[str] = []
        for start in range(0, len(rows), CHUNK):
            logits, _ = tagger.logits([e.article() for e in rows[start : start + CHUNK]])
            probabilities = tagger.topics.probabilities(logits)
            summed = np.stack([probabilities[:, list(meaning)].sum(axis=1) for meaning in sets], axis=1)
            predicted += [labels[i] for i in summed.argmax(axis=1)]
        gold = [e.label for e in rows]
        scores.append(Score("topics", corpus, "accuracy", float(accuracy_score(gold, predicted)), len(rows)))
        macro = f1_score(gold, predicted, labels=labels, average="macro", zero_division=0)
        scores.append(Score("topics", corpus, "macro-F1", float(macro), len(rows)))
    return scores


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


SUITES = {"topics": topic_suite, "tags": tag_suite}
