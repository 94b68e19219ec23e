"""Keyphrases: a dictionary of tags, and unsupervised extraction, on cases computed by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from wusum.eval.baselines import keyphrases
from wusum.eval.baselines.keyphrases import (
    UNSUPERVISED,
    best,
    common_words,
    dictionary,
    maximal_marginal_relevance,
    nearest_phrases,
    ngrams,
    page_rank,
    phrases,
    stems,
)
from wusum.model.network.module import load_network
from wusum.model.tagger import Tagger
from wusum.model.text.words import match_key
from wusum.train.data.corpora import Example


def article(text: str, *tags: str) -> Example:
    return Example("1", "c", "", text, None, tags or None)


# ---- the dictionary


def test_the_dictionary_ranks_tags_by_how_often_editors_gave_them_when_they_stood_in_the_text() -> None:
    training = [
        article("مصر تونس", "مصر", "تونس"),
        article("مصر تونس", "مصر", "غائب"),
        article("تونس مصر", "مصر"),
        article("تونس سوريا"),
    ]
    # مصر was given in 3 of 3 articles with it, تونس in 1 of 4, and غائب stood in none.
    ranked = dictionary(training, [article("تونس تونس غائب مصر"), article("تونس " * 40 + "مصر"), article("سوريا")])
    assert ranked == [("مصر", "تونس"), ("تونس", "مصر"), ()]


def test_a_tag_that_was_given_to_few_of_the_articles_with_it_comes_last() -> None:
    training = [article("سهم", "سهم"), *[article("بنك", "بنك")] * 2, *[article("بنك")] * 6]
    assert dictionary(training, [article("بنك سهم")]) == [("سهم", "بنك")]


def test_the_dictionary_knows_tags_of_up_to_six_words_as_whole_words() -> None:
    six, seven = (" ".join(["واحد", "اثنان", "ثلاثه", "اربعه", "خمسه", "سته", "سبعه"][:n]) for n in (6, 7))
    training = [article(f"{seven} كره", six, seven, "كره")]
    (ranked,) = dictionary(training, [article(f"{seven} كرهان")])
    assert ranked == (match_key(six),)


def test_the_dictionary_counts_an_article_once_and_a_tag_by_its_match_key() -> None:
    training = [article("البنك والبنك", "بنك", "البنك"), article("بنك"), article("سهم", "سهم"), article("سهم")]
    (ranked,) = dictionary(training, [article("سهم بنك سهم")])
    assert ranked == ("سهم", "بنك")  # both were given in one of two articles
    assert dictionary(training, [article("بنك بنك سهم")]) == [("بنك", "سهم")]


# ---- unsupervised keyphrases


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
    some = [article("1 2 3"), article("ملعب المدينة")]
    for system in ("TF-IDF", "TextRank"):
        none, found = UNSUPERVISED[system]([], some)
        assert (none, bool(found)) == ((), True)


@pytest.mark.parametrize("system", ["TF-IDF", "YAKE"])
def test_fifteen_phrases_are_ranked_of_a_long_article(system: str) -> None:
    letters = "بتثجحخدذرزسشصضطظعغفقكلمنهي"
    words = [a * 2 + b + c for a, b, c in zip(letters, letters[3:], letters[5:], strict=False)]
    text = " ".join(words * 3) + ". " + " ".join(reversed(words))
    (ranked,) = UNSUPERVISED[system]([article("شيء آخر")] * 10, [article(text)])
    assert len(ranked) == 15


def test_tf_idf_ranks_phrases_by_counts_and_rarity() -> None:
    training = [article(text) for text in ("ملعب", "نادي", "قمر", "نجم", "بحر", "جبل", "سهل", "نهر", "غيم", "ملعب")]
    test = article("ملعب قال ملعب قال شمس قال ملعب قال شمس")
    common = common_words([*training, *[article("قال")] * 9])
    assert common == {"قال"}
    (ranked,) = UNSUPERVISED["TF-IDF"]([*training, *[article("قال")] * 9], [test])
    # Of 20 articles, three have the one and one has the other: 3 · (log(21 / 4) + 1) against 2 · (log(21 / 2) + 1).
    assert ranked.index("ملعب") < ranked.index("شمس")
    (ranked,) = UNSUPERVISED["TF-IDF"]([*training, *[article("قال")] * 9], [article("ملعب قال شمس")])
    assert ranked.index("شمس") < ranked.index("ملعب")


def test_yake_gives_each_match_key_once() -> None:
    (ranked,) = UNSUPERVISED["YAKE"]([], [article("البنك المركزي، بنك مركزي، والبنك المركزي. ؟ ! أعلن البنك المركزي")])
    assert len(ranked) == len(set(ranked))
    assert "" not in ranked
    assert "بنك مركزي" in ranked
    names = ["قمر", "نجم", "بحر", "جبل", "سهل", "نهر", "غيم", "شمس", "رمل", "ثلج"]
    forms = [f"{prefix}{name}" for name in names for prefix in ("", "ال", "وال")]
    (many,) = UNSUPERVISED["YAKE"]([], [article(". ".join(forms * 2))])
    assert set(names) <= set(many)


def test_text_rank_joins_neighbours_among_the_best_third_of_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = {"aaa": 0.2, "bbb": 0.3, "ccc": 0.4, "ddd": 0.5, "xxx": 1.0, "yyy": 2.0, "zzz": 3.0}
    monkeypatch.setattr(keyphrases, "page_rank", lambda found, common: weights)
    text = "zzz yyy ddd xxx zzz ccc yyy yyy yyy zzz bbb xxx aaa xxx yyy xxx"
    (ranked,) = UNSUPERVISED["TextRank"]([], [article(text)])
    # Three of the seven words are kept, and the runs of at most three of them score 5, 4, 4 and 1.
    assert ranked == ("zzz yyy", "xxx yyy xxx", "xxx zzz", "xxx")
    monkeypatch.setattr(keyphrases, "page_rank", lambda found, common: dict.fromkeys(weights, 1.0))
    assert UNSUPERVISED["TextRank"]([], [article("zzz bbb aaa zzz ccc")]) == [("bbb aaa", "ccc")]  # equal ones by name


def test_page_rank_is_that_of_the_graph_of_neighbours() -> None:
    found = ["سوق", "سهم", "سوق", "بنك", "سوق", "سهم", "سهم", "في"]
    # Edges: سوق-سهم 3 times, سوق-بنك twice; a word is no neighbour of itself, and في is too short.
    weights = page_rank(found, set())
    assert weights.keys() == {"سوق", "سهم", "بنك"}
    assert weights["سهم"] == pytest.approx(0.15 + 0.85 * weights["سوق"] * 3 / 5, abs=0.02)
    assert weights["بنك"] == pytest.approx(0.15 + 0.85 * weights["سوق"] * 2 / 5, abs=0.02)
    assert weights["سوق"] == pytest.approx(0.15 + 0.85 * (weights["سهم"] + weights["بنك"]), abs=0.02)
    assert sum(weights.values()) == pytest.approx(3)
    assert page_rank(found, {"بنك"}).keys() == {"سوق", "سهم"}
    assert page_rank(["واحد"], set()) == {}


# ---- phrases


def test_runs_of_words_have_at_most_so_many() -> None:
    assert list(ngrams("abcd", 2)) == ["a", "a b", "b", "b c", "c", "c d", "d"]
    assert list(ngrams("ab", 3)) == ["a", "a b", "b"]


def test_phrases_neither_begin_nor_end_with_a_common_word_a_short_one_or_a_number() -> None:
    found = ["وزير", "في", "مصر", "2024", "قال", "رئيس"]
    assert list(phrases(found, {"قال"})) == ["وزير", "وزير في مصر", "مصر", "رئيس"]
    assert list(phrases(["كاس", "عالم", "قطر", "دوحه"], set())) == [
        "كاس", "كاس عالم", "كاس عالم قطر", "عالم", "عالم قطر", "عالم قطر دوحه", "قطر", "قطر دوحه", "دوحه",
    ]  # fmt: skip


def test_words_of_more_than_a_fifth_of_the_articles_are_common() -> None:
    training = [article("قال قال"), article("قال"), *[article("خبر")] * 2, *[article("نص")] * 6]
    assert common_words(training) == {"نص"}
    assert common_words(training[:9]) == {"نص", "قال", "خبر"}
    assert common_words([]) == set()


def test_the_words_of_an_article_are_those_of_match_keys_of_title_and_body() -> None:
    assert stems(replace(article("والمدرسة"), title="بالبنك")) == ["بنك", "مدرسه"]


def test_the_best_phrases_are_sorted_by_score_and_then_by_name() -> None:
    assert best({"b": 1, "c": 2, "a": 1}) == ("c", "a", "b")
    assert best({f"{n:02}": -n for n in range(20)}) == tuple(f"{n:02}" for n in range(15))


# ---- by embeddings


def test_the_nearest_phrases_are_phrases_of_the_article(tagger: Tagger) -> None:
    football = "فاز الفريق في المباراة وسجل المهاجم هدفين في مرمى الخصم على ملعب المدينة"
    example = article(f"{football} وقال المدرب إنه سعيد")
    (ranked,) = nearest_phrases(tagger)([], [example])
    assert 5 < len(ranked) <= 15
    assert len(set(ranked)) == len(ranked)
    assert all(f" {phrase} " in f" {match_key(example.text)} " for phrase in ranked)


def test_the_nearest_phrases_are_ranked_by_the_mean_of_the_hidden_states_of_each_alone(tagger: Tagger) -> None:
    network = load_network(tagger.artifact.folder)
    tokenizer = Tokenizer.from_file(str(tagger.artifact.folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()

    def embed(text: str) -> np.ndarray[Any, Any]:
        window, ids = tagger.encoder.window, tokenizer.encode(text).ids
        ids = ids if len(ids) <= window else [*ids[: window - 1], ids[-1]]  # the last one ends the sequence
        with torch.inference_mode():
            hidden = network.encoder(input_ids=torch.tensor([ids])).last_hidden_state[0].mean(0).numpy()
        return np.asarray(hidden / np.linalg.norm(hidden))

    long = "ارتفعت أرباح البنك المركزي في العاصمة " + "وقال الوزير إنه يبحث خطة جديدة " * 40
    for example in (article("فاز الفريق في المباراة وسجل المهاجم هدفين"), article(long)):
        candidates = list(dict.fromkeys(phrases(stems(example), set())))
        vectors = np.stack(list(map(embed, candidates)))
        order = maximal_marginal_relevance(vectors @ embed(example.text), vectors @ vectors.T)
        assert nearest_phrases(tagger)([], [example]) == [tuple(candidates[i] for i in order)]


def test_the_nearest_phrases_of_an_article_do_not_depend_on_the_others(
    tagger: Tagger, monkeypatch: pytest.MonkeyPatch
) -> None:
    football, bank = article("فاز الفريق في المباراة"), article("ارتفعت أرباح البنك المركزي")
    rank = nearest_phrases(tagger)
    alone = [rank([], [example])[0] for example in (football, bank)]
    assert rank([], [football, article("1 2"), bank] * 15) == [alone[0], (), alone[1]] * 15
    monkeypatch.setattr(keyphrases, "MAX_EMBEDDED", 2)
    assert set(rank([], [bank])[0]) == set(list(phrases(stems(bank), set()))[:2])
    common = [article("البنك")] * 5
    assert not any("بنك" in phrase.split()[0] for phrase in rank(common, [bank])[0])


def test_maximal_marginal_relevance_prefers_a_new_candidate_to_a_repeated_one() -> None:
    similarity = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], np.float32)
    assert maximal_marginal_relevance(np.array([0.9, 0.8, 0.5], np.float32), similarity) == [0, 2, 1]
    # 0.7 · 0.8 - 0.3 · 1 = 0.26 against 0.7 · 0.36 = 0.25 and 0.7 · 0.38 = 0.27
    assert maximal_marginal_relevance(np.array([0.9, 0.8, 0.36], np.float32), similarity) == [0, 1, 2]
    assert maximal_marginal_relevance(np.array([0.9, 0.8, 0.38], np.float32), similarity) == [0, 2, 1]
    many = np.linspace(0, 1, 20, dtype=np.float32)
    assert maximal_marginal_relevance(many, np.eye(20, dtype=np.float32)) == list(range(19, 4, -1))
    # The similarity to the nearest of the chosen ones counts, not that to the last.
    similarity = np.array([[1, 0, 0.9], [0, 1, 0], [0.9, 0, 1]], np.float32)
    assert maximal_marginal_relevance(np.array([1, 0.6, 0.7], np.float32), similarity) == [0, 1, 2]
    four = np.eye(4, dtype=np.float32)
    four[0, 2] = four[2, 0] = 0.9
    assert maximal_marginal_relevance(np.array([1, 0.6, 0.59, 0.5], np.float32), four) == [0, 1, 3, 2]
