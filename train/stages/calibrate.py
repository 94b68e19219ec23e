"""Fit what needs no gradient on the finished network: temperature and thresholds of topics, and all that ranks tags.

Topics: one temperature (Guo et al., "On calibration of modern neural networks", ICML 2017), a threshold for each topic
that is common enough and one for the rest, and the score from which the first topic is a sure one, all on validation
articles whose topics are all known. Without such articles, the temperature minimises the partial-label loss on the
validation splits, every corpus counting the same. Tags: word statistics, vocabulary, linear model and trees; their
thresholds are fitted on validation articles.
"""

from __future__ import annotations

import logging
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from wusum.model.network.topics import TopicDecoder
from wusum.model.tagger import Tagger
from wusum.model.tagging.ranker import TagModel, TagRanker
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.word_statistics import WordStatistics
from wusum.model.text.words import match_key, strip_clitics, words
from wusum.train.data.corpora import Example, LabelMap, TagRules, examples, held_out, with_whole_bodies
from wusum.train.inputs import corpus_inputs, file_inputs, run_digest
from wusum.train.model_folder import TAG_LABELS, read_config, read_tag_labels, write_config
from wusum.train.tagging.names import names_among
from wusum.train.tagging.ranker import FoldModels, Sources, TreeSettings, fit_tag_model, network_outputs
from wusum.train.tagging.tag_thresholds import fit_tag_thresholds
from wusum.train.tagging.topic_thresholds import fit_sure_score, fit_topic_thresholds
from wusum.train.tagging.verbs import find_verbs
from wusum.train.tagging.vocabulary import build_vocabulary

log = logging.getLogger(__name__)

WORD_CHARS = 4000
"""Characters of an article whose words are counted."""


@dataclass(frozen=True, kw_only=True)
class CalibrateConfig(TreeSettings):
    """Settings of `wusum train calibrate`."""

    data: Path
    """Folder of the corpora."""
    model: Path
    """Folder that `wusum train export` completed; its settings and tag files are replaced."""
    topics: Path
    """The label map."""
    corpora: list[str]
    """Corpora with a validation split on which topics are calibrated."""
    annotated: str = ""
    """Corpus of articles all of whose topics are known, to fit temperature and thresholds of topics on. Their tags are
    learned as those of editors are."""
    topic_threshold: float = 0.5
    """Least probability of a topic beside the best, unless one is fitted."""
    topic_count: int = 20
    """Validation articles that a topic must have to get a threshold of its own."""
    sure_share: float = 0.9
    """Share of the articles with a sure first topic for which it is the main one."""
    tag_rules: str = ""
    """File that names the corpora with tags by editors, which the tag model learns, too, and the tags to drop."""
    before: str = ""
    """Leave out articles dated from here on, as in the fine-tuning."""
    tag_holdout: float = 0.125
    """Share of the tagged articles whose tags no training of the network saw, on which the ranking is fitted."""
    absent_precision: float = 0.7
    """Least precision, on validation articles, of given tags that do not stand in the article."""
    name_corpora: list[str] = field(default_factory=list)
    """Corpora that mark names: what is one is never given to an article that does not have it."""
    phrase_corpora: list[str] = field(default_factory=list)
    """Corpora with key phrases on which the ranking is fitted, too; the fine-tuning must not have seen them."""
    word_corpora: list[str] = field(default_factory=list)
    """Corpora whose training articles give the word statistics; empty takes those of `corpora`."""
    word_articles: int = 2500
    """Articles of each of them."""
    max_rows: int = 1000
    """Validation articles of a corpus on which topics are calibrated."""


def run(config: CalibrateConfig) -> None:
    """Fit everything, and write settings to `config.json` and the tag files beside it."""
    label_map = LabelMap.load(config.topics)
    settings = read_config(config.model)
    ours: dict[str, Any] = settings["wusum"]

    for topic, given in zip(ours["topics"], label_map.given, strict=True):
        topic["given"] = given
        topic.pop("threshold", None)
    tagger = Tagger.from_pretrained(config.model)
    ours |= fit_topics(config, tagger, label_map, ours["topics"])

    tagged = read_tagged(config)
    statistics = count_words(config, build_vocabulary(tagged, ()))
    model = fit_tags(config, tagger, tagged, statistics)
    model.save(config.model)
    ours["tags"] |= {"threshold": model.thresholds.present, "absent_threshold": model.thresholds.absent}
    log.info("%s", {key: ours[key] for key in ("temperature", "tags")})
    write_config(config.model, settings)


