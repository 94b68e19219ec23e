"""The loop of a run: rows and rejects in order, requests ahead, failures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.support import MemorySink
from wusum.model import stream
from wusum.model.article import Article
from wusum.model.errors import DumpError
from wusum.model.io.reader import Reject
from wusum.model.options import PredictOptions
from wusum.model.prediction import Prediction
from wusum.model.run import loop
from wusum.model.run.loop import RunSummary, tag_dump
from wusum.model.run.sinks import ResumePoint
from wusum.model.stream import CHUNK_ARTICLES, PredictionCache
from wusum.model.tagger import Tagger

ONE_TAG = PredictOptions(max_topics=1, max_tags=1)


def test_every_record_ends_as_a_row_or_a_reject_in_order(tagger: Tagger) -> None:
    body = "فاز المنتخب في مباراة كرة القدم"
    records = [Reject("s", n, "", "bad") if n % 3 == 0 else Article(str(n), body) for n in range(900)]
    sink, summary = MemorySink(), RunSummary()
    tag_dump(summary, tagger, records, sink, ONE_TAG)
    assert [a.id for a, _ in sink.rows] == [p.id for _, p in sink.rows] == [str(n) for n in range(900) if n % 3]
    assert [r.line for r in sink.rejects] == list(range(0, 900, 3))
    assert (summary.tagged, summary.rejected) == (600, 300)
    assert "600 tagged, 300 rejected" in str(summary)


def test_a_text_repeated_chunks_later_is_not_predicted_again(tagger: Tagger) -> None:
    class Asked:
        ahead = 0
        texts = 0

        def stream(self, articles: Sequence[Article], options: PredictOptions) -> Iterator[Prediction]:
            self.texts += len(articles)
            return tagger.stream(articles, options)

    words = ["فاز", "المنتخب", "في", "مباراة", "كرة", "القدم", "أمس", "على", "ضيفه", "المغرب"]
    bodies = [" ".join(words[n:] + words[:n]) for n in range(7)]
    bodies[0] = f"قراءة في أخبار اليوم من تونس والقاهرة\n\n{bodies[0]} {bodies[1]}"
    records = [Article(str(n), bodies[n % 7], offset=n) for n in range(3 * CHUNK_ARTICLES)]
    asked, sink = Asked(), MemorySink()
    options = PredictOptions(max_topics=1, max_tags=5, min_score=0.0)
    tag_dump(RunSummary(), asked, records, sink, options)
    assert asked.texts == 7
    assert [prediction for _, prediction in sink.rows] == list(tagger.stream(records, options))
    assert any(tag.spans for _, prediction in sink.rows for tag in prediction.tags)


def test_chunks_are_requested_ahead(tagger: Tagger) -> None:
    events: list[tuple[str, int]] = []

    class Ahead:
        ahead = 2

        def stream(self, articles: Sequence[Article], options: PredictOptions) -> Iterator[Prediction]:
            events.append(("asked", len(articles)))
            return tagger.stream(articles, options)

    def done(place: ResumePoint | None, position: int) -> None:
        events.append(("done", position))

    passed = 0

    def records() -> Iterator[Article]:
        nonlocal passed
        for n in range(110):
            passed += 1
            yield Article(str(n), f"فاز المنتخب في مباراة كرة القدم {n}")

    class Short(MemorySink):
        @property
        def commit_interval(self) -> int:  # type: ignore[override]
            return 30

    sink = Short()
    tag_dump(RunSummary(), Ahead(), records(), sink, ONE_TAG, done, lambda: passed)
    ends = [("done", 60), ("done", 90), ("done", 110)]
    assert events == [*[("asked", 30)] * 3, ("done", 30), ("asked", 20), *ends]
    assert [article.id for article, _ in sink.rows] == [str(n) for n in range(110)]

    events.clear()
    passed = 0
    tag_dump(RunSummary(), Ahead(), records(), Short(), ONE_TAG, done, lambda: passed, prompt=True)
    asked = [("asked", n) for n in (30, 30, 30, 20)]
    assert events == [event for pair in zip(asked, [("done", 30), *ends], strict=True) for event in pair]


def test_rejects_are_written_without_an_article_among_them(tagger: Tagger) -> None:
    class Ahead:
        ahead = 1
        stream = staticmethod(tagger.stream)

    sink, waiting = MemorySink(), []

    def records() -> Iterator[Article | Reject]:
        for n in range(20 * CHUNK_ARTICLES):
            waiting.append(n - len(sink.rejects))
            yield Reject("s", n, "", "bad") if n else Article("0", "فاز المنتخب")

    tag_dump(RunSummary(), Ahead(), records(), sink, ONE_TAG)
    assert len(sink.rejects) == 20 * CHUNK_ARTICLES - 1
    assert max(waiting) <= 2 * 4 * CHUNK_ARTICLES + 1  # two chunks of rejects, and the article


def test_a_failure_comes_after_the_rows_of_the_records_before_it(tagger: Tagger) -> None:
    class Ahead:
        ahead = 3
        stream = staticmethod(tagger.stream)

    def records() -> Iterator[Article]:
        for n in range(CHUNK_ARTICLES + 700):
            yield Article(str(n), f"فاز المنتخب {n % 3}")
        raise DumpError("gone")

    sink, summary = MemorySink(), RunSummary()
    with pytest.raises(DumpError, match="gone"):
        tag_dump(summary, Ahead(), records(), sink, ONE_TAG)
    assert summary.tagged == len(sink.rows) == CHUNK_ARTICLES + 700


class Echo:
    """A backend that gives every article an empty prediction."""

    ahead = 0

    def stream(self, articles: Sequence[Article], options: PredictOptions) -> Iterator[Prediction]:
        return (Prediction(article.id) for article in articles)


@pytest.mark.parametrize(
    ("summary", "text"),
    [
        (RunSummary(), "0 tagged, 0 rejected, 0.0 s, 0.0 articles/s"),
        (RunSummary(12_345, 6_789, 10.0), "12,345 tagged, 6,789 rejected, 10.0 s, 1,234.5 articles/s"),
        (
            RunSummary(3_000, 1, 0.5, 2_000),
            "3,000 tagged (2,000 before the interruption), 1 rejected, 0.5 s, 2,000.0 articles/s",
        ),
    ],
)
def test_a_summary_counts_and_gives_the_rate_since_the_run_began(summary: RunSummary, text: str) -> None:
    assert str(summary) == text


def test_the_seconds_are_counted_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock is a second later: at the beginning, after each article and at the end."""
    clock = iter(range(100, 200))
    monkeypatch.setattr(loop.time, "perf_counter", lambda: float(next(clock)))
    summary, seen = RunSummary(), []

    class Watched(MemorySink):
        def write(self, article: Article, prediction: Prediction) -> None:
            seen.append((summary.tagged, summary.seconds))

    records = [Article("0", "نص"), Reject("s", 2, "", "bad"), Article("1", "نص"), Article("2", "نص")]
    tag_dump(summary, Echo(), records, Watched(), ONE_TAG)
    assert seen == [(0, 0.0), (1, 1.0), (2, 2.0)]
    assert (summary.tagged, summary.rejected, summary.seconds) == (3, 1, 4.0)


