"""Articles with what they should be answered with, from the corpora or a user's own file."""

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
from wusum.train.data.corpora import Example, LabelMap, clean_tags, examples, rows

HAND_WORDS = 60
"""Words of the body that were read to label topics by hand."""

MIN_TAGGED_CHARS = 300
MIN_GOLD_TAGS = 3
"""An article counts for tags when it is an article, not a teaser, and was tagged with some care."""

Row = TypeVar("Row")
Meaning = tuple[int, ...]
"""The set of topics that a label can mean, by their numbers."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """An article whose label means a set of topics."""

    example: Example
    meaning: Meaning


def labelled(config: EvalConfig, label_map: LabelMap, corpus: str, labels: Sequence[str], split: str) -> list[Labelled]:
    """Articles with one of some labels; labels of one meaning are one class.

    Raises CorpusError where meanings overlap, a label means nothing, or no article has one.
    """
    sets = {label_map.topics(corpus, label) for label in labels}
    if sum(map(len, sets)) != len({topic for meaning in sets for topic in meaning}) or not all(sets):
        raise CorpusError(f"{config.topics}: the labels {', '.join(labels)} of {corpus} overlap or mean nothing")
    found = [
        Labelled(e, label_map.topics(corpus, e.label)) for e in read(config.data, corpus, split) if e.label in labels
    ]
    if not found:
        raise CorpusError(f"{corpus}: no {split} article with one of the labels {', '.join(labels)}")
    if config.quick:
        found = sample(found, config.quick_training if split == "train" else config.quick_articles, config.seed)
    return found


def distinct(found: Sequence[Labelled]) -> list[Meaning]:
    """The classes of some labelled articles: the different sets of topics, sorted."""
    return sorted({row.meaning for row in found})


def tagged(config: EvalConfig, corpus: str, split: str) -> list[Example]:
    """Articles tagged with some care; raises CorpusError where there is none."""
    found = [
        e
        for e in with_tags(config.data, corpus, split)
        if len(e.body) >= MIN_TAGGED_CHARS and len(set(map(match_key, e.tags or ()))) >= MIN_GOLD_TAGS
    ]
    if not found:
        raise CorpusError(f"{corpus}: no {split} article of {MIN_TAGGED_CHARS} characters with {MIN_GOLD_TAGS} tags")
    return sample(found, config.quick_articles, config.seed) if config.quick else found


@cache
def with_tags(data: Path, corpus: str, split: str) -> list[Example]:
    """All articles of a split that have tags, in whatever corpus."""
    return [
        Example(
            row["id"],
            corpus,
            row["title"] or "",
            row["text"],
            row.get("label"),
            clean_tags(row["tags"]),
            row.get("date") or "",
        )
        for row in rows(data, corpus)
        if row["split"] == split and row.get("text") and row.get("tags")
    ]


@cache
def read(data: Path, corpus: str, split: str) -> list[Example]:
    """The articles of a split."""
    return list(examples(data, corpus, [split]))


def by_hand(config: EvalConfig) -> list[tuple[Example, tuple[str, ...]]]:
    """The lead of each article that was labelled by hand (`topics_by_hand.md`), with the keys of its topics."""
    lines = (Path(__file__).parent / "topics_by_hand.jsonl").read_text(encoding="utf-8").splitlines()
    gold = {row["id"]: (row["corpus"], tuple(row["topics"])) for row in map(json.loads, lines)}
    found = [
        (replace(e, body=" ".join(e.body.split()[:HAND_WORDS])), gold[e.id][1])
        for corpus in dict.fromkeys(corpus for corpus, _ in gold.values())
        for e in read(config.data, corpus, "test")
        if e.id in gold
    ]
    if missing := len(gold) - len(found):
        raise CorpusError(f"{config.data}: {missing} of the {len(gold)} articles labelled by hand are not there")
    return found


def own(path: Path, label_map: LabelMap) -> list[tuple[Example, tuple[str, ...] | None]]:
    """A user's articles, each with the keys of its topics, None where it says nothing of them.

    A line is a JSON object with `text`, and `title`, `id`, `topics`, `tags` as may be; a topic is named by its key in
    `configs/topics.yaml`, its IPTC code or its Arabic or English name. Raises CorpusError that names the line.
    """
    names: dict[str, str] = {}
    for column in (label_map.keys, label_map.codes, label_map.names_ar, label_map.names_en):
        names |= dict(zip((name.casefold() for name in column), label_map.keys, strict=True))
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: {error}") from error
    found = [_own(line, f"{path}:{n}", str(n), names) for n, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise CorpusError(f"{path}: no articles")
    return found


def _own(line: str, where: str, number: str, names: dict[str, str]) -> tuple[Example, tuple[str, ...] | None]:
    try:
        row: dict[str, Any] = json.loads(line)
    except ValueError as error:
        raise CorpusError(f"{where}: no JSON: {error}") from error
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
        raise CorpusError(f"{where}: {name} is no list of names")
    return tuple(value)


def sample(found: Sequence[Row], size: int, seed: int) -> list[Row]:
    """So many of them, always the same, in their order."""
    if len(found) <= size:
        return list(found)
    return [found[i] for i in sorted(random.Random(seed).sample(range(len(found)), size))]
