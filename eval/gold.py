"""Articles with their gold labels, from the corpora or from a user's own file."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from wusum.eval.config import EvalConfig
from wusum.model.errors import CorpusError
from wusum.model.text.words import match_key
from wusum.train.data.corpora import ANNOTATED, Example, LabelMap, TagRules, annotated, examples, open_rows

HAND_LABELLED = Path(__file__).parent / "topics_by_hand.jsonl"
"""Ids and topics of the articles that were labelled by hand; `topics_by_hand.md` has the rules."""

HAND_LABELLED_WORDS = 60
"""Words of the body that the reader saw, and that a system is given."""

MIN_TAGGED_CHARS = 300
MIN_GOLD_TAGS = 3
"""Tags are measured on articles of at least this length and this number of tags: no teasers, no careless tagging."""

Row = TypeVar("Row")
TopicSet = tuple[int, ...]
"""The topics that a corpus label can mean, by their numbers in the label map."""

Topics = tuple[str, ...]
"""Keys of the topics of an article, the main one first."""


@dataclass(frozen=True, slots=True)
class LabelledArticle:
    """An article and the set of topics that its label means."""

    example: Example
    topics: TopicSet


def labelled_articles(
    config: EvalConfig, label_map: LabelMap, corpus: str, labels: Sequence[str], split: str
) -> list[LabelledArticle]:
    """Return the articles of a split that have one of `labels`; labels that mean the same topics are one class.

    Raises CorpusError if meanings overlap, a label means nothing, or no article has one of the labels.
    """
    sets = {label_map.topics(corpus, label) for label in labels}
    if sum(map(len, sets)) != len({topic for topics in sets for topic in topics}) or not all(sets):
        raise CorpusError(f"{config.topics}: the labels {', '.join(labels)} of {corpus} overlap or mean nothing")
    found = [
        LabelledArticle(e, label_map.topics(corpus, e.label))
        for e in read_split(config.data, corpus, split)
        if e.label in labels
    ]
    if not found:
        raise CorpusError(f"{corpus}: no {split} article with one of the labels {', '.join(labels)}")
    if config.quick:
        found = sample(found, config.quick_training if split == "train" else config.quick_articles, config.seed)
    return found


def topic_sets(articles: Sequence[LabelledArticle]) -> list[TopicSet]:
    """Return the classes of labelled articles: their different sets of topics, sorted."""
    return sorted({article.topics for article in articles})


def tagged_articles(config: EvalConfig, corpus: str, split: str) -> list[Example]:
    """Return the articles of a split on which tags are measured; raises CorpusError if there is none."""
    found = [
        e
        for e in read_tagged(config.data, corpus, split, config.tag_rules)
        if len(e.body) >= MIN_TAGGED_CHARS and len(set(map(match_key, e.tags or ()))) >= MIN_GOLD_TAGS
    ]
    if not found:
        raise CorpusError(f"{corpus}: no {split} article of {MIN_TAGGED_CHARS} characters with {MIN_GOLD_TAGS} tags")
    return sample(found, config.quick_articles, config.seed) if config.quick else found


@cache
def read_tagged(data: Path, corpus: str, split: str, tag_rules: str) -> list[Example]:
    """Return all articles of a split that have tags, also of corpora whose tags are not trained on.

    As in training, articles that are kept for tests are in no other split.
    """
    rules = TagRules.load(tag_rules)
    return [
        Example(
            row["id"],
            corpus,
            row["title"] or "",
            row["text"],
            row.get("label"),
            rules.clean(row["tags"]),
            row.get("date") or "",
        )
        for row in (annotated(data, [split]) if corpus == ANNOTATED else open_rows(data, corpus))
        if row["split"] == split and row.get("text") and row.get("tags")
    ]


def edited_articles(config: EvalConfig, split: str) -> list[Example]:
    """Return the articles of a split that have tags by editors."""
    corpora = sorted(TagRules.load(config.tag_rules).edited)
    return [e for corpus in corpora for e in read_tagged(config.data, corpus, split, config.tag_rules)]


@cache
def read_split(data: Path, corpus: str, split: str) -> list[Example]:
    """Return the articles of a split."""
    return list(examples(data, corpus, [split]))


def annotated_articles(config: EvalConfig, split: str) -> list[Example]:
    """Return the articles of a split whose topics and tags were annotated by reading, as far as they were read.

    Raises CorpusError if there is none, or for an article without topics or tags or with a topic that the label map
    lacks.
    """
    keys = LabelMap.load(config.topics).keys
    found = read_split(config.data, config.annotated, split)
    if not found:
        raise CorpusError(f"{config.annotated}: no {split} article")
    for e in found:
        if not e.phrases or not e.topics or not set(e.topics) <= set(keys):
            raise CorpusError(f"{config.annotated}: {e.id}: tags and topics of {config.topics} are needed")
    found = [replace(e, tags=e.phrases) for e in found]
    return sample(found, config.quick_articles, config.seed) if config.quick else found


def hand_labelled(config: EvalConfig) -> list[tuple[Example, Topics]]:
    """Return the beginning of each article that was labelled by hand, with the keys of its topics.

    Raises CorpusError if the corpora lack one of these articles.
    """
    lines = HAND_LABELLED.read_text(encoding="utf-8").splitlines()
    gold = {row["id"]: (row["corpus"], tuple(row["topics"])) for row in map(json.loads, lines)}
    found = [
        (replace(e, body=" ".join(e.body.split()[:HAND_LABELLED_WORDS])), gold[e.id][1])
        for corpus in dict.fromkeys(corpus for corpus, _ in gold.values())
        for e in read_split(config.data, corpus, "test")
        if e.id in gold
    ]
    if missing := len(gold) - len(found):
        raise CorpusError(f"{config.data}: {missing} of the {len(gold)} articles labelled by hand are missing")
    return found


def user_articles(path: Path, label_map: LabelMap) -> list[tuple[Example, Topics | None]]:
    """Return a user's articles, each with the keys of its topics, or None if its line gives no topics.

    A line is a JSON object with `text`, optionally `title` and `id`, and `topics`, `tags` or both. A topic is given by
    its key in the label map, its IPTC code or its Arabic or English name. Raises CorpusError, which names the line.
    """
    names: dict[str, str] = {}
    for column in (label_map.keys, label_map.codes, label_map.names_ar, label_map.names_en):
        names |= dict(zip((name.casefold() for name in column), label_map.keys, strict=True))
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: {error}") from error
    found = [_user_article(line, f"{path}:{n}", str(n), names) for n, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise CorpusError(f"{path}: no articles")
    return found


def _user_article(line: str, where: str, number: str, names: dict[str, str]) -> tuple[Example, Topics | None]:
    try:
        row: dict[str, Any] = json.loads(line)
    except ValueError as error:
        raise CorpusError(f"{where}: not JSON: {error}") from error
    if not isinstance(row, dict) or not isinstance(row.get("text"), str) or not row["text"].strip():
        raise CorpusError(f"{where}: an object with a text is needed")
    topics, tags = (_strings(row, name, where) for name in ("topics", "tags"))
    if topics is None and tags is None:
        raise CorpusError(f"{where}: neither topics nor tags to compare with")
    if unknown := [topic for topic in topics or () if topic.casefold() not in names]:
        raise CorpusError(f"{where}: no topic {', '.join(map(repr, unknown))}; there are {', '.join(names.values())}")
    if tags is not None and not any(map(match_key, tags)):
        raise CorpusError(f"{where}: no tag has a letter")
    example = Example(str(row.get("id", number)), "own", str(row.get("title") or ""), row["text"], None, tags)
    return example, None if topics is None else tuple(names[topic.casefold()] for topic in topics)


def _strings(row: dict[str, Any], name: str, where: str) -> tuple[str, ...] | None:
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item.strip() for item in value):
        raise CorpusError(f"{where}: {name} is not a list of names")
    return tuple(value)


def sample(articles: Sequence[Row], size: int, seed: int) -> list[Row]:
    """Return `size` of the articles in their order, or all if there are fewer; a seed always draws the same."""
    if len(articles) <= size:
        return list(articles)
    return [articles[i] for i in sorted(random.Random(seed).sample(range(len(articles)), size))]
