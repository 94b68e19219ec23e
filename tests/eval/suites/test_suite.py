"""The names of the suites."""

from __future__ import annotations

import subprocess
import sys

import pytest

from wusum.eval.cli import Suite
from wusum.eval.suites import suite
from wusum.eval.suites.suite import Suite as SuiteObject


def test_the_command_offers_every_suite_but_that_of_own_articles() -> None:
    assert [*Suite] == [name for name in suite.MODULES if name != "own"]


@pytest.mark.parametrize("name", suite.MODULES)
def test_every_name_is_a_suite(name: str) -> None:
    assert isinstance(suite.load_suite(name), SuiteObject)


def test_only_suites_that_train_import_torch() -> None:
    others = [name for name in suite.MODULES if name not in suite.TRAINING_SUITES]
    code = f"""
import sys
import wusum.eval.runner
from wusum.eval.suites.suite import load_suite
for name in {others!r}: load_suite(name)
assert "torch" not in sys.modules and "transformers" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
