"""Several processes that tag, each with a model of its own: for machines whose processors one process cannot fill."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, get_context, parent_process
from typing import Any

from wusum.model.article import Article
from wusum.model.blocks import CHUNK
from wusum.model.runtime import ModelError
from wusum.model.tagger import Prediction, Tagger

SHARE = (8, 32)
"""Fewest and most articles that a worker takes at once: enough to fill batches, few enough that all have work."""

ENOUGH = CHUNK
"""Articles after which workers pay: to open a model takes each of them a second or two."""

MOST = 16
"""Workers that are started where no number is asked for: each holds a model, some 350 MiB."""

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

    def stream(self, articles: Sequence[Article], **options: Any) -> Iterator[Prediction]:
        """As `Tagger.stream`; raises ModelError where the same articles bring worker after worker down."""
        shares = divide(articles, self._count)
        waiting = self._submit(shares, options)
        deaths = 0
        for number, share in enumerate(shares):
            while True:
                try:
                    answer = waiting[number].result()
                    break
                except BrokenProcessPool as error:
                    deaths += 1
                    if deaths == PATIENCE:
                        names = f"{share[0].id!r} to {share[-1].id!r}"
                        raise ModelError(f"workers died {deaths} times, last at articles {names}") from error
                    self._pool.shutdown(cancel_futures=True)
                    self._pool = self._start()
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


def divide(articles: Sequence[Article], workers: int) -> list[Sequence[Article]]:
    """The articles in shares for so many workers, smaller ones towards the end, so that all end together."""
    shares: list[Sequence[Article]] = []
    start = 0
    while start < len(articles):
        size = min(max((len(articles) - start) // (2 * workers), SHARE[0]), SHARE[1])
        shares.append(articles[start : start + size])
        start += size
    return shares


def _open(opening: dict[str, Any]) -> None:
    """What each worker does first."""
    global _tagger
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _tagger = Tagger.from_pretrained(**opening)


def _end_with_parent() -> None:
    """A run that is killed takes its workers with it: they would wait for work for ever."""
    if parent := parent_process():
        connection.wait([parent.sentinel])
        os._exit(1)


def _tag(articles: Sequence[Article], options: dict[str, Any]) -> list[Prediction]:
    return list(_tagger.stream(articles, **options))
