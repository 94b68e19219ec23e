"""One run of suites: answers made or found in the cache, and all that the numbers depend on."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from wusum import eval, model, train
from wusum.eval.baselines import hub
from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Answers, Key, Score, from_json, p_value, to_json
from wusum.eval.suites.core import SUITES, Suite
from wusum.model.errors import ConfigError
from wusum.model.run.manifest import model_fingerprint
from wusum.model.tagger import Tagger

PACKAGES = ("wusum", "numpy", "onnxruntime", "tokenizers", "scikit-learn", "torch", "transformers", "yake")
TRAINING = ("transfer", "drift")
"""Suites that train models of their own."""

FREE = ("majority", "linear", "fastText-like", "dictionary", "TF-IDF", "YAKE", "TextRank")
"""Systems whose answers do not depend on the model."""


@dataclass(frozen=True)
class Evaluation:
    """The answers of a run."""

    answers: tuple[Answers, ...]
    about: dict[str, Any]
    """What the numbers depend on: model, data, versions, settings."""

    def scores(self) -> list[Score]:
        """Every number with its interval."""
        return [score for answers in self.answers for score in answers.scores()]

    def find(self, suite: str, corpus: str, system: str = "wusum", variant: str = "") -> Answers | None:
        """The answers of a system, None where it was not asked."""
        key = Key(suite, corpus, system, variant)
        return next((answers for answers in self.answers if answers.key == key), None)

    def comparisons(self) -> list[dict[str, Any]]:
        """The model beside each baseline, by the headline measure of what they answered: difference and p-value."""
        found = []
        for answers in self.answers:
            key = answers.key
            ours = self.find(key.suite, key.corpus, variant=key.variant)
            if key.system == "wusum" or ours is None:
                continue
            found.append(
                {"suite": key.suite, "corpus": key.corpus, "baseline": key.system, "metric": ours.headline}
                | {"difference": ours.value() - answers.value(), "p": p_value(ours, answers)}
            )
        return found


def suite(name: str) -> Suite:
    """A suite by its name; those that train pull in what training needs."""
    if name == "transfer":
        from wusum.eval.suites.transfer import transfer_answers, transfer_keys

        return Suite(transfer_keys, transfer_answers)
    if name == "drift":
        from wusum.eval.suites.drift import drift_answers, drift_keys

        return Suite(drift_keys, drift_answers)
    return SUITES[name]


def evaluate(
    tagger: Tagger,
    config: EvalConfig,
    names: Sequence[str],
    started: Callable[[Key, int, int], None] = lambda key, done, total: None,
) -> Evaluation:
    """Have every system of some suites answer; `started` is told each key, how many are done and how many there are."""
    about = describe(tagger, config)
    keys = [key for name in names for key in suite(name).keys(config) if config.baselines or key.system == "wusum"]
    if not keys:
        raise ConfigError("nothing to measure: no suite has a corpus")
    answers = []
    for done, key in enumerate(keys):
        started(key, done, len(keys))
        path = config.cache / f"{_digest(key, config, about)}.json"
        try:
            answers.append(from_json(json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError, KeyError, TypeError):  # not there, or cut while it was written
            answers.append(suite(key.suite).answer(key, tagger, config))
            _write(path, to_json(answers[-1]))
    return Evaluation(tuple(answers), about)


def load_report(folder: Path) -> Evaluation | None:
    """The evaluation of which a report was written to a folder, None where there is none."""
    path = folder / "answers.jsonl"
    if not path.is_file():
        return None
    try:
        about = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["about"]
        lines = path.read_text(encoding="utf-8").splitlines()
        return Evaluation(tuple(from_json(json.loads(line)) for line in lines), about)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{folder}: no report that can be read: {error}") from error


def describe(tagger: Tagger, config: EvalConfig) -> dict[str, Any]:
    """What the numbers depend on."""
    data = [*sorted(config.data.glob("*.jsonl.xz")), Path(config.labelled)]
    return {
        "model": tagger.artefact.folder.name,
        "model_fingerprint": model_fingerprint(tagger.artefact.folder),
        "data": {path.name: _file_digest(path) for path in data if path.is_file()},
        "settings": {name: str(v) if isinstance(v, Path) else v for name, v in asdict(config).items()},
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "revision": _revision(),
        "processors": os.cpu_count(),
        "training_loss": _training_loss(tagger.artefact.folder),
    }


def _training_loss(folder: Path) -> list[list[float]]:
    """Windows seen and loss, from the model's `history.json`; empty where it has none."""
    path = folder / "history.json"
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []


def _digest(key: Key, config: EvalConfig, about: dict[str, Any]) -> str:
    """Of all that an answer depends on."""
    asked = {key.system: config.hub_models[key.system]} if key.system in config.hub_models else {}
    free = key.system in FREE or bool(asked)
    fingerprint = "" if free else about["model_fingerprint"]
    runtime = "" if free else config.runtime
    settings = replace(config, cache=Path(), retrained=Path(), baselines=True, hub_models=asked, runtime=runtime)
    files = [config.topics, *([config.finetune, config.calibrate] if key.suite in TRAINING else ()), *_code()]
    files += [path for name in asked for path in hub.files(name)]
    contents = [_file_digest(path) for path in files if path.is_file()]
    whole = [asdict(key), fingerprint, about["data"], repr(settings), contents]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:32]


def _code() -> list[Path]:
    """All that is ours and not the model: the programs, and the topics that were labelled by hand."""
    return [
        path
        for part in (model, train, eval)
        for kind in ("*.py", "*.jsonl")
        for path in sorted(Path(part.__path__[0]).rglob(kind))
    ]


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _revision() -> str | None:
    """The commit of the code, with a mark where the tree differs from it."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=Path(__file__).parent, capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()


def _write(path: Path, values: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".part")
    scratch.write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")
    scratch.replace(path)
