"""Private copies of the repository, in which tests run against mutants."""

from __future__ import annotations

import compileall
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

LEFT_OUT = (".git", ".venv", ".*_cache", ".hypothesis", "*.egg-info", "build", "dist", "runs")
"""Folders that no test needs."""

PRELOADED = (
    "numpy", "onnxruntime", "onnx", "pyarrow.parquet", "scipy.optimize", "scipy.sparse", "sklearn.ensemble",
    "sklearn.feature_extraction.text", "sklearn.linear_model", "sklearn.pipeline", "sklearn.svm", "torch",
    "transformers.trainer", "transformers.models.bert.modeling_bert", "transformers.models.auto.modeling_auto",
    "transformers.tokenization_utils_tokenizers", "torch.onnx", "torch._dynamo", "datasets", "huggingface_hub",
    "safetensors.torch", "tokenizers", "hypothesis.strategies", "jsonargparse", "yaml", "jinja2", "typer.testing",
    "rich.progress", "fsspec", "zstandard",
)  # fmt: skip
"""Packages that take long to import, loaded once for all mutants."""

MARK = "\n_UNUSED_BY_TESTS = None\n"
"""Code at the end of each module: a test that fails because of it would fail for every mutant."""

ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


@dataclass(frozen=True)
class Project:
    """A repository: its root, the folders of the packages below `wusum`, and the packages that they import."""

    root: Path
    packages: tuple[str, ...] = ("model", "train", "eval")
    preloaded: tuple[str, ...] = PRELOADED


def find_tests(root: Path, paths: Iterable[str]) -> list[str]:
    """Return the test files that are or lie below the given paths, but for the tests of this package."""
    found = [file for path in map(root.joinpath, paths) for file in (sorted(path.rglob("test_*.py")) or [path])]
    return [name for file in found if (name := file.relative_to(root).as_posix()) != "tests/test_mutation.py"]


class Tree:
    """A copy of the repository, and a process that runs tests in it.

    The folder has `tree`, the copy; `names/wusum`, links to its packages by the names they are imported by; `tmp`; and
    `shared`, a link to the corpora beside the repository.
    """

    def __init__(self, project: Project, snapshot: Path, folder: Path) -> None:
        """Copy a snapshot of the project."""
        self.folder = folder
        shutil.copytree(snapshot, folder / "tree", symlinks=True)
        names = folder / "names" / "wusum"
        names.mkdir(parents=True)
        for package in project.packages:
            (names / package).symlink_to(Path("../../tree") / package)
        (folder / "tmp").mkdir()
        if (shared := project.root.parent / "shared").is_dir():
            (folder / "shared").symlink_to(shared)
        script = Path(__file__).with_name("server.py")
        environment = os.environ | ENVIRONMENT | {"TMPDIR": str(folder / "tmp"), "PYTHONPATH": str(folder / "names")}
        self._process = subprocess.Popen(
            [sys.executable, str(script), str(folder), *project.preloaded],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True, encoding="utf-8",
        )  # fmt: skip

    def ask(self, **request: Any) -> dict[str, Any]:
        """Let the process run tests and return the answer (see `server.answer`)."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline() or "{}")
        if not answer.get("ran"):
            raise RuntimeError(f"the tests could not be run: {answer}\n{self._output()}")
        return answer

    def _output(self) -> str:
        """Return the output of the last tests."""
        path = self.folder / "output.txt"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def __enter__(self) -> Self:
        """Return the copy."""
        return self

    def __exit__(self, *error: object) -> None:
        """End the process."""
        self._process.terminate()
        self._process.communicate()


@contextmanager
def scratch_folder(project: Project) -> Iterator[Path]:
    """Yield a new folder, which is removed at the end."""
    folder = project.root / "build" / "mutation"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run-", dir=folder, ignore_cleanup_errors=True) as scratch:
        yield Path(scratch)


def take_snapshot(project: Project, folder: Path) -> Path:
    """Copy the repository below a folder, with MARK in each module, and return the path of the copy."""
    snapshot = folder / "snapshot"
    shutil.copytree(project.root, snapshot, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for package in project.packages:
        for module in (snapshot / package).rglob("*.py"):
            with module.open("a", encoding="utf-8") as file:
                file.write(MARK)
        compileall.compile_dir(snapshot / package, quiet=2)
    return snapshot


@contextmanager
def grow(project: Project, snapshot: Path, count: int) -> Iterator[list[Tree]]:
    """Yield copies of a snapshot, beside it."""
    with ExitStack() as stack:
        yield [stack.enter_context(Tree(project, snapshot, snapshot.parent / str(i))) for i in range(count)]
