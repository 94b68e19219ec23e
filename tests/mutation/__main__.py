"""The command `python -m tests.mutation`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.mutation import report
from tests.mutation.mutants import Mutant, find_modules, make_mutants
from tests.mutation.run import equivalent, run
from tests.mutation.trees import Project, find_tests, scratch_folder, take_snapshot

PROJECT = Project(Path(__file__).resolve().parents[2])
MODULES = "tests/mutation/modules.txt"
EQUIVALENT = "tests/mutation/equivalent.toml"


def main(arguments: list[str] | None = None, project: Project = PROJECT) -> int:
    """Run the command and return its exit status."""
    options = _parser().parse_args(arguments)
    started = time.monotonic()
    with scratch_folder(project) as folder:
        snapshot = take_snapshot(project, folder)
        mutants = _mutants(options, snapshot)
        outcomes = run(project, snapshot, mutants, find_tests(snapshot, options.tests), options.jobs, options.budget)
    print(*report.table(outcomes), sep="\n")
    print(f"{len(outcomes)} mutants in {(time.monotonic() - started) / 60:.1f} minutes")
    report.write(options.report, outcomes, sample=options.sample, seed=options.seed, tests=options.tests)
    return int(report.score(outcomes) < options.min_score)


def _mutants(options: argparse.Namespace, root: Path) -> list[Mutant]:
    """Return the mutants to try: a sample of each module, or those that survived an earlier run."""
    patterns = options.modules or (root / MODULES).read_text(encoding="utf-8").split()
    same = equivalent(root / EQUIVALENT)
    again = report.survivors(options.again) if options.again else None
    sample = None if options.again else options.sample
    made = [m for module in find_modules(root, patterns) for m in make_mutants(root, module, sample, options.seed)]
    return [mutant for mutant in made if mutant.key not in same and (again is None or mutant.key in again)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m tests.mutation", description="Find changes of the code that no test notices."
    )
    add = parser.add_argument
    add("modules", nargs="*", help="files or patterns, like model/io/*.py; default: those in modules.txt")
    add("--tests", nargs="+", default=["tests"], help="test files or folders; default: all")
    add("--sample", type=int, help="mutants of each module; default: all")
    add("--seed", type=int, default=0, help="of the sample")
    add("--jobs", type=int, default=2, help="processes")
    add("--budget", type=float, default=120, help="seconds of tests for a mutant")
    add("--again", type=Path, help="a report: try its survivors only")
    add("--report", type=Path, default=PROJECT.root / "build" / "mutants.json", help="file for the outcomes")
    add("--min-score", type=float, default=0, help="least share of killed mutants, else the exit status is 1")
    return parser


if __name__ == "__main__":
    sys.exit(main())
