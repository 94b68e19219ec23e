"""TF-IDF of candidates and their words."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import network_output, tag_model, vocabulary_of, word_statistics
from wusum.model.article import Article
from wusum.model.text.word_statistics import WordStatistics


@pytest.fixture(scope="module")
def statistics() -> WordStatistics:
    return word_statistics()


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