def test_each_chunk_is_committed_with_the_position_of_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CHUNK_ARTICLES", 2)
    read, done, sink = [], [], Committed()
    records = (read.append(n) or Article(str(n), f"نص {n}") for n in range(5))
    tag_dump(
        RunSummary(), Echo(), records, sink, ONE_TAG, lambda point, at: done.append((point, at)), lambda: len(read)
    )
    assert done == [({"rows": 2}, 2), ({"rows": 4}, 4), ({"rows": 5}, 5)]


class Committed(MemorySink):
    """Its rows are secure at each commit."""

    def commit(self) -> ResumePoint:  # type: ignore[override]
        return {"rows": len(self.rows)}


def test_a_chunk_that_ends_with_a_failure_is_written_but_not_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CHUNK_ARTICLES", 2)

    def records() -> Iterator[Article | Reject]:
        yield from (Article("0", "نص"), Article("1", "نص"), Article("2", "نص"), Reject("s", 4, "", "bad"))
        raise DumpError("gone")

    sink, summary, done = Committed(), RunSummary(), []
    with pytest.raises(DumpError, match="gone"):
        tag_dump(summary, Echo(), records(), sink, ONE_TAG, lambda point, position: done.append(point))
    assert [article.id for article, _ in sink.rows] == ["0", "1", "2"]
    assert [reject.line for reject in sink.rejects] == [4]
    assert (summary.tagged, summary.rejected) == (3, 1)
    assert done == [{"rows": 2}]


def test_predictions_are_kept_within_the_bounds_of_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CHUNK_ARTICLES", 2)
    monkeypatch.setattr(loop, "PredictionCache", lambda: PredictionCache(texts=1))
    asked: list[str] = []

    class Asked(Echo):
        def stream(self, articles: Sequence[Article], options: PredictOptions) -> Iterator[Prediction]:
            asked.extend(article.body for article in articles)
            return super().stream(articles, options)

    records = [Article(str(n), body) for n, body in enumerate(["ا", "ب", "ب", "ا"])]
    tag_dump(RunSummary(), Asked(), records, MemorySink(), ONE_TAG)
    assert asked == ["ا", "ب", "ا"]  # the second chunk finds only the last text of the first