def inputs_digest(config: CalibrateConfig) -> str:
    """Return a digest of everything that a calibration depends on but the network: settings, inputs and code."""
    tagged = sorted(TagRules.load(config.tag_rules).edited)
    corpora = [*config.corpora, *tagged, *config.name_corpora, *config.phrase_corpora, *config.word_corpora]
    corpora += [config.annotated] if config.annotated else []
    files = {"topics": str(config.topics), "tag_rules": config.tag_rules}
    return run_digest(config, corpus_inputs(config.data, corpora) | file_inputs(files), ("data", "model"))


def read_tagged(config: CalibrateConfig, split: str = "train") -> list[Example]:
    """Return the articles of a split with tags by annotators, and the others of it with tags by editors.

    Half of those that were annotated by their beginning have their whole body: what is fitted on them has to hold for
    articles of any length, at the price that tags which only the rest of the body would have are missing.
    """
    rules = TagRules.load(config.tag_rules)
    corpora = [*([config.annotated] if config.annotated else []), *sorted(rules.edited)]
    found: dict[str, Example] = {}
    for corpus in corpora:
        for example in examples(config.data, corpus, [split], config.before, rules):
            if tags := example.phrases if corpus == config.annotated else example.tags:
                found.setdefault(example.id, replace(example, tags=tags, phrases=tags))
    whole = with_whole_bodies(config.data, (example for example in found.values() if _is_whole(example)))
    found.update((example.id, example) for example in whole)
    return list(found.values())


def _is_whole(example: Example) -> bool:
    return bool(example.source) and zlib.crc32(example.id[::-1].encode()) % 2 == 0


def fit_tags(
    config: CalibrateConfig,
    tagger: Tagger,
    tagged: Sequence[Example],
    statistics: WordStatistics,
    sources: Sources = TagModel.sources,
    models: FoldModels | None = None,
) -> TagModel:
    """Fit the tag model on tagged training articles, and its thresholds on validation articles.

    `sources` and `models` are those of `fit_tag_model`.
    """
    fresh = [held_out(example.id, config.tag_holdout) for example in tagged]
    rules = TagRules.load(config.tag_rules)
    phrased = [e for corpus in config.phrase_corpora for e in examples(config.data, corpus, rules=rules) if e.phrases]
    labels = head_labels(config.model, tagger.tag_model.vocabulary)
    models = models or FoldModels(tagged, statistics, read_names(config, tagged))
    model = fit_tag_model(config, tagger, tagged, fresh, phrased, labels, statistics, sources, models)
    ranker = TagRanker(sources(model), model.trees, model.thresholds, model.lexicon)
    thresholds = fit_tag_thresholds(tagger, ranker, read_tagged(config, "validation"), config.absent_precision)
    return replace(model, thresholds=thresholds)


def read_names(config: CalibrateConfig, tagged: Iterable[Example]) -> frozenset[str]:
    """Return the match keys of tags of articles that the corpora with names mark as such."""
    keys = {key for example in tagged for key in map(match_key, example.tags or ()) if key}
    return names_among(sorted(keys), (e for corpus in config.name_corpora for e in examples(config.data, corpus)))


def head_labels(folder: Path, vocabulary: Vocabulary) -> list[str]:
    """Return the tags of the tag head, from the fine-tuning or, for a finished model, from its vocabulary."""
    if (folder / TAG_LABELS).is_file():
        return read_tag_labels(folder)
    by_label = {entry.label: entry.text for entry in vocabulary.entries if entry.label >= 0}
    return [by_label.get(label, "") for label in range(max(by_label, default=-1) + 1)]


Labelled = tuple[NDArray[np.float32], NDArray[np.bool_]]
"""Topic logits [articles, topics] of labelled articles of a corpus, and which topics the label of each can mean."""


