"""Fixtures of the evaluation's tests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes import FakeTagger
from wusum.eval import gold


@pytest.fixture
def fake() -> Any:
    """A tagger without a network."""
    return FakeTagger()


@pytest.fixture
def short_articles_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tags are measured on the short articles of the tiny corpora, which have two tags."""
    monkeypatch.setattr(gold, "MIN_TAGGED_CHARS", 10)
    monkeypatch.setattr(gold, "MIN_GOLD_TAGS", 2)
