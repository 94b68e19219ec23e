"""The names of all suites. A suite is imported when it is needed, since some need torch."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wusum.eval.suites.suite import Suite

MODULES = {
    "topics": "topics",
    "tags": "tags",
    "by-hand": "by_hand",
    "parser": "parser",
    "robustness": "robustness",
    "own": "own",
    "transfer": "transfer",
    "drift": "drift",
}
"""The module of each suite in this package."""

TRAINING_SUITES = ("transfer", "drift")
"""Suites that train models of their own."""


def load_suite(name: str) -> Suite:
    """Return a suite by its name; raises KeyError for an unknown one, ModuleNotFoundError if it needs torch."""
    suite: Suite = import_module(f"wusum.eval.suites.{MODULES[name]}").SUITE
    return suite
