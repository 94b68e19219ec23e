"""A run of suites: answers are computed or read from a cache, together with everything that they depend on."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from wusum import eval, model, train
from wusum.eval.baselines import hub
from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Key, from_json, to_json
from wusum.eval.measures.evaluation import Evaluation
from wusum.eval.suites.suite import TRAINING_SUITES, load_suite
from wusum.model.errors import ConfigError
from wusum.model.run.manifest import model_fingerprint
from wusum.model.tagger import Tagger
from wusum.train.cache import digest_of, file_digest, read_json, write_json

PACKAGES = ("wusum", "numpy", "onnxruntime", "tokenizers", "scikit-learn", "torch", "transformers", "yake")
"""Packages whose versions are reported."""

CODE_FOLDERS = tuple(Path(package.__path__[0]) for package in (model, train, eval))
"""Folders of the code that answers depend on."""

MODEL_INDEPENDENT = ("majority", "linear", "fastText-like", "dictionary", "TF-IDF", "YAKE", "TextRank")
"""Systems whose answers do not depend on the measured model."""


def evaluate(
    tagger: Tagger,
    config: EvalConfig,
    names: Sequence[str],
    on_start: Callable[[Key, int, int], None] = lambda key, done, total: None,
) -> Evaluation:
    """Run the named suites with the model and, by default, its baselines.

    `on_start` is called before each key with the numbers of finished and of all keys. Raises ConfigError if the
    settings leave nothing to measure.
    """
    about = describe(tagger, config)
    keys = [key for name in names for key in load_suite(name).keys(config) if config.baselines or key.system == "wusum"]
    if not keys:
        raise ConfigError("nothing to measure: no suite has a corpus")
    answers = []
    for done, key in enumerate(keys):
        on_start(key, done, len(keys))
        path = config.cache / f"{_digest(key, config, about)}.json"
        try:
            answers.append(from_json(read_json(path)))
        except (OSError, ValueError, KeyError, TypeError):  # missing or damaged
            answers.append(load_suite(key.suite).answer(key, tagger, config))
            write_json(path, to_json(answers[-1]))
    return Evaluation(tuple(answers), about)


def load_report(folder: Path) -> Evaluation | None:
    """Return the evaluation whose report is in a folder, or None if there is no report.

    Raises ConfigError for a damaged report.
    """
    path = folder / "answers.jsonl"
    if not path.is_file():
        return None
    try:
        about = read_json(folder / "metrics.json")["about"]
        lines = path.read_text(encoding="utf-8").splitlines()
        return Evaluation(tuple(from_json(json.loads(line)) for line in lines), about)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{folder}: the report cannot be read: {error}") from error


def describe(tagger: Tagger, config: EvalConfig) -> dict[str, Any]:
    """Return everything that the numbers depend on."""
    folder = tagger.artifact.folder
    data = [*sorted(config.data.glob("*.jsonl.xz")), Path(config.labelled)]
    history = folder / "history.json"
    return {
        "model": folder.name,
        "model_fingerprint": model_fingerprint(folder),
        "data": {path.name: file_digest(path) for path in data if path.is_file()},
        "settings": {name: str(v) if isinstance(v, Path) else v for name, v in asdict(config).items()},
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "revision": _revision(),
        "processors": os.cpu_count(),
        "training_loss": read_json(history) if history.is_file() else [],  # pairs of windows and loss
    }


def _digest(key: Key, config: EvalConfig, about: dict[str, Any]) -> str:
    """Return a digest of everything that the answers of one key depend on."""
    hub_models = {key.system: config.hub_models[key.system]} if key.system in config.hub_models else {}
    independent = key.system in MODEL_INDEPENDENT or bool(hub_models)
    fingerprint = "" if independent else about["model_fingerprint"]
    runtime = "" if independent else config.runtime
    settings = replace(config, cache=Path(), retrained=Path(), baselines=True, hub_models=hub_models, runtime=runtime)
    files = [config.topics, *_code_files()]
    files += [config.finetune, config.calibrate] if key.suite in TRAINING_SUITES else []
    files += [path for name in hub_models for path in hub.model_files(name)]
    contents = [file_digest(path) for path in files if path.is_file()]
    return digest_of(key, fingerprint, about["data"], settings, contents)


def _code_files() -> list[Path]:
    """Return all Python files and hand-made labels, in subpackages too."""
    return [path for folder in CODE_FOLDERS for kind in ("*.py", "*.jsonl") for path in sorted(folder.rglob(kind))]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _revision() -> str | None:
    """Return the commit of the code, marked if the working tree differs from it; None without a repository."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=Path(__file__).parent, capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()
