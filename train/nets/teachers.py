"""Answers of fine-tuned networks for passages, which a small encoder learns."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import datasets
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wusum.model.errors import ConfigError
from wusum.model.network import module, outputs, spans
from wusum.model.network.module import Network, load_network, mean_pool
from wusum.model.network.outputs import KINDS
from wusum.model.network.spans import MARKS
from wusum.model.text import normalisation
from wusum.train.cache import code_digest, digest_of, write_atomically
from wusum.train.data import soft_targets as answers
from wusum.train.data import text_units, tokens
from wusum.train.data.soft_targets import SoftTargets, joined, mean_of
from wusum.train.data.text_units import cut, unit_marks, units
from wusum.train.data.tokens import SpecialTokens, load_tokenizer
from wusum.train.model_folder import read_config, topic_codes
from wusum.train.nets.encoders import EncoderSettings, encoder_inputs

log = logging.getLogger(__name__)

SHARD = 4096
"""Passages whose outputs are kept in one file."""

TOKENS = {"cpu": 4096, "cuda": 131_072}
"""Tokens of a batch, padding included, by device."""

NetworkValues = tuple[Tensor, Tensor, Tensor, Tensor]
"""Pooled vectors [windows, size], topic logits, tag logits and span logits, as `Network` returns them."""


def run_network(network: Network, input_ids: Tensor, attention_mask: Tensor) -> NetworkValues:
    """Return the pooled vectors of windows, which `Network` itself does not return, and their logits."""
    hidden = network.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
    pooled = mean_pool(hidden, attention_mask)
    dropped = network.dropout(pooled)
    return (
        pooled,
        network.topic_head(dropped),
        network.tag_head(dropped),
        network.span_head(network.dropout(hidden)),
    )


def teacher_digest(folder: Path) -> str:
    """Return a digest of a model's network: what `wusum train export` and later stages add does not count.

    Raises ConfigError if there is no such model, or one that was not fine-tuned.
    """
    network = encoder_inputs(EncoderSettings(base_model=str(folder)))
    try:
        return digest_of(network, topic_codes(folder), read_config(folder)["wusum"]["window"])
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"{folder}: not the folder of a fine-tuned model: {error!r}") from error


def soft_targets(rows: datasets.Dataset, teachers: Sequence[Path], folder: Path, bf16: bool) -> SoftTargets:
    """Return what teachers say about the passages of rows of `passage_rows`.

    Vectors are the first teacher's; probabilities are means over the teachers. A folder keeps them, some thousands of
    passages in a file, so that a run which is cut does not begin anew.
    """
    code = code_digest(sys.modules[__name__], module, normalisation, outputs, answers, spans, text_units, tokens)
    made_by = [teacher_digest(teacher) for teacher in teachers], bf16, code
    opened = cache(lambda: [Teacher(teacher, bf16) for teacher in teachers])
    shards = []
    for start in range(0, len(rows), SHARD):
        texts = rows[start : start + SHARD]["text"]
        path = folder / f"{digest_of(texts, made_by)}.npz"
        if not path.is_file():
            log.info("teachers read passages %d to %d of %d", start, start + len(texts), len(rows))
            found = mean_of([teacher.read(texts) for teacher in opened()])
            write_atomically(path, found.save)
        shards.append(SoftTargets.load(path))
    return joined(shards)


class Teacher:
    """A fine-tuned network that reads passages as `wusum tag` reads articles: window by window."""

    def __init__(self, folder: Path, bf16: bool) -> None:
        """Open a folder that `wusum train finetune` wrote, on a GPU if there is one; `bf16` computes in bfloat16."""
        self.device, self.bf16 = "cuda" if torch.cuda.is_available() else "cpu", bf16
        self.network = load_network(folder).to(self.device)
        self.tokenizer = load_tokenizer(folder)
        self.special = SpecialTokens.of(self.tokenizer)
        self.room = read_config(folder)["wusum"]["window"] - len(self.special)

    def read(self, texts: Sequence[str]) -> SoftTargets:
        """Return the outputs for texts: means over their windows, weighted by tokens."""
        encodings = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        divided = [cut(len(encoding.ids), self.room) for encoding in encodings]
        windows = [e.ids[a:b] for e, parts in zip(encodings, divided, strict=True) for a, b in parts]
        pooled, logits, marks = self._run(windows)
        counts = np.array([len(parts) for parts in divided])
        firsts = np.cumsum([0, *counts[:-1]])
        weights = np.array([max(len(window), 1) for window in windows], np.float32)[:, None]
        totals = np.add.reduceat(weights, firsts)
        vectors, means = (np.add.reduceat(part * weights, firsts) / totals for part in (pooled, logits))
        of_units = [
            unit_marks(units(text), encoding, np.concatenate(marks[first : first + count]))
            for text, encoding, first, count in zip(texts, encodings, firsts, counts, strict=True)
        ]
        starts = np.cumsum([0, *map(len, of_units)])
        topics = np.exp(-np.logaddexp(0, -means))
        return SoftTargets(vectors.astype(np.float16), topics, np.concatenate(of_units), starts)

    @torch.inference_mode()
    def _run(
        self, windows: Sequence[list[int]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], list[NDArray[np.float16]]]:
        """Return vectors [windows, size], topic logits [windows, topics], and marks [tokens, kinds, marks] of each."""
        order = sorted(range(len(windows)), key=lambda number: -len(windows[number]))
        size, topics = self.network.encoder.config.hidden_size, self.network.topic_head.out_features
        pooled, logits = (np.zeros((len(windows), width), np.float32) for width in (size, topics))
        marks: list[NDArray[np.float16]] = [np.zeros(0, np.float16)] * len(windows)
        begin = len(self.special.prefix)
        while order:
            count = max(TOKENS[self.device] // (len(windows[order[0]]) + len(self.special)), 1)
            batch, order = order[:count], order[count:]
            ids, mask = (
                torch.from_numpy(part).to(self.device) for part in self.special.padded([windows[i] for i in batch])
            )
            with torch.autocast(self.device, torch.bfloat16, enabled=self.bf16):
                vectors, topic, _, span = run_network(self.network, ids, mask)
            pooled[batch], logits[batch] = (part.float().cpu().numpy() for part in (vectors, topic))
            shape = *span.shape[:2], len(KINDS), len(MARKS)
            shares = span.float().view(shape).softmax(-1).half().cpu().numpy()
            for row, number in enumerate(batch):
                marks[number] = shares[row, begin : begin + len(windows[number])]
        return pooled, logits, marks
