"""A process that runs tests in copies of itself, which have the heavy packages loaded already.

Run as a script with the folder of a `trees.Tree` and the names of packages to load, it reads requests as lines of JSON
and answers each with one.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from recorder import Recorder  # type: ignore[import-not-found]

MAX_BYTES = 8 << 30
"""Memory that tests may take; a mutant may never stop asking for more."""

FAULT = 70
"""Exit code if the tests could not be run at all."""


class Chosen:
    """A plugin that runs the given tests only, in that order, and writes down the first that fails."""

    def __init__(self, tests: list[str], output: Path) -> None:
        """`output` is the file for the name of the test."""
        self._places = {name: place for place, name in enumerate(tests)}
        self._output = output

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((i for i in items if i.nodeid in self._places), key=lambda i: self._places[i.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self._output.exists():
            self._output.write_text(report.nodeid, encoding="utf-8")


def main(job: Path, packages: list[str]) -> None:
    """Answer requests until there are none."""
    sys.path.remove(str(Path(__file__).parent))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    for name in packages:
        with suppress(ImportError):  # what is absent is not needed
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        print(json.dumps(answer(job, json.loads(line))), flush=True)


def answer(job: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Run `tests` for `limit` seconds with `source` in place of `module`; return the exit code and the failed test.

    A request with `record` runs the files `tests` and writes the recording to that path. A code of None: out of time.
    `ran` is False if no test could be run.
    """
    module = job / "tree" / request["module"] if "module" in request else None
    original = module.read_bytes() if module else b""
    failed = job / "failed"
    failed.unlink(missing_ok=True)
    if module:
        for compiled in module.parent.glob(f"__pycache__/{module.stem}.*"):
            compiled.unlink()
        module.write_text(request["source"], encoding="utf-8")
    try:
        code = _run(job, request, failed)
    finally:
        if module:
            module.write_bytes(original)
    test = failed.read_text(encoding="utf-8") if failed.exists() else None
    return {"ran": code not in (FAULT, pytest.ExitCode.NO_TESTS_COLLECTED), "code": code, "test": test}


def _run(job: Path, request: dict[str, Any], failed: Path) -> int | None:
    child = os.fork()
    if not child:
        try:
            _test(job, request, failed)
        finally:
            os._exit(FAULT)
    end = time.monotonic() + request["limit"]
    done = code = 0
    try:
        while not done and time.monotonic() < end:
            time.sleep(0.01)
            done, code = os.waitpid(child, os.WNOHANG)
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)  # and all that the tests started
    if not done:
        os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(code) if done else None


def _test(job: Path, request: dict[str, Any], failed: Path) -> None:
    """Run tests in this process and leave it."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.setsid()
    sys.modules["__main__"] = ModuleType("__main__")  # processes that tests start would import this script
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_BYTES, MAX_BYTES))
    os.chdir(job / "tree")
    output = os.open(job / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    _derandomise()
    if "record" in request:
        plugin: object = Recorder(f"{job}/names/wusum/", Path(request["record"]))
        stop = []
    else:
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        plugin = Chosen(request["tests"], failed)
        stop = ["-x"]
    files = list(dict.fromkeys(test.split("::")[0] for test in request["tests"]))
    scratch = job / "tmp" / "pytest"
    options = ["-q", "-p", "no:cacheprovider", "--tb=short", f"--basetemp={scratch}", *stop]
    code = pytest.main([*options, *files], [plugin])
    sys.stdout.flush()
    os._exit(code)


def _derandomise() -> None:
    """Let Hypothesis try the same examples each time, however slow."""
    with suppress(ImportError):
        from hypothesis import HealthCheck, settings

        settings.register_profile(
            "mutation", derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
        )
        settings.load_profile("mutation")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
