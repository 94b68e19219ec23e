"""The outcome of a run against mutants, to read and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.mutation.mutants import Mutant, one_line


@dataclass(frozen=True)
class Outcome:
    """A mutant, and the test that killed it; None if it survived.

    `tests` were run at most, `left_out` more would have been with more time.
    """

    mutant: Mutant
    killed_by: str | None
    tests: int
    left_out: int = 0

    def __str__(self) -> str:
        """Return one line for a reader."""
        mutant = self.mutant
        run = f"{self.tests} tests" + (f", {self.left_out} left out" if self.left_out else "")
        change = one_line(mutant.before, mutant.after)
        return f"{mutant.module}:{mutant.line} {mutant.function or '(module)'}: {change}  [{run}]"

    def to_dict(self) -> dict[str, Any]:
        """Return this as JSON values."""
        mutant = self.mutant
        return {
            "module": mutant.module, "line": mutant.line, "function": mutant.function, "before": mutant.before,
            "after": mutant.after, "killed_by": self.killed_by, "tests": self.tests, "left_out": self.left_out,
        }  # fmt: skip


def score(outcomes: Sequence[Outcome]) -> float:
    """Return the share of mutants that were killed; 1 if there are none."""
    return sum(outcome.killed_by is not None for outcome in outcomes) / len(outcomes) if outcomes else 1.0


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield the lines of a table: of each module and of all, the mutants that were killed and their share."""
    rows = {module: [o for o in outcomes if o.mutant.module == module] for module in sorted(modules_of(outcomes))}
    for name, part in {**rows, "all": list(outcomes)}.items():
        killed = sum(outcome.killed_by is not None for outcome in part)
        yield f"{name:40} {killed:5} of {len(part):5}  {100 * score(part):5.1f} %"


def modules_of(outcomes: Sequence[Outcome]) -> set[str]:
    """Return the modules of outcomes."""
    return {outcome.mutant.module for outcome in outcomes}


def write(path: Path, outcomes: Sequence[Outcome], **settings: Any) -> None:
    """Write outcomes and the settings of the run as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    report = {
        "score": score(outcomes),
        **settings,
        "modules": {
            module: {"mutants": len(part), "killed": sum(o.killed_by is not None for o in part)}
            for module in sorted(modules_of(outcomes))
            if (part := [o for o in outcomes if o.mutant.module == module])
        },
        "mutants": [outcome.to_dict() for outcome in outcomes],
    }
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def survivors(path: Path) -> set[tuple[str, str, str, str]]:
    """Return the keys of the mutants that survived in an earlier run (see `Mutant.key`)."""
    report = json.loads(path.read_text(encoding="utf-8"))
    return {
        (row["module"], row["function"], row["before"], row["after"])
        for row in report["mutants"]
        if row["killed_by"] is None
    }
