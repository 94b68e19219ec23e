"""Passages as a student reads them, and their batches."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import datasets
import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from wusum.model.errors import ConfigError
from wusum.train.cache import code_digest, digest_of, write_atomically
from wusum.train.data import text_units, tokens
from wusum.train.data.soft_targets import SoftTargets
from wusum.train.data.text_units import marks_within, unit_numbers, units
from wusum.train.data.tokens import SpecialTokens, batched, mask_token

CARELESS = str.maketrans("أإآٱىة", "اااايه")
"""Hamza, alef maqsura and teh marbuta as they are often typed: letter for letter, so that no offset changes."""

GROUPED = 32
"""Batches that are made together of as many passages: those of like length come into one batch."""

TokenArrays = tuple[NDArray[np.unsignedinteger], NDArray[np.unsignedinteger]]
"""The ids of the tokens of a text and the numbers of their units."""


@dataclass(frozen=True)
class PassageTokens:
    """The tokens of passages in two spellings: text i is passage i as written, text passages + i its careless one."""

    ids: NDArray[np.unsignedinteger]
    """Token ids of all texts, one after the other [tokens]."""
    units: NDArray[np.unsignedinteger]
    """For each token, the number of its unit in the passage [tokens]."""
    starts: NDArray[np.int64]
    """Position of each text's first token, and the number of all tokens [texts + 1]."""
    titles: NDArray[np.int64]
    """Tokens of the title before the rest of the text [texts]."""

    def __len__(self) -> int:
        """Return the number of passages, which is half of that of the texts."""
        return len(self.titles) // 2

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The number of tokens of each passage as written [passages]."""
        return np.diff(self.starts[: len(self) + 1])

    @classmethod
    def kept(cls, folder: Path, digest: str, rows: datasets.Dataset, tokenizer: Tokenizer) -> PassageTokens:
        """Return the tokens of the rows of `passage_rows`, whose digest is given; a file in the folder keeps them."""
        code = code_digest(sys.modules[__name__], text_units, tokens)
        path = folder / f"{digest_of(digest, tokenizer.to_str(), code)}.npz"
        if path.is_file():
            return cls.load(path)
        found = cls.tokenise(rows["text"], rows["title_units"], tokenizer)
        write_atomically(path, found.save)
        return found

    @classmethod
    def tokenise(cls, texts: Sequence[str], title_units: Sequence[int], tokenizer: Tokenizer) -> PassageTokens:
        """Tokenise passages, given the number of units of the title that each begins with."""
        kind = np.min_scalar_type(tokenizer.get_vocab_size())
        written: list[TokenArrays] = []
        careless: list[TokenArrays] = []
        for batch in batched(texts):
            places = [units(text) for text in batch]
            for made, spelled in ((written, batch), (careless, [text.translate(CARELESS) for text in batch])):
                encodings = tokenizer.encode_batch(spelled, add_special_tokens=False)
                made += [(np.array(e.ids, kind), unit_numbers(e, of)) for e, of in zip(encodings, places, strict=True)]
        ids, numbers = zip(*written, *careless, strict=True)
        titles = [int(np.searchsorted(found, title)) for found, title in zip(numbers, [*title_units] * 2, strict=True)]
        starts = np.cumsum([0, *map(len, ids)])
        return cls(np.concatenate(ids), np.concatenate(numbers), starts, np.array(titles, np.int64))

    def save(self, path: Path) -> None:
        """Write the tokens to an `.npz` file."""
        np.savez(path, ids=self.ids, units=self.units, starts=self.starts, titles=self.titles)

    @classmethod
    def load(cls, path: Path) -> PassageTokens:
        """Read the file that `save` wrote."""
        with np.load(path) as arrays:
            return cls(**arrays)


@dataclass(frozen=True, kw_only=True)
class ReadingSettings:
    """Settings of reading: a student gets less of a passage than its teachers, and is to answer like them."""

    token_dropout: float = 0.1
    """Share of the tokens replaced by the tokenizer's mask token."""
    title_dropout: float = 0.1
    """Share of the passages that the student reads without the title with which they begin."""
    careless_share: float = 0.2
    """Share of the passages that it reads with hamza, alef maqsura and teh marbuta written carelessly."""


