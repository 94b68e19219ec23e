"""What fine-tuning reads: the articles of all corpora as windows of tokens with sets of topics and tags."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import datasets
import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from wusum.model.errors import ConfigError
from wusum.model.network.spans import KINDS
from wusum.model.text.words import match_key
from wusum.train.data.anonymiser import Anonymiser
from wusum.train.data.corpora import Example, LabelMap, examples, held_out
from wusum.train.data.cues import Cues
from wusum.train.data.mentions import marks, name_mentions, phrase_mentions

if TYPE_CHECKING:
    from wusum.train.stages.finetune import FinetuneConfig


@dataclass(frozen=True, slots=True)
class TagLabels:
    """The tags that the head predicts: `index` from match key to label, `texts` in the spelling most used."""

    index: dict[str, int]
    texts: tuple[str, ...]

    @classmethod
    def count(cls, tagged: Sequence[Sequence[str]], min_count: int) -> TagLabels:
        """The labels of a training set: tags of at least `min_count` articles, most frequent first."""
        spellings: dict[str, Counter[str]] = {}
        for tags in tagged:
            for tag in tags:
                spellings.setdefault(match_key(tag), Counter())[tag] += 1
        kept = [(key, forms) for key, forms in spellings.items() if forms.total() >= min_count]
        kept.sort(key=lambda item: (-item[1].total(), item[0]))
        return cls({key: i for i, (key, _) in enumerate(kept)}, tuple(f.most_common(1)[0][0] for _, f in kept))


ROWS = 1
"""To be counted up when rows are made in another way, so that no older ones are taken for them."""

MARKED = tuple(f"{kind}_marks" for kind in KINDS)
"""Columns with a mark for each token, empty where the article's are not known."""


class Windows(torch.utils.data.Dataset[dict[str, Any]]):
    """One window of each row: the beginning of its article, with or without the title, or a random place.

    A share `token_dropout` of its tokens is hidden behind `mask`. All is drawn by the seed and the row, not while
    training: so a run that is cut and resumed sees what an unbroken one sees.
    """

    def __init__(
        self,
        rows: datasets.Dataset,
        room: int,
        lead_share: float,
        seed: int,
        title_dropout: float = 0.0,
        token_dropout: float = 0.0,
        mask: int = 0,
    ) -> None:
        self.rows, self.room, self.seed = rows, room, seed
        self.token_dropout, self.mask = token_dropout, mask
        generator = np.random.default_rng(seed)
        self.places = np.where(generator.random(len(rows)) < lead_share, 0.0, generator.random(len(rows)))
        self.untitled = generator.random(len(rows)) < title_dropout

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        row: dict[str, Any] = self.rows[index]
        size = len(row["input_ids"])
        title = row["title_tokens"] if self.untitled[index] and row["title_tokens"] < size else 0
        start = title + round(self.places[index] * max(size - title - self.room, 0))
        row |= {name: row[name][start : start + self.room] for name in ("input_ids", *MARKED)}
        if self.token_dropout:
            hidden = np.random.default_rng((self.seed, index)).random(len(row["input_ids"])) < self.token_dropout
            row["input_ids"] = np.where(hidden, self.mask, row["input_ids"]).tolist()
        return row


UNKNOWN = -100
"""The mark of a token that nobody has marked, and that no loss counts."""


class Collator:
    """Pads the windows of a batch to its longest and makes labels multi-hot."""

    def __init__(self, prefix: list[int], suffix: list[int], pad: int, topics: int, tags: TagLabels) -> None:
        self.prefix, self.suffix, self.pad, self.labels = prefix, suffix, pad, tags.index
        self.sizes = topics, len(tags.texts)

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Tensor]:
        """Ids and mask [rows, tokens], topic sets [rows, topics], tags [rows, tags], marks [rows, tokens, kinds]."""
        windows = [self.prefix + row["input_ids"] + self.suffix for row in rows]
        longest = max(map(len, windows))
        topics, tags = (torch.zeros(len(rows), size) for size in self.sizes)
        for i, row in enumerate(rows):
            topics[i, row["topics"]] = 1
            tags[i, [self.labels[key] for key in map(match_key, row["tags"]) if key in self.labels]] = 1
        marks = torch.full((len(rows), longest, len(MARKED)), UNKNOWN)
        for i, row in enumerate(rows):
            for kind, name in enumerate(MARKED):
                found = torch.tensor(row[name], dtype=torch.long)
                marks[i, len(self.prefix) : len(self.prefix) + len(found), kind] = found
        return {
            "input_ids": torch.tensor([w + [self.pad] * (longest - len(w)) for w in windows]),
            "attention_mask": torch.tensor([[1] * len(w) + [0] * (longest - len(w)) for w in windows]),
            "topics": topics,
            "tags": tags,
            "marks": marks,
        }


