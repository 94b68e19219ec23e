"""Ranking of tags, on a vocabulary small enough to read."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support import PAGES, network_output, rank, tag_model, vocabulary_of
from wusum.model.article import Article
from wusum.model.errors import ModelError
from wusum.model.network.artifact import BUNDLED
from wusum.model.network.outputs import Phrase
from wusum.model.options import PredictOptions
from wusum.model.tagger import Tagger
from wusum.model.tagging.controlled import ControlledRanker
from wusum.model.tagging.ranker import TagModel, TagRanker
from wusum.model.tagging.terms import Term
from wusum.model.tagging.trees import BoostedTrees
from wusum.model.tagging.vocabulary import Vocabulary

TEXTS = ("موسكو", "وزارة الخارجية", "وزارة الخارجية الروسية", "لبنان", "الأمن الغذائي", "روسيا")


@pytest.fixture
def vocabulary() -> Vocabulary:
    return vocabulary_of(*TEXTS)


def ranker(vocabulary: Vocabulary, **weights: float) -> TagRanker:
    return tag_model(vocabulary, weights).ranker()


def test_spans_name_the_tag_without_its_clitic(vocabulary: Vocabulary) -> None:
    body = "قالت وزارة الخارجيّة إن وموسكو بموسكو والأمن الغذائي"
    tags = rank(ranker(vocabulary, present=9.0, bias=-4.0), body)
    spans = {tag.text: [body[a:b] for a, b in tag.spans] for tag in tags}
    assert spans == {
        "موسكو": ["موسكو", "موسكو"],
        "وزارة الخارجية": ["وزارة الخارجيّة"],
        "الأمن الغذائي": ["الأمن الغذائي"],
    }


def test_of_a_preposition_with_an_article_the_span_takes_the_article() -> None:
    ranker_ = ranker(vocabulary_of("الأردن", labelled=False), present=9.0)
    body = "دعا للأردن وللأردنّ والأردن بالأردن الأردن"
    (tag,) = rank(ranker_, body, network_output(0))
    assert [body[a:b] for a, b in tag.spans] == ["لأردن", "لأردنّ", "الأردن", "الأردن", "الأردن"]


def test_a_tag_of_the_head_that_is_absent_has_no_spans(vocabulary: Vocabulary) -> None:
    output = network_output(0, 0, 0, 9, 0, 0)
    tags = rank(ranker(vocabulary, head=1.0, bias=3.0), "نص بلا وسم", output, max_tags=1)
    assert [(t.text, t.spans) for t in tags] == [("لبنان", ())]


def test_a_tag_that_is_absent_must_be_surer(vocabulary: Vocabulary) -> None:
    output = network_output(0, 0, 0, 9, 0, 0)
    by_head = ranker(vocabulary, head=1.0, bias=2.0)
    assert 0.5 < rank(by_head, "نص بلا وسم", output, max_tags=1, min_score=0.0)[0].score < 0.9
    assert rank(by_head, "نص بلا وسم", output, max_tags=1) == ()
    assert [t.text for t in rank(by_head, "نص عن لبنان", output, max_tags=1)] == ["لبنان"]


def test_the_title_counts_and_has_no_spans(vocabulary: Vocabulary) -> None:
    tags = rank(ranker(vocabulary, in_title=5.0, bias=-1.0), "نص", title="روسيا اليوم")
    assert [(t.text, t.spans) for t in tags] == [("روسيا", ())]


def test_scores_fall_and_limits_hold(vocabulary: Vocabulary) -> None:
    body = "روسيا روسيا روسيا موسكو لبنان لبنان"
    by_frequency = ranker(vocabulary, present=1.0, frequency=1.0, bias=-2.0)
    tags = rank(by_frequency, body, min_score=0.0)
    assert [t.text for t in tags][:2] == ["روسيا", "لبنان"]
    assert [t.score for t in tags] == sorted((t.score for t in tags), reverse=True)
    assert len(rank(by_frequency, body, max_tags=2, min_score=0.0)) == 2
    assert rank(by_frequency, body, max_tags=0, min_score=0.0) == ()
    assert rank(by_frequency, body, min_score=1.0) == ()


def test_a_phrase_that_nobody_has_tagged_is_a_tag_in_the_spelling_of_the_article(vocabulary: Vocabulary) -> None:
    new = Phrase(Counter({"وغوتيريش": 1}), [2.0, 1.0])
    output = network_output(*[0.0] * len(TEXTS), غوتيريش=new, موسكو=Phrase(Counter({"موسكو": 1}), [3.0, -4.0]))
    body = "وصل غوتيريش إلى موسكو. وغوتيريش مسؤول"
    tags = rank(ranker(vocabulary, phrase=1.0), body, output, min_score=0.5)
    assert [(t.text, [body[a:b] for a, b in t.spans]) for t in tags] == [
        ("موسكو", ["موسكو"]),
        ("غوتيريش", ["غوتيريش", "غوتيريش"]),
    ]
    assert rank(ranker(vocabulary, phrase=1.0, new=-9.0), body, output, min_score=0.5)[1:] == ()


def test_a_tag_explains_its_score(vocabulary: Vocabulary) -> None:
    weighted = ranker(vocabulary, present=2.0, single_word=-0.5, bias=-1.0)
    tag = rank(weighted, "في موسكو", max_tags=1, explain=True)[0]
    assert tag.why == {"start": -1.0, "present": 2.0, "single_word": -0.5}
    assert list(tag.why) == ["start", "present", "single_word"]
    assert tag.score == pytest.approx(1 / (1 + np.exp(-sum(tag.why.values()))), abs=1e-4)
    assert tag.to_dict()["why"] == tag.why
    assert "why" not in rank(weighted, "في موسكو", max_tags=1)[0].to_dict()


def test_a_tag_that_does_not_stand_there_has_the_score_of_its_features(vocabulary: Vocabulary) -> None:
    by_head = ranker(vocabulary, bias=-1.0, head=1.0)
    tag = rank(by_head, "لا شيء", network_output(9, 0, 0, 0, 0, 0), max_tags=1, min_score=0.0, explain=True)[0]
    assert (tag.text, tag.spans) == ("موسكو", ())
    assert tag.why is not None
    assert tag.why["start"] + tag.why["head"] == pytest.approx(sum(tag.why.values()))
    assert tag.score == pytest.approx(1 / (1 + np.exp(1.0 - tag.why["head"])), abs=1e-3)


def test_nesting_is_measured(vocabulary: Vocabulary) -> None:
    """Three tags stand here, one in the next; each mention of the shortest but one is in a longer one."""
    unfitted = ranker(vocabulary)
    article = Article("", "وزارة الخارجية الروسية، وزارة الخارجية، روسيا")
    document = unfitted.document(article, network_output(0, 9, 0, 0, 0, 0))
    candidates = unfitted.candidates(document)
    names = ("parts", "wholes", "whole_share", "part_head", "head")
    table = unfitted.table(document, candidates, names)
    row = {c.entry.text: dict(zip(names, table[n].tolist(), strict=True)) for n, c in enumerate(candidates)}
    short, long, other = row["وزارة الخارجية"], row["وزارة الخارجية الروسية"], row["روسيا"]
    assert [long[name] for name in names[:3]] == [1, 0, 0]
    assert [short[name] for name in names[:3]] == [0, 1, 0.5]
    assert [other[name] for name in names[:3]] == [0, 0, 0]
    assert long["part_head"] == pytest.approx(short["head"])
    assert short["part_head"] == other["part_head"] < long["part_head"]


def test_an_article_without_candidates_has_no_features() -> None:
    empty = TagModel.unfitted().ranker()
    document = empty.document(Article("", "نص"), network_output())
    candidates = empty.candidates(document)
    assert list(candidates) == []
    names = [feature.name for feature in empty.features]
    assert empty.table(document, candidates, names).shape == (0, len(names))
    assert rank(empty, "نص", network_output(), min_score=0.0) == ()


@pytest.mark.parametrize(
    ("body", "given"),
    [
        ("وزارة الخارجية الروسية", ["وزارة الخارجية الروسية"]),
        ("وزارة الخارجية الروسية ووزارة الخارجية", ["وزارة الخارجية", "وزارة الخارجية الروسية"]),
        ("وزارة الخارجية", ["وزارة الخارجية"]),
    ],
)
def test_no_tag_repeats_one_before(vocabulary: Vocabulary, body: str, given: list[str]) -> None:
    """The head is sure of both ministries, of the shorter one more."""
    by_head = ranker(vocabulary, head=1.0, bias=3.0)
    assert [tag.text for tag in rank(by_head, body, network_output(-9, 9, 8, -9, -9, -9), min_score=0.5)] == given


def test_a_part_of_a_likelier_tag_that_does_not_stand_here_repeats_it(vocabulary: Vocabulary) -> None:
    by_head = ranker(vocabulary, head=1.0, bias=3.0)
    found = rank(by_head, "قالت وزارة الخارجية ذلك", network_output(-9, 8, 9, -9, -9, -9), min_score=0.5)
    assert [(tag.text, tag.spans) for tag in found] == [("وزارة الخارجية الروسية", ())]


def test_a_tag_and_its_part_are_both_given_if_the_part_also_stands_alone(vocabulary: Vocabulary) -> None:
    by_head = tag_model(vocabulary, {"head": 1.0, "bias": 3.0}).ranker()
    output = network_output(-9, 9, 8, -9, -9, -9)
    found = rank(by_head, "وزارة الخارجية الروسية ووزارة الخارجية", output, min_score=0.5)
    assert [tag.text for tag in found] == ["وزارة الخارجية", "وزارة الخارجية الروسية"]
    found = rank(by_head, "وزارة الخارجية الروسية", output, min_score=0.5)
    assert [tag.text for tag in found] == ["وزارة الخارجية الروسية"]


def test_if_few_tags_reach_the_threshold_half_is_enough(vocabulary: Vocabulary) -> None:
    weighted = ranker(vocabulary, present=1.0, head=1.0, bias=0.5)
    output = network_output(*(-2.0 * n for n in range(len(TEXTS))))  # scores 0.8, 0.34, 0.07 …
    body = " ثم ".join(TEXTS)
    found = rank(weighted, body, output)
    assert [tag.text for tag in found] == ["موسكو", "وزارة الخارجية"]
    assert found[1].score < weighted.thresholds.present
    assert [tag.text for tag in rank(weighted, body, output, min_score=0.5)] == ["موسكو"]
    assert [tag.text for tag in rank(weighted, body, output, max_tags=1)] == ["موسكو"]


def test_a_repetition_does_not_make_up_for_too_few_tags() -> None:
    """Both names of the president reach the threshold, but one repeats the other; Lebanon, with less, is the second."""
    known = vocabulary_of("فلاديمير بوتين", "الرئيس فلاديمير بوتين", "لبنان")
    weighted = tag_model(known, {"present": 1.0, "head": 1.0, "bias": 0.5}).ranker()
    body = "الرئيس فلاديمير بوتين وفلاديمير بوتين في لبنان"
    found = rank(weighted, body, network_output(0.1, 0, -1.5))
    assert [tag.text for tag in found] == ["فلاديمير بوتين", "لبنان"]
    assert found[1].score < weighted.thresholds.present
    every = rank(weighted, body, network_output(0.1, 0, -1.5), min_score=0.0)
    assert [tag.text for tag in every] == ["فلاديمير بوتين", "لبنان"]


def test_of_the_names_of_a_term_none_counts_twice(vocabulary: Vocabulary) -> None:
    model = tag_model(vocabulary, {"present": 1.0, "bias": -2.0})
    controlled = ControlledRanker(model, [Term("موسكو", ("روسيا",)), Term("لبنان")])
    found = rank(controlled, "من موسكو في روسيا الى لبنان")
    assert [tag.text for tag in found] == ["موسكو", "لبنان"]


def permuted(trees: BoostedTrees, order: list[int]) -> BoostedTrees:
    """The same trees with their features in another order."""
    numbers = np.argsort(order)
    return BoostedTrees(
        [trees.features[old] for old in order], trees.baseline, trees.roots, numbers[trees.feature], trees.threshold,
        trees.left, trees.right, trees.value,
    )  # fmt: skip


def test_a_ranking_scores_the_same_with_its_features_in_any_order(tagger: Tagger, tmp_path: Path) -> None:
    trees = BoostedTrees.load(BUNDLED / "ranking.json")
    order = np.random.default_rng(7).permutation(len(trees.features)).tolist()
    assert order != sorted(order)
    permuted(trees, order).save(tmp_path / "ranking.json")
    other = BoostedTrees.load(tmp_path / "ranking.json")
    assert other.features != trees.features
    assert set(other.features) == set(trees.features)
    rankers = [replace(tagger.tag_model, trees=made).ranker() for made in (trees, other)]
    pages = [Article.from_page(path.read_text(encoding="utf-8")) for path in sorted(PAGES.glob("*.txt"))]
    options = PredictOptions(max_tags=50, min_score=0.0, explain=True)
    for page, output in zip(pages, tagger.encoder.encode(pages), strict=True):
        one, two = (ranker.rank(page, output, options) for ranker in rankers)
        assert len(one) > 10
        assert one == two


def test_a_ranking_that_looks_at_an_unknown_feature_is_refused(vocabulary: Vocabulary) -> None:
    model = tag_model(vocabulary, {"present": 1.0, "altitude": 1.0, "depth": 1.0})
    with pytest.raises(ModelError, match="features that this version does not have: altitude, depth; calibrate"):
        model.ranker()
    with pytest.raises(ModelError, match="altitude, depth"):
        ControlledRanker(model, [Term("موسكو")])


def test_a_ranking_may_look_at_some_features_only(vocabulary: Vocabulary) -> None:
    """As after a source is added: an older ranking does not look at its features."""
    few = ranker(vocabulary, word_count=-1.0, present=3.0)
    assert len(few.features) > 2
    assert [tag.text for tag in rank(few, "موسكو ووزارة الخارجية")] == ["موسكو", "وزارة الخارجية"]
