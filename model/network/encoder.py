"""Articles → tokens → windows → batches → network outputs."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from wusum.model.errors import ModelError
from wusum.model.network.artifact import Artifact
from wusum.model.network.outputs import HasText, NetworkOutputs
from wusum.model.network.runtime import Runtime, WindowLogits
from wusum.model.network.spans import MarkedSpan, decode_spans, group_phrases

TOKEN_BUDGETS = {"cpu": 1024, "cuda": 4096}
"""Tokens of a batch, padding included, by device. On a CPU, 1024 tokens keep the values that one layer hands to the
next in the processor's cache: a tenth faster than 4096."""

PADDING_MULTIPLE = 8
"""Windows are padded to a multiple of this many tokens, and share a batch only with windows of the same padded length.

So the output for a window does not depend, to the last bit, on the other windows of its batch.
"""

_CHARS_PER_TOKEN = 16
"""More characters than a token has in any text whose runs of white space and tatweel are folded."""

_RUNS = re.compile(r"\s{2,}|\u0640{2,}")


class Encoder:
    """Runs the network on articles. The output for an article is the same alone, in a batch and in any order."""

    def __init__(self, artifact: Artifact, runtime: Runtime) -> None:
        """Open the artifact's tokenizer; raises ModelError if it is damaged."""
        path = artifact.folder / "tokenizer.json"
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the tokenizers library raises plain Exception
            raise ModelError(f"{path}: damaged; install the model again: {error}") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.runtime = runtime
        self.window = artifact.settings.window
        self.max_windows = artifact.settings.max_windows
        special = self._tokenizer.encode("").ids
        self._prefix, self._suffix = special[:1], special[1:]
        self._room = self.window - len(special)
        self._max_chars = self._room * self.max_windows * _CHARS_PER_TOKEN

    def encode(self, articles: Sequence[HasText]) -> NetworkOutputs:
        """Run the network on articles; their logits are means over their windows, weighted by tokens."""
        texts, encodings = self._tokenise(articles)
        divided = [self._windows(encoding.ids) for encoding in encodings]
        windows = [window for parts in divided for window in parts]
        owners = [number for number, parts in enumerate(divided) for _ in parts]
        topics, tags, spans = self.logits(windows)
        lengths = np.array([len(window) for window in windows])
        found: list[list[MarkedSpan]] = [[] for _ in articles]
        decoded = [0] * len(articles)  # tokens of each article in the windows before
        for owner, logits, length in zip(owners, spans, lengths, strict=True):
            inside = logits[len(self._prefix) : length - len(self._suffix)]
            offsets = encodings[owner].offsets[decoded[owner] : decoded[owner] + len(inside)]
            found[owner] += decode_spans(inside, offsets)
            decoded[owner] += len(inside)
        totals = np.bincount(owners, weights=lengths, minlength=len(articles)).astype(np.float32)
        means = [np.zeros((len(articles), part.shape[1]), np.float32) for part in (topics, tags)]
        for window, owner in enumerate(owners):  # one by one, so that each article's sum is added in its own order
            share = np.float32(lengths[window]) / totals[owner]
            for mean, part in zip(means, (topics, tags), strict=True):
                mean[owner] += share * part[window]
        return NetworkOutputs(means[0], means[1], tuple(map(group_phrases, texts, found)))

    def windows(self, article: HasText) -> list[list[int]]:
        """Return the windows of token ids in which the network reads an article."""
        return self._windows(self._tokenise([article])[1][0].ids)

    def logits(self, windows: Sequence[list[int]]) -> WindowLogits:
        """Return the logits of windows of token ids, in their order; the span logits are padded with zeros."""
        lengths = np.array([len(window) for window in windows])
        padded = -(-lengths // PADDING_MULTIPLE) * PADDING_MULTIPLE
        made: list[NDArray[np.float32]] = []
        budget = TOKEN_BUDGETS[self.runtime.device]
        order = np.argsort(-padded, kind="stable")
        start = 0
        while start < len(order):
            length = padded[order[start]]
            batch = order[start : start + max(budget // length, 1)]
            batch = batch[padded[batch] == length]
            # A single row would be computed as a product of matrix and vector, with other rounding: it goes in twice.
            rows = batch if len(batch) > 1 else np.repeat(batch, 2)
            input_ids = np.zeros((len(rows), length), np.int64)
            attention_mask = np.zeros_like(input_ids)
            for row, number in enumerate(rows):
                input_ids[row, : lengths[number]] = windows[number]
                attention_mask[row, : lengths[number]] = 1
            outputs = self.runtime(input_ids, attention_mask)
            if not made:
                sizes = [(part.shape[1],) for part in outputs[:2]] + [(int(padded.max()), outputs[2].shape[2])]
                made = [np.zeros((len(windows), *size), np.float32) for size in sizes]
            for whole, part in zip(made, outputs, strict=True):
                whole[batch, : part.shape[1]] = part[: len(batch)]
            start += len(batch)
        topics, tags, spans = made
        return topics, tags, spans

    def _tokenise(self, articles: Sequence[HasText]) -> tuple[list[str], list[Encoding]]:
        """Return the texts that the tokenizer gets, and their encodings."""
        texts = [_input_text(article, self._max_chars) for article in articles]
        return texts, self._tokenizer.encode_batch(texts, add_special_tokens=False)

    def _windows(self, ids: list[int]) -> list[list[int]]:
        """Cut token ids into at most `max_windows` windows, at least one."""
        starts = range(0, max(min(len(ids), self._room * self.max_windows), 1), self._room)
        return [self._prefix + ids[start : start + self._room] + self._suffix for start in starts]


def _input_text(article: HasText, length: int) -> str:
    """Return the beginning of an article, title first, for the tokenizer."""
    body = article.body[: 16 * length]  # folding may shorten it
    body = _RUNS.sub(lambda run: run.group()[0] if run.group()[0].isspace() else "", body)[:length]
    text = f"{article.title[:length]}\n{body}" if article.title else body
    return text.encode(errors="replace").decode()  # a lone surrogate, which is no letter, becomes a question mark