def labelled_articles(config: CalibrateConfig, tagger: Tagger, label_map: LabelMap) -> list[Labelled]:
    """Return the validation articles of each corpus that has labels, at most `max_rows` of them."""
    parts = []
    for corpus in config.corpora:
        rows = [(e, label_map.topics(corpus, e.label)) for e in examples(config.data, corpus, ["validation"])]
        # Corpora are often sorted by label: the order of hashed ids is as good as a random one.
        rows = sorted((row for row in rows if row[1]), key=lambda row: zlib.crc32(row[0].id.encode()))
        rows = rows[: config.max_rows]
        if rows:
            sets = np.zeros((len(rows), len(label_map.keys)), bool)
            for i, (_, topics) in enumerate(rows):
                sets[i, list(topics)] = True
            outputs = network_outputs(tagger, [e for e, _ in rows])
            parts.append((np.stack([output.topic_logits for output in outputs]), sets))
    return parts


def fit_temperature(parts: Sequence[Labelled]) -> float:
    """Return the temperature with the least loss for articles of one topic each, which a label narrows to a set.

    The loss is the mean over the corpora of their mean losses.
    """

    def loss(scale: float) -> float:
        losses = [
            (logsumexp(logits * scale, axis=1) - logsumexp(np.where(sets, logits * scale, -np.inf), axis=1)).mean()
            for logits, sets in parts
        ]
        return float(np.mean(losses))

    return _least(loss)


def fit_known_temperature(logits: NDArray[np.float32], gold: NDArray[np.bool_]) -> float:
    """Return the temperature with the least cross-entropy, given all topics of each article [articles, topics]."""
    signed = np.where(gold, -logits, logits).astype(float)
    return _least(lambda scale: float(np.logaddexp(0, signed * scale).mean()))


def _least(loss: Callable[[float], float]) -> float:
    """Return the temperature with the least loss, a function of its inverse."""
    best = float(np.exp(minimize_scalar(lambda log_t: loss(np.exp(-log_t)), bounds=(-2, 2), method="bounded").x))
    log.info("temperature %.3f: loss %.4f, at 1.0 %.4f", best, loss(1 / best), loss(1.0))
    return round(best, 4)


def fit_topics(
    config: CalibrateConfig, tagger: Tagger, label_map: LabelMap, topics: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the settings of topics: `temperature`, `threshold`, `sure`, and `topics` with thresholds of their own."""
    found = examples(config.data, config.annotated, ["validation"]) if config.annotated else ()
    known = [example for example in found if example.topics]
    if not known:
        temperature = fit_temperature(labelled_articles(config, tagger, label_map))
        return {"temperature": temperature, "threshold": config.topic_threshold, "sure": 1.0}
    numbers = [label_map.numbers(example) for example in known]
    gold = np.array([np.isin(np.arange(len(label_map.keys)), of_article) for of_article in numbers])
    logits = np.stack([output.topic_logits for output in network_outputs(tagger, known)])
    temperature = fit_known_temperature(logits, gold)
    scores = TopicDecoder(tagger.topic_decoder.topics, temperature, 0.0).probabilities(logits)
    scores = np.where(label_map.given, scores, 0).astype(np.float32)
    shared, own, f1 = fit_topic_thresholds(scores, gold, config.topic_count)
    right = scores.argmax(axis=1) == [main for main, *_ in numbers]
    sure = fit_sure_score(scores.max(axis=1), right, config.sure_share)
    log.info("topics above %.2f, or %s: micro-F1 %.4f of %d articles", shared, own, f1, len(known))
    log.info("sure from %.2f: %.1f%% of the articles", sure, 100 * (scores.max(axis=1) >= sure).mean())
    with_own = [{**topic, **({"threshold": own[i]} if i in own else {})} for i, topic in enumerate(topics)]
    return {"temperature": temperature, "threshold": shared, "sure": sure, "topics": with_own}


def count_words(config: CalibrateConfig, vocabulary: Vocabulary) -> WordStatistics:
    """Return the word statistics of the training articles of some corpora, the same number of each.

    Names that look like verbs are recognised by the tags of `vocabulary`.
    """
    articles: list[set[str]] = []
    counts: Counter[str] = Counter()
    for corpus in config.word_corpora or config.corpora:
        rows = sorted(examples(config.data, corpus, before=config.before), key=lambda e: zlib.crc32(e.id.encode()))
        for row in rows[: config.word_articles]:
            found = [word.text for word in words(row.text[:WORD_CHARS])]
            counts.update(found)
            articles.append({strip_clitics(word) for word in found})
    return WordStatistics.count(articles, find_verbs(counts, vocabulary))
