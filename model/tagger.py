"""`Tagger`: articles in, predictions out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Never, overload

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from wusum.model.article import Article
from wusum.model.blocks import Block, blocks
from wusum.model.errors import ModelError
from wusum.model.network.artifact import Artefact
from wusum.model.network.outputs import Reading, Readings
from wusum.model.network.runtime import Outputs, open_runtime
from wusum.model.network.spans import Marked, marked, phrases
from wusum.model.network.topics import TopicDecoder
from wusum.model.prediction import Prediction
from wusum.model.seen import Seen, digest
from wusum.model.tagging.controlled import ControlledRanker, load_terms
from wusum.model.tagging.ranker import TagRanker
from wusum.model.tagging.sources.neighbours import REACH
from wusum.model.text.normalisation import arabic_share

MAX_TOPICS = 3
MAX_TAGS = 10
TOKEN_BUDGETS = {"cpu": 1024, "cuda": 4096}
"""Tokens, padding included, that go through the network at once. On a CPU what one layer hands to the next then stays
in the processor's cache: a tenth faster than 4096."""

PADDED = 8
"""Windows are padded to a multiple of so many tokens, and share a batch only with those of the same length then.

So the numbers that come out for a window do not depend, to the last bit, on what else is in its batch.
"""

_CHARS_PER_TOKEN = 16
"""More than any text needs, once its runs of white space and tatweel are folded."""

_RUNS = re.compile(r"\s{2,}|\u0640{2,}")


