"""Worker processes, each with its own copy of the model, for machines that one process cannot keep busy."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, get_context, parent_process

from wusum.model.article import Article
from wusum.model.errors import ModelError
from wusum.model.options import ModelSpec, PredictOptions
from wusum.model.prediction import Prediction
from wusum.model.stream import CHUNK_ARTICLES
from wusum.model.tagger import Tagger

SHARE_ARTICLES = (8, 64)
"""Fewest and most articles of a share: enough to fill batches, few enough that every worker has something to do."""

WORKERS_PER_CHUNK = 2
"""Workers that a requested chunk keeps busy while the one before it is written."""

WORTHWHILE_ARTICLES = CHUNK_ARTICLES
"""Articles after which workers pay off: each needs a second or two to open its model."""

MAX_WORKERS = 16
"""Most workers that are started unless a number is given: each needs about 350 MiB."""

GC_THRESHOLD = 50_000
"""Allocations after which a worker collects garbage."""

MAX_CRASHES = 3
"""Crashes of a worker at the same articles that end the run."""

_tagger: Tagger


class WorkerPool:
    """Takes the place of a `Tagger` in a run: the same predictions, in the same order.

    If a worker dies, e.g. because the system is out of memory, all are started anew, and the shares without an
    answer are submitted again.
    """

    def __init__(self, count: int, spec: ModelSpec) -> None:
        """Start `count` workers, each of which opens the model of `spec`."""
        self._count, self._spec = count, spec
        self._pool = self._start()

    def _start(self) -> ProcessPoolExecutor:
        # Spawned, not forked: ONNX Runtime's threads do not survive a fork.
        return ProcessPoolExecutor(self._count, get_context("spawn"), _open, (self._spec,))

    @property
    def ahead(self) -> int:
        """Chunks to request beyond the one waited for."""
        return chunks_ahead(self._count)

    def stream(self, articles: Sequence[Article], options: PredictOptions) -> Iterator[Prediction]:
        """Return predictions in order, like `Tagger.stream`, but start the work at once.

        Raises ModelError if the same articles crash worker after worker.
        """
        shares = divide(articles, self._count)
        return self._answers(shares, options, self._pool, self._submit(shares, options))

    def _answers(
        self,
        shares: Sequence[Sequence[Article]],
        options: PredictOptions,
        pool: ProcessPoolExecutor,
        waiting: list[Future[list[Prediction]]],
    ) -> Iterator[Prediction]:
        """Yield the answers to shares that were submitted to `pool`."""
        crashes = 0
        for number, share in enumerate(shares):
            while True:
                try:
                    answer = waiting[number].result()
                    break
                except BrokenProcessPool as error:
                    if pool is self._pool:  # and not a pool that another iterator has replaced meanwhile
                        crashes += 1
                        if crashes == MAX_CRASHES:
                            names = f"{share[0].id!r} to {share[-1].id!r}"
                            raise ModelError(f"workers died {crashes} times, last at articles {names}") from error
                        self._pool.shutdown(cancel_futures=True)
                        self._pool = self._start()
                    pool = self._pool
                    waiting[number:] = self._submit(shares[number:], options)
            crashes = 0
            yield from answer

    def _submit(self, shares: Sequence[Sequence[Article]], options: PredictOptions) -> list[Future[list[Prediction]]]:
        made: list[Future[list[Prediction]]] = []
        for share in shares:
            try:
                made.append(self._pool.submit(_tag, share, options))
            except BrokenProcessPool as error:  # broken already: the remaining shares get the same error
                broken: Future[list[Prediction]] = Future()
                broken.set_exception(error)
                made.append(broken)
        return made

    def close(self) -> None:
        """Stop the workers."""
        self._pool.shutdown(cancel_futures=True)

    def __enter__(self) -> WorkerPool:
        """Return the pool itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the workers."""
        self.close()


class AdaptiveWorkers:
    """Takes the place of a `Tagger` in a run: first the tagger itself, then workers once the run proves to be long."""

    def __init__(self, tagger: Tagger, count: int, spec: ModelSpec) -> None:
        """Begin with `tagger`; `count` workers may follow, each of which opens the model of `spec`."""
        self._backend: Tagger | WorkerPool = tagger
        self._count, self._spec = count, spec
        self._requested = 0

    @property
    def ahead(self) -> int:
        """Chunks to request beyond the one waited for."""
        return self._backend.ahead

    def stream(self, articles: Sequence[Article], options: PredictOptions) -> Iterator[Prediction]:
        """Return predictions in order, like `Tagger.stream`."""
        if isinstance(self._backend, Tagger) and self._requested >= WORTHWHILE_ARTICLES:
            self._backend = WorkerPool(self._count, self._spec)
        self._requested += len(articles)
        return self._backend.stream(articles, options)

    def __enter__(self) -> AdaptiveWorkers:
        """Return the object itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the workers, if there are any."""
        if isinstance(self._backend, WorkerPool):
            self._backend.close()


def chunks_ahead(workers: int) -> int:
    """Return how many chunks to request beyond the one waited for, so that this many workers never idle."""
    return -(-workers // WORKERS_PER_CHUNK)


def divide(articles: Sequence[Article], workers: int) -> list[Sequence[Article]]:
    """Divide articles into shares, equally many for each worker unless there are too few articles."""
    rounds = max(-(-len(articles) // (workers * SHARE_ARTICLES[1])), 1)
    size = max(-(-len(articles) // (workers * rounds)), SHARE_ARTICLES[0])
    return [articles[start : start + size] for start in range(0, len(articles), size)]


def _open(spec: ModelSpec) -> None:
    """Open the model of a worker."""
    global _tagger
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    _tagger = sole_tagger(spec)


def sole_tagger(spec: ModelSpec) -> Tagger:
    """Open a tagger in a process that is only a worker.

    The model never becomes garbage and tagging creates no reference cycles: collecting garbage would take 4% of the
    time that tags take.
    """
    tagger = Tagger.open(spec)
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    return tagger


def _exit_with_parent() -> None:
    """Exit when the parent does; the workers of a killed run would otherwise wait for work forever."""
    if parent := parent_process():
        connection.wait([parent.sentinel])
        os._exit(1)


def _tag(articles: Sequence[Article], options: PredictOptions) -> list[Prediction]:
    return list(_tagger.stream(articles, options))
