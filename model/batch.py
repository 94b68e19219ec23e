"""One run over a dump: every record ends as a row of the output or as a reject with a reason."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from wusum.model.article import Article
from wusum.model.blocks import blocks
from wusum.model.dumps import Reject
from wusum.model.outputs import Outputs, Place
from wusum.model.seen import Seen, digest
from wusum.model.tagger import Prediction


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
    def stream(self) -> Callable[..., Iterator[Prediction]]:
        """Takes articles and the options of `Tagger.stream`; gives predictions in their order."""


def tag_dump(
    report: Report,
    tagger: Streaming,
    records: Iterable[Article | Reject],
    outputs: Outputs,
    done: Callable[[Place | None], None] = lambda place: None,
    *,
    max_topics: int,
    max_tags: int,
    min_score: float | None,
    explain: bool = False,
) -> None:
    """Tag every article in order and write rows and rejects.

    After each block `done` is told the place to go on from, up to which all is on the disk; None where there is none.
    An exception of `records` comes after the rows of what was read before it.
    """
    begin = time.perf_counter()
    seen = Seen()
    options = {"max_topics": max_topics, "max_tags": max_tags, "min_score": min_score, "explain": explain}
    for block in blocks(records, outputs.room):
        predictions = _answers(tagger, block.articles, seen, options)
        for article, prediction in zip(block.articles, predictions, strict=True):
            outputs.write(article, prediction)
            report.tagged += 1
            report.seconds = time.perf_counter() - begin
        for reject in block.others:
            outputs.reject(reject)
            report.rejected += 1
        if block.failure:
            raise block.failure  # without a commit: read whole, the block will be a longer one
        done(outputs.commit())
    report.seconds = time.perf_counter() - begin


def _answers(
    tagger: Streaming, articles: Sequence[Article], seen: Seen, options: dict[str, Any]
) -> Iterator[Prediction]:
    """The predictions of some articles; where a text was seen before, its answer is not asked for again."""
    keys = [digest(article) for article in articles]
    fresh: dict[bytes, Article] = {}
    for key, article in zip(keys, articles, strict=True):
        if key not in seen:
            fresh.setdefault(key, article)
    asked = tagger.stream(list(fresh.values()), **options)
    for key, article in zip(keys, articles, strict=True):
        if key not in seen:
            seen[key] = next(asked).of(Article("", "", offset=-article.offset))  # as of a text that begins at 0
        yield seen[key].of(article)
    seen.trim()
