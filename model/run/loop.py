"""The loop of `wusum tag`: every record becomes a row of the output or a reject with its reason."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from wusum.model.article import Article
from wusum.model.io.reader import Reject
from wusum.model.options import PredictOptions
from wusum.model.prediction import Prediction
from wusum.model.run.sinks import ResumePoint, Sink
from wusum.model.stream import Chunk, PredictionCache, chunks, predict_distinct


@dataclass(slots=True)
class RunSummary:
    """Counts of a run: records tagged and rejected, and the seconds it took."""

    tagged: int = 0
    rejected: int = 0
    seconds: float = 0.0
    earlier: int = 0
    """Records tagged before the run was interrupted, included in `tagged`."""

    @property
    def rate(self) -> float:
        """Articles tagged per second since the run was started or resumed."""
        return (self.tagged - self.earlier) / self.seconds if self.seconds else 0.0

    def __str__(self) -> str:
        """Return the counts and the rate in one line."""
        before = f" ({self.earlier:,} before the interruption)" if self.earlier else ""
        done = f"{self.tagged:,} tagged{before}, {self.rejected:,} rejected"
        return f"{done}, {self.seconds:.1f} s, {self.rate:,.1f} articles/s"


class TaggingBackend(Protocol):
    """A `Tagger`, or a pool of workers in its place."""

    @property
    def ahead(self) -> int:
        """Chunks to request beyond the one waited for."""

    def stream(self, articles: Sequence[Article], options: PredictOptions) -> Iterator[Prediction]:
        """Return the predictions of articles in their order."""


def tag_dump(
    summary: RunSummary,
    backend: TaggingBackend,
    records: Iterable[Article | Reject],
    sink: Sink,
    options: PredictOptions,
    done: Callable[[ResumePoint | None, int], None] = lambda point, position: None,
    position: Callable[[], int] = lambda: 0,
    *,
    prompt: bool = False,
) -> None:
    """Tag every article in order and write rows and rejects to `sink`, counting in `summary`.

    After each chunk, `done` gets the point to resume from, up to which everything is on disk (None if the sink has
    none), and the `position` of the reader when the chunk had been read. An exception that `records` raises comes after
    the rows of the records before it. With `prompt`, no chunk is read before the last one is written, so that rows of
    slow input do not wait for more than their own chunk.
    """
    begin = time.perf_counter()
    cache = PredictionCache()

    def finish(chunk: Chunk[Reject], predictions: Iterator[Prediction]) -> None:
        for article, prediction in zip(chunk.articles, predictions, strict=True):
            sink.write(article, prediction)
            summary.tagged += 1
            summary.seconds = time.perf_counter() - begin
        cache.trim()
        for reject in chunk.others:
            sink.reject(reject)
            summary.rejected += 1
        if chunk.failure:
            raise chunk.failure  # without a commit: once its input can be read, this chunk will be longer
        done(sink.commit(), chunk.position)

    requested: deque[tuple[Chunk[Reject], Iterator[Prediction]]] = deque()
    for chunk in chunks(records, every=sink.commit_interval, position=position):
        predictions = predict_distinct(chunk.articles, cache, lambda fresh: backend.stream(fresh, options))
        requested.append((chunk, predictions))
        while len(requested) > (0 if prompt else backend.ahead):
            finish(*requested.popleft())
    for one in requested:
        finish(*one)
    summary.seconds = time.perf_counter() - begin
