"""Windows of training articles, and their batches for fine-tuning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import datasets
import numpy as np
import torch
from torch import Tensor

from wusum.model.text.words import match_key
from wusum.train.data.mentions import MARK_COLUMNS, UNMARKED
from wusum.train.data.tokens import SpecialTokens


@dataclass(frozen=True, slots=True)
class TagLabels:
    """The labels of the tag head."""

    index: dict[str, int]
    """Number of each label, by match key."""
    texts: tuple[str, ...]
    """Each label in its most frequent spelling."""

    @classmethod
    def count(cls, tagged: Sequence[Sequence[str]], min_count: int) -> TagLabels:
        """Return the tags of at least `min_count` articles, most frequent first, given the tags of each article."""
        spellings: dict[str, Counter[str]] = {}
        for tags in tagged:
            for tag in tags:
                spellings.setdefault(match_key(tag), Counter())[tag] += 1
        kept = [(key, forms) for key, forms in spellings.items() if forms.total() >= min_count]
        kept.sort(key=lambda item: (-item[1].total(), item[0]))
        return cls({key: i for i, (key, _) in enumerate(kept)}, tuple(f.most_common(1)[0][0] for _, f in kept))


class Windows(torch.utils.data.Dataset[dict[str, Any]]):
    """One window of each row: the beginning of its article, with or without the title, or a passage from anywhere.

    The choice depends on the seed and the row's number alone: a run that is cut and resumed gets the same windows as an
    unbroken one.
    """

    def __init__(
        self,
        rows: datasets.Dataset,
        max_tokens: int,
        lead_share: float,
        seed: int,
        title_dropout: float = 0.0,
        token_dropout: float = 0.0,
        mask: int = 0,
    ) -> None:
        """Take windows of at most `max_tokens` tokens from rows of `training_dataset`.

        The share `lead_share` of them begins where the article does, and the share `title_dropout` is without title.
        The share `token_dropout` of a window's tokens is replaced by the token `mask`.
        """
        self.rows, self.max_tokens, self.seed = rows, max_tokens, seed
        self.token_dropout, self.mask = token_dropout, mask
        generator = np.random.default_rng(seed)
        self._positions = np.where(generator.random(len(rows)) < lead_share, 0.0, generator.random(len(rows)))
        self._untitled = generator.random(len(rows)) < title_dropout

    def __len__(self) -> int:
        """Return the number of windows, which is that of the rows."""
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return a row with its token ids and marks cut to the window."""
        row: dict[str, Any] = self.rows[index]
        size = len(row["input_ids"])
        title = row["title_tokens"] if self._untitled[index] and row["title_tokens"] < size else 0
        start = title + round(self._positions[index] * max(size - title - self.max_tokens, 0))
        row |= {name: row[name][start : start + self.max_tokens] for name in ("input_ids", *MARK_COLUMNS)}
        if self.token_dropout:
            hidden = np.random.default_rng((self.seed, index)).random(len(row["input_ids"])) < self.token_dropout
            row["input_ids"] = np.where(hidden, self.mask, row["input_ids"]).tolist()
        return row


class WindowCollator:
    """Makes a batch of windows: pads them to the longest, and makes labels multi-hot."""

    def __init__(self, special: SpecialTokens, topics: int, tags: TagLabels) -> None:
        """Put `special` tokens around windows; `topics` is the number of topics."""
        self.special, self.topics, self.tags = special, topics, tags

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Tensor]:
        """Return a batch.

        It has `input_ids` and `attention_mask` [rows, tokens], `topics` [rows, topics], `exact` [rows], `tags`
        [rows, tags] and `marks` [rows, tokens, kinds].
        """
        ids, mask = map(torch.from_numpy, self.special.padded([row["input_ids"] for row in rows]))
        topics, tags = (torch.zeros(len(rows), size) for size in (self.topics, len(self.tags.texts)))
        exact = torch.zeros(len(rows), dtype=torch.bool)
        marks = torch.full((*ids.shape, len(MARK_COLUMNS)), UNMARKED)
        begin = len(self.special.prefix)
        labels = self.tags.index
        for i, row in enumerate(rows):
            topics[i, row["topics"]] = 1
            exact[i] = row["exact"]
            tags[i, [labels[key] for key in map(match_key, row["tags"]) if key in labels]] = 1
            for kind, name in enumerate(MARK_COLUMNS):
                found = torch.tensor(row[name], dtype=torch.long)
                marks[i, begin : begin + len(found), kind] = found
        return {
            "input_ids": ids, "attention_mask": mask, "topics": topics, "exact": exact, "tags": tags, "marks": marks
        }  # fmt: skip
