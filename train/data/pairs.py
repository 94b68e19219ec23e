"""What contrastive pretraining reads: two passages of one article, in batches of articles of one corpus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from wusum.train.data.corpora import Example

MIN_TOKENS = 24
"""Tokens that a body must have to be cut in two."""

TITLE_TOKENS, BODY_TOKENS = 40, 600
"""Tokens that are kept of a title and of a body."""

SHORT = (16, 64)
"""Tokens of the short passage where it is no title: from, below."""


@dataclass(frozen=True)
class Documents:
    """Tokenised articles, one after the other."""

    tokens: NDArray[np.uint16]
    """Title and body of each [tokens]."""
    starts: NDArray[np.int64]
    """Where each begins, and at last where the last one ends [articles + 1]."""
    titles: NDArray[np.int64]
    """Tokens of each title, 0 where there is none [articles]."""
    corpora: NDArray[np.int64]
    """Number of each one's corpus [articles]."""

    @classmethod
    def tokenise(cls, tokenizer: Tokenizer, articles: Iterable[tuple[int, Example]]) -> Documents:
        """The articles, each with the number of its corpus, but for those whose body is too short."""
        tokens: list[NDArray[np.uint16]] = []
        titles: list[int] = []
        corpora: list[int] = []
        for batch in _batches(articles, 512):
            texts = [e.title[: TITLE_TOKENS * 16] for _, e in batch], [e.body[: BODY_TOKENS * 8] for _, e in batch]
            encoded = (tokenizer.encode_batch_fast(part, add_special_tokens=False) for part in texts)
            for (corpus, _), title, body in zip(batch, *encoded, strict=True):
                if len(body.ids) < MIN_TOKENS:
                    continue
                tokens.append(np.array(title.ids[:TITLE_TOKENS] + body.ids[:BODY_TOKENS], np.uint16))
                titles.append(len(title.ids[:TITLE_TOKENS]))
                corpora.append(corpus)
        starts = np.cumsum([0, *map(len, tokens)])
        flat = np.concatenate(tokens) if tokens else np.zeros(0, np.uint16)
        return cls(flat, starts, np.array(titles, np.int64), np.array(corpora, np.int64))

    def save(self, path: Path) -> None:
        """Write them to an `.npz` file."""
        np.savez(path, tokens=self.tokens, starts=self.starts, titles=self.titles, corpora=self.corpora)

    @classmethod
    def load(cls, path: Path) -> Documents:
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            return cls(**arrays)

    def __len__(self) -> int:
        return len(self.titles)

    def __getitem__(self, number: int) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
        """Title and body of one."""
        tokens = self.tokens[self.starts[number] : self.starts[number + 1]]
        return tokens[: self.titles[number]], tokens[self.titles[number] :]


Passages = list[tuple[NDArray[np.uint16], NDArray[np.uint16]]]
"""A batch: for each article a short passage and a long one."""


class PairBatches(torch.utils.data.Dataset[Passages]):
    """Batches of passages; number i is the same whenever it is asked for, so that a resumed run sees what an unbroken
    one sees.

    All articles of a batch are of one corpus: where that is one outlet, to know it is of no use.
    """

    def __init__(
        self, documents: Documents, batch_size: int, batches: int, room: int, title_share: float, seed: int
    ) -> None:
        """`room`: most tokens of a passage; `title_share`: how often a title, where there is one, is the short."""
        self.documents, self.room, self.title_share, self.seed = documents, room, title_share, seed
        self.rows: list[NDArray[np.intp]] = []
        for epoch in range(10_000):
            if len(self.rows) >= batches:
                break
            generator = np.random.default_rng((seed, epoch))
            drawn = []
            for corpus in np.unique(documents.corpora):
                rows = generator.permutation(np.flatnonzero(documents.corpora == corpus))
                whole = len(rows) // batch_size * batch_size
                drawn += list(rows[:whole].reshape(-1, batch_size))
            if not drawn:
                raise ValueError(f"no corpus has the {batch_size} articles of a batch")
            self.rows += [drawn[i] for i in generator.permutation(len(drawn))]
        del self.rows[batches:]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Passages:
        generator = np.random.default_rng((self.seed, index, 1))
        return [self.passages(*self.documents[row], generator) for row in self.rows[index].tolist()]

    def passages(
        self, title: NDArray[np.uint16], body: NDArray[np.uint16], generator: np.random.Generator
    ) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
        """The title and a passage of the body, or a few words of its first half and a passage of its second."""
        if len(title) > 2 and generator.random() < self.title_share:
            lead = generator.random() < 0.5
            return title[: self.room], body[: self.room] if lead else crop(body, self.room, generator)
        half = len(body) // 2
        return (
            crop(body[:half], min(int(generator.integers(*SHORT)), self.room), generator),
            crop(body[half:], self.room, generator),
        )


def crop(tokens: NDArray[np.uint16], length: int, generator: np.random.Generator) -> NDArray[np.uint16]:
    """So many tokens in a row, from anywhere, or all where there are no more."""
    start = int(generator.integers(0, max(len(tokens) - length, 0) + 1))
    return tokens[start : start + length]


class PairCollator:
    """Pads both sides of a batch."""

    def __init__(self, prefix: Sequence[int], suffix: Sequence[int], pad: int) -> None:
        self.prefix, self.suffix, self.pad = list(prefix), list(suffix), pad

    def __call__(self, batches: list[Passages]) -> dict[str, Tensor]:
        """Ids and masks [articles, tokens] of the short and of the long passages."""
        (batch,) = batches
        short, long = zip(*batch, strict=True)
        return self._padded("short", short) | self._padded("long", long)

    def _padded(self, name: str, passages: Sequence[NDArray[np.uint16]]) -> dict[str, Tensor]:
        rows = [self.prefix + passage.tolist() + self.suffix for passage in passages]
        longest = max(map(len, rows))
        return {
            f"{name}_ids": torch.tensor([row + [self.pad] * (longest - len(row)) for row in rows]),
            f"{name}_mask": torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows]),
        }


def _batches(articles: Iterable[tuple[int, Example]], size: int) -> Iterator[list[tuple[int, Example]]]:
    batch: list[tuple[int, Example]] = []
    for article in articles:
        batch.append(article)
        if len(batch) == size:
            yield batch
            batch = []
    yield batch
