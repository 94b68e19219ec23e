"""The suite of disturbed articles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import eval_config
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
