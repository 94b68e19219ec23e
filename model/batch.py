"""One run over a dump: every record ends as a row of the output or as a reject with a reason."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from wusum.model.article import Article
from wusum.model.dumps import Reject
from wusum.model.tagger import Prediction, Tagger


@dataclass(slots=True)
class Report:
    """What a run did: records tagged and rejected, and the seconds it took."""

    tagged: int = 0
    rejected: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        rate = self.tagged / self.seconds if self.seconds else 0.0
        return f"{self.tagged:,} tagged, {self.rejected:,} rejected, {self.seconds:.1f} s, {rate:,.1f} articles/s"


def tag_dump(
    report: Report,
    tagger: Tagger,
    records: Iterable[Article | Reject],
    write: Callable[[Article, Prediction], None],
    reject: Callable[[Reject], None],
    *,
    max_topics: int,
    max_tags: int,
    min_score: float | None,
) -> None:
    """Tag every article in order and hand it to `write`; hand what cannot be tagged to `reject`; count both.

    An exception of `records` comes after the predictions of what was read before it.
    """
    begin = time.perf_counter()
    # Articles are read a chunk ahead of their predictions; they wait here for theirs.
    waiting: deque[Article] = deque()

    def articles() -> Iterator[Article]:
        for record in records:
            if isinstance(record, Reject):
                report.rejected += 1
                reject(record)
            else:
                waiting.append(record)
                yield record

    for prediction in tagger.stream(articles(), max_topics=max_topics, max_tags=max_tags, min_score=min_score):
        write(waiting.popleft(), prediction)
        report.tagged += 1
        report.seconds = time.perf_counter() - begin
