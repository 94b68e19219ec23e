"""Inverse document frequencies of words, and verbs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support import word_statistics
from wusum.model.errors import ModelError
from wusum.model.text.word_statistics import WordStatistics
from wusum.model.text.words import match_key

FILE = "word_statistics.safetensors"


@pytest.fixture(scope="module")
def statistics() -> WordStatistics:
    return word_statistics()


def test_words_of_few_articles_have_a_high_idf(statistics: WordStatistics) -> None:
    assert statistics.idf(match_key("قال")) == 0.0
    assert statistics.idf(match_key("مفاعل")) == np.float16(np.log(21 / 2))
    assert statistics.idf("زعفران") == np.float16(np.log(21))


def test_a_key_has_the_mean_least_and_sum_of_its_words(statistics: WordStatistics) -> None:
    rare, common = statistics.idf("زعفران"), statistics.idf("مفاعل")
    assert statistics.key_idf("زعفران مفاعل") == pytest.approx(((rare + common) / 2, common, rare + common))
    long = " ".join(["زعفران"] * 40)  # is not cached
    assert statistics.key_idf(long) == pytest.approx((rare, rare, 40 * rare))


def test_empty_statistics_have_neither_rare_words_nor_verbs() -> None:
    empty = WordStatistics.empty()
    assert empty.key_idf("زعفران مفاعل") == (0.0, 0.0, 0.0)
    assert not empty.is_verb("يحل")


def test_verbs_are_known_behind_conjunctions_and_the_future(tmp_path: Path) -> None:
    counted = WordStatistics.count([{"قال"}] * 9, ["يحل", "يكون", "يره"])
    counted.save(tmp_path / FILE)
    for statistics in (counted, WordStatistics.load(tmp_path / FILE)):
        assert all(map(statistics.is_verb, ("يحل", "ويحل", "سيكون")))
        assert not any(map(statistics.is_verb, ("تحل", "نيحل", "سيره", "و", "")))


def test_saved_statistics_are_the_same(statistics: WordStatistics, tmp_path: Path) -> None:
    statistics.save(tmp_path / FILE)
    again = WordStatistics.load(tmp_path / FILE)
    for stem in ("زعفران", "مفاعل", "ليس هنا"):
        assert again.idf(stem) == statistics.idf(stem)  # in half precision from the start
    (tmp_path / FILE).write_bytes(b"x" * 20)
    with pytest.raises(ModelError, match=r"word_statistics\.safetensors"):
        WordStatistics.load(tmp_path / FILE)
