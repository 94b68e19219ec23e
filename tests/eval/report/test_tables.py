"""The tables of a report."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from wusum.eval.measures.answers import Classification, Key, Labelling, Score, Tagging, p_value
from wusum.eval.measures.evaluation import Evaluation
from wusum.eval.measures.statistics import holm
from wusum.eval.report.tables import confusion_matrices, interval_text, model_comparison, score_tables


def score(suite: str, corpus: str, system: str, value: float, *, metric: str = "accuracy", variant: str = "") -> Score:
    return Score(suite, corpus, system, variant, metric, value, value - 0.1, value + 0.1, 20)


def comparison(corpus: str, baseline: str, metric: str) -> dict[str, Any]:
    return {"suite": "tags", "corpus": corpus, "baseline": baseline, "metric": metric}


def places(table: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [row["place"] for row in table["rows"]]


def test_a_score_without_interval_has_a_dash() -> None:
    assert interval_text(0.25, 0.3333) == "0.250 – 0.333"
    assert interval_text(0.0, 1.0, digits=4) == "0.0000 – 1.0000"
    assert {interval_text(None, None), interval_text(None, 0.5), interval_text(0.5, None)} == {"–"}


def test_each_suite_has_its_metrics_and_a_row_for_each_corpus_system_and_variant() -> None:
    topics, robustness = score_tables(
        [
            score("topics", "one", "wusum", 0.9),
            score("topics", "one", "wusum", 0.8, metric="macro-F1"),
            score("topics", "one", "linear", 0.7),
            score("robustness", "one", "wusum", 0.6, variant="no title"),
        ],
        [],
    )
    assert (topics["name"], topics["metrics"]) == ("topics", ["accuracy", "macro-F1"])
    assert (robustness["name"], robustness["metrics"]) == ("robustness", ["accuracy"])
    assert places(robustness) == [("one", "wusum", "no title")]
    ours, theirs, *_ = topics["rows"]
    assert {name: s.value for name, s in ours["values"].items()} == {"accuracy": 0.9, "macro-F1": 0.8}
    assert (list(theirs["values"]), theirs["articles"]) == (["accuracy"], 20)


def test_a_baseline_has_a_comparison_for_each_measure_of_its_own_corpus() -> None:
    scores = [
        score("tags", corpus, system, 0.5) for corpus in ("one", "other") for system in ("wusum", "YAKE", "TF-IDF")
    ]
    compared = [
        comparison("one", "YAKE", "F1@5"),
        comparison("one", "YAKE", "F1@10"),
        comparison("other", "TF-IDF", "F1@5"),
    ]
    (table,) = score_tables(scores, [*compared, comparison("one", "YAKE", "F1@5") | {"suite": "drift"}])
    found = {row["place"][:2]: row["comparisons"] for row in table["rows"]}
    assert found == {
        ("one", "wusum"): [], ("one", "YAKE"): compared[:2], ("one", "TF-IDF"): [],
        ("other", "wusum"): [], ("other", "YAKE"): [], ("other", "TF-IDF"): compared[2:],
    }  # fmt: skip


@pytest.mark.parametrize("suite", ["topics", "transfer"])
def test_the_mean_is_of_systems_with_all_corpora_and_has_no_interval(suite: str) -> None:
    scores = [
        score(suite, "one", "wusum", 0.9),
        score(suite, "other", "wusum", 0.5),
        score(suite, "other", "linear", 0.4),
        score(suite, "one", "wusum", 0.3, metric="ECE"),
        score(suite, "other", "wusum", 0.1, metric="ECE"),
    ]
    (table,) = score_tables(scores, [])
    assert places(table)[3:] == [("mean of corpora", "wusum", "")]
    row = table["rows"][3]
    assert {name: s.value for name, s in row["values"].items()} == {
        "accuracy": pytest.approx(0.7),
        "ECE": pytest.approx(0.2),
    }
    assert {(s.corpus, s.low, s.high) for s in row["values"].values()} == {("mean", None, None)}
    assert {name: s.metric for name, s in row["values"].items()} == {"accuracy": "accuracy", "ECE": "ECE"}
    assert (row["comparisons"], row["articles"]) == ([], 0)


def test_other_suites_have_no_mean() -> None:
    (table,) = score_tables([score("tags", corpus, "wusum", 0.5) for corpus in ("one", "other")], [])
    assert places(table) == [("one", "wusum", ""), ("other", "wusum", "")]


def test_two_models_are_compared_by_each_main_measure_where_both_have_answers() -> None:
    gold = (("a", "b"),) * 8
    ours = Tagging(Key("tags", "news"), tuple("12345678"), gold, (("a", "b"),) * 8)
    theirs = Tagging(Key("tags", "news"), ours.ids, gold, (("a",),) * 8)
    single = Classification(Key("robustness", "plain", variant="no title"), ("x", "y"), ("1", "2"), (0, 1), (0, 1))
    alone = Classification(Key("topics", "plain"), single.classes, single.ids, single.gold, single.gold)
    baseline = replace(single, key=replace(single.key, system="linear"))
    one, other = Evaluation((alone, ours, single), {}), Evaluation((single, theirs), {})
    five, ten, accuracy = model_comparison(one, other)
    assert {name: five[name] for name in ("suite", "corpus", "metric", "one", "other")} == {
        "suite": "tags", "corpus": "news", "metric": "F1@5",
        "one": pytest.approx(2 * 2 / (5 + 2)), "other": pytest.approx(2 * 1 / (5 + 2)),
    }  # fmt: skip
    assert (ten["metric"], ten["one"]) == ("F1@10", pytest.approx(2 * 2 / (10 + 2)))
    assert (accuracy["corpus"], accuracy["metric"], accuracy["one"], accuracy["other"]) == (
        "plain, no title", "accuracy", 1, 1,
    )  # fmt: skip
    assert five["p"] == p_value(ours, theirs, "F1@5") < 0.02 < accuracy["p"] == 1
    assert [row["p_holm"] for row in (five, ten, accuracy)] == holm([row["p"] for row in (five, ten, accuracy)])
    assert model_comparison(one, Evaluation((baseline,), {})) == []
    with pytest.raises(ValueError, match="not the same articles"):
        model_comparison(one, Evaluation((replace(theirs, ids=tuple("23456789")),), {}))


def test_the_confusion_is_that_of_the_model_by_gold_class_and_first_topic() -> None:
    single = Classification(Key("topics", "plain"), ("sport", "health"), ("1", "2", "3"), (0, 0, 1), (0, 1, 1))
    gold = (("sport", "health"), ("health",), ("health", "sport"))
    several = Labelling(
        Key("annotated", "topics"), ("1", "2", "3"), gold, (("sport",), ("sport", "health"), ("health",))
    )
    others = [
        Classification(Key("topics", "plain", "linear"), single.classes, single.ids, single.gold, single.gold),
        Classification(Key("transfer", "plain"), single.classes, single.ids, single.gold, single.gold),
        Labelling(Key("by-hand", "all"), several.ids, gold, gold),
    ]
    one, other = confusion_matrices(Evaluation((single, several, *others), {}))
    assert (one["place"], one["classes"], one["rows"]) == ("topics/plain", ("sport", "health"), [[1, 1], [0, 1]])
    assert other["place"] == "annotated/topics"
    cells = {
        (gold, given): count
        for gold, row in zip(other["classes"], other["rows"], strict=True)
        for given, count in zip(other["classes"], row, strict=True)
        if count
    }
    assert cells == {("sport", "sport"): 1, ("health", "sport"): 1, ("health", "health"): 1}
