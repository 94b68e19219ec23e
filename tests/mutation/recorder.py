"""A plugin of pytest that records which lines each test runs, and how long it takes."""

from __future__ import annotations

import functools
import json
import sys
import threading
from collections import defaultdict
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from types import CodeType
from typing import Any

import pytest

MAX_PAUSE = 255
"""The most calls of a function that are skipped in a row."""


@dataclass
class Calls:
    """The lines that calls of a function have run.

    A call that ran none but known ones makes the recorder skip ever more of the calls that follow.
    """

    code: CodeType
    lines: set[int] = field(default_factory=set)
    known: int = -1
    pause: int = 0
    skipped: int = 0

    def is_skipped(self) -> bool:
        """Return whether the next call is not recorded."""
        if self.skipped < self.pause:
            self.skipped += 1
            return True
        self.pause = 0 if len(self.lines) > self.known else min(2 * self.pause + 1, MAX_PAUSE)
        self.known, self.skipped = len(self.lines), 0
        return False


@dataclass
class Run:
    """Seconds of a test, or of a fixture that several tests share, and the functions that it called."""

    seconds: float = 0.0
    calls: dict[int, Calls] = field(default_factory=dict)

    def calls_of(self, code: CodeType) -> Calls:
        """Return the calls of a function so far."""
        key = id(code)  # far faster than the hash of its code
        if key not in self.calls:
            self.calls[key] = Calls(code)
        return self.calls[key]

    def to_dict(self, folder: str) -> dict[str, Any]:
        """Return this as JSON values, with the lines by the file's path below `folder`."""
        lines: defaultdict[str, set[int]] = defaultdict(set)
        for calls in self.calls.values():
            lines[calls.code.co_filename.removeprefix(folder)] |= calls.lines
        return {"seconds": self.seconds, "lines": {name: sorted(numbers) for name, numbers in lines.items()}}


def _clear_caches() -> None:
    """Empty the caches of our functions, whose lines only the first test would run that needs them."""
    for name, module in list(sys.modules.items()):
        if name.startswith("wusum."):
            for value in list(vars(module).values()):
                for cached in (value, *(vars(value).values() if isinstance(value, type) else ())):
                    if isinstance(cached, functools._lru_cache_wrapper):
                        cached.cache_clear()


class Recorder:
    """Records lines of the files whose names begin with `folder`, and writes them to `output` at the end."""

    def __init__(self, folder: str, output: Path) -> None:
        """Nothing is recorded until a test starts."""
        self._folder = folder
        self._output = output
        self._running: list[Run] = []
        self._tests: dict[str, dict[str, Any]] = {}
        self._fixtures: dict[str, dict[str, Any]] = {}
        self._failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        _clear_caches()
        run = Run()
        trace = self._tracer()
        sys.settrace(trace)
        threading.settrace(trace)
        try:
            return (yield from self._timed(run))
        finally:
            sys.settrace(None)
            threading.settrace(None)
            self._tests[item.nodeid] = run.to_dict(self._folder) | {"fixtures": list(getattr(item, "fixturenames", ()))}

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, object, object]:
        if fixturedef.scope == "function":
            return (yield)
        run = Run()
        result = yield from self._timed(run)
        self._fixtures[fixturedef.argname] = run.to_dict(self._folder)
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        tests = {name: run for name, run in self._tests.items() if name not in self._failed}
        recorded = {"tests": tests, "fixtures": self._fixtures, "failed": sorted(self._failed)}
        self._output.write_text(json.dumps(recorded), encoding="utf-8")

    def _timed(self, run: Run) -> Generator[None, object, object]:
        """Record into `run` until the hook has run; its time does not count to what runs around it."""
        start = perf_counter()
        self._running.append(run)
        try:
            return (yield)
        finally:
            self._running.pop()
            seconds = perf_counter() - start
            run.seconds += seconds
            if self._running:
                self._running[-1].seconds -= seconds

    def _tracer(self) -> Any:
        folder, running = self._folder, self._running

        def line(frame: Any, event: str, argument: object) -> Any:
            if running:
                running[-1].calls_of(frame.f_code).lines.add(frame.f_lineno)
            return line

        def call(frame: Any, event: str, argument: object) -> Any:
            if not running or not frame.f_code.co_filename.startswith(folder):
                return None
            return None if running[-1].calls_of(frame.f_code).is_skipped() else line

        return call
