"""A stream of articles: its chunks and the cache of predictions."""

from __future__ import annotations

from collections.abc import Iterator

from wusum.model.article import Article
from wusum.model.errors import DumpError
from wusum.model.io.reader import Reject
from wusum.model.prediction import Prediction, Tag
from wusum.model.stream import PredictionCache, chunks


def test_the_cache_is_bounded_in_texts_and_in_spans() -> None:
    cache = PredictionCache(texts=3, parts=100)
    for n in range(4):
        cache[bytes([n])] = Prediction("", tags=(Tag("نص", 0.5, ((0, 2),) * 9),))
    assert cache[b"\0"].tags
    cache.trim()
    assert [bytes([n]) in cache for n in range(4)] == [True, False, True, True]  # the least recently used one is gone
    cache[b"long"] = Prediction("", tags=(Tag("نص", 0.5, ((0, 2),) * 75),))
    cache.trim()
    assert len(cache) == 3  # 76 and two of 10
    cache[b"longer"] = Prediction("", tags=(Tag("نص", 0.5, ((0, 2),) * 1000),))
    cache.trim()
    assert len(cache) == 0


def test_a_chunk_ends_at_the_commit_interval_and_at_a_failure() -> None:
    passed = 0

    def records() -> Iterator[Article | Reject]:
        nonlocal passed
        for n in range(25):
            passed += 1
            yield Reject("s", n, "", "bad") if n % 5 == 4 else Article(str(n), "نص")
        raise DumpError("gone")

    found = list(chunks(records(), every=7, position=lambda: passed))
    assert [len(chunk.articles) for chunk in found] == [7, 7, 6]
    assert [len(chunk.others) for chunk in found] == [1, 2, 2]
    assert [chunk.position for chunk in found] == [8, 17, 25]
    assert [str(chunk.failure) for chunk in found] == ["None", "None", "gone"]
