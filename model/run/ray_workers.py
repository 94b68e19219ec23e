"""Workers that are Ray actors, on this machine or anywhere in a cluster. Needs the `ray` extra."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

from wusum.model.article import Article
from wusum.model.errors import ModelError
from wusum.model.options import ModelSpec, PredictOptions
from wusum.model.prediction import Prediction
from wusum.model.run.workers import MAX_CRASHES, chunks_ahead, divide, sole_tagger

NOTICE_SECONDS = 30
"""Seconds of waiting for the cluster's first actor after which the run reports that it is waiting."""


class RayWorkerPool:
    """Takes the place of a `Tagger` in a run, like `WorkerPool`: the same predictions, in the same order.

    Reading, writing, the manifest and rejects stay with the run. If an actor or its machine dies, Ray starts the actor
    again, on another machine if necessary, and repeats its task. Work goes to the actors that the cluster has room for,
    and to the others as soon as they have started.
    """

    def __init__(self, count: int, spec: ModelSpec) -> None:
        """Start `count` actors, each of which opens the model of `spec`; its folder must exist on every machine.

        A running cluster is joined, the one that RAY_ADDRESS names or one on this machine; otherwise one is started
        here. Raises ModelError if Ray is not installed.
        """
        try:
            import ray
            from ray.util import ActorPool
        except ImportError as error:
            raise ModelError("the ray engine needs Ray: pip install 'wusum[ray]'") from error
        self._ray, self._count = ray, count
        ray.init(ignore_reinit_error=True, log_to_driver=False, logging_level="ERROR")
        gpus = 1 if spec.device == "cuda" else 0  # Ray hides all GPUs from an actor that requests none
        threads = spec.threads or 1
        self._room = f"{threads} processors{' and a GPU' if gpus else ''} to spare"
        worker = ray.remote(num_cpus=threads, num_gpus=gpus, max_restarts=-1, max_task_retries=MAX_CRASHES - 1)(_Worker)
        self.actors = [worker.remote(spec) for _ in range(count)]
        self._starting = {actor.process.remote(): actor for actor in self.actors}
        self._pool = ActorPool([])

    @property
    def ahead(self) -> int:
        """Chunks to request beyond the one waited for."""
        return chunks_ahead(self._count)

    def stream(self, articles: Sequence[Article], options: PredictOptions) -> Iterator[Prediction]:
        """Return predictions in order, like `Tagger.stream`, but start the work at once.

        An actor whose answer has been fetched gets the next share. Raises ModelError, which names the articles, if the
        cluster cannot go on.
        """
        shares = divide(articles, self._count)
        try:
            self._add_started()
            for share in shares:
                self._pool.submit(lambda actor, share: actor.tag.remote(share, options), share)
        except self._ray.exceptions.RayError as error:
            raise ModelError(f"Ray: {error}") from error
        return self._answers(shares)

    def _answers(self, shares: Sequence[Sequence[Article]]) -> Iterator[Prediction]:
        """Yield the answers to the next shares."""
        for share in shares:
            try:
                yield from self._pool.get_next()
            except self._ray.exceptions.RayError as error:
                raise ModelError(f"Ray at articles {share[0].id!r} to {share[-1].id!r}: {error}") from error

    def _add_started(self) -> None:
        """Add the actors that have started since; wait for the first one."""
        first = len(self._starting) == self._count
        while self._starting:
            wanted = 1 if first else len(self._starting)
            started, _ = self._ray.wait(
                list(self._starting), num_returns=wanted, timeout=NOTICE_SECONDS if first else 0
            )
            for reference in started:
                self._pool.push(self._starting.pop(reference))
            if started or not first:
                return
            print(f"wusum: waiting for a machine of the Ray cluster with {self._room}", file=sys.stderr)

    def close(self) -> None:
        """Stop the actors; the cluster stays."""
        for actor in self.actors:
            self._ray.kill(actor)

    def __enter__(self) -> RayWorkerPool:
        """Return the pool itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the actors."""
        self.close()


class _Worker:
    """An actor with a model."""

    def __init__(self, spec: ModelSpec) -> None:
        self._tagger = sole_tagger(spec)

    def tag(self, articles: Sequence[Article], options: PredictOptions) -> list[Prediction]:
        """Return the predictions of articles."""
        return list(self._tagger.stream(articles, options))

    def process(self) -> int:
        """Return the id of the actor's process."""
        return os.getpid()
