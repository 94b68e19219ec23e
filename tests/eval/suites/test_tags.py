"""The suite of tags, on cases computed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import POISON, eval_config, score_values, write_corpus
from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Key, Tagging
from wusum.eval.suites import tags
from wusum.eval.suites.tags import SUITE
from wusum.model.errors import CorpusError
from wusum.model.text.words import match_key
from wusum.train.data.corpora import Example

KEY = Key("tags", "almayadeen")


def test_the_model_and_all_baselines_are_asked_on_each_corpus(corpora: Path) -> None:
    settings = replace(eval_config(corpora), tag_corpora=["almayadeen", "akec"])
    systems = ["wusum", "dictionary", "TF-IDF", "YAKE", "TextRank", "embeddings"]
    assert list(SUITE.keys(settings)) == [Key("tags", c, system) for c in ("almayadeen", "akec") for system in systems]


def test_short_articles_and_those_of_few_tags_do_not_count(corpora: Path, fake: Any) -> None:
    with pytest.raises(CorpusError, match="no test article of 300 characters with 3 tags"):
        SUITE.answer(KEY, fake, eval_config(corpora))


def test_tags_are_compared_by_match_key(corpora: Path, fake: Any, short_articles_count: None) -> None:
    answers = SUITE.answer(KEY, fake, eval_config(corpora))
    assert isinstance(answers, Tagging)
    found = score_values(answers)
    assert len(answers.ids) == 24
    # A third of the articles have the tag that is always given. Of the three tags of each, training articles lack one.
    assert found["F1@5"] == pytest.approx((8 / 24) * 2 / (5 + 3))
    assert found["F1@10"] == pytest.approx((8 / 24) * 2 / (10 + 3))
    assert found["F1@M"] == pytest.approx((8 / 24) * 2 / (1 + 3))
    new = match_key(POISON["test"])
    assert answers.present is not None
    assert set(answers.present) == {(word, new) for word in ("مباراه", "بورصه", "مستشفي")}  # of which none was given
    assert (found["present R@10"], found["absent R@10"]) == (0, pytest.approx(8 / 24))
    assert answers.new == ((new,),) * 24
    assert found["new R@10"] == 0
    assert (found["absent given"], found["absent right"]) == (1, pytest.approx(8 / 24))
    assert answers.curve()[4] == (5, pytest.approx(found["F1@5"]))


def test_the_dictionary_finds_the_tags_of_training_articles(
    corpora: Path, fake: Any, short_articles_count: None
) -> None:
    answers = SUITE.answer(replace(KEY, system="dictionary"), fake, eval_config(corpora))
    assert isinstance(answers, Tagging)
    assert set(answers.ranked) == {("مباراه",), ("بورصه",), ("مستشفي",)}
    found = score_values(answers)
    assert (found["present R@10"], found["absent R@10"], found["new R@10"]) == (0.5, 0, 0)


@pytest.mark.parametrize("system", ["dictionary", "embeddings"])
def test_baselines_learn_from_training_articles_of_the_corpus_and_of_those_with_tags_by_editors(
    tmp_path: Path, fake: Any, short_articles_count: None, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    for corpus in ("edited", "phrases", "other"):
        rows = [
            {"id": f"{corpus}-{split}-{i}", "title": "", "text": "نص طويل جدا", "tags": ["وسم", "آخر"], "split": split}
            for split in ("train", "validation", "test")
            for i in range(3)
        ]
        write_corpus(tmp_path / f"{corpus}.jsonl.xz", rows)
    (tmp_path / "rules.yaml").write_text("edited: [edited]", encoding="utf-8")
    seen: list[Sequence[Example]] = []

    def rank(training: Sequence[Example], articles: Sequence[Example]) -> list[tuple[str, ...]]:
        seen.append(training)
        return [("وسم",)] * len(articles)

    monkeypatch.setitem(tags.BASELINES, "dictionary", rank)
    monkeypatch.setattr(tags, "nearest_phrases", lambda tagger: rank)
    settings = EvalConfig(tmp_path, tmp_path / "topics", tag_rules=str(tmp_path / "rules.yaml"), quick_training=4)
    answers = SUITE.answer(Key("tags", "phrases", system), fake, settings)
    assert answers.ids == ("phrases-test-0", "phrases-test-1", "phrases-test-2")
    expected = {f"{corpus}-train-{i}" for corpus in ("edited", "phrases") for i in range(3)}
    assert {e.id for e in seen[0]} == expected
    assert len(seen[0]) == 6
    SUITE.answer(Key("tags", "edited", system), fake, settings)
    assert [e.id for e in seen[1]] == [f"edited-train-{i}" for i in range(3)]
    SUITE.answer(Key("tags", "phrases", system), fake, replace(settings, quick=True))
    assert len(seen[2]) == 4
    assert {e.id for e in seen[2]} < expected