class Tagger:
    """Topics and tags of Arabic articles. The same article gets the same answer alone, in a batch and in any order."""

    ahead = 0
    """In a run over a dump, blocks that are worked on while another is waited for; workers have some."""

    def __init__(
        self,
        artefact: Artefact,
        *,
        runtime: str = "onnx",
        device: str = "auto",
        threads: int | None = None,
        vocabulary: str | Path | None = None,
    ) -> None:
        self.artefact = artefact
        settings = artefact.settings
        self.runtime = open_runtime(runtime, artefact.folder, threads, device)
        self.window: int = settings["window"]
        self.max_windows: int = settings["max_windows"]
        self.topics = TopicDecoder(settings["topics"], settings["temperature"], settings["threshold"])
        path = artefact.folder / "tokenizer.json"
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the tokenizers library raises plain Exception
            raise ModelError(f"{path}: damaged; install the model again: {error}") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.pieces = self._tokenizer.get_vocab_size()
        self.tags = TagRanker.load(artefact.folder, settings["tags"], self.pieces)
        if vocabulary is not None:
            self.tags = ControlledRanker(self.tags, load_terms(vocabulary), self._tag_logits)
        special = self._tokenizer.encode("").ids
        self._prefix, self._suffix = special[:1], special[1:]
        self._room = self.window - len(special)

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path | None = None,
        *,
        runtime: str = "onnx",
        device: str = "auto",
        threads: int | None = None,
        vocabulary: str | Path | None = None,
    ) -> Tagger:
        """The bundled model, or the one in a folder or of a Hub id; raises ModelError where it cannot be used.

        `runtime` is "onnx", "int8" (onnx in 8-bit integers, on the CPU) or "torch"; `device` is "cpu", "cuda" or
        "auto"; `threads` None uses every processor. `vocabulary` is a file of the only tags to be given (`load_terms`
        says how it is read, and raises VocabularyError).
        """
        return cls(Artefact.open(name), runtime=runtime, device=device, threads=threads, vocabulary=vocabulary)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the model to a folder that `from_pretrained` reads."""
        self.artefact.copy_to(Path(folder))

    @overload
    def __call__(self, articles: str | Article, **options: Any) -> Prediction: ...
    @overload
    def __call__(self, articles: Iterable[str | Article], **options: Any) -> list[Prediction]: ...
    def __call__(
        self, articles: str | Article | Iterable[str | Article], **options: Any
    ) -> Prediction | list[Prediction]:
        """The prediction of a text or an Article, or the list of those of several; options as for `stream`."""
        if isinstance(articles, (str, Article)):
            return next(self.stream([articles], **options))
        return list(self.stream(articles, **options))

    def stream(
        self,
        articles: Iterable[str | Article],
        *,
        max_topics: int = MAX_TOPICS,
        max_tags: int = MAX_TAGS,
        min_score: float | None = None,
        explain: bool = False,
    ) -> Iterator[Prediction]:
        """Predictions in the order of the articles, a block at a time.

        `min_score` is the least score of a topic or tag; None leaves it to the model's own thresholds. The best topic
        is given in any case. With `explain` each tag says what its score is made of. A plain text is a body without
        title; its prediction has its number in the stream as id.
        """
        source = (
            article if isinstance(article, Article) else Article(id=str(number), body=article)
            for number, article in enumerate(articles)
        )
        answers = Seen()
        ready: Iterator[Block[Never]] = blocks(article.with_headline() for article in source)
        for block in ready:
            chunk = block.articles
            keys = [digest(article) for article in chunk]
            fresh = {key: article for key, article in zip(keys, chunk, strict=True) if key not in answers}
            readings = self.read(list(fresh.values())) if fresh else ()
            for (key, article), reading in zip(fresh.items(), readings, strict=True):
                answers[key] = self._decode(article, reading, max_topics, max_tags, min_score, explain)
            for key, article in zip(keys, chunk, strict=True):
                yield answers[key].relocated(article.id, article.offset)
            answers.trim()
            if block.failure:
                raise block.failure

    def _decode(
        self,
        article: Article,
        reading: Reading,
        max_topics: int,
        max_tags: int,
        min_score: float | None,
        explain: bool,
    ) -> Prediction:
        """The answer for a text, whatever article it belongs to: without id, spans from the beginning of its body."""
        if not arabic_share(article.body[:: 1 + len(article.body) // 10_000]) and not arabic_share(article.title):
            return Prediction("")
        return Prediction(
            "",
            self.topics.decode(reading.topics, max_topics, min_score),
            self.tags.rank(article.title, article.body, reading, max_tags, min_score, explain=explain),
        )

    def read(self, articles: Sequence[Article]) -> Readings:
        """What the network makes of articles: its logits are means over their windows, weighted by tokens."""
        texts, encodings = self._encode(articles)
        divided = [self._windows(encoding.ids) for encoding in encodings]
        windows = [window for parts in divided for window in parts]
        owners = [number for number, parts in enumerate(divided) for _ in parts]
        topics, tags, spans = self.logits(windows)
        lengths = np.array([len(window) for window in windows])
        found: list[list[Marked]] = [[] for _ in articles]
        seen = [0] * len(articles)  # tokens of each article in the windows before
        for owner, logits, length in zip(owners, spans, lengths, strict=True):
            inside = logits[len(self._prefix) : length - len(self._suffix)]
            found[owner] += marked(inside, encodings[owner].offsets[seen[owner] : seen[owner] + len(inside)])
            seen[owner] += len(inside)
        totals = np.bincount(owners, weights=lengths, minlength=len(articles)).astype(np.float32)
        means = [np.zeros((len(articles), part.shape[1]), np.float32) for part in (topics, tags)]
        for window, owner in enumerate(owners):  # one by one, so that every article's sum is added up in its own order
            share = np.float32(lengths[window]) / totals[owner]
            for mean, part in zip(means, (topics, tags), strict=True):
                mean[owner] += share * part[window]
        ids = tuple(encoding.ids for encoding in encodings)
        return Readings(means[0], means[1], tuple(map(phrases, texts, found)), ids)

    def _tag_logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The logits [texts, labels] of the tag head."""
        return self.read([Article(id="", body=text) for text in texts]).tags

    def ids(self, articles: Sequence[Article]) -> list[list[int]]:
        """The token ids of articles, those that the network does not come to among them."""
        return [encoding.ids for encoding in self._encode(articles)[1]]

    def windows(self, article: Article) -> list[list[int]]:
        """The token ids of an article as the network reads them."""
        return self._windows(self._encode([article])[1][0].ids)

    def _encode(self, articles: Sequence[Article]) -> tuple[list[str], list[Encoding]]:
        """The texts that the tokenizer gets, and what it makes of them."""
        most = max(self._room * self.max_windows, REACH)
        texts = [_reading(article, most * _CHARS_PER_TOKEN) for article in articles]
        return texts, self._tokenizer.encode_batch(texts, add_special_tokens=False)

    def _windows(self, ids: list[int]) -> list[list[int]]:
        """The beginning of an article, `max_windows` windows long; at least one window, if an empty one."""
        starts = range(0, max(min(len(ids), self._room * self.max_windows), 1), self._room)
        return [self._prefix + ids[start : start + self._room] + self._suffix for start in starts]

    def logits(self, windows: Sequence[list[int]]) -> Outputs:
        """The network's logits of windows of token ids, in their order; the last, of tokens, are padded with zeros."""
        lengths = np.array([len(window) for window in windows])
        padded = -(-lengths // PADDED) * PADDED
        made: list[NDArray[np.float32]] = []
        budget = TOKEN_BUDGETS[self.runtime.device]
        order = np.argsort(-padded, kind="stable")
        start = 0
        while start < len(order):
            length = padded[order[start]]
            batch = order[start : start + max(budget // length, 1)]
            batch = batch[padded[batch] == length]
            # One row alone would go another way, through products of a matrix and a vector: it goes in twice.
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


def _reading(article: Article, length: int) -> str:
    """The beginning of an article, title first, as the tokenizer gets it."""
    body = article.body[: 16 * length]  # folding may shorten it
    body = _RUNS.sub(lambda run: run.group()[0] if run.group()[0].isspace() else "", body)[:length]
    text = f"{article.title[:length]}\n{body}" if article.title else body
    return text.encode(errors="replace").decode()  # a lone surrogate, which is no letter, becomes a question mark
