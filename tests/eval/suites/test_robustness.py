"""The suite of disturbed articles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import eval_config
from wusum.eval.measures.answers import Key
from wusum.eval.suites.robustness import SUITE
from wusum.eval.suites.suite import load_suite
from wusum.model.errors import CorpusError


def test_topics_or_tags_of_known_corpora_are_measured(corpora: Path) -> None:
    settings = eval_config(corpora, plain=["sport", "economy"])
    assert len(list(SUITE.keys(replace(settings, robustness={"plain": "topics"})))) == 12
    with pytest.raises(CorpusError, match="not names"):
        list(SUITE.keys(replace(settings, robustness={"plain": "names"})))
    with pytest.raises(CorpusError, match="not among topic_labels"):
        list(SUITE.keys(replace(settings, robustness={"almayadeen": "topics"})))


@pytest.mark.parametrize(("corpus", "kind"), [("plain", "topics"), ("almayadeen", "tags")])
def test_unchanged_articles_have_the_answers_of_the_other_suites(
    corpora: Path, fake: Any, short_articles_count: None, corpus: str, kind: str
) -> None:
    settings = replace(eval_config(corpora, plain=["sport", "economy"]), robustness={corpus: kind})
    first, *_ = SUITE.keys(settings)
    assert first.variant == "as it is"
    same = load_suite(kind).answer(replace(first, suite=kind, variant=""), fake, settings)
    assert replace(SUITE.answer(first, fake, settings), key=same.key) == same


@pytest.mark.parametrize(("corpus", "kind"), [("plain", "topics"), ("almayadeen", "tags")])
def test_a_sample_of_the_test_split_is_disturbed(
    corpora: Path, fake: Any, short_articles_count: None, monkeypatch: pytest.MonkeyPatch, corpus: str, kind: str
) -> None:
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(
        "wusum.eval.suites.robustness.disturb", lambda name, example: asked.append((name, example.id)) or example
    )
    settings = eval_config(corpora, plain=["sport", "economy"])
    settings = replace(settings, robustness={corpus: kind}, robustness_articles=5, quick_articles=6)
    key = Key("robustness", corpus, variant="no title")
    found = SUITE.answer(key, fake, settings)
    assert len(found.ids) == 5
    assert asked == [("no title", name) for name in found.ids]
    assert all("-test-" in name for name in found.ids)
    assert SUITE.answer(key, fake, settings).ids == found.ids
    assert SUITE.answer(key, fake, replace(settings, seed=99)).ids != found.ids
    assert len(SUITE.answer(key, fake, replace(settings, quick=True)).ids) == 3
    assert len(SUITE.answer(key, fake, replace(settings, quick=True, quick_articles=1)).ids) == 1
    validation = SUITE.answer(key, fake, replace(settings, split="validation"))
    assert all("-validation-" in name for name in validation.ids)
