"""`Suite`, and the names of all suites. A suite is imported when it is needed, since some need torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Answers, Key
from wusum.model.tagger import Tagger

MODULES = {
    "topics": "topics",
    "tags": "tags",
    "by-hand": "by_hand",
    "annotated": "annotated",
    "parser": "parser",
    "robustness": "robustness",
    "own": "own",
    "transfer": "transfer",
    "drift": "drift",
}
"""The module of each suite in this package."""

TRAINING_SUITES = ("transfer", "drift")
"""Suites that train models of their own."""


@dataclass(frozen=True)
class Suite:
    """Answers that are measured together."""

    keys: Callable[[EvalConfig], Iterator[Key]]
    """Yields the keys of the answers that the suite needs; raises ConfigError or CorpusError for wrong settings."""
    answer: Callable[[Key, Tagger, EvalConfig], Answers]
    """Returns the answers of one key; the tagger is the model that is measured."""
    models: Callable[[Key, EvalConfig], list[Path]] = lambda key, config: []
    """Returns the folders of the models that the suite trains for a key; they need not be there yet."""


def load_suite(name: str) -> Suite:
    """Return a suite by its name; raises KeyError for an unknown one, ModuleNotFoundError if it needs torch."""
    suite: Suite = import_module(f"wusum.eval.suites.{MODULES[name]}").SUITE
    return suite
