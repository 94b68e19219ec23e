"""Months that were not trained on."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.support import score_values
from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Key
from wusum.eval.suites.drift import SUITE
from wusum.model.errors import ConfigError


def test_drift_trains_on_articles_before_a_date_and_measures_before_and_since(
    trainable: EvalConfig, fake: Any, short_articles_count: None
) -> None:
    keys = list(SUITE.keys(trainable))
    assert [(key.system, key.corpus.split()[1]) for key in keys] == [
        ("wusum", "before"), ("dictionary", "before"), ("wusum", "since"), ("dictionary", "since"),
    ]  # fmt: skip
    found = [SUITE.answer(key, fake, trainable) for key in keys]
    assert [len(answers.ids) for answers in found] == [6, 6, 6, 6]
    assert not set(found[0].ids) & set(found[2].ids)
    pinned = json.loads((trainable.retrained / "before-2024-07" / "settings.json").read_text(encoding="utf-8"))
    assert pinned["before"] == "2024-07"
    assert score_values(found[3])["present R@10"] == 1
    with pytest.raises(ConfigError, match="no test article of almayadeen since 2025"):
        SUITE.answer(Key("drift", "almayadeen since 2025"), fake, replace(trainable, drift_date="2025"))
