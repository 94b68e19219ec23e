"""A stream of records in blocks that are done together, each small enough for memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from wusum.model.article import Article

CHUNK = 512
"""Articles of a block, so that windows of like length share a batch."""

CHUNK_CHARS = 4_000_000
"""Characters after which a block is full; bounds memory where articles are long."""

Other = TypeVar("Other")
"""What a stream may hold besides articles: rejects."""


@dataclass(slots=True)
class Block(Generic[Other]):
    """Records that are done together: after them a run can be cut and go on."""

    articles: list[Article] = field(default_factory=list)
    others: list[Other] = field(default_factory=list)
    position: int = 0
    """Where the reading stood when the block was full."""
    failure: Exception | None = None
    """Why the reading ended here, if it did not come to its end."""


def blocks(
    records: Iterable[Article | Other],
    *,
    every: int | None = None,
    position: Callable[[], int] = lambda: 0,
) -> Iterator[Block[Other]]:
    """The records in blocks of up to CHUNK articles or CHUNK_CHARS characters; whatever tags them, they are the same.

    After `every` articles a block ends in any case. `position` tells where the reading stands. Where it fails, what was
    read before comes first, with the failure.
    """
    source = iter(records)
    room = every
    ended = False
    while not ended:
        block: Block[Other] = Block()
        size, most = 0, min(CHUNK, room or CHUNK)
        while len(block.articles) < most and size < CHUNK_CHARS and len(block.others) < 4 * CHUNK:
            try:
                record = next(source)
            except StopIteration:
                ended = True
                break
            except Exception as error:
                block.failure, ended = error, True
                break
            if isinstance(record, Article):
                block.articles.append(record)
                size += len(record.body)
            else:
                block.others.append(record)
        if room:
            room = room - len(block.articles) or every
        block.position = position()
        yield block
