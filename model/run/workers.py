"""Several processes that tag, each with a model of its own: for machines whose processors one process cannot fill."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, get_context, parent_process
from typing import Any

from wusum.model.article import Article
from wusum.model.blocks import CHUNK
from wusum.model.errors import ModelError
from wusum.model.prediction import Prediction
from wusum.model.tagger import Tagger

SHARE = (8, 64)
"""Fewest and most articles that a worker takes at once: enough to fill batches, few enough that all have work."""

SHARING = 2
"""Workers for which there is a block beyond the one that is waited for, so that none has to wait: while one block is
written, they are at the next."""

ENOUGH = CHUNK
"""Articles after which workers pay: to open a model takes each of them a second or two."""

MOST = 16
"""Workers that are started where no number is asked for: each holds a model, some 350 MiB."""

GARBAGE = 50_000
"""Objects after which a worker looks for garbage."""

PATIENCE = 3
"""How often the same articles may bring a worker down before the run ends."""

_tagger: Tagger


class Workers:
    """Takes the place of a `Tagger` in a run: the same predictions, in the same order.

    Where a worker dies, killed for its memory, say, all are started anew and what was not answered is asked again.
    """

    def __init__(self, count: int, opening: dict[str, Any]) -> None:
        """`opening` are the arguments of `Tagger.from_pretrained`."""
        self._count, self._opening = count, opening
        self._pool = self._start()

    def _start(self) -> ProcessPoolExecutor:
        # Spawned, not forked: ONNX Runtime's threads do not survive a fork.
        return ProcessPoolExecutor(self._count, get_context("spawn"), _open, (self._opening,))

    @property
    def ahead(self) -> int:
        """As `Streaming` has it."""
        return ahead(self._count)

    def stream(self, articles: Sequence[Article], **options: Any) -> Iterator[Prediction]:
        """As `Tagger.stream`, but begun at once; raises ModelError where the same articles bring worker after worker
        down."""
        shares = divide(articles, self._count)
        return self._answers(shares, options, self._pool, self._submit(shares, options))

    def _answers(
        self,
        shares: Sequence[Sequence[Article]],
        options: dict[str, Any],
        pool: ProcessPoolExecutor,
        waiting: list[Future[list[Prediction]]],
    ) -> Iterator[Prediction]:
        """The answers to shares that were asked of a pool of workers."""
        deaths = 0
        for number, share in enumerate(shares):
            while True:
                try:
                    answer = waiting[number].result()
                    break
                except BrokenProcessPool as error:
                    if pool is self._pool:  # and not one that was replaced when other articles were waited for
                        deaths += 1
                        if deaths == PATIENCE:
                            names = f"{share[0].id!r} to {share[-1].id!r}"
                            raise ModelError(f"workers died {deaths} times, last at articles {names}") from error
                        self._pool.shutdown(cancel_futures=True)
                        self._pool = self._start()
                    pool = self._pool
                    waiting[number:] = self._submit(shares[number:], options)
            deaths = 0
            yield from answer

    def _submit(self, shares: Sequence[Sequence[Article]], options: dict[str, Any]) -> list[Future[list[Prediction]]]:
        made: list[Future[list[Prediction]]] = []
        for share in shares:
            try:
                made.append(self._pool.submit(_tag, share, options))
            except BrokenProcessPool as error:  # already: those that come after it are told so, too
                broken: Future[list[Prediction]] = Future()
                broken.set_exception(error)
                made.append(broken)
        return made

    def close(self) -> None:
        """Let the workers go."""
        self._pool.shutdown(cancel_futures=True)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Growing:
    """Takes the place of a `Tagger` in a run: the tagger itself, and workers once a run turns out to be a long one."""

    def __init__(self, tagger: Tagger, count: int, opening: dict[str, Any]) -> None:
        """`opening` are the arguments with which each of `count` workers opens its model."""
        self._answering: Tagger | Workers = tagger
        self._count, self._opening = count, opening
        self._asked = 0

    @property
    def ahead(self) -> int:
        """As `Streaming` has it."""
        return self._answering.ahead

    def stream(self, articles: Sequence[Article], **options: Any) -> Iterator[Prediction]:
        """As `Tagger.stream`."""
        if isinstance(self._answering, Tagger) and self._asked >= ENOUGH:
            self._answering = Workers(self._count, self._opening)
        self._asked += len(articles)
        return self._answering.stream(articles, **options)

    def __enter__(self) -> Growing:
        return self

    def __exit__(self, *_: object) -> None:
        if isinstance(self._answering, Workers):
            self._answering.close()


def ahead(workers: int) -> int:
    """The blocks that so many workers want to be asked for beyond the one that is waited for."""
    return -(-workers // SHARING)


def divide(articles: Sequence[Article], workers: int) -> list[Sequence[Article]]:
    """The articles in shares for so many workers, as many for each, where there are not too few."""
    rounds = max(-(-len(articles) // (workers * SHARE[1])), 1)
    size = max(-(-len(articles) // (workers * rounds)), SHARE[0])
    return [articles[start : start + size] for start in range(0, len(articles), size)]


def _open(opening: dict[str, Any]) -> None:
    """What each worker does first."""
    global _tagger
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _tagger = sole_tagger(opening)


def sole_tagger(opening: dict[str, Any]) -> Tagger:
    """A tagger for a process that does nothing else.

    The model is no garbage, and tags make none that refers to itself: to look for it takes 4% of their time.
    """
    tagger = Tagger.from_pretrained(**opening)
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE)
    return tagger


def _end_with_parent() -> None:
    """A run that is killed takes its workers with it: they would wait for work for ever."""
    if parent := parent_process():
        connection.wait([parent.sentinel])
        os._exit(1)


def _tag(articles: Sequence[Article], options: dict[str, Any]) -> list[Prediction]:
    return list(_tagger.stream(articles, **options))
