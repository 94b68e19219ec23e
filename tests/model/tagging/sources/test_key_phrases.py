"""Key phrases by TF-IDF, and what is measured of every candidate."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import network_output, rank, tag_model, vocabulary_of, word_statistics
from wusum.model.article import Article
from wusum.model.tagging.selection import Thresholds
from wusum.model.text.key_phrases import MAX_PHRASES, key_phrases
from wusum.model.text.lexicon import Lexicon
from wusum.model.text.word_statistics import WordStatistics


@pytest.fixture(scope="module")
def statistics() -> WordStatistics:
    return word_statistics()


def found(statistics: WordStatistics, title: str, body: str) -> list[str]:
    lexicon = Lexicon(statistics)
    best = key_phrases(lexicon.tokenise(title), lexicon.tokenise(body))
    return [text.slice(first, last) for text, first, last in best]


def test_frequent_phrases_of_rare_words_come_first(statistics: WordStatistics) -> None:
    body = "قال المفاعل النووي أمس. كانت مدينة هذا المفاعل النووي في خطر"
    best = found(statistics, "", body)
    assert best[0] == "المفاعل النووي"
    assert not any(phrase.startswith("قال") or phrase.endswith("أمس") for phrase in best)


def test_a_title_counts_more(statistics: WordStatistics) -> None:
    assert found(statistics, "زعفران", "خرشوف")[0] == "زعفران"
    assert found(statistics, "زعفران", "خرشوف. خرشوف")[0] == "خرشوف"


def test_no_phrase_crosses_punctuation(statistics: WordStatistics) -> None:
    for sign in ("، ", " - ", " –", ". "):
        assert set(found(statistics, "", f"زعفران{sign}خرشوف")) == {"زعفران", "خرشوف"}
    assert "زعفران-خرشوف" in found(statistics, "", "زعفران-خرشوف")


def test_no_phrase_has_a_verb_in_it(statistics: WordStatistics) -> None:
    with_verb = WordStatistics.count([{"قال"}] * 9, ["يحل"])
    assert set(found(with_verb, "", "زعفران يحل خرشوف")) == {"زعفران", "خرشوف"}
    assert "زعفران يحل خرشوف" in found(statistics, "", "زعفران يحل خرشوف")


def test_their_number_is_limited(statistics: WordStatistics) -> None:
    body = " ".join(f"كلمة{chr(0x0628 + n % 20)}{chr(0x0628 + n // 20)}" for n in range(100))
    assert len(found(statistics, "", body)) == MAX_PHRASES
    assert found(statistics, "", "") == []
    assert found(WordStatistics.empty(), "", body) == []


def test_a_key_phrase_is_a_tag_without_proclitics(statistics: WordStatistics) -> None:
    """One that is known by then is that tag, not another."""
    model = tag_model(
        vocabulary_of("موسكو", labelled=False), {"tf_idf": 1.0}, statistics=statistics, thresholds=Thresholds(0.5, 0.5)
    )
    tags = rank(model.ranker(), "قال بالمفاعل، وبموسكو: المفاعل")
    texts = [tag.text for tag in tags]
    assert "المفاعل" in texts
    assert texts.count("موسكو") == 1
    assert not any(text.startswith(("ب", "و")) for text in texts)
    spans = {tag.text: tag.spans for tag in tags}
    assert spans["المفاعل"] == ((5, 12), (23, 30))


def test_candidates_are_measured_by_their_words_and_mentions(statistics: WordStatistics) -> None:
    ranker = tag_model(vocabulary_of("زعفران", "مفاعل نووي", "قال"), {}, statistics=statistics).ranker()
    body = "زعفران وزعفران عند مفاعل نووي"
    document = ranker.document(Article("", body), network_output(0, 0, 0))
    candidates = ranker.candidates(document)
    names = ("body_size", "mean_idf", "min_idf", "tf_idf", "tf_idf_rank")
    table = ranker.table(document, candidates, names).tolist()
    rows = {key: dict(zip(names, row, strict=True)) for key, row in zip(candidates.keys, table, strict=True)}
    saffron, reactor, said = (rows[key] for key in ("زعفران", "مفاعل نووي", "قال"))
    rare, rarer = statistics.idf("مفاعل"), statistics.idf("زعفران")
    assert {row["body_size"] for row in rows.values()} == {np.log(1 + len(body))}
    assert (saffron["mean_idf"], saffron["min_idf"]) == (rarer, rarer)
    assert (reactor["mean_idf"], reactor["min_idf"]) == pytest.approx(((rare + rarer) / 2, rare))
    assert saffron["tf_idf"] == pytest.approx(np.log(2 * rarer + 0.1))
    assert reactor["tf_idf"] == pytest.approx(np.log(rare + rarer + 0.1))
    assert said["tf_idf"] == pytest.approx(np.log(0.1))  # an absent tag of common words
    assert saffron["tf_idf_rank"] < reactor["tf_idf_rank"] < said["tf_idf_rank"] == len(rows) - 1
