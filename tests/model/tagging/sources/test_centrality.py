"""Centrality: where the words of a candidate stand, and how likely they make a tag."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

from tests.support import network_output, tag_words, word_statistics
from wusum.model.article import Article
from wusum.model.tagging.candidates import Candidate, Candidates
from wusum.model.tagging.entry import Entry, Mentions
from wusum.model.tagging.ranker import TagModel
from wusum.model.tagging.sources.centrality import NO_NEIGHBOUR, Centrality
from wusum.model.text.words import match_key

WORDS = tag_words({"وزارة": (0.5, 0.1, 0.001, 0.02), "النفط": (0.001, 0.3, 0.4, 0.2), "بغداد": (0.1, 0.1, 0.1, 0.6)})


def measured(body: str, title: str, **candidates: Mentions) -> dict[str, Mapping[str, float]]:
    """Return the features of candidates, by name, that stand where their mentions say."""
    source = Centrality(WORDS, word_statistics())
    document = TagModel.unfitted().ranker().document(Article("", body, title), network_output())
    found = Candidates(
        Candidate(Entry(match_key(text), text, 9, 8, 2, -1), mentions)
        for text, mentions in ((name.replace("_", " "), mentions) for name, mentions in candidates.items())
    )
    columns = source.measure(document, found)
    assert list(columns) == [feature.name for feature in source.features]
    names = (name.replace("_", " ") for name in candidates)
    return {name: {key: float(column[n]) for key, column in columns.items()} for n, name in enumerate(names)}


def test_places_are_shares_of_the_body() -> None:
    body = "قال إن وزارة النفط في بغداد. وأعلنت وزارة النفط أمس"
    row = measured(body, "", وزارة_النفط=Mentions([(2, 3), (7, 8)]))["وزارة النفط"]
    assert (row["relative_position"], row["reach"]) == (0.2, 0.7)
    assert row["word_before"] == row["word_after"] == pytest.approx(math.log(0.001), abs=0.01)
    nowhere = measured(body, "", باريس=Mentions(in_title=True))["باريس"]
    assert (nowhere["relative_position"], nowhere["reach"]) == (1, 1)
    assert nowhere["word_before"] == nowhere["word_after"] == NO_NEIGHBOUR
    assert nowhere["absent_share"] == 0.75  # in the counts of each entry


def test_the_words_around_the_first_mention_are_looked_at() -> None:
    row = measured(
        "بغداد وزارة النفط", "", وزارة=Mentions([(1, 1)]), بغداد=Mentions([(0, 0)]), النفط=Mentions([(2, 2)])
    )
    assert row["وزارة"]["word_before"] == pytest.approx(math.log(0.1), abs=0.01)
    assert row["وزارة"]["word_after"] == pytest.approx(math.log(0.3), abs=0.01)
    assert row["بغداد"]["word_before"] == row["النفط"]["word_after"] == NO_NEIGHBOUR


def test_words_count_wherever_they_stand() -> None:
    """The rarest word of the first is النفط, which stands there three times, once behind a preposition."""
    row = measured("قال النفط في النفط والنفط", "هذا النفط", قال_النفط=Mentions([(0, 1)]), قال=Mentions([(0, 0)]))
    assert row["قال النفط"]["rarest_count"] == pytest.approx(math.log(4))
    assert row["قال"]["rarest_count"] == pytest.approx(math.log(2))
    assert row["قال النفط"]["title_share"] == 0.5
    assert row["قال"]["title_share"] == 0
    assert row["قال النفط"]["shape"] == pytest.approx(math.log(0.001 * 0.4), abs=0.01)


def test_an_empty_body_has_no_places() -> None:
    assert measured("", "بغداد", بغداد=Mentions(in_title=True))["بغداد"]["title_share"] == 1
    assert measured("", "") == {}
