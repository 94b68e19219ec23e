"""What numbers depend on: the code's revision, the model, the data, the settings and the machine."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from wusum import eval, model, train
from wusum.eval.config import EvalConfig
from wusum.eval.gold import HAND_LABELLED
from wusum.model.network.runtime import available_cpus
from wusum.model.pages.splitter import WEIGHTS_FILE
from wusum.model.run.manifest import model_fingerprint
from wusum.train.cache import code_digest, digest_of, file_digest, read_json, write_json
from wusum.train.data.annotations import FILE as ANNOTATIONS

PACKAGES = ("wusum", "numpy", "onnxruntime", "tokenizers", "scikit-learn", "torch", "transformers", "yake")
"""Packages whose versions are reported."""

PACKAGE_DATA = (HAND_LABELLED, ANNOTATIONS, WEIGHTS_FILE)
"""Files of the packages, no code and no part of a model, that answers depend on."""

TRAINED = "trained.json"
"""File beside a finished model that a suite has trained."""

CPU_INFO = Path("/proc/cpuinfo")
"""File in which Linux names the processor."""


def describe(folder: Path, config: EvalConfig, turns: int = 1) -> dict[str, Any]:
    """Return what numbers of the model in a folder depend on; `turns` is how often each of them is measured.

    Corpora are described by digests of their contents, and so is the code.
    """
    data = [*sorted(config.data.glob("*.jsonl.xz")), Path(config.labelled)]
    return {
        "model": folder.name,
        "model_fingerprint": model_fingerprint(folder),
        "data": {path.name: file_digest(path) for path in data if path.is_file()},
        "settings": {name: str(v) if isinstance(v, Path) else v for name, v in asdict(config).items()},
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "revision": revision(),
        "code": digest_of(code_digest(model, train, eval), [file_digest(path) for path in PACKAGE_DATA]),
        "processor": processor(),
        "processors": os.cpu_count(),
        "threads": available_cpus(),
        "turns": turns,
    }


def revision(folder: Path = Path(__file__).parent) -> str | None:
    """Return the commit of the repository that holds the code in a folder; None without such a repository.

    It ends in `-dirty` if the working tree differs from the commit, also by a new file that git does not ignore. A
    repository that merely surrounds the code, as that of a project which has it installed, is not the code's.
    """
    root = folder.parent
    try:
        top = Path(_git(root, "rev-parse", "--show-toplevel"))
        if not (top.samefile(root) and (root / "pyproject.toml").is_file()):
            return None
        commit = _git(root, "rev-parse", "--short=12", "HEAD")
        return f"{commit}-dirty" if _git(root, "status", "--porcelain") else commit
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    """Return the output of a git command in a folder; raises OSError or CalledProcessError if it fails."""
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def record_training(folder: Path, model: Path) -> None:
    """Write beside a finished model that a suite has trained by which revision, and its fingerprint."""
    write_json(folder / TRAINED, {"revision": revision(), "model_fingerprint": model_fingerprint(model)})


def training_record(folder: Path) -> dict[str, Any] | None:
    """Return what `record_training` has written to a folder, or None if there is no finished model in it."""
    try:
        found: dict[str, Any] = read_json(folder / TRAINED)
    except (OSError, ValueError):
        return None
    return found


def processor() -> str:
    """Return the name of the processor."""
    try:
        lines = CPU_INFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
