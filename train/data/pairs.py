"""Pairs of passages of one article, in batches of articles of one corpus, for contrastive pretraining."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from wusum.train.data.corpora import Example
from wusum.train.data.tokens import SpecialTokens, batched

MIN_TOKENS = 24
"""Least tokens of a body, which is to be cut in two."""

TITLE_TOKENS, BODY_TOKENS = 40, 600
"""Most tokens that are kept of a title and of a body."""

SHORT = (16, 64)
"""Tokens of a short passage that is not a title: at least, and less than."""


@dataclass(frozen=True)
class Documents:
    """Tokenised articles."""

    tokens: NDArray[np.uint16]
    """Token ids of the title and body of each article, one article after the other [tokens]."""
    starts: NDArray[np.int64]
    """Position of each article's first token, and the number of all tokens [articles + 1]."""
    titles: NDArray[np.int64]
    """Tokens of each title, 0 for an article without title [articles]."""
    corpora: NDArray[np.int64]
    """Number of each article's corpus [articles]."""

    @classmethod
    def tokenise(cls, tokenizer: Tokenizer, articles: Iterable[tuple[int, Example]]) -> Documents:
        """Tokenise articles, each given with the number of its corpus; those with a short body are left out."""
        tokens: list[NDArray[np.uint16]] = []
        titles: list[int] = []
        corpora: list[int] = []
        for batch in batched(articles):
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
        """Write the articles to an `.npz` file."""
        np.savez(path, tokens=self.tokens, starts=self.starts, titles=self.titles, corpora=self.corpora)

    @classmethod
    def load(cls, path: Path) -> Documents:
        """Read the file that `save` wrote."""
        with np.load(path) as arrays:
            return cls(**arrays)

    def __len__(self) -> int:
        """Return the number of articles."""
        return len(self.titles)

    def __getitem__(self, number: int) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
        """Return the token ids of the title and of the body of an article."""
        tokens = self.tokens[self.starts[number] : self.starts[number + 1]]
        return tokens[: self.titles[number]], tokens[self.titles[number] :]


Passages = list[tuple[NDArray[np.uint16], NDArray[np.uint16]]]
"""A batch: for each article a short passage and a long one."""


class PairBatches(torch.utils.data.Dataset[Passages]):
    """Batches of pairs of passages, each of articles of one corpus: then knowing the outlet does not help.

    Batch number i is always the same: a run that is cut and resumed gets the same batches as an unbroken one.
    """

    def __init__(
        self, documents: Documents, batch_size: int, batches: int, max_tokens: int, title_share: float, seed: int
    ) -> None:
        """Make `batches` batches of `batch_size` articles; raises ValueError if no corpus has that many articles.

        A passage has at most `max_tokens` tokens. The share `title_share` of the titles is taken as the short passage.
        """
        self.documents, self.max_tokens, self.title_share, self.seed = documents, max_tokens, title_share, seed
        self.rows: list[NDArray[np.intp]] = []
        for epoch in range(10_000):
            if len(self.rows) >= batches:
                break
            generator = np.random.default_rng((seed, epoch))
            epoch_rows: list[NDArray[np.intp]] = []
            for corpus in np.unique(documents.corpora):
                rows = generator.permutation(np.flatnonzero(documents.corpora == corpus))
                whole = len(rows) // batch_size * batch_size
                epoch_rows += list(rows[:whole].reshape(-1, batch_size))
            if not epoch_rows:
                raise ValueError(f"no corpus has the {batch_size} articles of a batch")
            self.rows += [epoch_rows[i] for i in generator.permutation(len(epoch_rows))]
        del self.rows[batches:]

    def __len__(self) -> int:
        """Return the number of batches."""
        return len(self.rows)

    def __getitem__(self, index: int) -> Passages:
        """Return a batch."""
        generator = np.random.default_rng((self.seed, index, 1))
        return [self.passages(*self.documents[row], generator) for row in self.rows[index].tolist()]

    def passages(
        self, title: NDArray[np.uint16], body: NDArray[np.uint16], generator: np.random.Generator
    ) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
        """Return the title and a passage of the body, or a few words of its first half and a passage of its second."""
        if len(title) > 2 and generator.random() < self.title_share:
            lead = generator.random() < 0.5
            return title[: self.max_tokens], body[: self.max_tokens] if lead else crop(body, self.max_tokens, generator)
        half = len(body) // 2
        return (
            crop(body[:half], min(int(generator.integers(*SHORT)), self.max_tokens), generator),
            crop(body[half:], self.max_tokens, generator),
        )


def crop(tokens: NDArray[np.uint16], length: int, generator: np.random.Generator) -> NDArray[np.uint16]:
    """Return `length` successive tokens from a random position, or all tokens if there are fewer."""
    start = int(generator.integers(0, max(len(tokens) - length, 0) + 1))
    return tokens[start : start + length]


class PairCollator:
    """Pads both sides of a batch."""

    def __init__(self, special: SpecialTokens) -> None:
        """Put `special` tokens around passages."""
        self.special = special

    def __call__(self, batches: list[Passages]) -> dict[str, Tensor]:
        """Return ids and masks [articles, tokens] of the short and of the long passages of the only batch."""
        (batch,) = batches
        padded: dict[str, Tensor] = {}
        for name, passages in zip(("short", "long"), zip(*batch, strict=True), strict=True):
            ids, mask = self.special.padded([passage.tolist() for passage in passages])
            padded |= {f"{name}_ids": torch.from_numpy(ids), f"{name}_mask": torch.from_numpy(mask)}
        return padded
