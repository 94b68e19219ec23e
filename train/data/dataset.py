"""The articles of all corpora for fine-tuning: tokenised, with topics, tags and marks, and cached on disk."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import datasets
from tokenizers import Tokenizer

from wusum import model
from wusum.model.errors import ConfigError
from wusum.train import data
from wusum.train.cache import code_digest, digest_of, write_atomically
from wusum.train.data.anonymiser import Anonymiser
from wusum.train.data.corpora import CorpusSettings, Example, LabelMap, TagRules, examples, held_out
from wusum.train.data.cues import Cues
from wusum.train.data.mentions import MARK_COLUMNS, marks, name_mentions, phrase_mentions
from wusum.train.data.tokens import batched
from wusum.train.inputs import corpus_inputs, file_inputs

COLUMNS = datasets.Features(
    {
        "corpus": datasets.Value("string"),
        "source": datasets.Value("string"),
        "input_ids": datasets.List(datasets.Value("int32")),
        "title_tokens": datasets.Value("int32"),
        "topics": datasets.List(datasets.Value("int32")),
        "exact": datasets.Value("bool"),
        "tags": datasets.List(datasets.Value("string")),
        **{name: datasets.List(datasets.Value("int8")) for name in MARK_COLUMNS},
    }
)
"""Columns of the rows. `source` is the corpus that an annotated article is from, "" for others; `title_tokens` is how
many of the ids are the title's; `topics` are numbers of topics: all of the article's if they are `exact`, else those
that it can have."""

_CHARS_PER_TOKEN = 8
"""Characters of a text that are tokenised for each token that is kept."""

_BATCH = 256
"""Articles that are tokenised together."""


@dataclass(frozen=True, kw_only=True)
class DatasetSettings(CorpusSettings):
    """Settings of the articles to train on."""

    topics: Path
    """The label map."""
    corpora: dict[str, float]
    """How often each corpus is read; 0.5 reads half of its articles once."""
    tag_rules: str = ""
    """File that names the corpora with tags by editors and the tags to drop; without it no corpus has such tags."""
    cues: str = ""
    """File of headline cues that label articles without label, and narrow labels of several topics."""
    max_tokens: int = 512
    """Tokens of an article from which windows are taken."""
    tag_holdout: float = 0.125
    """Share of the tagged articles kept apart, on which the ranking of tags is fitted afterwards."""
    cache: Path = Path("runs/rows")
    """Folder that keeps the tokenised articles for other trainings on them."""
    leave_out: list[str] = field(default_factory=list)
    """Corpora not to read, though listed: to measure on them how well the rest carries over."""
    before: str = ""
    """Leave out articles dated from here on, such as 2024-05: to measure on them how long the rest lasts."""
    budget: int = 0
    """Windows to train on, sampled from those that `corpora` asks for; 0 takes all of them."""


def training_dataset(settings: DatasetSettings, tokenizer: Tokenizer, topics: LabelMap) -> datasets.Dataset:
    """Return all training articles, each once, as rows of `COLUMNS`, without the corpora that are left out.

    The rows are cached for trainings whose settings make the same ones. Raises ConfigError if a corpus that is to be
    left out is not listed.
    """
    if unknown := [name for name in settings.leave_out if name not in settings.corpora]:
        raise ConfigError(f"leave_out: {', '.join(unknown)} is not among the corpora")
    path = settings.cache / _digest(settings, tokenizer, topics)
    if not path.is_dir():
        write_atomically(path, lambda scratch: _write_rows(settings, tokenizer, topics, scratch))
    rows = datasets.load_from_disk(path)
    if not settings.leave_out:
        return rows
    left = set(settings.leave_out)
    places = zip(rows["corpus"], rows["source"], strict=True)
    return rows.select([i for i, place in enumerate(places) if left.isdisjoint(place)])


def sample_rows(settings: DatasetSettings, corpora: Sequence[str], seed: int) -> list[int]:
    """Return the numbers of the rows to train on, given the corpus of each row: every corpus as often as configured."""
    chosen = _repeated(corpora, settings.corpora, seed)
    if settings.budget:
        chosen = random.Random(seed).sample(chosen, min(settings.budget, len(chosen)))
    return chosen


def _digest(settings: DatasetSettings, tokenizer: Tokenizer, topics: LabelMap) -> str:
    """Return a digest of everything that the rows depend on: the contents of all inputs, settings, and the code."""
    corpora = corpus_inputs(settings.data, settings.corpora)
    files = file_inputs({"cues": settings.cues, "tag_rules": settings.tag_rules})
    parts = settings.outlet_names, settings.max_tokens, settings.tag_holdout, settings.max_rows, settings.before
    return digest_of(corpora, files, parts, topics, tokenizer.to_str(), code_digest(data, model))


def _write_rows(settings: DatasetSettings, tokenizer: Tokenizer, topics: LabelMap, folder: Path) -> None:
    """Write the rows of all corpora to a folder that `datasets.load_from_disk` reads."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        arguments = {"settings": settings, "tokenizer": tokenizer, "topics": topics}
        rows = datasets.Dataset.from_generator(_rows, features=COLUMNS, cache_dir=made, gen_kwargs=arguments)
        rows.save_to_disk(folder)


