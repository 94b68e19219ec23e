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
    assert "Worse: linear on plain (-0.667)" in verdict.text
    assert (calibration.good, "plain 0.7" in calibration.text, "overconfident" in calibration.text) == (
        False,
        True,
        True,
    )
    write_report(found, settings, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f'<li class="bad"><strong>topics</strong>: {verdict.text}</li>' in page
    without = evaluate(broken, replace(settings, cache=tmp_path, baselines=False), ["topics"])
    assert verdicts(without)[0].good is None


def test_a_model_is_calibrated_if_it_is_as_often_correct_as_confident(evaluation: Evaluation) -> None:
    ours = evaluation.find("topics", "plain")
    assert isinstance(ours, Classification)

    def calibration(sure: float) -> tuple[bool | None, str]:
        verdict = verdicts(Evaluation((replace(ours, confidence=(sure,) * 12),), {}))[-1]
        return verdict.good, verdict.text.split(". ", 1)[-1]

    assert calibration(10 / 12) == (True, "A calibration error (ECE) of at most 0.03 on 1 of 1 corpora.")
    assert calibration(0.3) == (False, "Above it: plain 0.533, underconfident.")
    assert calibration(0.76)[0] is None  # 0.073, but of twelve articles
    assert [v.suite for v in verdicts(Evaluation((replace(ours, confidence=None),), {}))] == ["topics"]


def test_a_model_that_gives_nothing_has_a_bad_verdict(
    evaluation: Evaluation, settings: EvalConfig, tmp_path: Path
) -> None:
    tags = evaluation.find("tags", "almayadeen")
    assert isinstance(tags, Tagging)
    some = replace(tags, ranked=((), *tags.ranked[1:]), given=((), *(tags.given or ())[1:]))
    verdict = verdicts(Evaluation((some,), {}))[0]
    assert (verdict.good, "The model gave nothing for 1 of 12 articles (almayadeen)." in verdict.text) == (None, True)
    none = replace(tags, ranked=((),) * 12, given=((),) * 12)
    topics = Labelling(Key("by-hand", "all"), ("1",), (("sport",),), ((),))
    found = Evaluation((none, topics), evaluation.about)
    assert [verdict.good for verdict in verdicts(found)] == [False, False]
    assert {score.value for score in found.scores()} == {0.0}
    write_report(found, settings, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "The model gave nothing for 12 of 12 articles (almayadeen)." in page
