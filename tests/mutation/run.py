"""Runs tests against mutants."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from tests.mutation.mutants import Mutant
from tests.mutation.recording import Recordings, Test, choose, seconds_of
from tests.mutation.report import Outcome
from tests.mutation.trees import Project, Tree, grow

HOUR = 3600.0

Item = TypeVar("Item")
Result = TypeVar("Result")


def run(
    project: Project, snapshot: Path, mutants: Sequence[Mutant], test_files: Sequence[str], jobs: int, budget: float
) -> list[Outcome]:
    """Return the outcomes of tests against mutants of a snapshot, in order; prints survivors as they are found.

    `budget`: see `choose`.
    """
    recordings = Recordings(snapshot, project.root / "build" / "mutation" / "recordings", project.packages)
    with grow(project, snapshot, jobs) as trees:
        missing = [file for file in test_files if not recordings.path(file).exists()]
        for file in _spread(trees, missing, lambda tree, file: _record(tree, file, recordings)):
            _say(f"recorded {file}")
        for name in recordings.failed(test_files):
            _say(f"left out, since it fails without a mutant: {name}")
        tests = recordings.tests(test_files)
        outcomes: list[Outcome] = []
        for outcome in _spread(trees, mutants, lambda tree, mutant: _try(tree, mutant, tests, snapshot, budget)):
            outcomes.append(outcome)
            if outcome.killed_by is None:
                print(outcome, flush=True)
            if sys.stderr.isatty():
                _say(f"{len(outcomes)} of {len(mutants)}", end="\r")
    places = {mutant: place for place, mutant in enumerate(mutants)}
    return sorted(outcomes, key=lambda outcome: places[outcome.mutant])


def _spread(trees: Sequence[Tree], items: Sequence[Item], work: Callable[[Tree, Item], Result]) -> Iterator[Result]:
    """Yield the results of work on items, as they come; each tree does one at a time."""
    free: SimpleQueue[Tree] = SimpleQueue()
    for tree in trees:
        free.put(tree)

    def next_free(item: Item) -> Result:
        tree = free.get()
        try:
            return work(tree, item)
        finally:
            free.put(tree)

    with ThreadPoolExecutor(len(trees)) as threads:
        futures = [threads.submit(next_free, item) for item in items]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            threads.shutdown(cancel_futures=True)


def _record(tree: Tree, test_file: str, recordings: Recordings) -> str:
    path = recordings.path(test_file)
    answer = tree.ask(tests=[test_file], record=str(path), limit=HOUR)
    if not path.exists():
        raise RuntimeError(f"{test_file} could not be recorded: {answer}")
    return test_file


def _try(tree: Tree, mutant: Mutant, tests: Sequence[Test], root: Path, budget: float) -> Outcome:
    chosen, left_out = choose(mutant, tests, root, budget)
    if not chosen:
        return Outcome(mutant, None, 0, left_out)
    answer = tree.ask(
        module=mutant.module,
        source=mutant.source,
        tests=[test.name for test in chosen],
        limit=5 * seconds_of(chosen) + 10,
    )
    killed_by = None if answer["code"] == 0 else _killed_by(answer)
    return Outcome(mutant, killed_by, len(chosen), left_out)


def _killed_by(answer: dict[str, Any]) -> str:
    """Return the test that failed, or how the run ended."""
    if answer["code"] is None:
        return "out of time"
    return answer["test"] or f"exit code {answer['code']}"


def equivalent(path: Path) -> set[tuple[str, str, str, str]]:
    """Return the keys of the mutants that a file lists as equivalent to the code (see `Mutant.key`)."""
    rows = tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", []) if path.exists() else []
    return {(row["module"], row["function"], row["before"], row["after"]) for row in rows}


def _say(text: str, end: str = "\n") -> None:
    print(text, file=sys.stderr, end=end, flush=True)
