"""Candidates of an article, and the contract of their sources."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import PAGES, UNDECIDED
from wusum.model.article import Article
from wusum.model.tagger import Tagger
from wusum.model.tagging.candidates import Candidate, Candidates, Document, Source
from wusum.model.tagging.entry import Entry, Mentions
from wusum.model.tagging.sources.new_phrases import SpanScores
from wusum.model.text.lexicon import plain_lexicon

FIRST = Candidate(Entry("موسكو", "موسكو", 10, 8, 5, 3), Mentions([(4, 4), (9, 9)], in_title=True))
SECOND = Candidate(Entry("لبنان", "لبنان", 7, 6, 2, -1), Mentions())


def test_the_first_proposal_of_a_key_is_kept() -> None:
    later = Candidate(Entry("موسكو", "موسكوو", 1, 1, 1, 0), Mentions([(0, 0)]))
    candidates = Candidates([FIRST, SECOND, later])
    assert list(candidates) == [FIRST, SECOND]
    assert (len(candidates), candidates[1], candidates.keys) == (2, SECOND, ["موسكو", "لبنان"])
    assert list(Candidates([later, SECOND, FIRST])) == [later, SECOND]


def test_mentions_and_counts_are_arrays() -> None:
    candidates = Candidates([FIRST, SECOND])
    assert candidates.mentions.tolist() == [2, 0]
    assert candidates.first_word.tolist() == [4, -1]
    assert candidates.in_title.tolist() == [1, 0]
    assert candidates.occurrences.tolist() == [3, 0]
    assert candidates.present.tolist() == [True, False]
    assert candidates.counts.tolist() == [[10, 8, 5, 3], [7, 6, 2, -1]]
    assert Candidates([]).counts.shape == (0, 4)


def test_a_document_computes_once_for_each_owner() -> None:
    text = plain_lexicon().tokenise("نص")
    document = Document(text, text, UNDECIDED)
    one, other, calls = object(), object(), []

    def compute(given: Document) -> int:
        calls.append(given)
        return len(calls)

    assert [document.memo(owner, compute) for owner in (one, other, one, other)] == [1, 2, 1, 2]
    assert calls == [document, document]


def sources(tagger: Tagger) -> list[Source]:
    """Every source of the bundled model and of controlled vocabularies."""
    return [*tagger.tag_model.sources(), SpanScores()]


@pytest.mark.parametrize("page", ["sport", "politics", None])
def test_a_source_measures_its_features_of_every_candidate(tagger: Tagger, page: str | None) -> None:
    raw = (PAGES / f"{page}.txt").read_text(encoding="utf-8") if page else ""
    article = Article.from_page(raw)
    (output,) = tagger.encoder.encode([article])
    ranker = tagger.tag_model.ranker()
    document = ranker.document(article, output)
    candidates = ranker.candidates(document)
    assert not page or len(candidates) > 20
    for source in sources(tagger):
        for found in (candidates, Candidates([])):
            columns = source.measure(document, found)
            assert set(columns) == {feature.name for feature in source.features}
            assert all(np.asarray(column, float).shape == (len(found),) for column in columns.values())


def test_every_feature_has_one_source_and_a_description(tagger: Tagger) -> None:
    features = tagger.tag_model.ranker().features
    names = [feature.name for feature in features]
    assert len(set(names)) == len(names)
    assert all(feature.description for feature in features)


def test_proposals_have_keys_and_mentions_in_the_body(tagger: Tagger) -> None:
    article = Article.from_page((PAGES / "politics.txt").read_text(encoding="utf-8"))
    (output,) = tagger.encoder.encode([article])
    document = tagger.tag_model.ranker().document(article, output)
    proposals = {type(source).__name__: list(source.propose(document)) for source in sources(tagger)}
    assert {name for name, found in proposals.items() if found} >= {"KnownTags", "TagHead", "LinearTags", "NewPhrases"}
    for entry, mentions in (candidate for found in proposals.values() for candidate in found):
        assert entry.key
        assert all(0 <= first <= last < len(document.body.lexemes) for first, last in mentions.body)
