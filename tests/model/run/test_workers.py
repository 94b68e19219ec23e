"""Worker processes: the same predictions as one process, also after a worker has died."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import PAGES, TAG_COMMAND, MemorySink, make_dump, tag_options
from wusum.model import stream
from wusum.model.article import Article
from wusum.model.errors import ModelError
from wusum.model.options import DEFAULT_OPTIONS, ModelSpec, PredictOptions
from wusum.model.run import command, workers
from wusum.model.run.command import run_tag
from wusum.model.run.loop import RunSummary, tag_dump
from wusum.model.run.workers import WorkerPool, divide
from wusum.model.tagger import Tagger

SPEC = ModelSpec(device="cpu", threads=1)
OPTIONS = PredictOptions(max_topics=2, max_tags=4)


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    bodies = [Article.from_page(path.read_text(encoding="utf-8")).body.split() for path in sorted(PAGES.glob("*.txt"))]
    return [Article(str(n), " ".join(bodies[n % 6][n // 6 : 60 + n])) for n in range(90)]


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(2, SPEC) as made:
        yield made


def die(*_: object) -> None:
    os._exit(1)


def processes(pool: WorkerPool) -> list[int]:
    return list(pool._pool._processes)


def test_the_predictions_are_those_of_one_process_in_order(
    pool: WorkerPool, tagger: Tagger, articles: list[Article]
) -> None:
    assert list(pool.stream(articles, OPTIONS)) == list(tagger.stream(articles, OPTIONS))
    assert list(pool.stream([], OPTIONS)) == []


def test_a_worker_that_is_killed_is_replaced(pool: WorkerPool, tagger: Tagger, articles: list[Article]) -> None:
    found = pool.stream(articles, DEFAULT_OPTIONS)
    first = [next(found)]
    for process in processes(pool):
        os.kill(process, signal.SIGKILL)
    assert [*first, *found] == list(tagger.stream(articles))


def test_requested_articles_outlive_their_workers(pool: WorkerPool, tagger: Tagger, articles: list[Article]) -> None:
    found, later = pool.stream(articles, DEFAULT_OPTIONS), pool.stream(articles[::-1], DEFAULT_OPTIONS)  # both begun
    killed = pool._pool
    for process in processes(pool):
        os.kill(process, signal.SIGKILL)
    assert list(found) == list(tagger.stream(articles))
    replaced = pool._pool
    assert replaced is not killed
    assert list(later) == list(tagger.stream(articles[::-1]))
    assert pool._pool is replaced  # the new workers have not been replaced because of the old ones


def test_work_begins_before_the_first_prediction_is_consumed(pool: WorkerPool, articles: list[Article]) -> None:
    assert not pool._pool._pending_work_items
    found = pool.stream(articles, DEFAULT_OPTIONS)
    assert pool._pool._pending_work_items
    for _ in range(600):
        if not pool._pool._pending_work_items:
            break
        time.sleep(0.05)
    assert not pool._pool._pending_work_items
    assert len(list(found)) == len(articles)


def test_a_run_survives_the_death_of_its_workers_with_several_chunks_begun(
    pool: WorkerPool, tagger: Tagger, articles: list[Article], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "CHUNK_ARTICLES", 20)
    monkeypatch.setattr(workers, "WORKERS_PER_CHUNK", 1)  # two chunks ahead
    killed = []

    def records() -> Iterator[Article]:
        for number, article in enumerate(articles):
            if number == 50:  # the first chunk is waited for when the third is full
                killed.extend(processes(pool))
                for process in killed:
                    os.kill(process, signal.SIGKILL)
            yield article

    sink = MemorySink()
    tag_dump(RunSummary(), pool, records(), sink, OPTIONS)
    assert killed
    assert [prediction for _, prediction in sink.rows] == list(tagger.stream(articles, OPTIONS))


def test_a_worker_seldom_collects_garbage(pool: WorkerPool) -> None:
    assert pool._pool.submit(gc.get_threshold).result()[0] == workers.GC_THRESHOLD
    assert pool._pool.submit(gc.get_freeze_count).result() > 10_000


def test_articles_that_kill_every_worker_are_named(articles: list[Article], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_tag", die)
    with (
        WorkerPool(1, SPEC) as pool,
        pytest.raises(ModelError, match="workers died 3 times, last at articles '0' to"),
    ):
        list(pool.stream(articles[:3], DEFAULT_OPTIONS))


@pytest.mark.parametrize("suffix", ["jsonl", "csv.gz"])  # a member for each chunk
def test_a_run_with_workers_writes_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    monkeypatch.setattr(stream, "CHUNK_ARTICLES", 40)
    dump = make_dump(tmp_path / "dump.jsonl", 300)
    one, two = tmp_path / f"one.{suffix}", tmp_path / f"two.{suffix}"
    run_tag(tag_options(dump, one))
    run_tag(tag_options(dump, two, workers=2))
    assert one.read_bytes() == two.read_bytes()
    rejects = [Path(f"{path}.rejects.jsonl").read_bytes() for path in (one, two)]
    assert rejects[0] == rejects[1]


def test_only_a_long_run_starts_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []

    class Counted(WorkerPool):
        def __init__(self, count: int, spec: ModelSpec) -> None:
            started.append(count)
            super().__init__(count, spec)

    monkeypatch.setattr(workers, "WorkerPool", Counted)
    monkeypatch.setattr(command, "available_cpus", lambda: 2)
    monkeypatch.setattr(stream, "CHUNK_ARTICLES", 40)
    dump = make_dump(tmp_path / "dump.jsonl", 100)
    run_tag(tag_options(dump, tmp_path / "short.jsonl"))
    assert not started
    monkeypatch.setattr(workers, "WORTHWHILE_ARTICLES", 40)
    run_tag(tag_options(dump, tmp_path / "long.jsonl"))
    assert started == [2]
    assert (tmp_path / "long.jsonl").read_bytes() == (tmp_path / "short.jsonl").read_bytes()


@pytest.mark.parametrize(("inputs", "prompt"), [([], False), (["-"], True)])
def test_standard_input_is_not_read_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: list[str], prompt: bool
) -> None:
    given: list[bool] = []
    monkeypatch.setattr(command, "tag_dump", lambda *_, prompt, **__: given.append(prompt))
    dump = make_dump(tmp_path / "dump.jsonl", 3)
    run_tag(tag_options(dump, tmp_path / "out.jsonl", inputs=[str(dump), *inputs]))
    assert given == [prompt]


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(0, []), (1, [1]), (7, [7]), (13, [8, 5]), (91, [46, 45]), (200, [50] * 4), (512, [64] * 8)],
)
def test_shares_are_all_the_articles_in_order(count: int, sizes: list[int]) -> None:
    articles = [Article(str(n), "") for n in range(count)]
    shares = divide(articles, 2)
    assert [article for share in shares for article in share] == articles
    assert list(map(len, shares)) == sizes


def test_workers_end_with_a_run_that_is_killed(tmp_path: Path) -> None:
    dump = make_dump(tmp_path / "dump.jsonl", 20_000)
    command = [*TAG_COMMAND, str(dump), "-o", str(tmp_path / "out.jsonl"), "--workers", "2"]
    run = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    children: list[int] = []
    for _ in range(300):
        children = _children(run.pid)
        if len(children) >= 2:
            break
        time.sleep(0.1)
    assert len(children) >= 2, "no workers were started"
    run.kill()
    run.wait()
    for _ in range(300):
        if not any(map(_alive, children)):
            break
        time.sleep(0.1)
    assert not list(filter(_alive, children))


def _alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # ended, but its parent has not read its status


def _children(process: int) -> list[int]:
    if sys.platform != "linux":
        pytest.skip("only Linux says which processes a process has started")
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(child) for child in text.split()]
