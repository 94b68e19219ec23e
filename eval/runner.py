"""A run of suites: answers are computed or read from a cache, together with everything that they depend on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from wusum.eval.baselines import hub
from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Answers, Key, from_json, to_json
from wusum.eval.measures.evaluation import Evaluation
from wusum.eval.provenance import describe, training_record
from wusum.eval.suites.suite import load_suite
from wusum.model.errors import ConfigError
from wusum.model.tagger import Tagger
from wusum.train.cache import digest_of, file_digest, read_json, write_json

MODEL_INDEPENDENT = ("majority", "linear", "logistic", "fastText-like", "dictionary", "TF-IDF", "YAKE", "TextRank")
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
    folder = tagger.artifact.folder
    about = describe(folder, config)
    keys = [key for name in names for key in load_suite(name).keys(config) if config.baselines or key.system == "wusum"]
    if not keys:
        raise ConfigError("nothing to measure: no suite has a corpus")
    files = [file_digest(path) for path in _config_files(config)]
    answers: list[Answers] = []
    trained: dict[str, Any] = {}
    for done, key in enumerate(keys):
        on_start(key, done, len(keys))
        suite = load_suite(key.suite)
        models = suite.models(key, config)
        path = config.cache / f"{_digest(key, config, about, files, models)}.json"
        found = _cached(path, models)
        if found is None:
            found = suite.answer(key, tagger, config)
            write_json(path, to_json(found))
        answers.append(found)
        trained |= {made.name: training_record(made) for made in models}
    history = folder / "history.json"
    loss = read_json(history) if history.is_file() else []  # pairs of windows and loss
    return Evaluation(tuple(answers), about | {"retrained": trained, "training_loss": loss})


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


def _cached(path: Path, models: Sequence[Path]) -> Answers | None:
    """Return the answers in a file; None if it is missing or damaged, or if the models that gave them are gone."""
    if any(training_record(folder) is None for folder in models):
        return None
    try:
        return from_json(read_json(path))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _digest(key: Key, config: EvalConfig, about: dict[str, Any], files: Sequence[str], models: Sequence[Path]) -> str:
    """Return a digest of everything that the answers of one key depend on.

    `files` are digests of the config files; the name of each folder in `models` has one of all that the model in it
    depends on.
    """
    hub_models = {key.system: config.hub_models[key.system]} if key.system in config.hub_models else {}
    baseline = key.system in MODEL_INDEPENDENT or bool(hub_models)
    fingerprint = "" if baseline or models else about["model_fingerprint"]
    runtime = "" if baseline else config.runtime
    settings = replace(config, cache=Path(), retrained=Path(), baselines=True, hub_models=hub_models, runtime=runtime)
    hub_files = [file_digest(path) for name in hub_models for path in hub.model_files(name)]
    made = [folder.name for folder in models]
    return digest_of(key, fingerprint, about["data"], about["code"], settings, files, hub_files, made)


def _config_files(config: EvalConfig) -> Iterator[Path]:
    """Yield the config files that answers depend on, and the files that the configs of the training name."""
    configs = [path for path in (config.finetune, config.calibrate) if path.is_file()]
    settings = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in configs]
    named = [value for values in settings for value in values.values() if isinstance(value, str) and value]
    paths: list[str | Path] = [config.topics, config.tag_rules, *configs, *named]
    yield from (path for path in dict.fromkeys(map(Path, paths)) if path.is_file())