class PassageBatches(torch.utils.data.Dataset[dict[str, Tensor]]):
    """Batches of passages.

    Batch number i is always the same: a run that is cut and resumed gets the same batches as an unbroken one.
    """

    def __init__(
        self,
        settings: ReadingSettings,
        batches: Sequence[NDArray[np.intp]],
        tokens: PassageTokens,
        targets: SoftTargets,
        tags: Sequence[Sequence[int]],
        labels: int,
        tokenizer: Tokenizer,
        window: int,
        seed: int,
    ) -> None:
        """Make batches of the passages with the numbers `batches`.

        `tokens`, `targets` and `tags`, numbers of tag labels, are those of all passages; there are so many `labels`. A
        passage is cut to a `window` with the special tokens of the tokenizer. Raises ConfigError if that has no mask
        token and tokens are to be masked.
        """
        self.settings, self.batches, self.tokens, self.targets = settings, batches, tokens, targets
        self.tags, self.labels, self.seed = tags, labels, seed
        self.special = SpecialTokens.of(tokenizer)
        self.room = window - len(self.special)
        self.mask = mask_token(tokenizer) if settings.token_dropout else 0

    def __len__(self) -> int:
        """Return the number of batches."""
        return len(self.batches)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Return a batch.

        It has `input_ids` and `attention_mask` [passages, tokens], `topics` [passages, topics], `tags` [passages,
        labels], `vectors` [passages, size] and `marks` [passages, tokens, kinds, marks], zero for special tokens.
        """
        rows = self.batches[index]
        ids, mask, marks = self._read(rows, np.random.default_rng((self.seed, index)))
        tags = torch.zeros(len(rows), self.labels, dtype=torch.bool)
        for i, row in enumerate(rows.tolist()):
            tags[i, self.tags[row]] = True
        arrays = {
            "input_ids": ids, "attention_mask": mask, "topics": self.targets.topics[rows],
            "vectors": self.targets.vectors[rows], "marks": marks,
        }  # fmt: skip
        return {name: torch.from_numpy(array) for name, array in arrays.items()} | {"tags": tags}

    def _read(
        self, rows: NDArray[np.intp], generator: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float16]]:
        """Return ids, mask and marks of passages, in spellings and with tokens hidden by chance."""
        settings, tokens = self.settings, self.tokens
        texts = rows + len(tokens) * (generator.random(len(rows)) < settings.careless_share)
        untitled = generator.random(len(rows)) < settings.title_dropout
        begins = tokens.starts[texts] + tokens.titles[texts] * untitled
        sizes = np.minimum(tokens.starts[texts + 1] - begins, self.room)
        inside = np.arange(sizes.max()) < sizes[:, None]
        places = np.where(inside, begins[:, None] + np.arange(inside.shape[1]), 0)
        hidden = generator.random(inside.shape) < settings.token_dropout
        ids = np.where(hidden, self.mask, tokens.ids[places]).astype(np.int64)
        marks = self._marks(rows, tokens.units[places].astype(np.int64))
        marks[~inside] = 0
        ids, mask = self._surrounded(ids, sizes)
        around = len(self.special.prefix), len(self.special.suffix)
        return ids, mask, np.pad(marks, ((0, 0), around, (0, 0), (0, 0)))

    def _marks(self, rows: NDArray[np.intp], numbers: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return the marks [passages, tokens, kinds, marks] of tokens, given the numbers of their units."""
        marks: NDArray[np.float16] = self.targets.marks[self.targets.starts[rows][:, None] + numbers]
        within = np.diff(numbers, axis=1, prepend=-1) == 0
        marks[within] = marks_within(marks[within])
        return marks

    def _surrounded(
        self, ids: NDArray[np.int64], sizes: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return ids and mask with special tokens around the first `sizes` tokens of each passage, and padding."""
        prefix, suffix = self.special.prefix, self.special.suffix
        columns = np.arange(ids.shape[1] + len(self.special))
        behind = columns - len(prefix) - sizes[:, None]  # 0 for the first token of the suffix
        wide = np.pad(ids, ((0, 0), (len(prefix), len(suffix))))
        wide[:, : len(prefix)] = prefix
        for number, token in enumerate(suffix):
            wide[behind == number] = token
        mask = behind < len(suffix)
        return np.where(mask, wide, self.special.pad), mask.astype(np.int64)


def batches_of_like_length(
    lengths: NDArray[np.int64], repeats: Sequence[int], size: int, epochs: float, seed: int
) -> list[NDArray[np.intp]]:
    """Return batches of `size` rows in random order, in which each row comes `epochs` times, but for a rest.

    `lengths` and `repeats` are those of all rows: a row is read so many times in each epoch. Raises ConfigError if the
    rows are too few for a batch.
    """
    rows = np.repeat(np.arange(len(lengths)), repeats)
    count = int(len(rows) * epochs / size)
    if len(rows) < size or not count:
        raise ConfigError(f"batch_size: {len(rows)} passages, read {epochs:g} times, are too few for a batch of {size}")
    found: list[NDArray[np.intp]] = []
    epoch = 0
    while len(found) < count:
        generator = np.random.default_rng((seed, epoch))
        made = list(_epoch(lengths, generator.permutation(rows), size))
        found += [made[i] for i in generator.permutation(len(made))]
        epoch += 1
    return found[:count]


def _epoch(lengths: NDArray[np.int64], shuffled: NDArray[np.intp], size: int) -> Iterator[NDArray[np.intp]]:
    """Yield batches of shuffled rows, each of rows of like length among some hundreds."""
    for start in range(0, len(shuffled), size * GROUPED):
        group = shuffled[start : start + size * GROUPED]
        group = group[np.argsort(lengths[group], kind="stable")]
        for first in range(0, len(group) - size + 1, size):
            yield group[first : first + size]
