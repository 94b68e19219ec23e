"""Terms that the model does not know, compared with an article through the tag head."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support import PAGES, network_output, rank, tag_model
from wusum.model.tagger import Tagger
from wusum.model.tagging.controlled import ControlledRanker
from wusum.model.tagging.entry import Entry
from wusum.model.tagging.sources import similarity
from wusum.model.tagging.sources.similarity import FLOOR, WEIGHT, TermSimilarity
from wusum.model.tagging.terms import Term
from wusum.model.tagging.vocabulary import Vocabulary

KNOWN = Vocabulary(
    Entry(key, key, 9, tagged, 5, label)
    for label, (key, tagged) in enumerate((("رياضه", 60), ("تجاره", 30), ("طب", 10)))
)
SURE = 9.0
ARTICLE = np.array([0.0, SURE, 0.0], np.float32)
"""Tag logits of an article about trade."""

asked: list[str] = []
"""Texts that the network has read."""


def tag_logits(texts: Sequence[str]) -> NDArray[np.float32]:
    """Stands in for a network: a market is trade, a match sport, anything else is undecided."""
    asked.extend(texts)
    about = {"السوق": [0, SURE, 0], "المباراة": [SURE, 0, 0]}
    return np.array([about.get(text, [0, 0, 0]) for text in texts], np.float32)


@pytest.fixture
def similar() -> TermSimilarity:
    asked.clear()
    return TermSimilarity(tag_logits, KNOWN, ())


def test_a_term_of_the_same_tag_gains_by_how_rare_the_tag_is(similar: TermSimilarity) -> None:
    same, other, unknown = similar.log_similarity(ARTICLE, ["السوق", "المباراة", "شيء"])
    assert same == pytest.approx(np.log(FLOOR + 1 / 0.3), abs=0.01)  # 30 of 100 tags that were given are of trade
    assert other == pytest.approx(np.log(FLOOR), abs=0.1)
    assert unknown == pytest.approx(np.log(FLOOR + (1 / 3) / 0.3), abs=0.01)


def test_a_term_is_read_once_and_has_the_same_similarity_beside_others(
    similar: TermSimilarity, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = similar.log_similarity(ARTICLE, ["السوق"])
    beside = similar.log_similarity(ARTICLE, ["المباراة", "السوق", "السوق"])
    assert beside[1] == beside[2] == alone[0]
    assert asked == ["السوق", "المباراة"]
    monkeypatch.setattr(similarity, "CACHED_TERMS", 2)
    monkeypatch.setattr(similarity, "BATCH_TERMS", 1)
    assert similar.log_similarity(ARTICLE, ["شيء", "السوق"])[1] == alone[0]
    assert asked == ["السوق", "المباراة", "شيء"]
    assert similar.log_similarity(ARTICLE, ["السوق", "السوق"]).tolist() == [alone[0]] * 2  # three did not fit
    assert asked == ["السوق", "المباراة", "شيء", "السوق"]


@pytest.mark.parametrize("logits", [[], [1.0]])
def test_a_head_of_fewer_than_two_labels_adds_nothing(similar: TermSimilarity, logits: list[float]) -> None:
    assert similar.log_similarity(np.array(logits, np.float32), ["السوق"]).tolist() == [0.0]
    assert asked == []


def test_a_label_that_was_never_given_counts_as_given_once() -> None:
    without = Vocabulary(entry for entry in KNOWN.entries if entry.key != "طب")
    found = TermSimilarity(tag_logits, without, ()).log_similarity(ARTICLE, ["السوق"])
    assert found == pytest.approx(np.log(FLOOR + 91 / 30), abs=0.01)


def test_only_terms_that_the_model_does_not_know_are_compared() -> None:
    asked.clear()
    terms = [Term("السوق"), Term("المباراة"), Term("تجارة")]
    body = "تجارة السوق بعد المباراة"
    model = tag_model(KNOWN, {"present": 1.0})
    without, compared = (
        {tag.text: tag for tag in rank(ranker, body, network_output(*ARTICLE), min_score=0.0, explain=True)}
        for ranker in (ControlledRanker(model, terms, logits) for logits in (None, tag_logits))
    )
    assert set(asked) == {"السوق", "المباراة"}
    assert without["السوق"].score == without["المباراة"].score
    assert compared["السوق"].score > without["السوق"].score > compared["المباراة"].score
    assert compared["تجارة"] == without["تجارة"]
    why = compared["السوق"].why
    assert why is not None
    assert why[TermSimilarity.name] == pytest.approx(WEIGHT * np.log(FLOOR + 1 / 0.3), abs=0.01)
    assert compared["السوق"].score == pytest.approx(1 / (1 + np.exp(-sum(why.values()))), abs=1e-3)


@pytest.mark.parametrize("runtime", ["onnx", "torch"])
def test_the_network_reads_the_terms_of_a_file(tmp_path: Path, runtime: str) -> None:
    """The same alone, among others and in any order; terms that do not stand in an article are not compared."""
    path = tmp_path / "tags.txt"
    path.write_text("لجنة فنية\nالنادي الأهلي الليبي\nياسين بن عمر\nمصر\n", encoding="utf-8")
    bodies = [page.read_text(encoding="utf-8") for page in sorted(PAGES.glob("*.txt"))]
    found = [
        [tag for tag in prediction.tags if tag.why and TermSimilarity.name in tag.why]
        for prediction in Tagger.from_pretrained(vocabulary=path, runtime=runtime)(bodies, explain=True, min_score=0.0)
    ]
    assert {tag.text for tags in found for tag in tags} == {"لجنة فنية", "ياسين بن عمر"}
    again = Tagger.from_pretrained(vocabulary=path, runtime=runtime)
    for tags, body in zip(found[::-1], bodies[::-1], strict=True):
        alone = again(body, explain=True, min_score=0.0).tags
        assert [tag for tag in alone if tag.why and TermSimilarity.name in tag.why] == tags


@pytest.mark.parametrize("runtime", ["onnx", "int8"])
def test_a_term_is_read_the_same_beside_others(runtime: str) -> None:
    tagger = Tagger.from_pretrained(runtime=runtime)
    terms = ["لجنة فنية", "ركلة جزاء", "النادي الأهلي الليبي لكرة القدم", "مصر", "تنسيق المواقف قبيل القمة"]
    together = tagger._tag_logits(terms)
    for term, logits in zip(terms, together, strict=True):
        np.testing.assert_array_equal(tagger._tag_logits([term])[0], logits)