def training_rows(config: FinetuneConfig, tokenizer: Tokenizer, topics: LabelMap) -> datasets.Dataset:
    """All training articles, each once, as token ids with topic sets and tags, but for corpora that are left out.

    Raises ConfigError when a corpus that is left out is not there to be left out. They are kept in `config.cache` for
    trainings that differ in nothing that they depend on.
    """
    if unknown := [name for name in config.leave_out if name not in config.corpora]:
        raise ConfigError(f"leave_out: {', '.join(unknown)} is not among the corpora")
    path = config.cache / _digest(config, tokenizer, topics)
    if not path.is_dir():
        scratch = path.with_suffix(".part")
        shutil.rmtree(scratch, ignore_errors=True)
        _tokenised(config, tokenizer, topics, scratch / "made").save_to_disk(scratch / "rows")
        (scratch / "rows").rename(path)
        shutil.rmtree(scratch)
    rows = datasets.load_from_disk(path)
    if not config.leave_out:
        return rows
    return rows.select([i for i, corpus in enumerate(rows["corpus"]) if corpus not in config.leave_out])


def _digest(config: FinetuneConfig, tokenizer: Tokenizer, topics: LabelMap) -> str:
    """Of all that the rows depend on."""
    data = [(config.data / f"{name}.jsonl.xz") for name in config.corpora]
    files = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in data if path.is_file()]
    cues = Path(config.cues).read_text(encoding="utf-8") if config.cues else ""
    settings = config.outlet_names, config.max_tokens, config.tag_holdout, config.max_rows, config.before
    whole = repr((ROWS, files, cues, settings, topics, tokenizer.to_str()))
    return hashlib.sha256(whole.encode()).hexdigest()[:32]


def _tokenised(config: FinetuneConfig, tokenizer: Tokenizer, topics: LabelMap, cache: Path) -> datasets.Dataset:
    """The rows of all corpora."""

    def generate() -> Iterator[dict[str, Any]]:
        for corpus in config.corpora:
            batch: list[Example] = []
            for example in read_rows(config, corpus):
                if example.tags and held_out(example.id, config.tag_holdout):
                    continue
                batch.append(example)
                if len(batch) == 256:
                    yield from encode(batch)
                    batch = []
            yield from encode(batch)

    cues = Cues.load(config.cues, topics) if config.cues else None
    anonymised = Anonymiser(config.outlet_names) if config.outlet_names else str

    def encode(batch: list[Example]) -> Iterator[dict[str, Any]]:
        batch = [e if e.names else replace(e, body=anonymised(e.body)) for e in batch]  # names have their offsets
        whole, titles = (
            tokenizer.encode_batch([text[: config.max_tokens * 8] for text in texts], add_special_tokens=False)
            for texts in ([e.text for e in batch], [e.title for e in batch])
        )
        for example, encoding, title in zip(batch, whole, titles, strict=True):
            ids = encoding.ids[: config.max_tokens]
            sets = topics.topics(example.corpus, example.label)
            if cues and example.title:
                sets = cues.narrow(sets, example.title)
            found = phrase_mentions(example), name_mentions(example)
            if ids and (sets or example.tags or any(mentions is not None for mentions in found)):
                places = encoding.offsets[: config.max_tokens]
                yield {
                    "corpus": example.corpus,
                    "input_ids": ids,
                    "title_tokens": len(title.ids),
                    "topics": list(sets),
                    "tags": list(example.tags or ()),
                    **{name: marks(places, mentions) for name, mentions in zip(MARKED, found, strict=True)},
                }

    kinds = datasets.Features(
        {
            "corpus": datasets.Value("string"),
            "input_ids": datasets.List(datasets.Value("int32")),
            "title_tokens": datasets.Value("int32"),
            "topics": datasets.List(datasets.Value("int32")),
            "tags": datasets.List(datasets.Value("string")),
            **{name: datasets.List(datasets.Value("int8")) for name in MARKED},
        }
    )
    return datasets.Dataset.from_generator(generate, features=kinds, cache_dir=str(cache))


def drawn(config: FinetuneConfig, corpora: Sequence[str]) -> list[int]:
    """The numbers of the rows to train on, given the corpus of each: every corpus as often as configured."""
    chosen = _repeat(corpora, config.corpora, config.seed)
    if config.budget:
        chosen = random.Random(config.seed).sample(chosen, min(config.budget, len(chosen)))
    return chosen


def read_rows(config: FinetuneConfig, corpus: str) -> Iterator[Example]:
    """The training articles of a corpus, as many as a trial may have."""
    for i, example in enumerate(examples(config.data, corpus, before=config.before)):
        if i == config.max_rows > 0:
            return
        yield example


def _repeat(corpora: Sequence[str], weights: dict[str, float], seed: int) -> list[int]:
    """Row numbers, each corpus's repeated by its weight; a fraction is a random sample without replacement."""
    generator = random.Random(seed)
    by_corpus: dict[str, list[int]] = {}
    for i, corpus in enumerate(corpora):
        by_corpus.setdefault(corpus, []).append(i)
    chosen: list[int] = []
    for corpus, rows in by_corpus.items():
        whole, part = divmod(weights[corpus], 1)
        chosen += rows * int(whole) + generator.sample(rows, round(part * len(rows)))
    return chosen
