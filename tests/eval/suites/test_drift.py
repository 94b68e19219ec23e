"""Months that were not trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeTagger
from tests.support import write_corpus
from wusum.eval import gold
from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Key, Tagging
from wusum.eval.suites import drift
from wusum.eval.suites.drift import SUITE
from wusum.model.errors import ConfigError
from wusum.model.tagger import Tagger
from wusum.model.text.words import match_key

WORDS = {"train": "مصنع", "train since": "مطار", "validation": "ميناء", "test": "متحف"}
"""A word, which is a tag too, of the articles of each split before the date; and one of training articles since."""
BODY = "افتتح الوزير صباح اليوم في المدينة " + " و".join(["معرضا", *WORDS.values()]) + ". "
"""A text with all of these words."""


def article(number: int, split: str, date: str | None, *tags: str) -> dict[str, Any]:
    return {"id": f"{split}-{number}", "title": "", "text": BODY, "tags": list(tags), "date": date, "split": split}


@pytest.fixture
def config(tmp_path: Path, short_articles_count: None) -> Iterator[EvalConfig]:
    """Settings with a corpus whose articles all have the same text, but other tags on each side of the date."""
    rows = [article(number, "train", f"2024-0{number}-10", WORDS["train"], "الوزير") for number in (1, 2, 3)]
    rows += [article(number, "train", f"2024-0{number}-01", WORDS["train since"], "الوزير") for number in (4, 5, 6, 7)]
    rows += [article(number, "validation", "2024-01-10", WORDS["validation"], "الوزير") for number in (1, 2)]
    rows += [article(n, "test", date, *WORDS.values()) for n, date in enumerate(("2024-03-31", "2024-04-01", "2025"))]
    rows.append(article(9, "test", None, *WORDS.values()))  # on neither side
    write_corpus(tmp_path / "news.jsonl.xz", rows)
    (tmp_path / "tag_rules.yaml").write_text("edited: [news]", encoding="utf-8")
    rules = str(tmp_path / "tag_rules.yaml")
    yield EvalConfig(tmp_path, tmp_path / "topics", tag_rules=rules, drift_corpus="news", drift_date="2024-04")
    gold.read_tagged.cache_clear()


def tagging(config: EvalConfig, side: str, system: str = "dictionary") -> Tagging:
    answers = SUITE.answer(Key("drift", f"news {side} 2024-04", system), FakeTagger(), config)  # type: ignore[arg-type]
    assert isinstance(answers, Tagging)
    return answers


def test_a_model_and_a_dictionary_answer_before_and_since_the_date(config: EvalConfig) -> None:
    assert [(key.suite, key.corpus, key.system) for key in SUITE.keys(config)] == [
        ("drift", "news before 2024-04", "wusum"), ("drift", "news before 2024-04", "dictionary"),
        ("drift", "news since 2024-04", "wusum"), ("drift", "news since 2024-04", "dictionary"),
    ]  # fmt: skip
    assert not list(SUITE.keys(replace(config, drift_date="")))


@pytest.mark.parametrize("system", ["wusum", "dictionary"])
def test_the_date_divides_the_test_articles(config: EvalConfig, monkeypatch: pytest.MonkeyPatch, system: str) -> None:
    monkeypatch.setattr(drift, "recalibrate", lambda *_: Path("made"))
    monkeypatch.setattr(Tagger, "from_pretrained", lambda *_, **__: FakeTagger())
    assert tagging(config, "before", system).ids == ("test-0",)
    assert tagging(config, "since", system).ids == ("test-1", "test-2")


def test_the_dictionary_knows_only_tags_of_training_articles_before_the_date(config: EvalConfig) -> None:
    for side in ("before", "since"):
        for ranked in tagging(config, side).ranked:
            assert set(ranked) == {match_key(WORDS["train"]), match_key("الوزير")}


@pytest.mark.parametrize("system", ["wusum", "dictionary"])
def test_tags_of_later_articles_and_of_other_splits_are_new(
    config: EvalConfig, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    monkeypatch.setattr(drift, "recalibrate", lambda *_: Path("made"))
    monkeypatch.setattr(Tagger, "from_pretrained", lambda *_, **__: FakeTagger())
    for side in ("before", "since"):
        found = tagging(config, side, system)
        assert found.new == (tuple(match_key(WORDS[name]) for name in ("train since", "validation", "test")),) * len(
            found.ids
        )


def test_the_model_that_answers_was_made_before_the_date(config: EvalConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def opened(folder: Path, *, runtime: str) -> FakeTagger:
        asked.append((folder, runtime))
        return FakeTagger()

    monkeypatch.setattr(drift, "recalibrate", lambda *arguments: asked.append(arguments) or Path("made"))
    monkeypatch.setattr(Tagger, "from_pretrained", opened)
    changed = replace(config, runtime="int8")
    found = tagging(changed, "since", "wusum")
    assert asked == [(changed, "before-2024-04", "2024-04"), (Path("made"), "int8")]
    assert found.ranked == ((match_key("كرة القدم"), match_key("غيره")),) * 2


def test_without_articles_on_a_side_of_the_date_it_says_so(config: EvalConfig) -> None:
    for side, date in (("since", "2026"), ("before", "2023")):
        key = Key("drift", f"news {side} {date}", "dictionary")
        with pytest.raises(ConfigError, match=f"no test article of news {side} {date}"):
            SUITE.answer(key, FakeTagger(), replace(config, drift_date=date))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="no validation article of news since 2024-04"):
        tagging(replace(config, split="validation"), "since")


def test_drift_trains_and_calibrates_a_model_and_measures_it(
    trainable: EvalConfig, fake: Any, short_articles_count: None
) -> None:
    """With a training of a few seconds: the stages fit together."""
    before, since = (key for key in SUITE.keys(trainable) if key.system == "wusum")
    found = [SUITE.answer(key, fake, trainable) for key in (before, since)]
    assert all(answers.ids for answers in found)
    assert not set(found[0].ids) & set(found[1].ids)
    trained, calibrated = SUITE.models(since, trainable)
    settings = (trained / "settings.json").read_text(encoding="utf-8")
    assert '"before": "2024-07"' in settings
    assert not (trained / "model" / "tags.tsv").read_text(encoding="utf-8").splitlines()[1:]
    assert (calibrated / "model" / "tags.tsv").read_text(encoding="utf-8").splitlines()[1:]
