"""An evaluation of the fake model, and its report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeTagger
from wusum.eval import gold
from wusum.eval.config import EvalConfig
from wusum.eval.measures.evaluation import Evaluation
from wusum.eval.report.report import write_report
from wusum.eval.runner import evaluate

LABELS = {"plain": ["sport", "economy", "health"]}


@pytest.fixture(scope="module")
def settings(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> EvalConfig:
    return EvalConfig(
        corpora, corpora / "topics.yaml", LABELS, tag_corpora=["almayadeen"],
        tag_rules=str(corpora / "tag_rules.yaml"), robustness={"plain": "topics"}, robustness_articles=6,
        cache=tmp_path_factory.mktemp("cache"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def evaluation(settings: EvalConfig) -> Iterator[Evaluation]:
    fake: Any = FakeTagger()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gold, "MIN_TAGGED_CHARS", 10)
        patch.setattr(gold, "MIN_GOLD_TAGS", 2)
        patch.setattr("wusum.eval.suites.tags.BASELINES", {})
        nearest = lambda tagger: lambda training, articles: [("قلب",)] * len(articles)  # noqa: E731
        patch.setattr("wusum.eval.suites.tags.nearest_phrases", nearest)
        yield evaluate(fake, settings, ["topics", "tags", "robustness"])


@pytest.fixture(scope="module")
def folder(evaluation: Evaluation, settings: EvalConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("report")
    write_report(evaluation, settings, made)
    return made
