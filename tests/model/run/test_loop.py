"""One run over a dump."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from wusum.model.article import Article
from wusum.model.errors import DumpError
from wusum.model.io.inputs import Meter, total_size
from wusum.model.io.reader import Reject, read
from wusum.model.prediction import Prediction, Tag
from wusum.model.run.loop import RunSummary, tag_dump
from wusum.model.run.sinks import ResumePoint, Sink
from wusum.model.stream import CHUNK_ARTICLES, PredictionCache, chunks
from wusum.model.tagger import Tagger


class Kept(Sink):
    """Keeps all in memory."""

    def __init__(self) -> None:
        self.rows: list[tuple[Article, Prediction]] = []
        self.rejects: list[Reject] = []

    def write(self, article: Article, prediction: Prediction) -> None:
        self.rows.append((article, prediction))

    def reject(self, record: Reject) -> None:
        self.rejects.append(record)

    @property
    def commit_interval(self) -> None:
        return None

    def commit(self) -> None:
        return None


def test_every_record_ends_as_a_row_or_a_reject_in_order(tagger: Tagger) -> None:
    body = "فاز المنتخب في مباراة كرة القدم"
    records = [Reject("s", n, "", "bad") if n % 3 == 0 else Article(str(n), body) for n in range(900)]
    outputs, report = Kept(), RunSummary()
    tag_dump(report, tagger, records, outputs, max_topics=1, max_tags=1, min_score=None)
    assert [a.id for a, _ in outputs.rows] == [p.id for _, p in outputs.rows] == [str(n) for n in range(900) if n % 3]
    assert [r.line for r in outputs.rejects] == list(range(0, 900, 3))
    assert (report.tagged, report.rejected) == (600, 300)
    assert "600 tagged, 300 rejected" in str(report)


def test_a_text_that_comes_again_blocks_later_is_not_asked_for_again(tagger: Tagger) -> None:
    class Asked:
        ahead = 0
        texts = 0

        def stream(self, articles: Sequence[Article], **options: Any) -> Iterator[Prediction]:
            self.texts += len(articles)
            return tagger.stream(articles, **options)

    words = ["فاز", "المنتخب", "في", "مباراة", "كرة", "القدم", "أمس", "على", "ضيفه", "المغرب"]
    bodies = [" ".join(words[n:] + words[:n]) for n in range(7)]
    bodies[0] = f"قراءة في أخبار اليوم من تونس والقاهرة\n\n{bodies[0]} {bodies[1]}"
    records = [Article(str(n), bodies[n % 7], offset=n) for n in range(3 * CHUNK_ARTICLES)]
    asked, outputs = Asked(), Kept()
    tag_dump(RunSummary(), asked, records, outputs, max_topics=1, max_tags=5, min_score=0.0)
    assert asked.texts == 7
    assert [prediction for _, prediction in outputs.rows] == list(
        tagger.stream(records, max_topics=1, max_tags=5, min_score=0.0)
    )
    assert any(tag.spans for _, prediction in outputs.rows for tag in prediction.tags)


def test_answers_are_remembered_within_bounds_of_texts_and_of_spans() -> None:
    seen = PredictionCache(texts=3, parts=100)
    for n in range(4):
        seen[bytes([n])] = Prediction("", tags=(Tag("نص", 0.5, ((0, 2),) * 9),))
    assert seen[b"\0"].tags
    seen.trim()
    assert [bytes([n]) in seen for n in range(4)] == [True, False, True, True]  # the one not seen for longest is gone
    seen[b"long"] = Prediction("", tags=(Tag("نص", 0.5, ((0, 2),) * 75),))
    seen.trim()
    assert len(seen) == 3  # 76 and two of 10
    seen[b"longer"] = Prediction("", tags=(Tag("نص", 0.5, ((0, 2),) * 1000),))
    seen.trim()
    assert len(seen) == 0


def test_the_meter_ends_at_the_size_of_what_was_read(tmp_path: Path) -> None:
    for name in ("a.txt", "b.jsonl"):
        (tmp_path / name).write_text('{"text": "فاز المنتخب في المباراة"}\n' * 50, encoding="utf-8")
    meter = Meter()
    records = read([str(tmp_path)], meter=meter)
    total = total_size([str(tmp_path)])
    assert total == sum(path.stat().st_size for path in tmp_path.iterdir())
    positions = [meter.position for _ in records]
    assert positions == sorted(positions)
    assert 0 < positions[0] <= positions[-1]
    assert meter.position == total
    assert total_size(["-"]) is None


def test_blocks_end_where_the_output_has_no_more_room_and_at_a_failure() -> None:
    passed = 0

    def records() -> Iterator[Article | Reject]:
        nonlocal passed
        for n in range(25):
            passed += 1
            yield Reject("s", n, "", "bad") if n % 5 == 4 else Article(str(n), "نص")
        raise DumpError("gone")

    found = list(chunks(records(), every=7, position=lambda: passed))
    assert [len(block.articles) for block in found] == [7, 7, 6]
    assert [len(block.others) for block in found] == [1, 2, 2]
    assert [block.position for block in found] == [8, 17, 25]
    assert [str(block.failure) for block in found] == ["None", "None", "gone"]


def test_the_next_articles_are_asked_for_while_some_are_waited_for(tagger: Tagger) -> None:
    events: list[tuple[str, int]] = []

    class Ahead:
        ahead = 2

        def stream(self, articles: Sequence[Article], **options: Any) -> Iterator[Prediction]:
            events.append(("asked", len(articles)))
            return tagger.stream(articles, **options)

    def done(place: ResumePoint | None, position: int) -> None:
        events.append(("done", position))

    passed = 0

    def records() -> Iterator[Article]:
        nonlocal passed
        for n in range(110):
            passed += 1
            yield Article(str(n), f"فاز المنتخب في مباراة كرة القدم {n}")

    class Short(Kept):
        @property
        def commit_interval(self) -> int:  # type: ignore[override]
            return 30

    options: dict[str, Any] = {"max_topics": 1, "max_tags": 1, "min_score": None}
    outputs = Short()
    tag_dump(RunSummary(), Ahead(), records(), outputs, done, lambda: passed, **options)
    ends = [("done", 60), ("done", 90), ("done", 110)]
    assert events == [*[("asked", 30)] * 3, ("done", 30), ("asked", 20), *ends]
    assert [article.id for article, _ in outputs.rows] == [str(n) for n in range(110)]

    events.clear()
    passed = 0
    tag_dump(RunSummary(), Ahead(), records(), Short(), done, lambda: passed, prompt=True, **options)
    asked = [("asked", n) for n in (30, 30, 30, 20)]
    assert events == [event for pair in zip(asked, [("done", 30), *ends], strict=True) for event in pair]


def test_rejects_are_written_also_where_none_of_their_neighbours_is_an_article(tagger: Tagger) -> None:
    class Ahead:
        ahead = 1
        stream = staticmethod(tagger.stream)

    outputs, waiting = Kept(), []

    def records() -> Iterator[Article | Reject]:
        for n in range(20 * CHUNK_ARTICLES):
            waiting.append(n - len(outputs.rejects))
            yield Reject("s", n, "", "bad") if n else Article("0", "فاز المنتخب")

    tag_dump(RunSummary(), Ahead(), records(), outputs, max_topics=1, max_tags=1, min_score=None)
    assert len(outputs.rejects) == 20 * CHUNK_ARTICLES - 1
    assert max(waiting) <= 2 * 4 * CHUNK_ARTICLES + 1  # two blocks of rejects, and the article


def test_a_failure_comes_after_the_rows_of_all_that_was_asked_before(tagger: Tagger) -> None:
    class Ahead:
        ahead = 3
        stream = staticmethod(tagger.stream)

    def records() -> Iterator[Article]:
        for n in range(CHUNK_ARTICLES + 700):
            yield Article(str(n), f"فاز المنتخب {n % 3}")
        raise DumpError("gone")

    outputs, report = Kept(), RunSummary()
    with pytest.raises(DumpError, match="gone"):
        tag_dump(report, Ahead(), records(), outputs, max_topics=1, max_tags=1, min_score=None)
    assert report.tagged == len(outputs.rows) == CHUNK_ARTICLES + 700
