"""One run over a dump: every record ends as a row of the output or as a reject with a reason."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from wusum.model.article import Article
from wusum.model.blocks import Block, blocks
from wusum.model.io.reader import Reject
from wusum.model.prediction import Prediction
from wusum.model.run.sinks import Outputs, Place
from wusum.model.seen import Seen, digest


@dataclass(slots=True)
class Report:
    """What a run did: records tagged and rejected, and the seconds it took."""

    tagged: int = 0
    rejected: int = 0
    seconds: float = 0.0
    earlier: int = 0
    """Records tagged before the run was cut, counted in `tagged`."""

    def __str__(self) -> str:
        rate = (self.tagged - self.earlier) / self.seconds if self.seconds else 0.0
        before = f" ({self.earlier:,} before it was cut)" if self.earlier else ""
        done = f"{self.tagged:,} tagged{before}, {self.rejected:,} rejected"
        return f"{done}, {self.seconds:.1f} s, {rate:,.1f} articles/s"


class Streaming(Protocol):
    """A `Tagger`, or what takes its place."""

    @property
    def ahead(self) -> int:
        """Blocks that it wants to be asked for beyond the one that is waited for."""

    @property
    def stream(self) -> Callable[..., Iterator[Prediction]]:
        """Takes articles and the options of `Tagger.stream`; gives predictions in their order."""


def tag_dump(
    report: Report,
    tagger: Streaming,
    records: Iterable[Article | Reject],
    outputs: Outputs,
    done: Callable[[Place | None, int], None] = lambda place, position: None,
    position: Callable[[], int] = lambda: 0,
    *,
    prompt: bool = False,
    max_topics: int,
    max_tags: int,
    min_score: float | None,
    explain: bool = False,
) -> None:
    """Tag every article in order and write rows and rejects.

    After each block `done` is told the place to go on from, up to which all is on the disk, None where there is none;
    and what `position` gave when the block had been read. An exception of `records` comes after the rows of what was
    read before it. With `prompt` no block is read before the last one is written: where records are slow to come, rows
    wait for no more of them than their own block.
    """
    begin = time.perf_counter()
    seen = Seen()
    options = {"max_topics": max_topics, "max_tags": max_tags, "min_score": min_score, "explain": explain}

    def finish(block: Block[Reject], predictions: Iterator[Prediction]) -> None:
        for article, prediction in zip(block.articles, predictions, strict=True):
            outputs.write(article, prediction)
            report.tagged += 1
            report.seconds = time.perf_counter() - begin
        seen.trim()
        for reject in block.others:
            outputs.reject(reject)
            report.rejected += 1
        if block.failure:
            raise block.failure  # without a commit: read whole, the block will be a longer one
        done(outputs.commit(), block.position)

    asked: deque[tuple[Block[Reject], Iterator[Prediction]]] = deque()
    for block in blocks(records, every=outputs.every, position=position):
        asked.append((block, _answers(tagger, block.articles, seen, options)))
        while len(asked) > (0 if prompt else tagger.ahead):
            finish(*asked.popleft())
    for one in asked:
        finish(*one)
    report.seconds = time.perf_counter() - begin


def _answers(
    tagger: Streaming, articles: Sequence[Article], seen: Seen, options: dict[str, Any]
) -> Iterator[Prediction]:
    """The predictions of some articles; where a text was seen before, its answer is not asked for again."""
    keys = [digest(article) for article in articles]
    known = {key: seen[key] for key in keys if key in seen}
    fresh: dict[bytes, Article] = {}
    for key, article in zip(keys, articles, strict=True):
        if key not in known:
            fresh.setdefault(key, article)
    return _in_order(articles, keys, known, tagger.stream(list(fresh.values()), **options), seen)


def _in_order(
    articles: Sequence[Article],
    keys: Sequence[bytes],
    known: dict[bytes, Prediction],
    asked: Iterator[Prediction],
    seen: Seen,
) -> Iterator[Prediction]:
    """Those of all articles, as far as they are not `known` in the order in which they were `asked`."""
    for key, article in zip(keys, articles, strict=True):
        if key not in known:
            known[key] = next(asked).relocated("", -article.offset)  # as of a text that begins at 0
            if key not in seen:
                seen[key] = known[key]
        yield known[key].relocated(article.id, article.offset)
