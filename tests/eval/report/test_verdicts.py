"""Verdicts: in words, whether the model beats its baselines and how well it is calibrated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.fakes import FakeTagger
from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Classification, Key, Labelling, Tagging
from wusum.eval.measures.evaluation import Evaluation
from wusum.eval.report.report import write_report
from wusum.eval.report.verdicts import verdicts
from wusum.eval.runner import evaluate


def test_a_broken_model_has_bad_verdicts(settings: EvalConfig, tmp_path: Path) -> None:
    broken: Any = FakeTagger((1, 2, 0, 3), topics=range(4))
    found = evaluate(broken, replace(settings, cache=tmp_path), ["topics"])
    verdict, calibration = verdicts(found)
    assert verdict.good is False
    named = (f"{name} on plain (accuracy -0.667)" for name in ("linear", "logistic", "fastText-like"))
    worse = f"Worse: {', '.join(named)}."
    assert verdict.text == f"Significantly better than the baseline in 0 of 3 comparisons. {worse}"
    assert calibration.good is False
    assert "Above it: plain 0.7" in calibration.text
    assert "overconfident" in calibration.text
    write_report(found, settings, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f'<li class="bad"><strong>topics</strong>: {verdict.text}</li>' in page
    without = evaluate(broken, replace(settings, cache=tmp_path, baselines=False), ["topics"])
    assert verdicts(without)[0].good is None


def test_the_first_of_several_topics_is_to_be_calibrated_as_well() -> None:
    topics = Labelling(
        Key("annotated", "topics"), tuple(map(str, range(400))), (("sport", "health"),) * 400, (("sport",),) * 400
    )
    for suite, confidence, good in (("annotated", 1.0, True), ("annotated", 0.5, False), ("by-hand", 0.5, None)):
        answers = replace(topics, key=Key(suite, "topics"), confidence=(confidence,) * 400)
        found = [verdict.good for verdict in verdicts(Evaluation((answers,), {})) if verdict.suite == "calibration"]
        assert found == ([] if good is None else [good])


def test_a_model_is_calibrated_if_it_is_as_often_correct_as_confident(evaluation: Evaluation) -> None:
    ours = evaluation.find("topics", "plain")
    assert isinstance(ours, Classification)

    def calibration(sure: float) -> tuple[bool | None, str]:
        verdict = verdicts(Evaluation((replace(ours, confidence=(sure,) * 21),), {}))[-1]
        return verdict.good, verdict.text.split(". ", 1)[-1]

    assert calibration(17 / 21) == (True, "A calibration error (ECE) of at most 0.03 on 1 of 1 corpora.")
    assert calibration(0.3) == (False, "Above it: plain 0.510, underconfident.")
    assert calibration(0.74)[0] is None  # 0.07, but of 21 articles
    assert [v.suite for v in verdicts(Evaluation((replace(ours, confidence=None),), {}))] == ["topics"]


def test_a_model_that_gives_nothing_has_a_bad_verdict(
    evaluation: Evaluation, settings: EvalConfig, tmp_path: Path
) -> None:
    tags = evaluation.find("tags", "almayadeen")
    assert isinstance(tags, Tagging)
    some = replace(tags, ranked=((), *tags.ranked[1:]), given=((), *(tags.given or ())[1:]))
    verdict = verdicts(Evaluation((some,), {}))[0]
    assert (verdict.good, "The model gave nothing for 1 of 24 articles (almayadeen)." in verdict.text) == (None, True)
    nothing: tuple[tuple[str, ...], ...] = ((),) * 24
    none = replace(tags, ranked=nothing, given=nothing, given_absent=nothing)
    topics = Labelling(Key("by-hand", "all"), ("1",), (("sport",),), ((),))
    found = Evaluation((none, topics), evaluation.about)
    assert [verdict.good for verdict in verdicts(found)] == [False, False]
    assert {score.value for score in found.scores()} == {0.0}
    write_report(found, settings, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "The model gave nothing for 24 of 24 articles (almayadeen)." in page


def answers(system: str, correct: int, corpus: str = "c") -> Classification:
    """Answers for 400 articles, of which the first `correct` are right."""
    predicted = (0,) * correct + (1,) * (400 - correct)
    ids = tuple(map(str, range(400)))
    return Classification(Key("topics", corpus, system), ("a", "b"), ids, (0,) * 400, predicted)


def test_to_beat_the_majority_is_no_merit() -> None:
    verdict = verdicts(Evaluation((answers("wusum", 200), answers("majority", 100)), {}))[0]
    assert (verdict.good, verdict.text) == (None, "No baseline to compare with: c accuracy 0.500.")
    two = verdicts(Evaluation((answers("wusum", 200), answers("wusum", 300, "d")), {}))[0]
    assert two.text == "No baseline to compare with: c accuracy 0.500; d accuracy 0.750."
    (verdict,) = verdicts(Evaluation((answers("wusum", 200), answers("majority", 100), answers("linear", 150)), {}))
    assert verdict.text == "Significantly better than the baseline in 1 of 1 comparisons."
    assert verdict.good is True
    worse = verdicts(Evaluation((answers("wusum", 200), answers("majority", 300), answers("linear", 150)), {}))[0]
    assert worse.good is True


def test_a_difference_is_significant_after_correction_for_all_comparisons_of_the_run() -> None:
    pair = answers("wusum", 208), answers("linear", 200)  # p is 1/128
    (verdict,) = verdicts(Evaluation(pair, {}))
    assert verdict.good is True
    others = [answers(f"{n}", 207, "d") for n in range(9)]
    verdict = verdicts(Evaluation((*pair, answers("wusum", 207, "d"), *others), {}))[0]
    assert verdict.good is False
    assert "No significant difference: linear on c (accuracy +0.020), 0 on d (accuracy +0.000)" in verdict.text


def test_a_verdict_on_tags_names_the_measure() -> None:
    ids, gold = tuple(map(str, range(30))), (("a",),) * 30
    ours = Tagging(Key("tags", "c"), ids, gold, (("a",),) * 30)
    theirs = replace(ours, key=Key("tags", "c", "dictionary"), ranked=((*"uvwxyz", "a"),) * 30)
    verdict = verdicts(Evaluation((ours, theirs), {}))[0]
    assert verdict.text.startswith("Significantly better than the baseline in 1 of 2 comparisons. No significant")
    assert "dictionary on c (F1@10 +0.000)" in verdict.text