def _rows(settings: DatasetSettings, tokenizer: Tokenizer, topics: LabelMap) -> Iterator[dict[str, Any]]:
    """Yield the rows of all corpora in order, without articles that have no label of any kind."""
    cues = Cues.load(settings.cues, topics) if settings.cues else None
    anonymise = Anonymiser(settings.outlet_names)
    for corpus in settings.corpora:
        for batch in batched(training_examples(settings, corpus), _BATCH):
            # The names of an article are offsets into its body, which therefore stays as it is.
            batch = [e if e.names else replace(e, body=anonymise(e.body)) for e in batch]
            longest = settings.max_tokens * _CHARS_PER_TOKEN
            texts, titles = (
                tokenizer.encode_batch([text[:longest] for text in part], add_special_tokens=False)
                for part in ([e.text for e in batch], [e.title for e in batch])
            )
            for example, text, title in zip(batch, texts, titles, strict=True):
                ids, offsets = text.ids[: settings.max_tokens], text.offsets[: settings.max_tokens]
                sets = possible_topics(example, topics, cues)
                mentions = phrase_mentions(example), name_mentions(example)
                if ids and (sets or example.tags or mentions != (None, None)):
                    yield {
                        "corpus": example.corpus,
                        "source": example.source,
                        "input_ids": ids,
                        "title_tokens": len(title.ids),
                        "topics": list(sets),
                        "exact": example.topics is not None,
                        "tags": list(example.tags or ()),
                        **{name: marks(offsets, found) for name, found in zip(MARK_COLUMNS, mentions, strict=True)},
                    }


def training_examples(settings: DatasetSettings, corpus: str) -> Iterator[Example]:
    """Yield the training articles of a corpus but those with tags by editors that are held out.

    Of annotated articles that are held out only the topics are learned.
    """
    rules = TagRules.load(settings.tag_rules)
    found = examples(settings.data, corpus, before=settings.before, rules=rules)
    for example in islice(found, settings.max_rows or None):
        held = held_out(example.id, settings.tag_holdout)
        if held and example.topics is not None:
            yield replace(example, tags=None, phrases=None)
        elif not (held and example.tags):
            yield example


def possible_topics(example: Example, topics: LabelMap, cues: Cues | None) -> tuple[int, ...]:
    """Return the numbers of the topics that an article has or, by its label and cues in its headline, can have."""
    if example.topics is not None:
        return topics.numbers(example)
    found = topics.topics(example.corpus, example.label)
    return cues.narrow(found, example.title) if cues and example.title else found


def _repeated(corpora: Sequence[str], weights: dict[str, float], seed: int) -> list[int]:
    """Return row numbers, each corpus's repeated by its weight; a fraction is a random sample without replacement."""
    generator = random.Random(seed)
    by_corpus: dict[str, list[int]] = {}
    for i, corpus in enumerate(corpora):
        by_corpus.setdefault(corpus, []).append(i)
    chosen: list[int] = []
    for corpus, rows in by_corpus.items():
        whole, part = divmod(weights[corpus], 1)
        chosen += rows * int(whole) + generator.sample(rows, round(part * len(rows)))
    return chosen
