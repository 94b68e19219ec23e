"""A stream of articles: cut into chunks that fit in memory, each distinct text predicted once."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from wusum.model.article import Article
from wusum.model.prediction import Prediction

CHUNK_ARTICLES = 512
"""Articles of a chunk, enough for windows of similar length to share a batch."""

CHUNK_CHARS = 4_000_000
"""Characters after which a chunk is full; bounds memory when articles are long."""

CACHED_TEXTS = 4096
"""Texts whose predictions are cached."""

CACHED_PARTS = 500_000
"""Tags, spans and explanations in the cache, about 130 bytes each: one long text can have a million spans."""

Other = TypeVar("Other")
"""Type of the records of a stream that are not articles: rejects."""


@dataclass(slots=True)
class Chunk(Generic[Other]):
    """Records that are processed together; a run can stop and resume after each chunk."""

    articles: list[Article] = field(default_factory=list)
    others: list[Other] = field(default_factory=list)
    position: int = 0
    """Position of the reader when the chunk was full."""
    failure: Exception | None = None
    """The exception that ended the reading, if any."""


def chunks(
    records: Iterable[Article | Other],
    *,
    every: int | None = None,
    position: Callable[[], int] = lambda: 0,
) -> Iterator[Chunk[Other]]:
    """Yield the records in chunks of up to CHUNK_ARTICLES articles or CHUNK_CHARS characters.

    The chunks depend on the records alone, not on what tags them. A chunk also ends after every `every` articles.
    `position` returns the position of the reader. If reading fails, the records read before the failure come first, in
    a chunk that carries the exception.
    """
    source = iter(records)
    room = every
    ended = False
    while not ended:
        chunk: Chunk[Other] = Chunk()
        size, most = 0, min(CHUNK_ARTICLES, room or CHUNK_ARTICLES)
        while len(chunk.articles) < most and size < CHUNK_CHARS and len(chunk.others) < 4 * CHUNK_ARTICLES:
            try:
                record = next(source)
            except StopIteration:
                ended = True
                break
            except Exception as error:
                chunk.failure, ended = error, True
                break
            if isinstance(record, Article):
                chunk.articles.append(record)
                size += len(record.body)
            else:
                chunk.others.append(record)
        if room:
            room = room - len(chunk.articles) or every
        chunk.position = position()
        yield chunk


class PredictionCache:
    """Predictions of the texts seen last, by `text_digest`. `trim` brings it back within its bounds."""

    def __init__(self, texts: int = CACHED_TEXTS, parts: int = CACHED_PARTS) -> None:
        """Hold at most `texts` predictions with `parts` tags, spans and explanations in all."""
        self._max_texts, self._max_parts = texts, parts
        self._predictions: OrderedDict[bytes, Prediction] = OrderedDict()
        self._parts = 0

    def __contains__(self, key: bytes) -> bool:
        """Whether the prediction of a text is cached."""
        return key in self._predictions

    def __len__(self) -> int:
        """Return the number of cached predictions."""
        return len(self._predictions)

    def __getitem__(self, key: bytes) -> Prediction:
        """Return a cached prediction, which thereby counts as used last."""
        self._predictions.move_to_end(key)
        return self._predictions[key]

    def __setitem__(self, key: bytes, prediction: Prediction) -> None:
        """Cache the prediction of a text that is not in the cache."""
        self._predictions[key] = prediction
        self._parts += _parts(prediction)

    def trim(self) -> None:
        """Drop the least recently used predictions until the cache is within its bounds."""
        while len(self._predictions) > self._max_texts or self._parts > self._max_parts:
            self._parts -= _parts(self._predictions.popitem(last=False)[1])


def predict_distinct(
    articles: Sequence[Article],
    cache: PredictionCache,
    predict: Callable[[Sequence[Article]], Iterator[Prediction]],
) -> Iterator[Prediction]:
    """Return the predictions of a chunk in order, asking `predict` once for each text that is not cached.

    `predict` is called at once, with the first article of each new text; its answers are consumed as the result is.
    """
    keys = [text_digest(article) for article in articles]
    known = {key: cache[key] for key in keys if key in cache}
    fresh: dict[bytes, Article] = {}
    for key, article in zip(keys, articles, strict=True):
        if key not in known:
            fresh.setdefault(key, article)
    return _in_order(articles, keys, known, predict(list(fresh.values())), cache)


def _in_order(
    articles: Sequence[Article],
    keys: Sequence[bytes],
    known: dict[bytes, Prediction],
    fresh: Iterator[Prediction],
    cache: PredictionCache,
) -> Iterator[Prediction]:
    """Yield a prediction for each article: from `known`, or the next of `fresh` when its text comes first."""
    for key, article in zip(keys, articles, strict=True):
        if key not in known:
            known[key] = next(fresh).relocated("", -article.offset)  # as of a text that begins at 0
            if key not in cache:
                cache[key] = known[key]
        yield known[key].relocated(article.id, article.offset)


def text_digest(article: Article) -> bytes:
    """Return a digest of title and body, which decide the prediction."""
    text = f"{article.title}\0{article.body}"
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()


def _parts(prediction: Prediction) -> int:
    return sum(1 + len(tag.spans) + len(tag.why or ()) for tag in prediction.tags)
