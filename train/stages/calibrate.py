"""Fit on the finished network what needs no gradient: temperature and thresholds of topics, and the ranking of tags.

Topics: one temperature (Guo et al., "On calibration of modern neural networks", ICML 2017) that minimises the
partial-label loss on the validation splits, every corpus counting the same; a threshold for each topic that is common
enough among validation articles all of whose topics were told by hand, and one for the rest. Tags: all that
`ranking.py` learns, and how rare words are; thresholds are fitted on validation articles.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from wusum.model.network.topics import TopicDecoder
from wusum.model.tagger import Tagger
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.word_statistics import WordStatistics
from wusum.model.text.words import strip_clitics, words
from wusum.train.data.corpora import LabelMap, examples, held_out
from wusum.train.tagging.ranker import Trees, fit_ranker, fit_tag_thresholds, read
from wusum.train.tagging.topic_thresholds import fit_thresholds, told_by_hand
from wusum.train.tagging.verbs import verbs
from wusum.train.tagging.vocabulary import build_vocabulary

log = logging.getLogger(__name__)

WORD_CHARS = 4000
"""Characters of an article whose words are counted."""


@dataclass(frozen=True, kw_only=True)
class CalibrateConfig(Trees):
    """Settings of `wusum train calibrate`."""

    data: Path
    """Folder of the corpora."""
    model: Path
    """Folder that `wusum train export` completed; its settings and all that tags need are replaced."""
    topics: Path
    """The label map."""
    corpora: list[str]
    """Corpora with a validation split to calibrate topics on."""
    topics_by_hand: str = ""
    """JSON Lines with `corpus`, `id` and all `topics` of validation articles, to fit the thresholds of topics on."""
    topic_threshold: float = 0.2
    """Least probability of a topic beside the best, where none is fitted."""
    hand_words: int = 60
    """Words of their bodies that the model reads."""
    hand_count: int = 8
    """Articles that a topic must have among them to get a threshold of its own."""
    before: str = ""
    """As for fine-tuning: leave out articles dated from here on."""
    tag_holdout: float = 0.125
    """As for fine-tuning: the share of tagged articles that the ranking is fitted on."""
    absent_precision: float = 0.6
    """How often a given tag that does not stand in the article must be right on validation articles."""
    phrase_corpora: list[str] = field(default_factory=list)
    """Corpora whose key phrases the ranking is fitted on beside the tags, for articles of other kinds: the fine-tuning
    must not have seen them."""
    word_corpora: list[str] = field(default_factory=list)
    """Corpora whose training articles tell how rare words are; empty takes those of `corpora`."""
    word_articles: int = 2500
    """Articles of each of them."""
    max_rows: int = 1000
    """Validation articles of a corpus to calibrate topics on."""


def run(config: CalibrateConfig) -> None:
    """Fit the settings, write them to `config.json`, and beside it what all tagged training articles teach."""
    label_map = LabelMap.load(config.topics)
    path = config.model / "config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    ours: dict[str, Any] = settings["wusum"]

    for topic, given in zip(ours["topics"], label_map.given, strict=True):
        topic["given"] = given
        topic.pop("threshold", None)
    tagger = Tagger.from_pretrained(config.model)
    ours["temperature"] = fit_temperature(config, tagger, label_map)
    ours["threshold"], own = fit_topic_thresholds(config, tagger, ours["temperature"], label_map)
    for number, threshold in own.items():
        ours["topics"][number]["threshold"] = threshold

    tagged = [e for e in examples(config.data, "almayadeen", before=config.before) if e.tags]
    fresh = [held_out(e.id, config.tag_holdout) for e in tagged]
    phrased = [e for corpus in config.phrase_corpora for e in examples(config.data, corpus) if e.phrases]
    labels = json.loads((config.model / "tag_labels.json").read_text(encoding="utf-8"))
    rarity = build_rarity(config, build_vocabulary(tagged, labels))
    ranker = fit_ranker(config, tagger, tagged, fresh, phrased, labels, rarity)
    ranker.save(config.model)
    validation = [e for e in examples(config.data, "almayadeen", ["validation"], config.before) if e.tags]
    ours["tags"] |= fit_tag_thresholds(tagger, ranker, validation, config.absent_precision)
    log.info("%s", {key: ours[key] for key in ("temperature", "tags")})
    path.write_text(json.dumps(settings, ensure_ascii=False, indent=1), encoding="utf-8")


def fit_temperature(config: CalibrateConfig, tagger: Tagger, label_map: LabelMap) -> float:
    """The temperature with the least mean loss per corpus on validation articles."""
    parts = []
    for corpus in config.corpora:
        rows = [(e, label_map.topics(corpus, e.label)) for e in examples(config.data, corpus, ["validation"])]
        # Corpora are often sorted by label: the order of hashed ids is as good as a random one.
        rows = sorted((row for row in rows if row[1]), key=lambda row: zlib.crc32(row[0].id.encode()))[
            : config.max_rows
        ]
        if rows:
            sets = np.zeros((len(rows), len(label_map.keys)), bool)
            for i, (_, topics) in enumerate(rows):
                sets[i, list(topics)] = True
            parts.append((np.stack([reading.topics for reading in read(tagger, [e for e, _ in rows])]), sets))

    def loss(log_temperature: float) -> float:
        scale = np.exp(-log_temperature)
        losses = [
            (logsumexp(logits * scale, axis=1) - logsumexp(np.where(sets, logits * scale, -np.inf), axis=1)).mean()
            for logits, sets in parts
        ]
        return float(np.mean(losses))

    best = float(np.exp(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x))
    log.info("temperature %.3f: loss %.4f, at 1.0 %.4f", best, loss(np.log(best)), loss(0))
    return round(best, 4)


def fit_topic_thresholds(
    config: CalibrateConfig, tagger: Tagger, temperature: float, label_map: LabelMap
) -> tuple[float, dict[int, float]]:
    """The threshold of most topics, and those of single ones by their number in the head."""
    if not config.topics_by_hand:
        return config.topic_threshold, {}
    rows, gold = told_by_hand(config.topics_by_hand, config.data, label_map, config.hand_words)
    logits = np.stack([reading.topics for reading in read(tagger, rows)])
    scores = TopicDecoder(tagger.topics.topics, temperature, 0.0).probabilities(logits)
    shared, own, f1 = fit_thresholds(np.where(label_map.given, scores, 0), gold, config.hand_count)
    log.info("topics above %.2f, or %s: micro-F1 %.4f of %d articles", shared, own, f1, len(rows))
    return shared, own


def build_rarity(config: CalibrateConfig, vocabulary: Vocabulary) -> WordStatistics:
    """How rare words are in the training articles of some corpora, the same number of each, and which are verbs; names
    that look like verbs are known from the tags."""
    articles: list[set[str]] = []
    counts: Counter[str] = Counter()
    for corpus in config.word_corpora or config.corpora:
        rows = sorted(examples(config.data, corpus, before=config.before), key=lambda e: zlib.crc32(e.id.encode()))
        for row in rows[: config.word_articles]:
            found = [word.text for word in words(row.text[:WORD_CHARS])]
            counts.update(found)
            articles.append({strip_clitics(word) for word in found})
    return WordStatistics.of(articles, verbs(counts, vocabulary))
