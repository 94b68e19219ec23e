"""Ray's actors give what one process gives, also when one is killed; skipped where Ray is not installed."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from tests.support import make_dump, tag_options
from wusum.model.article import Article
from wusum.model.errors import ModelError
from wusum.model.options import DEFAULT_OPTIONS, ModelSpec
from wusum.model.predictor import Predictor
from wusum.model.run.command import run_tag
from wusum.model.run.ray_workers import RayWorkerPool

SPEC = ModelSpec(device="cpu", threads=1)


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    ray = pytest.importorskip("ray", reason="the ray extra is not installed")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield ray
    ray.shutdown()


@pytest.mark.parametrize("count", [2, 3])  # and one that the cluster has no room for
def test_two_actors_write_the_same_bytes(ray: Any, tmp_path: Path, count: int) -> None:
    dump = make_dump(tmp_path / "dump.jsonl", 300)
    run_tag(tag_options(dump, tmp_path / "one.jsonl"))
    run_tag(tag_options(dump, tmp_path / "two.jsonl", workers=count, engine="ray"))
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
    rejects = [(tmp_path / f"{name}.rejects.jsonl").read_bytes() for name in ("one.jsonl", "two.jsonl")]
    assert rejects[0] == rejects[1]


def test_ray_data_takes_the_predictor(ray: Any) -> None:
    text = "فاز المنتخب في مباراة كرة القدم أمس على ضيفه"
    rows = ray.data.from_items([{"id": f"n{n}", "text": f"{text} {n}" if n % 3 else "x"} for n in range(12)])
    made = rows.map_batches(
        Predictor, fn_constructor_kwargs={"keep": ["id"], "max_tags": 2}, concurrency=1, batch_size=5
    ).take_all()
    assert sorted(row["id"] for row in made) == sorted(f"n{n}" for n in range(12))
    expected = Predictor(max_tags=2)({"text": [f"{text} {n}" for n in range(12)]})
    for row in made:
        number = int(row["id"][1:])
        assert (row["error"] is None) == (number % 3 > 0)
        assert list(row["topics"]) == (expected["topics"][number] if number % 3 else [])
        assert [tag["text"] for tag in row["tags"]] == (
            [tag["text"] for tag in expected["tags"][number]] if number % 3 else []
        )


def test_an_actor_that_is_killed_is_replaced(ray: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dump = make_dump(tmp_path / "dump.jsonl", 3000)
    killed = []

    def kill(workers: RayWorkerPool) -> None:
        time.sleep(0.2)
        process = ray.get(workers.actors[0].process.remote())
        os.kill(process, signal.SIGKILL)
        killed.append(process)

    class Watched(RayWorkerPool):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            threading.Thread(target=kill, args=(self,)).start()

    monkeypatch.setattr("wusum.model.run.ray_workers.RayWorkerPool", Watched)
    run_tag(tag_options(dump, tmp_path / "two.jsonl", workers=2, engine="ray"))
    assert killed
    run_tag(tag_options(dump, tmp_path / "one.jsonl"))
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()


class Died(Exception):
    """Stands for Ray's own exception."""


def test_work_goes_to_the_actors_that_have_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ray, util = MagicMock(), MagicMock()
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setitem(sys.modules, "ray.util", util)
    actors = [MagicMock() for _ in range(3)]
    ray.remote.return_value.return_value.remote.side_effect = actors
    ray.exceptions.RayError = Died
    workers = RayWorkerPool(3, SPEC)
    references = [actor.process.remote.return_value for actor in actors]
    ray.wait.side_effect = [([], references), (references[1:2], references[::2]), (references[:1], references[2:])]
    assert list(workers.stream([], DEFAULT_OPTIONS)) == []
    assert [call.args[0] for call in util.ActorPool.return_value.push.call_args_list] == [actors[1]]
    assert "waiting for a machine of the Ray cluster with 1 processors to spare" in capsys.readouterr().err
    util.ActorPool.return_value.get_next.side_effect = Died("killed thrice")
    asked = workers.stream([Article(str(n), "نص") for n in range(3)], DEFAULT_OPTIONS)
    (_, share), _ = util.ActorPool.return_value.submit.call_args  # at once
    assert [article.id for article in share] == ["0", "1", "2"]
    with pytest.raises(ModelError, match="Ray at articles '0' to '2': killed thrice"):
        list(asked)
    assert [call.args[0] for call in util.ActorPool.return_value.push.call_args_list] == [actors[1], actors[0]]


@pytest.mark.parametrize(("device", "gpus"), [("cpu", 0), ("cuda", 1)])
def test_an_actor_gets_a_gpu_where_one_is_asked_for(monkeypatch: pytest.MonkeyPatch, device: str, gpus: int) -> None:
    ray, util = MagicMock(), MagicMock()
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setitem(sys.modules, "ray.util", util)
    RayWorkerPool(2, replace(SPEC, device=device))
    assert ray.remote.call_args.kwargs["num_gpus"] == gpus


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ModelError, match=r"pip install 'wusum\[ray\]'"):
        RayWorkerPool(1, SPEC)
