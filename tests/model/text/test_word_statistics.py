"""How rare words are, and the key phrases of an article."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.model.tagging.test_ranker import NOTHING, Linear
from wusum.model.errors import ModelError
from wusum.model.tagging.ranker import TagRanker
from wusum.model.tagging.sources.key_phrases import MOST, key_phrases
from wusum.model.tagging.vocabulary import Entry, Vocabulary
from wusum.model.text.lexicon import Lexicon
from wusum.model.text.word_statistics import WordStatistics
from wusum.model.text.words import match_key

COMMON_WORDS = "قال في من على إن هذا كانت أمس"


@pytest.fixture
def rarity() -> WordStatistics:
    """Twenty articles that have the common words, one of which has another."""
    common = match_key(COMMON_WORDS).split()
    return WordStatistics.of([*[common] * 19, [*common, match_key("مفاعل")]])


def found(rarity: WordStatistics, title: str, body: str) -> list[str]:
    lexicon = Lexicon(rarity)
    best = key_phrases(lexicon.read(title), lexicon.read(body))
    return [text.slice(first, last) for text, first, last in best]


def test_what_is_in_few_articles_is_rare(rarity: WordStatistics) -> None:
    assert rarity(match_key("قال")) == 0.0
    assert rarity(match_key("مفاعل")) == np.float16(np.log(21 / 2))
    assert rarity("زعفران") == np.float16(np.log(21))


def test_frequent_phrases_of_rare_words_come_first(rarity: WordStatistics) -> None:
    body = "قال المفاعل النووي أمس. كانت مدينة هذا المفاعل النووي في خطر"
    best = found(rarity, "", body)
    assert best[0] == "المفاعل النووي"
    assert not any(phrase.startswith("قال") or phrase.endswith("أمس") for phrase in best)


def test_a_title_counts_more(rarity: WordStatistics) -> None:
    assert found(rarity, "زعفران", "خرشوف")[0] == "زعفران"
    assert found(rarity, "زعفران", "خرشوف. خرشوف")[0] == "خرشوف"


def test_no_phrase_goes_across_a_sign(rarity: WordStatistics) -> None:
    for sign in ("، ", " - ", " –", ". "):
        assert set(found(rarity, "", f"زعفران{sign}خرشوف")) == {"زعفران", "خرشوف"}
    assert "زعفران-خرشوف" in found(rarity, "", "زعفران-خرشوف")


def test_no_phrase_has_a_verb_in_it(rarity: WordStatistics, tmp_path: Path) -> None:
    telling = WordStatistics.of([{"قال"}] * 9, ["يحل", "يكون", "يره"])
    telling.save(tmp_path)
    for table in (telling, WordStatistics.load(tmp_path)):
        assert all(map(table.is_verb, ("يحل", "ويحل", "سيكون")))
        assert not any(map(table.is_verb, ("تحل", "نيحل", "سيره", "و", "")))
        assert set(found(table, "", "زعفران يحل خرشوف")) == {"زعفران", "خرشوف"}
    assert "زعفران يحل خرشوف" in found(rarity, "", "زعفران يحل خرشوف")


def test_there_are_not_too_many(rarity: WordStatistics) -> None:
    body = " ".join(f"كلمة{chr(0x0628 + n % 20)}{chr(0x0628 + n // 20)}" for n in range(100))
    assert len(found(rarity, "", body)) == MOST
    assert found(rarity, "", "") == []
    assert found(WordStatistics.none(), "", body) == []


def test_a_saved_table_is_the_table(rarity: WordStatistics, tmp_path: Path) -> None:
    rarity.save(tmp_path)
    again = WordStatistics.load(tmp_path)
    for stem in ("زعفران", "مفاعل", "ليس هنا"):
        assert again(stem) == rarity(stem)  # also while something is fitted with it, it has only half precision
    (tmp_path / "rarity.safetensors").write_bytes(b"x" * 20)
    with pytest.raises(ModelError, match=r"rarity\.safetensors"):
        WordStatistics.load(tmp_path)


def test_a_key_phrase_is_a_tag_without_what_is_stuck_to_it(rarity: WordStatistics) -> None:
    """And one that is known by then is that, not another."""
    vocabulary = Vocabulary([Entry(match_key("موسكو"), "موسكو", 10, 8, 5, -1)])
    ranker = TagRanker(vocabulary, Linear({"keyness": 1.0}), 0.5, 0.5, rarity=rarity)
    tags = ranker.rank("", "قال بالمفاعل، وبموسكو: المفاعل", NOTHING, 10, None)
    texts = [tag.text for tag in tags]
    assert "المفاعل" in texts
    assert texts.count("موسكو") == 1
    assert not any(text.startswith(("ب", "و")) for text in texts)
    spans = {tag.text: tag.spans for tag in tags}
    assert spans["المفاعل"] == ((5, 12), (23, 30))
