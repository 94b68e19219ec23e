"""Ray: the processes that tag are actors, on this machine or all over a cluster. Needs the `ray` extra."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from wusum.model.article import Article
from wusum.model.errors import ModelError
from wusum.model.prediction import Prediction
from wusum.model.run.workers import PATIENCE, ahead, divide, sole_tagger

NOTICE = 30
"""Seconds of waiting for the cluster's first actor after which it is said what for."""


class RayWorkers:
    """Takes the place of a `Tagger` in a run, as `Workers` do: the same predictions, in the same order.

    Reading and writing stay with the run, and so do its manifest and rejects. An actor that dies, or whose machine
    does, is started anew by Ray, elsewhere if need be, and asked again. Work goes to the actors that the cluster has
    room for, and to the others once it has.
    """

    def __init__(self, count: int, opening: dict[str, Any]) -> None:
        """`opening` are the arguments of `Tagger.from_pretrained`; a model's folder must be there on every machine.

        A cluster that is running is joined, by RAY_ADDRESS or on this machine; else one is started here.
        """
        try:
            import ray
            from ray.util import ActorPool
        except ImportError as error:
            raise ModelError("the ray engine needs Ray: pip install 'wusum[ray]'") from error
        self._ray, self._count = ray, count
        ray.init(ignore_reinit_error=True, log_to_driver=False, logging_level="ERROR")
        gpus = 1 if opening["device"] == "cuda" else 0  # Ray hides them all from an actor that asks for none
        threads = opening["threads"]
        self._room = f"{threads} processors{' and a GPU' if gpus else ''} to spare"
        worker = ray.remote(num_cpus=threads, num_gpus=gpus, max_restarts=-1, max_task_retries=PATIENCE - 1)(_Worker)
        self.actors = [worker.remote(opening) for _ in range(count)]
        self._coming = {actor.process.remote(): actor for actor in self.actors}
        self._pool = ActorPool([])

    @property
    def ahead(self) -> int:
        """As `Streaming` has it."""
        return ahead(self._count)

    def stream(self, articles: Sequence[Article], **options: Any) -> Iterator[Prediction]:
        """As `Tagger.stream`, but begun at once: an actor whose answer has been fetched, in order, gets the next share.

        Raises ModelError where the cluster can go on no more, once it has begun with the articles at which that is.
        """
        shares = divide(articles, self._count)
        try:
            self._welcome()
            for share in shares:
                self._pool.submit(lambda actor, share: actor.tag.remote(share, options), share)
        except self._ray.exceptions.RayError as error:
            raise ModelError(f"Ray: {error}") from error
        return self._answers(shares)

    def _answers(self, shares: Sequence[Sequence[Article]]) -> Iterator[Prediction]:
        """The answers to the shares that come next."""
        for share in shares:
            try:
                yield from self._pool.get_next()
            except self._ray.exceptions.RayError as error:
                raise ModelError(f"Ray at articles {share[0].id!r} to {share[-1].id!r}: {error}") from error

    def _welcome(self) -> None:
        """Take in the actors that have started since; the first is waited for."""
        first = len(self._coming) == self._count
        while self._coming:
            wanted = 1 if first else len(self._coming)
            started, _ = self._ray.wait(list(self._coming), num_returns=wanted, timeout=NOTICE if first else 0)
            for reference in started:
                self._pool.push(self._coming.pop(reference))
            if started or not first:
                return
            print(f"wusum: waiting for a machine of the Ray cluster with {self._room}", file=sys.stderr)

    def close(self) -> None:
        """Let the actors go; the cluster stays."""
        for actor in self.actors:
            self._ray.kill(actor)

    def __enter__(self) -> RayWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Worker:
    """An actor with a model."""

    def __init__(self, opening: dict[str, Any]) -> None:
        self._tagger = sole_tagger(opening)

    def tag(self, articles: Sequence[Article], options: dict[str, Any]) -> list[Prediction]:
        """The predictions of some articles."""
        return list(self._tagger.stream(articles, **options))

    def process(self) -> int:
        """The number of the actor's process."""
        return os.getpid()
