"""The corpora as training examples: rows of `NAME.jsonl.xz`, cleaned, with topic sets and tags."""

from __future__ import annotations

import json
import lzma
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from wusum.model.article import Article
from wusum.model.errors import CorpusError
from wusum.model.text.words import match_key
from wusum.train.data.annotations import annotated_rows, read_annotations
from wusum.train.data.reserved import Reserved

_JSON_BODY = re.compile(r'\s*\{\s*"type": "')
"""Beginning of a body that is the page's own JSON, taken for the text by the scraper. It contains the tags."""

ANNOTATED = "annotated"
"""Corpus of articles of the others, annotated by reading."""

_DESCRIPTION = re.compile(r'"description": "((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, kw_only=True)
class CorpusSettings:
    """Settings of reading corpora."""

    data: Path
    """Folder of the corpora."""
    outlet_names: list[str] = field(default_factory=list)
    """Names removed from the bodies, with their datelines, so that no outlet stands for a topic; empty keeps both."""
    max_rows: int = 0
    """Read this many articles of each corpus, for a trial; 0 reads all."""


@dataclass(frozen=True, slots=True)
class TagRules:
    """Which corpora have tags by editors, and which tags say nothing about an article (`configs/tag_rules.yaml`)."""

    edited: frozenset[str] = frozenset()
    """Corpora whose tags were given by editors; those of other corpora are key phrases by annotators or authors."""
    dropped: tuple[str, ...] = ()
    """Match keys; tags that contain one are dropped: names of outlets, their programmes and channels."""
    bundles: tuple[frozenset[str], ...] = ()
    """Sets of match keys that editors paste together whatever the subject; a complete set is dropped."""

    @classmethod
    def load(cls, path: str | Path) -> TagRules:
        """Read a file of rules, none for an empty path; raises CorpusError if it cannot be read."""
        if not str(path):
            return cls()
        try:
            data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
            bundles = tuple(frozenset(map(match_key, bundle)) for bundle in data.get("bundles", ()))
            return cls(frozenset(data["edited"]), tuple(map(match_key, data.get("dropped", ()))), bundles)
        except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
            raise CorpusError(f"{path}: not a file of tag rules: {error!r}") from error

    def clean(self, tags: Sequence[str]) -> tuple[str, ...]:
        """Return tags in their order, without duplicates and without those that say nothing about the article."""
        by_key = {match_key(tag): tag.strip() for tag in reversed(tags)}
        pasted = {key for bundle in self.bundles if by_key.keys() >= bundle for key in bundle}
        return tuple(
            by_key[key]
            for key in dict.fromkeys(map(match_key, tags))
            if key and key not in pasted and not any(name in key for name in self.dropped)
        )


NO_RULES = TagRules()
"""No corpus has tags by editors, and every tag is kept."""


@dataclass(frozen=True, slots=True)
class LabelMap:
    """The topics in the order of the topic head, and the topics that each label of a corpus can mean."""

    keys: tuple[str, ...]
    """Names of the topics in `configs/`."""
    codes: tuple[str, ...]
    """Codes of IPTC Media Topics."""
    names_ar: tuple[str, ...]
    names_en: tuple[str, ...]
    given: tuple[bool, ...]
    """Whether a topic is learned well enough to be an answer."""
    labels: dict[str, dict[str, tuple[int, ...]]]
    """Numbers of the topics that a label can mean, by corpus and label."""

    @classmethod
    def load(cls, path: str | Path) -> LabelMap:
        """Read `configs/topics.yaml`; raises CorpusError for a label that names no topic."""
        try:
            data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise CorpusError(f"{path}: {error}") from error
        topics: dict[str, dict[str, Any]] = data["topics"]
        index = {key: i for i, key in enumerate(topics)}
        labels: dict[str, dict[str, tuple[int, ...]]] = {}
        for corpus, meanings in data["corpora"].items():
            for label, keys in meanings.items():
                if unknown := [key for key in keys if key not in index]:
                    raise CorpusError(f"{path}: {corpus}.{label}: no topic {', '.join(map(repr, unknown))}")
            labels[corpus] = {label: tuple(sorted(index[k] for k in keys)) for label, keys in meanings.items()}
        columns = ([topic[name] for topic in topics.values()] for name in ("code", "name_ar", "name_en"))
        codes, names_ar, names_en = (tuple(column) for column in columns)
        given = tuple(topic.get("given", True) for topic in topics.values())
        return cls(tuple(topics), codes, names_ar, names_en, given, labels)

    def topics(self, corpus: str, label: str | None) -> tuple[int, ...]:
        """Return the numbers of the topics that a label can mean, none for a label that is not in the map."""
        return self.labels.get(corpus, {}).get(label or "", ())

    def numbers(self, example: Example) -> tuple[int, ...]:
        """Return the numbers of the topics that were found by reading; raises CorpusError for one not in the map."""
        topics = example.topics or ()
        if unknown := [topic for topic in topics if topic not in self.keys]:
            raise CorpusError(f"{example.corpus}: {example.id}: no topic {', '.join(map(repr, unknown))}")
        return tuple(map(self.keys.index, topics))


@dataclass(frozen=True, slots=True)
class Example:
    """One article of a corpus."""

    id: str
    corpus: str
    title: str
    body: str
    label: str | None
    tags: tuple[str, ...] | None
    """The editor's tags, which may be none; None if no editor was asked."""
    date: str = ""
    """As the corpus writes it, year first; "" if it is unknown."""
    phrases: tuple[str, ...] | None = None
    """Key phrases by an annotator or, as tags, by an editor; None if neither was asked."""
    names: tuple[tuple[int, int], ...] | None = None
    """Offsets of names in the body; None if the corpus does not mark names."""
    topics: tuple[str, ...] | None = None
    """Keys of all topics that were found by reading, the main one first; None if nobody has read the article."""
    outlet: str = ""
    """As the corpus writes it; "" if it is unknown."""
    unseen_outlet: bool = False
    """Whether articles of the outlet are for tests alone."""
    source: str = ""
    """The corpus that an annotated article is from; "" if it is of the corpus itself."""

    @property
    def text(self) -> str:
        """The encoder's input: the title, if there is one, on a line before the body."""
        return f"{self.title}\n{self.body}" if self.title else self.body

    def article(self) -> Article:
        """Return the tagger's input, without label and tags."""
        return Article(id=self.id, body=self.body, title=self.title)


def corpus_path(folder: str | Path, corpus: str) -> Path:
    """Return the file of a corpus."""
    return Path(folder) / f"{corpus}.jsonl.xz"


def rows(folder: str | Path, corpus: str) -> Iterator[dict[str, Any]]:
    """Yield the raw rows of a corpus in the order of its file; raises CorpusError if it cannot be read."""
    path = corpus_path(folder, corpus)
    try:
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                yield row | {"text": prose(row["text"])} if row.get("text") else row
    except (OSError, EOFError, lzma.LZMAError, ValueError) as error:
        raise CorpusError(f"{path}: {error}") from error


def open_rows(folder: str | Path, corpus: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a corpus but those that the annotated articles of the folder keep from its split.

    Articles that are annotated for a test, near-duplicates of them and articles of outlets that must stay unseen are in
    no training or validation split; annotated validation articles are in no training split.
    """
    reserved = _reserved(folder, corpus) if corpus != ANNOTATED else Reserved.of(())
    return (row for row in rows(folder, corpus) if not reserved.keeps(row))


def _reserved(folder: str | Path, corpus: str) -> Reserved:
    """Return what the annotated rows of a folder keep from the splits of a corpus, and the annotations of that one."""
    splits = {name: row["split"] for name, row in read_annotations().get(corpus, {}).items()}
    kept = {name for name, split in splits.items() if split != "train"}
    own = (row | {"split": splits[row["id"]]} for row in (rows(folder, corpus) if kept else ()) if row["id"] in kept)
    given = rows(folder, ANNOTATED) if corpus_path(folder, ANNOTATED).is_file() else ()
    return Reserved.of(chain((row for row in own if row.get("text")), given))


def annotated(folder: str | Path, splits: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the articles of some splits that were annotated: the corpus `annotated`, and further ones of the folder."""
    if corpus_path(folder, ANNOTATED).is_file():
        yield from (row for row in rows(folder, ANNOTATED) if row["split"] in splits)
    for corpus, known in read_annotations().items():
        if corpus_path(folder, corpus).is_file() and any(row["split"] in splits for row in known.values()):
            reserved = _reserved(folder, corpus)
            found = annotated_rows(rows(folder, corpus), corpus, splits)
            yield from (row for row in found if not reserved.keeps(row))


def annotated_sources(folder: str | Path) -> list[str]:
    """Return the names of the corpora of a folder that have articles which were annotated."""
    own = rows(folder, ANNOTATED) if corpus_path(folder, ANNOTATED).is_file() else ()
    names = {*map(_source, own), *read_annotations()}
    return sorted(name for name in names if name and corpus_path(folder, name).is_file())


def _source(row: Mapping[str, Any]) -> str:
    """Return the name of the corpus that an annotated article is from."""
    return str(row.get("source") or row["id"].rpartition("-")[0])


def prose(text: str) -> str:
    """Return the text of an article; of a body that is the page's JSON, only the description: the rest has the tags."""
    if not _JSON_BODY.match(text):
        return text
    found = _DESCRIPTION.search(text)
    return str(json.loads(f'"{found[1]}"', strict=False)) if found else ""


def examples(
    folder: str | Path,
    corpus: str,
    splits: Sequence[str] = ("train",),
    before: str = "",
    rules: TagRules = NO_RULES,
) -> Iterator[Example]:
    """Yield the articles of some splits of a corpus that are dated before `before`, or of any date if that is empty.

    The splits are without the rows that `open_rows` leaves out. Raises CorpusError if the corpus cannot be read.
    """
    for row in annotated(folder, splits) if corpus == ANNOTATED else open_rows(folder, corpus):
        date = row.get("date") or ""
        if row["split"] not in splits or (before and date >= before):
            continue
        if row.get("tokens"):
            body, names = _marked(row["tokens"], row["ner"])
            yield Example(row["id"], corpus, "", body, None, None, date, None, names)
        elif row.get("text"):
            phrases = rules.clean(row["tags"]) if row["tags"] else None
            tags = phrases if corpus in rules.edited else None
            yield Example(
                row["id"], corpus, row["title"] or "", row["text"], row.get("label"), tags, date, phrases,
                topics=tuple(row["topics"]) if row.get("topics") else None,
                outlet=row.get("outlet") or "",
                unseen_outlet=bool(row.get("unseen_outlet")),
                source=_source(row) if corpus == ANNOTATED else "",
            )  # fmt: skip


def with_whole_bodies(folder: str | Path, articles: Iterable[Example]) -> Iterator[Example]:
    """Yield annotated articles in their order, each with the whole body that the corpus of its source has, if any."""
    found = list(articles)
    bodies: dict[tuple[str, str], str] = {}
    for source in sorted({article.source for article in found}):
        if source and corpus_path(folder, source).is_file():
            wanted = {article.id for article in found if article.source == source}
            read = (row for row in rows(folder, source) if row["id"] in wanted)
            bodies.update(((source, row["id"]), row["text"]) for row in read if row.get("text"))
    return (replace(article, body=bodies.get((article.source, article.id), article.body)) for article in found)


def _marked(tokens: Sequence[str], marks: Sequence[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return a sentence and the offsets of its names, given its words and their BIO marks."""
    names: list[tuple[int, int]] = []
    place = 0
    for token, mark in zip(tokens, marks, strict=True):
        end = place + len(token)
        if mark.startswith("I-") and names:
            names[-1] = names[-1][0], end
        elif mark != "O":
            names.append((place, end))
        place = end + 1
    return " ".join(tokens), tuple(names)


def held_out(example_id: str, share: float) -> bool:
    """Return whether the encoder is not trained on an article, so that later stages can be fitted on fresh outputs."""
    return zlib.crc32(example_id.encode()) % 1000 < share * 1000
