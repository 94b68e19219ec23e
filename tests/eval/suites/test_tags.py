"""The suite of tags, on cases computed by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import eval_config, score_values
from wusum.eval.measures.answers import Key, Tagging
from wusum.eval.suites.common import to_tagging
from wusum.eval.suites.tags import SUITE
from wusum.model.errors import CorpusError
from wusum.train.data.corpora import Example

KEY = Key("tags", "almayadeen")


def test_short_articles_and_those_of_few_tags_do_not_count(corpora: Path, fake: Any) -> None:
    with pytest.raises(CorpusError, match="no test article of 300 characters with 3 tags"):
        SUITE.answer(KEY, fake, eval_config(corpora))


def test_tags_are_compared_by_match_key(corpora: Path, fake: Any, short_articles_count: None) -> None:
    answers = SUITE.answer(KEY, fake, eval_config(corpora))
    assert isinstance(answers, Tagging)
    found = score_values(answers)
    assert found["F1@5"] == pytest.approx((4 / 12) * 2 / (5 + 2))
    assert found["F1@10"] == pytest.approx((4 / 12) * 2 / (10 + 2))
    assert found["F1@M"] == pytest.approx((4 / 12) * 2 / (1 + 2))
    assert answers.present is not None
    assert set(answers.present) == {("مباراه",), ("بورصه",), ("مستشفي",)}  # of which none was given
    assert (found["present R@10"], found["absent R@10"]) == (0, pytest.approx(4 / 12))
    assert "new R@10" not in found  # training articles have every tag
    assert answers.curve()[4] == (5, pytest.approx(found["F1@5"]))


def test_a_tag_is_new_if_it_occurs_in_the_text_and_in_no_training_article() -> None:
    example = Example("1", "c", "", "زار فلان مدينة بعيدة", None, ("فلان", "مدينة", "غائب"))
    answers = to_tagging(KEY, [example], [("فلان",)], {"مدينه"})
    assert answers.new == (("فلان",),)
    assert score_values(answers)["new R@10"] == 1


def test_the_dictionary_finds_the_tags_of_training_articles(
    corpora: Path, fake: Any, short_articles_count: None
) -> None:
    found = score_values(SUITE.answer(replace(KEY, system="dictionary"), fake, eval_config(corpora)))
    assert (found["present R@10"], found["absent R@10"]) == (1, 0)
