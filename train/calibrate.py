"""Fit on the finished network what needs no gradient: temperature and thresholds of topics, and the ranking of tags.

Topics: one temperature (Guo et al., "On calibration of modern neural networks", ICML 2017) that minimises the
partial-label loss on the validation splits, every corpus counting the same; a threshold for each topic that is common
enough among validation articles all of whose topics were told by hand, and one for the rest. Tags: gradient-boosted
trees on the candidates of training articles that the encoder never saw; thresholds are fitted on validation articles.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp
from sklearn.ensemble import HistGradientBoostingClassifier

from wusum.model.blocks import CHUNK
from wusum.model.memory import Memory
from wusum.model.ranking import FEATURES, Ranking
from wusum.model.rarity import Rarity
from wusum.model.reading import Reading
from wusum.model.tagger import Tagger
from wusum.model.tags import TagRanker
from wusum.model.text import match_key, strip_clitics, words
from wusum.model.topics import TopicDecoder
from wusum.model.vocabulary import Vocabulary
from wusum.train.corpora import Example, LabelMap, examples, held_out
from wusum.train.thresholds import fit_thresholds, told_by_hand
from wusum.train.verbs import verbs
from wusum.train.vocabulary import build_vocabulary

log = logging.getLogger(__name__)

FLAT = 0.98
"""A threshold that reaches this part of the best mean F1 is good enough: too few tags are of little use."""

WORD_CHARS = 4000
"""Characters of an article whose words are counted."""


@dataclass(frozen=True)
class CalibrateConfig:
    """Settings of `wusum train calibrate`."""

    data: Path
    """Folder of the corpora."""
    model: Path
    """Folder that `wusum train export` completed; its settings and tag vocabulary are replaced."""
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
    trees: int = 300
    """Trees of the ranking, each with so many leaves at most and so many candidates in a leaf at least."""
    tree_leaves: int = 25
    leaf_size: int = 50
    tree_rate: float = 0.04
    """Learning rate of the boosting."""
    tree_features: float = 0.3
    """Share of the features, drawn anew, that a split is looked for among."""
    max_rows: int = 1000
    """Validation articles of a corpus to calibrate topics on."""


def run(config: CalibrateConfig) -> None:
    """Fit the settings and write them to `config.json`, with a vocabulary counted on all training articles."""
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
    fresh = [e for e in tagged if held_out(e.id, config.tag_holdout)]
    seen = [e for e in tagged if not held_out(e.id, config.tag_holdout)]
    labels = json.loads((config.model / "tag_labels.json").read_text(encoding="utf-8"))
    # The ranking must meet tags as it will in use: counted on other articles than those it is fitted on.
    unfitted = build_vocabulary(seen, labels)
    remembered = build_memory(tagger, seen, unfitted)
    rarity = build_rarity(config, unfitted)
    rarity.save(config.model)
    fresh += [e for corpus in config.phrase_corpora for e in examples(config.data, corpus) if e.phrases]
    unranked = TagRanker(unfitted, Ranking.none(), 0.0, 0.0, remembered, rarity=rarity)
    ranking = fit_ranking(tagger, unranked, fresh, config)
    ranking.save(config.model / "ranking.json")
    vocabulary = build_vocabulary(tagged, labels)
    vocabulary.save(config.model / "tags.tsv")
    memory = build_memory(tagger, tagged, vocabulary)
    memory.save(config.model)
    ranker = TagRanker(vocabulary, ranking, 0.0, 0.0, memory, rarity=rarity)
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
            parts.append((np.stack([reading.topics for reading in _read(tagger, [e for e, _ in rows])]), sets))

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
    logits = np.stack([reading.topics for reading in _read(tagger, rows)])
    scores = TopicDecoder(tagger.topics.topics, temperature, 0.0).probabilities(logits)
    shared, own, f1 = fit_thresholds(np.where(label_map.given, scores, 0), gold, config.hand_count)
    log.info("topics above %.2f, or %s: micro-F1 %.4f of %d articles", shared, own, f1, len(rows))
    return shared, own


def _read(tagger: Tagger, rows: Sequence[Example]) -> Iterator[Reading]:
    """What the network makes of each row."""
    for start in range(0, len(rows), CHUNK):
        yield from tagger.read([row.article() for row in rows[start : start + CHUNK]])


def build_rarity(config: CalibrateConfig, vocabulary: Vocabulary) -> Rarity:
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
    return Rarity.of(articles, verbs(counts, vocabulary))


def build_memory(tagger: Tagger, rows: Sequence[Example], vocabulary: Vocabulary) -> Memory:
    """The memory of some tagged articles; tags that the vocabulary has not are forgotten."""
    ids = tagger.ids([row.article() for row in rows])
    found = [[vocabulary.index(key) for key in sorted(set(map(match_key, row.tags or ())))] for row in rows]
    return Memory.of(ids, [[tag for tag in tags if tag is not None] for tags in found], tagger.pieces)


def fit_ranking(tagger: Tagger, ranker: TagRanker, rows: Sequence[Example], config: CalibrateConfig) -> Ranking:
    """Trees fitted on all candidates of some articles with tags, or with key phrases."""
    features, given = [], []
    for row, reading in zip(rows, _read(tagger, rows), strict=True):
        gold = set(map(match_key, row.phrases or ()))
        candidates, table = ranker.candidates(row.title, row.body, reading)
        features.append(table)
        given += [candidate.entry.key in gold for candidate in candidates]
    log.info("ranking fitted on %d candidates of %d articles, %d of them tags", len(given), len(rows), sum(given))
    model = HistGradientBoostingClassifier(
        max_iter=config.trees, learning_rate=config.tree_rate, max_leaf_nodes=config.tree_leaves,
        min_samples_leaf=config.leaf_size, max_features=config.tree_features, l2_regularization=1.0,
        early_stopping=False, random_state=0,
    )  # fmt: skip
    return flattened(model.fit(np.concatenate(features), given))


def flattened(model: HistGradientBoostingClassifier) -> Ranking:
    """The trees of a fitted classifier of two classes. scikit-learn has no public way to them; a test compares."""
    trees = [predictor.nodes for (predictor,) in model._predictors]
    roots = np.cumsum([0, *map(len, trees[:-1])])
    nodes = np.concatenate(trees)
    shift = np.repeat(roots, list(map(len, trees)))
    leaf, own = nodes["is_leaf"].astype(bool), np.arange(len(nodes))
    left, right = (np.where(leaf, own, nodes[side].astype(np.int64) + shift) for side in ("left", "right"))
    value, count = np.where(leaf, nodes["value"], 0.0), nodes["count"].astype(float)
    for node in sorted(own[~leaf], key=lambda n: -int(nodes["depth"][n])):  # from the leaves up
        below = [left[node], right[node]]
        value[node] = np.average(value[below], weights=count[below])
    feature = np.where(leaf, 0, nodes["feature_idx"]).astype(np.int64)
    threshold = np.where(leaf, 0.0, nodes["num_threshold"])
    return Ranking(float(model._baseline_prediction.ravel()[0]), roots, feature, threshold, left, right, value)


def fit_tag_thresholds(
    tagger: Tagger, ranker: TagRanker, rows: Sequence[Example], absent_precision: float, most: int = 10
) -> dict[str, float]:
    """The least scores of given tags: absent ones reach `absent_precision`; then mean F1 of `most` tags is all but the
    best, with as many tags as that allows."""
    ranked = []
    for row, reading in zip(rows, _read(tagger, rows), strict=True):
        candidates, features = ranker.candidates(row.title, row.body, reading)
        present = features[:, FEATURES.index("present")] == 1
        keys = [candidate.entry.key for candidate in candidates]
        tags = sorted(zip(keys, ranker.scores(features), present, strict=True), key=lambda tag: (-tag[1], tag[0]))
        ranked.append((set(map(match_key, row.tags or ())), tags[: 2 * most]))

    def precision(absent: float) -> float:
        hits = [key in gold for gold, tags in ranked for key, score, here in tags if not here and score >= absent]
        return sum(hits) / len(hits) if hits else 1.0

    def mean_f1(present: float, absent: float) -> float:
        total = 0.0
        for gold, tags in ranked:
            kept = [key for key, score, here in tags if score >= (present if here else absent)][:most]
            total += 2 * len(gold.intersection(kept)) / (len(gold) + len(kept))
        return total / len(ranked)

    steps = [round(float(t), 2) for t in np.arange(0.02, 1.0, 0.01)]
    absent = next((t for t in steps if precision(t) >= absent_precision), 1.0)
    measured = [mean_f1(t, absent) for t in steps]
    present = next(t for t, f1 in zip(steps, measured, strict=True) if f1 >= FLAT * max(measured))
    log.info("tags above %.2f, absent ones above %.2f: mean F1 %.4f", present, absent, mean_f1(present, absent))
    return {"threshold": present, "absent_threshold": absent}
