"""Roles of words in tags: counted where a tag stands, and shared among words that are rare."""

from __future__ import annotations

import math

import numpy as np
import pytest

from wusum.model.tagging.tag_words import ALONE, BEGINS, CONTINUES, ENDS, TagWords
from wusum.model.text.word_statistics import hash_word
from wusum.model.text.words import match_key
from wusum.train.data.corpora import Example
from wusum.train.tagging.tag_words import WEIGHT, count_roles, fit_tag_words


def article(body: str, *tags: str, title: str = "") -> Example:
    return Example("", "news", title, body, None, tags)


def roles(row: Example) -> dict[str, list[int]]:
    """Return the counts of each word of an article."""
    words, counts = count_roles(row)
    written = {hash_word(match_key(word)): word for word in f"{row.title} {row.body}".replace("،", "").split()}
    return {written[word]: found for word, found in zip(words.tolist(), counts.tolist(), strict=True)}


def test_words_are_counted_by_their_role_in_the_tags_of_the_article() -> None:
    row = article(
        "أعلنت وزارة النفط العراقية في بغداد أعلنت", "وزارة النفط العراقية", "بغداد", "غائب", title="في العراق"
    )
    assert roles(row) == {
        "وزارة": [1, 0, 0, 0, 1],
        "النفط": [0, 1, 0, 0, 1],
        "العراقية": [0, 0, 1, 0, 1],
        "بغداد": [0, 0, 0, 1, 1],
        "أعلنت": [0, 0, 0, 0, 2],
        "في": [0, 0, 0, 0, 2],
        "العراق": [0, 0, 0, 0, 1],
    }
    assert roles(article("وزارة النفط، العراقية", "وزارة النفط العراقية"))["وزارة"] == [
        0,
        0,
        0,
        0,
        1,
    ]  # cut by the comma
    nested = roles(article("وزارة النفط العراقية", "وزارة النفط العراقية", "وزارة النفط", "النفط"))
    assert nested == {"وزارة": [1, 0, 0, 0, 1], "النفط": [0, 1, 1, 1, 1], "العراقية": [0, 0, 1, 0, 1]}
    assert roles(article("بغداد", title="بغداد")) == {"بغداد": [0, 0, 0, 0, 2]}


def test_a_share_is_that_of_the_occurrences_with_the_role() -> None:
    rows = [article("وزارة النفط في بغداد", "وزارة النفط")] * 30 + [article("وزارة النفط في بغداد", "بغداد")] * 10
    fitted = fit_tag_words(map(count_roles, rows))

    def share(word: str) -> np.ndarray:
        return np.exp(fitted.shares[fitted.words.tolist().index(hash_word(match_key(word)))].astype(float))

    few = np.exp(fitted.shares[-1].astype(float))  # no word is rare
    assert few == pytest.approx([0.01] * 4, rel=0.01)
    wanted = (np.array([30, 0, 0, 0]) + WEIGHT * few) / (40 + WEIGHT)
    assert share("وزارة") == pytest.approx(wanted, rel=0.01)
    assert share("النفط")[ENDS] == pytest.approx(share("وزارة")[BEGINS])
    assert share("بغداد")[ALONE] == pytest.approx((10 + WEIGHT * few[ALONE]) / (40 + WEIGHT), rel=0.01)
    assert share("في").max() < 0.01


def test_words_that_are_not_counted_by_themselves_are_like_the_rarest() -> None:
    """Each of these names stands in one article only, and is its tag every other time."""
    names = [f"اسم{chr(0x0628 + n % 8)}{chr(0x0628 + n // 8)}" for n in range(40)]
    rows = [article(f"قال {name} أمس", *([name] if n % 2 else [])) for n, name in enumerate(names)]
    fitted = fit_tag_words(map(count_roles, rows))
    assert fitted.words.tolist() == sorted(map(hash_word, map(match_key, ("قال", "أمس"))))
    unknown = fitted.shares[-1].astype(float)
    assert np.exp(unknown[ALONE]) == pytest.approx(20 / 41, rel=0.01)
    assert fitted.score("اسم جديد") == pytest.approx(unknown[BEGINS] + unknown[ENDS])
    assert fitted.score("اسمجديد") == pytest.approx(2 * unknown[ALONE])
    assert fitted.score("قال") < 2 * math.log(0.05)
    assert fitted.shares[-1, CONTINUES] == fitted.shares[-1, BEGINS]


def test_without_articles_no_word_is_known() -> None:
    assert fit_tag_words([]).shares.tolist() == TagWords.none().shares.tolist()
