"""The lock of an output: one run at a time, and no trace of it afterwards."""

from __future__ import annotations

import errno
import fcntl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from wusum.model.errors import DumpError
from wusum.model.io import storage

HOLD = """
import sys, time
from wusum.model.io.storage import locked
with locked(sys.argv[1]):
    print(flush=True)
    time.sleep(60)
"""


def test_a_lock_ends_with_a_killed_process(tmp_path: Path) -> None:
    out = str(tmp_path / "out.jsonl")
    with subprocess.Popen([sys.executable, "-c", HOLD, out], stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        with pytest.raises(DumpError, match=r"out\.jsonl: another run is writing it"), storage.locked(out):
            pass
        holder.kill()
    assert [path.name for path in tmp_path.iterdir()] == [".out.jsonl.lock"]
    with storage.locked(out):
        assert [path.name for path in tmp_path.iterdir()] == [".out.jsonl.lock"]
    assert not list(tmp_path.iterdir())


def test_a_lock_that_is_just_being_released_is_waited_for(tmp_path: Path) -> None:
    out = str(tmp_path / "out.jsonl")
    held, waiting = threading.Event(), threading.Event()

    def hold() -> None:
        with storage.locked(out):
            held.set()
            waiting.wait(10)
            time.sleep(storage._LOCK_SECONDS / 8)

    with ThreadPoolExecutor() as threads:
        first = threads.submit(hold)
        held.wait(10)
        waiting.set()
        with storage.locked(out):
            pass
        first.result()
    assert not list(tmp_path.iterdir())


def test_contenders_never_hold_a_lock_together(tmp_path: Path) -> None:
    out = str(tmp_path / "out.jsonl")
    inside, most, times = 0, 0, 0
    counts = threading.Lock()

    def contend() -> None:
        nonlocal inside, most, times
        for _ in range(50):
            try:
                with storage.locked(out):
                    with counts:
                        inside, times = inside + 1, times + 1
                        most = max(most, inside)
                    time.sleep(0.001)
                    with counts:
                        inside -= 1
            except DumpError:
                pass

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(contend) for _ in range(4)]:
            done.result()
    assert most == 1
    assert times >= 50
    assert not list(tmp_path.iterdir())


def test_a_lock_is_released_after_an_exception(tmp_path: Path) -> None:
    out = str(tmp_path / "out.jsonl")
    with pytest.raises(KeyError), storage.locked(out):
        raise KeyError
    assert not list(tmp_path.iterdir())
    with storage.locked(out):
        pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_disk_without_locks_does_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def flock(*_: Any) -> None:
        raise OSError(number, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with storage.locked(str(tmp_path / "out.jsonl")), storage.locked(str(tmp_path / "out.jsonl")):
        assert not list(tmp_path.iterdir())


def test_an_output_whose_lock_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / ".out.jsonl.lock").mkdir()
    with (
        pytest.raises(DumpError, match=r"out\.jsonl: cannot be written: .*directory"),
        storage.locked(str(tmp_path / "out.jsonl")),
    ):
        pass


def test_remote_outputs_are_not_locked() -> None:
    with storage.locked("memory://locks/out.jsonl"), storage.locked("memory://locks/out.jsonl"):
        pass
