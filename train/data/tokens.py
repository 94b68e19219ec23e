"""Texts → tokens: the tokenizer of a model folder, its special tokens, and batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from wusum.model.errors import ConfigError
from wusum.train.model_folder import TOKENIZER

T = TypeVar("T")

BATCH_TEXTS = 512
"""Texts that are tokenised together."""


def load_tokenizer(folder: Path) -> Tokenizer:
    """Return the tokenizer of a folder, which neither truncates nor pads."""
    return unlimited(Tokenizer.from_file(str(folder / TOKENIZER)))


def unlimited(tokenizer: Tokenizer) -> Tokenizer:
    """Return a tokenizer after switching its truncation and padding off."""
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def batched(items: Iterable[T], size: int = BATCH_TEXTS) -> Iterator[list[T]]:
    """Yield lists of `size` items in order; the last one may be shorter."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """The tokens that a tokenizer puts around a text, and the one that fills up a batch."""

    prefix: tuple[int, ...]
    """Ids before a text."""
    suffix: tuple[int, ...]
    """Ids after it."""
    pad: int
    """Id of padding."""

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> SpecialTokens:
        """Return the special tokens of a tokenizer."""
        around = tokenizer.encode("").ids
        pad = _first_id(tokenizer, "[PAD]", "<pad>")
        return cls(tuple(around[:1]), tuple(around[1:]), pad or 0)

    def __len__(self) -> int:
        """Return the number of tokens around a text."""
        return len(self.prefix) + len(self.suffix)

    def padded(self, texts: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return ids and mask [texts, tokens] of the token ids of texts, with the special tokens around each."""
        rows = [[*self.prefix, *text, *self.suffix] for text in texts]
        longest = max(map(len, rows))
        ids = np.array([row + [self.pad] * (longest - len(row)) for row in rows], np.int64)
        mask = np.array([[1] * len(row) + [0] * (longest - len(row)) for row in rows], np.int64)
        return ids, mask


def mask_token(tokenizer: Tokenizer) -> int:
    """Return the id of the token that hides another; raises ConfigError if the tokenizer has none."""
    found = _first_id(tokenizer, "[MASK]", "<mask>")
    if found is None:
        raise ConfigError("token_dropout: the tokenizer has neither [MASK] nor <mask>; set it to 0")
    return found


def _first_id(tokenizer: Tokenizer, *names: str) -> int | None:
    """Return the id of the first of some tokens that a tokenizer has, None if it has none of them."""
    return next((i for i in map(tokenizer.token_to_id, names) if i is not None), None)
