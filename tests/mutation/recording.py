"""Which tests run which lines, and which of them are run against a mutant."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.mutation.mutants import Mutant

Lines = dict[str, frozenset[int]]


@dataclass(frozen=True)
class Test:
    """A test that passes: its seconds, those of each fixture that it shares with others, and its lines by module."""

    __test__ = False  # for pytest

    name: str
    seconds: float
    fixtures: dict[str, float]
    lines: Lines

    @property
    def file(self) -> str:
        """The path of its file."""
        return self.name.split("::")[0]

    @property
    def cost(self) -> float:
        """The seconds that it takes alone."""
        return self.seconds + sum(self.fixtures.values())


def seconds_of(tests: Iterable[Test]) -> float:
    """Return the seconds that tests take one after another."""
    tests = list(tests)
    fixtures = {name: seconds for test in tests for name, seconds in test.fixtures.items()}
    return sum(test.seconds for test in tests) + sum(fixtures.values())


class Recordings:
    """Recordings of test files in a folder; one holds until the code, the fixtures or its tests change."""

    def __init__(self, root: Path, folder: Path, packages: Sequence[str]) -> None:
        """`root` is the repository; the folder is created."""
        self._root, self._folder, self._packages = root, folder, packages
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, test_file: str) -> Path:
        """Return the path of the recording of a test file as it is now."""
        own = hashlib.sha256(self._shared_digest + (self._root / test_file).read_bytes()).hexdigest()
        return self._folder / f"{test_file.replace('/', '.')}.{own[:16]}.json"

    def tests(self, test_files: Iterable[str]) -> list[Test]:
        """Return the tests of files that have been recorded."""
        return [test for file in test_files for test in _read(json.loads(self.path(file).read_text(encoding="utf-8")))]

    def failed(self, test_files: Iterable[str]) -> list[str]:
        """Return the tests of files that failed without a mutant."""
        return [
            name for file in test_files for name in json.loads(self.path(file).read_text(encoding="utf-8"))["failed"]
        ]

    @cached_property
    def _shared_digest(self) -> bytes:
        """A digest of all code but the tests themselves."""
        folders = [self._root / name for name in (*self._packages, "tests")]
        paths = sorted(path for folder in folders for path in folder.rglob("*.py"))
        digest = hashlib.sha256(sys.version.encode())
        for path in paths:
            if not path.name.startswith("test_") and path.parent != Path(__file__).parent:
                digest.update(path.relative_to(self._root).as_posix().encode() + path.read_bytes())
        return digest.digest()


def _read(recorded: dict[str, Any]) -> Iterator[Test]:
    fixtures = recorded["fixtures"]
    for name, run in recorded["tests"].items():
        used = [fixture for fixture in run["fixtures"] if fixture in fixtures]
        lines: dict[str, set[int]] = {}
        for part in (run, *(fixtures[fixture] for fixture in used)):
            for module, numbers in part["lines"].items():
                lines.setdefault(module, set()).update(numbers)
        frozen = {module: frozenset(numbers) for module, numbers in lines.items()}
        yield Test(name, run["seconds"], {fixture: fixtures[fixture]["seconds"] for fixture in used}, frozen)


def choose(mutant: Mutant, tests: Iterable[Test], root: Path, budget: float) -> tuple[list[Test], int]:
    """Return the tests to run against a mutant, fast ones first, and the number left out for lack of time.

    They run its lines. If none is known to (code at import, or in another process), those are chosen that run anything
    of the module or import it. Their time together is at most `budget` seconds, but one is always run.
    """
    tests = list(tests)
    chosen = [test for test in tests if not test.lines.get(mutant.module, frozenset()).isdisjoint(mutant.lines)]
    if not chosen:
        importing = _importing(root, mutant.module, sorted({test.file for test in tests}))
        chosen = [test for test in tests if test.file in importing or mutant.module in test.lines]
    folder, _, name = mutant.module.rpartition("/")
    mirror = f"tests/{folder}/test_{name}"
    chosen.sort(key=lambda test: (_magnitude(test.cost), test.file != mirror, test.file))
    count = len(chosen)
    while count > 1 and seconds_of(chosen[:count]) > budget:
        count -= 1
    return chosen[:count], len(chosen) - count


def _magnitude(seconds: float) -> int:
    """Return a rank of a time: tests of one rank stay together by file, as they share fixtures."""
    return sum(seconds > bound for bound in (0.05, 0.2, 1, 5, 20))


def _importing(root: Path, module: str, test_files: Iterable[str]) -> set[str]:
    """Return the test files that import a module by name."""
    *parents, name = module.removesuffix(".py").split("/")
    package = r"\.".join(["wusum", *parents])
    pattern = re.compile(rf"{package}\.{name}\b|from {package} import [^\n]*\b{name}\b")
    return {file for file in test_files if pattern.search((root / file).read_text(encoding="utf-8"))}
