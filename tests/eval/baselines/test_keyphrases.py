"""Unsupervised keyphrases."""

from __future__ import annotations

import numpy as np
import pytest

from wusum.eval.baselines.keyphrases import UNSUPERVISED, maximal_marginal_relevance, nearest_phrases
from wusum.model.tagger import Tagger
from wusum.model.text.words import match_key
from wusum.train.data.corpora import Example


def article(text: str) -> Example:
    return Example("1", "c", "", text, None, ("x",))


@pytest.mark.parametrize("system", ["TF-IDF", "TextRank", "YAKE"])
def test_keyphrases_are_phrases_of_the_article_without_common_words_at_their_ends(system: str) -> None:
    training = [article(f"قال مصدر اليوم إن الأمر رقم{n} قد تم") for n in range(20)]
    story = "قال مصدر اليوم إن كأس العالم يبدأ غدا. كأس العالم في المغرب، وقال مصدر إن جمهور كأس العالم كبير اليوم"
    (ranked,) = UNSUPERVISED[system](training, [article(story)])
    assert 1 < len(ranked) <= 15
    assert len(set(ranked)) == len(ranked)
    assert all(f" {phrase} " in f" {match_key(story)} " for phrase in ranked if system != "YAKE")
    assert "كاس عالم" in ranked[:3] or "عالم" in ranked[:3]
    if system != "YAKE":
        ends = {word for phrase in ranked for word in (phrase.split()[0], phrase.split()[-1])}
        assert not {"قال", "مصدر", "يوم"} & ends


def test_an_article_without_a_phrase_gets_none() -> None:
    assert [UNSUPERVISED[system]([], [article("1 2 3")]) for system in ("TF-IDF", "TextRank")] == [[()], [()]]


def test_the_nearest_phrases_are_phrases_of_the_article(tagger: Tagger) -> None:
    football = "فاز الفريق في المباراة وسجل المهاجم هدفين في مرمى الخصم على ملعب المدينة"
    example = article(f"{football} وقال المدرب إنه سعيد")
    (ranked,) = nearest_phrases(tagger)([], [example])
    assert 5 < len(ranked) <= 15
    assert all(set(phrase.split()) <= set(match_key(example.text).split()) for phrase in ranked)


def test_maximal_marginal_relevance_prefers_a_new_candidate_to_a_repeated_one() -> None:
    similarity = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], np.float32)
    assert maximal_marginal_relevance(np.array([0.9, 0.8, 0.5], np.float32), similarity) == [0, 2, 1]
