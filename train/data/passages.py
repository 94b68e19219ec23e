"""Passages of all articles of the corpora, on which a small encoder is taught, with what is known about them."""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import datasets

from wusum import model
from wusum.train import data
from wusum.train.cache import code_digest, digest_of, write_atomically
from wusum.train.data.anonymiser import Anonymiser
from wusum.train.data.corpora import CorpusSettings, Example, LabelMap, TagRules, examples, held_out
from wusum.train.data.mentions import MARK_COLUMNS, Offsets, marks, name_mentions, phrase_mentions
from wusum.train.data.text_units import cut, units
from wusum.train.inputs import corpus_inputs, file_inputs

COLUMNS = datasets.Features(
    {
        "text": datasets.Value("string"),
        "first": datasets.Value("bool"),
        "title_units": datasets.Value("int32"),
        "topics": datasets.List(datasets.Value("int32")),
        "tags": datasets.List(datasets.Value("string")),
        **{name: datasets.List(datasets.Value("int8")) for name in MARK_COLUMNS},
    }
)
"""Columns of the rows. `first` tells whether it is the first passage of its article; `title_units` is how many units
are of a title before more text; `topics` are the numbers of all topics that were found by reading, empty if nobody has
read the article; marks are those of the units, empty if they are not known."""

MIN_TITLE = 4
"""Words of a title that is a passage of its own, at least."""

MIN_REST = 20
"""Words that a body must have beyond those of a short passage, at least."""

_WORD = re.compile(r"\S+")


@dataclass(frozen=True, kw_only=True)
class PassageSettings(CorpusSettings):
    """Settings of the passages to learn from."""

    topics: Path
    """The label map."""
    corpora: list[str]
    """Corpora to read, all their training articles, with or without label."""
    tag_rules: str = ""
    """File that names the corpora with tags by editors and the tags to drop; without it no corpus has such tags."""
    passage_words: int = 176
    """Most words of a passage; the passages of an article are about as long as each other."""
    max_words: int = 352
    """Words of an article that are read."""
    title_share: float = 0.33
    """Share of the articles whose title is also read alone; of those whose topics were found by reading, all are."""
    short_share: float = 0.25
    """Share of the articles whose beginning is also read without title; of those with topics by reading, all are."""
    short_words: int = 50
    """Words of such a beginning."""
    anonymous_share: float = 0.5
    """Share of the articles from whose bodies datelines and `outlet_names` are removed."""
    tag_holdout: float = 0.125
    """Share of the articles whose tags and key phrases are not used: the ranking of tags is fitted on them later."""
    cache: Path = Path("runs/passages")
    """Folder that keeps passages, their tokens and the outputs of teachers for other trainings on them."""


def passage_rows(settings: PassageSettings, topics: LabelMap) -> datasets.Dataset:
    """Return the passages of all training articles, as rows of `COLUMNS`.

    The rows are kept in `cache` for trainings whose settings make the same ones. Raises CorpusError for a corpus that
    cannot be read.
    """
    path = settings.cache / passages_digest(settings, topics)
    if not path.is_dir():
        write_atomically(path, lambda scratch: _write_rows(settings, topics, scratch))
    return datasets.load_from_disk(path)


def passages_digest(settings: PassageSettings, topics: LabelMap) -> str:
    """Return a digest of everything that the passages depend on: the contents of all inputs, settings, and the code."""
    inputs = corpus_inputs(settings.data, settings.corpora) | file_inputs({"tag_rules": settings.tag_rules})
    parts = (
        settings.corpora, settings.outlet_names, settings.max_rows, settings.passage_words, settings.max_words,
        settings.title_share, settings.short_share, settings.short_words, settings.anonymous_share,
        settings.tag_holdout,
    )  # fmt: skip
    return digest_of(inputs, parts, topics, code_digest(data, model))


def _write_rows(settings: PassageSettings, topics: LabelMap, folder: Path) -> None:
    """Write the rows to a folder that `datasets.load_from_disk` reads."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        arguments = {"settings": settings, "topics": topics}
        rows = datasets.Dataset.from_generator(_rows, features=COLUMNS, cache_dir=made, gen_kwargs=arguments)
        rows.save_to_disk(folder)


def _rows(settings: PassageSettings, topics: LabelMap) -> Iterator[dict[str, Any]]:
    """Yield the rows of all corpora in order."""
    rules = TagRules.load(settings.tag_rules)
    anonymise = Anonymiser(settings.outlet_names)
    for corpus in settings.corpora:
        for example in islice(examples(settings.data, corpus, rules=rules), settings.max_rows or None):
            # The names of an article are offsets into its body, which therefore stays as it is.
            if not example.names and random.Random(f"anonymous {example.id}").random() < settings.anonymous_share:
                example = replace(example, body=anonymise(example.body))
            if held_out(example.id, settings.tag_holdout):
                example = replace(example, tags=None, phrases=None)
            yield from article_rows(settings, topics, example)


def article_rows(settings: PassageSettings, topics: LabelMap, example: Example) -> Iterator[dict[str, Any]]:
    """Yield the rows of an article, the one with its beginning first; none for an article without words."""
    text, title = example.text, len(example.title)
    known = list(topics.numbers(example))
    mentions = phrase_mentions(example), name_mentions(example)
    for number, (start, end) in enumerate(passage_offsets(settings, example)):
        passage = text[start:end]
        places = units(passage)
        if places:
            yield {
                "text": passage,
                "first": number == 0,
                "title_units": sum(last <= title - start for _, last in places) if start < title < end else 0,
                "topics": known,
                "tags": list(example.tags or ()),
                **{
                    name: marks(places, None if found is None else _within(found, start, end))
                    for name, found in zip(MARK_COLUMNS, mentions, strict=True)
                },
            }


def passage_offsets(settings: PassageSettings, example: Example) -> list[Offsets]:
    """Return the offsets of the passages of an article in its text.

    The text is cut by words, the title being the beginning of the first passage. The title alone and the beginning of
    the body come last; whether they do depends on the article's id.
    """
    words = [word.span() for word in islice(_WORD.finditer(example.text), settings.max_words)]
    title = len(_WORD.findall(example.title))
    found = [part for part in cut(len(words), settings.passage_words) if part[1]]
    generator = random.Random(f"passages {example.id}")
    alone, short = (
        example.topics is not None or generator.random() < share
        for share in (settings.title_share, settings.short_share)
    )
    if alone and MIN_TITLE <= title < len(words):
        found.append((0, title))
    if short and len(words) - title >= settings.short_words + MIN_REST:
        found.append((title, title + settings.short_words))
    return [(words[first][0], words[last - 1][1]) for first, last in found]


def _within(mentions: Sequence[Offsets], start: int, end: int) -> list[Offsets]:
    """Return the mentions in a passage of a text, or their parts there, by offsets in the passage."""
    return [
        (max(first, start) - start, min(last, end) - start) for first, last in mentions if first < end and last > start
    ]
