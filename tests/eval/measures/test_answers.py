"""Answers: their scores on cases computed by hand, their comparison, and their way through JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from math import log2
from pathlib import Path
from typing import Any

import pytest

from tests.support import eval_config, score_values
from wusum.eval.measures.answers import Classification, Extraction, Key, Labelling, Tagging, from_json, p_value, to_json
from wusum.eval.measures.evaluation import Evaluation
from wusum.eval.suites.suite import load_suite


def labelling(*predicted: tuple[str, ...]) -> Labelling:
    """Answers for three articles."""
    return Labelling(Key("by-hand", "all"), ("1", "2", "3"), (("a",), ("a", "c"), ("b",)), predicted)


def test_sets_of_topics_are_scored_over_all_their_labels() -> None:
    found = score_values(labelling(("b", "a"), ("a",), ()))
    assert found == {
        "micro-F1": pytest.approx(2 * 2 / (3 + 4)),
        "macro-F1": pytest.approx((1 + 0 + 0) / 3),
        "first right": pytest.approx(1 / 3),
    }
    assert labelling(("b", "a"), ("a",), ()).value() == found["micro-F1"]
    assert score_values(labelling(("a",), ("c", "b"), ("a",)))["first right"] == pytest.approx(2 / 3)
    assert score_values(labelling(("a",), ("b", "a"), ("a",)))["first right"] == pytest.approx(1 / 3)


def test_the_first_topic_is_measured_with_its_probability() -> None:
    plain = labelling(("c", "a"), ("a",), ("b",))
    assert not {"main right", "confident", "ECE"} & score_values(plain).keys()
    found = score_values(
        replace(
            plain,
            gold=(("a",), ("c", "a"), ("b",)),
            main_first=True,
            confidence=(0.3, 0.7, 1.0),
            confident=(False, True, True),
        )
    )
    assert found["first right"] == pytest.approx(2 / 3)  # all but c
    assert found["main right"] == pytest.approx(1 / 3)  # b
    assert found["confident"] == pytest.approx(2 / 3)
    assert found["confident, first right"] == 1  # the last two
    assert found["confident, main right"] == pytest.approx(1 / 2)  # b of these
    assert found["ECE"] == pytest.approx((0.3 + (1 - 0.7) + 0) / 3)
    one_topic = score_values(replace(plain, confident=(False, True, False)))
    assert one_topic["confident, first right"] == 1
    assert "confident, main right" not in one_topic
    assert "confident, first right" not in score_values(replace(plain, confident=(False, False, False)))


def test_an_article_without_topics_has_no_main_one() -> None:
    found = replace(labelling((), ("a",), ()), gold=((), ("a",), ("b",)), main_first=True)
    assert score_values(found)["main right"] == pytest.approx(1 / 3)


def test_macro_f1_counts_the_topics_that_are_gold() -> None:
    found = score_values(labelling(("a", "x"), ("x", "a"), ("b",)))
    assert found["macro-F1"] == pytest.approx((1 + 1 + 0) / 3)  # of a, b and c


def test_first_topics_are_confused_with_first_topics() -> None:
    found = replace(
        labelling(("d", "a"), ("a",), ()),
        gold=(("a", "d"), ("a", "c"), ("b",), ()),
        predicted=(("d", "a"), ("a",), (), ("a",)),
    )
    assert found.classes == ("a", "b", "d")
    assert found.confusion().tolist() == [[1, 0, 1], [0, 0, 0], [0, 0, 0]]
    assert labelling((), (), ()).confusion().tolist() == [[0, 0], [0, 0]]


def test_each_topic_is_scored_by_itself() -> None:
    rows = labelling(("b", "a"), ("a", "d"), ()).per_class()
    assert [row["class"] for row in rows] == ["a", "b", "c", "d"]
    found = {row.pop("class"): row for row in rows}
    assert found == {
        "a": {"precision": 1, "recall": 1, "f1": 1, "articles": 2},
        "b": {"precision": 0, "recall": 0, "f1": 0, "articles": 1},
        "c": {"precision": 0, "recall": 0, "f1": 0, "articles": 1},
        "d": {"precision": 0, "recall": 0, "f1": 0, "articles": 0},
    }
    one = replace(labelling(("a",), (), ("a",)), gold=(("a",), ("a",), ()))
    assert one.per_class() == [{"class": "a", "precision": 0.5, "recall": 0.5, "f1": 0.5, "articles": 2}]


def test_answers_of_every_kind_come_back_from_json(corpora: Path, fake: Any, short_articles_count: None) -> None:
    settings = eval_config(corpora, plain=["sport", "economy", "health"])
    for answers in (
        load_suite("topics").answer(Key("topics", "plain"), fake, settings),
        load_suite("tags").answer(Key("tags", "almayadeen"), fake, settings),
        labelling(("a",), (), ("b",)),
        Extraction(Key("parser", "pages"), ("1",), ("title", "body"), ((1.0, 0.5),)),
    ):
        assert from_json(json.loads(json.dumps(to_json(answers)))) == answers


def classification(*predicted: int, **changes: Any) -> Classification:
    """Answers for four articles of the classes 0, 0, 1 and 2."""
    made = Classification(Key("topics", "c"), ("a", "b", "c"), ("1", "2", "3", "4"), (0, 0, 1, 2), predicted)
    return replace(made, **changes)


def test_classes_are_scored_by_accuracy_and_macro_f1_and_probabilities_by_their_calibration() -> None:
    found = classification(0, 1, 1, 1, confidence=(0.9, 0.9, 0.9, 0.5))
    assert score_values(found) == {
        "accuracy": 0.5,
        "macro-F1": pytest.approx((2 / 3 + 1 / 2 + 0) / 3),
        "ECE": pytest.approx((3 * abs(0.9 - 2 / 3) + 0.5) / 4),
    }
    accuracy, macro, error = found.scores()
    for score in (accuracy, macro):
        assert score.low is not None
        assert score.high is not None
        assert score.low < score.value < score.high
    assert (error.low, error.high) == (None, None)  # a bootstrap interval of a biased measure would be too high
    assert "ECE" not in score_values(classification(0, 1, 1, 1))
    assert found.confusion().tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]


def test_a_class_that_is_never_gold_and_one_that_is_never_predicted_have_rows_of_their_own() -> None:
    found = classification(0, 1, 1, 1, classes=("a", "b", "c", "d"))
    assert found.confusion().tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert found.per_class() == [
        {"class": "a", "precision": 1, "recall": 0.5, "f1": pytest.approx(2 / 3), "articles": 2},
        {"class": "b", "precision": pytest.approx(1 / 3), "recall": 1, "f1": 0.5, "articles": 1},
        {"class": "c", "precision": 0, "recall": 0, "f1": 0, "articles": 1},
        {"class": "d", "precision": 0, "recall": 0, "f1": 0, "articles": 0},
    ]


def test_parts_of_pages_are_scored_by_themselves_and_compared_by_the_body() -> None:
    found = Extraction(Key("parser", "p"), ("1", "2"), ("title", "body"), ((1.0, 0.5), (0.0, 1.0)))
    assert score_values(found) == {"title": 0.5, "body": 0.75}
    assert [score.articles for score in found.scores()] == [2, 2]
    assert found.value() == 0.75
    assert found.per_article().tolist() == [0.5, 1]


def tagging(**changes: Any) -> Tagging:
    """Ranked tags of two articles with the gold tags a, b and c, and a."""
    gold, ranked = (("a", "b", "c"), ("a",)), (("x", "a", "y", "z", "w", "b"), ("a",))
    return replace(Tagging(Key("tags", "c"), ("1", "2"), gold, ranked), **changes)


def test_ranked_tags_are_scored_by_all_measures() -> None:
    assert score_values(tagging()) == {
        "F1@5": pytest.approx((2 * 1 / 8 + 2 * 1 / 6) / 2),
        "F1@10": pytest.approx((2 * 2 / 13 + 2 * 1 / 11) / 2),
        "P@5": pytest.approx((1 / 5 + 1 / 5) / 2),
        "R@10": pytest.approx((2 / 3 + 1) / 2),
        "R-precision": pytest.approx((1 / 3 + 1) / 2),
        "nDCG@10": pytest.approx(((1 / log2(3) + 1 / log2(7)) / (1 + 1 / log2(3) + 1 / 2) + 1) / 2),
    }
    assert tagging().value() == score_values(tagging())["F1@5"]
    assert tagging().value("F1@10") == score_values(tagging())["F1@10"]
    curve = tagging().curve()
    assert [k for k, _ in curve] == list(range(1, 16))
    assert (curve[0][1], curve[5][1]) == (pytest.approx((0 + 1) / 2), pytest.approx((2 * 2 / 9 + 2 / 7) / 2))


def test_present_absent_and_new_tags_are_recalled_by_the_articles_that_have_them() -> None:
    found = score_values(tagging(present=(("a", "c"), ("a",)), new=(("c",), ())))
    assert (found["present R@10"], found["absent R@10"], found["new R@10"]) == (0.75, 1, 0)
    assert "absent R@10" not in score_values(tagging(present=tagging().gold))


def test_only_the_first_ten_tags_count_where_ten_are_said() -> None:
    late = Tagging(Key("tags", "c"), ("1",), (("a",),), ((*"mnopqrstuv", "a"),), present=(("a",),))
    found = score_values(late)
    assert {found[name] for name in ("F1@10", "R@10", "nDCG@10", "present R@10")} == {0}
    tenth = score_values(replace(late, ranked=((*"mnopqrstu", "a"),)))
    assert tenth["R@10"] == tenth["present R@10"] == 1
    assert tenth["nDCG@10"] == pytest.approx(1 / log2(11))


def test_given_tags_are_scored_all_together_and_those_that_are_not_in_the_text_by_themselves() -> None:
    answers = tagging(given=(("a", "b", "x", "y"), ("a", "z")), given_absent=(("b", "x", "y"), ()))
    found = {score.metric: score for score in answers.scores()}
    assert found["F1@M"].value == pytest.approx((2 * 2 / 7 + 2 / 3) / 2)
    assert found["absent given"].value == 1.5
    assert (found["absent right"].value, found["absent right"].articles) == (pytest.approx(1 / 3), 1)
    more = score_values(replace(answers, given_absent=(("b", "x", "y"), ("a",))))
    assert more["absent right"] == 0.5
    assert "absent right" not in score_values(replace(answers, given_absent=((), ())))
    assert "absent given" not in score_values(tagging())


def test_systems_are_compared_on_the_same_articles_and_by_the_same_kind_of_answers() -> None:
    one, other = labelling(("a",), ("a", "c"), ("b",)), labelling((), (), ())
    assert p_value(one, one) == 1
    assert p_value(one, other) < 0.5
    with pytest.raises(ValueError, match="not the same articles"):
        p_value(one, replace(other, ids=("1", "2", "4")))
    with pytest.raises(ValueError, match="not the same articles"):
        p_value(one, replace(other, gold=(("a",), ("a",), ("b",))))
    tags = Tagging(one.key, one.ids, one.gold, one.gold)
    for pair in ((one, tags), (tags, one)):
        with pytest.raises(ValueError, match="not the same kind"):
            p_value(*pair)


def test_tags_are_compared_by_the_first_five_and_by_the_first_ten() -> None:
    ids, gold = tuple(map(str, range(20))), (("a",),) * 20
    early = Tagging(Key("tags", "c"), ids, gold, (("a",),) * 20)
    late = replace(early, key=Key("tags", "c", "dictionary"), ranked=((*"uvwxyz", "a"),) * 20)
    assert early.compared == ("F1@5", "F1@10")
    assert (p_value(early, late), p_value(early, late, "F1@5"), p_value(early, late, "F1@10")) == (
        pytest.approx(1e-4, rel=0.5), pytest.approx(1e-4, rel=0.5), 1,
    )  # fmt: skip
    rows = Evaluation((early, late), {}).comparisons()
    assert [(row["metric"], row["difference"]) for row in rows] == [("F1@5", pytest.approx(1 / 3)), ("F1@10", 0)]


def test_the_model_is_compared_with_each_baseline_and_corrected_for_their_number() -> None:
    ours = classification(0, 0, 1, 2)
    theirs = [
        replace(ours, key=Key("topics", "c", name), predicted=row)
        for name, row in (("x", (0,) * 4), ("y", (0, 0, 1, 2)))
    ]
    elsewhere = classification(0, 0, 1, 2, key=Key("topics", "other", "x"))
    varied = classification(0, 0, 1, 2, key=Key("topics", "c", "x", "50 words"))
    evaluation = Evaluation((ours, *theirs, elsewhere, varied), {})
    rows = evaluation.comparisons()
    assert [(row["suite"], row["corpus"], row["baseline"], row["metric"]) for row in rows] == [
        ("topics", "c", "x", "accuracy"), ("topics", "c", "y", "accuracy"),
    ]  # fmt: skip
    assert [row["difference"] for row in rows] == [0.5, 0]
    assert [row["p"] for row in rows] == [pytest.approx(0.5, abs=0.03), 1]
    assert [row["p_holm"] for row in rows] == [pytest.approx(2 * rows[0]["p"]), 1]
    assert evaluation.model_answers() == [ours]
    assert [score.system for score in evaluation.scores()] == ["wusum"] * 2 + ["x"] * 2 + ["y"] * 2 + ["x"] * 4
    assert evaluation.find("topics", "c", "x", "50 words") == varied
    assert evaluation.find("topics", "c", "z") is None
