"""The report, as a file and as a browser shows it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeTagger
from wusum.eval import gold
from wusum.eval.cli import side_by_side
from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Classification, Key, Labelling, Tagging
from wusum.eval.report.charts import bars, lines
from wusum.eval.report.report import metrics_json, verdicts, worst_errors, write_report
from wusum.eval.runner import Evaluation, evaluate, load_report
from wusum.model.errors import ConfigError
from wusum.model.network.outputs import NetworkOutputs

LABELS = {"plain": ["sport", "economy", "health"]}


@pytest.fixture(scope="module")
def settings(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> EvalConfig:
    return EvalConfig(
        corpora, corpora / "topics.yaml", LABELS, robustness={"plain": "topics"}, robustness_articles=6,
        cache=tmp_path_factory.mktemp("cache"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def evaluation(settings: EvalConfig) -> Iterator[Evaluation]:
    fake: Any = FakeTagger()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gold, "MIN_TAGGED_CHARS", 10)
        patch.setattr(gold, "MIN_GOLD_TAGS", 2)
        patch.setattr("wusum.eval.suites.core.TAG_BASELINES", {})
        patch.setattr(
            "wusum.eval.suites.core.embeddings", lambda tagger: lambda training, found: [("قلب",)] * len(found)
        )
        yield evaluate(fake, settings, ["topics", "tags", "robustness"])


@pytest.fixture(scope="module")
def folder(evaluation: Evaluation, settings: EvalConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("report")
    write_report(evaluation, settings, made)
    return made


def test_every_number_is_in_the_json_with_what_it_depends_on(folder: Path, evaluation: Evaluation) -> None:
    found = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert found["about"].keys() >= {"model_fingerprint", "data", "settings", "versions", "revision"}
    accuracy = next(
        s for s in found["scores"] if (s["corpus"], s["system"], s["metric"]) == ("plain", "wusum", "accuracy")
    )
    assert accuracy["value"] == pytest.approx(10 / 12)
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    linear = next(c for c in found["comparisons"] if c["baseline"] == "linear")
    assert linear["difference"] == pytest.approx(-2 / 12)
    assert [row["class"] for row in found["per_class"]["topics/plain"]] == ["sport", "economy", "health / weather"]


def test_the_page_needs_no_other_file_and_shows_text_from_right_to_left(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "http" not in page.replace("http-equiv", "")
    assert 'dir="rtl" lang="ar"' in page
    assert "<script" not in page


def test_a_mean_is_of_all_corpora_or_of_none(
    evaluation: Evaluation, settings: EvalConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wusum.eval.report.report.worst_errors", lambda *_: [])
    ours = evaluation.find("topics", "plain")
    assert ours is not None
    elsewhere = replace(ours, key=replace(ours.key, corpus="other"))
    write_report(replace(evaluation, answers=(*evaluation.answers, elsewhere)), settings, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count('<td class="name">mean of corpora</td><td class="name">wusum</td>') == 1
    assert page.count("mean of corpora") == 1  # the baselines have answered on one of the two


def test_two_reports_are_compared(folder: Path, evaluation: Evaluation, tmp_path: Path) -> None:
    assert load_report(tmp_path) is None
    again = load_report(folder)
    assert again is not None
    assert again.answers == evaluation.answers
    made = side_by_side(evaluation, again, ("one", "other"))
    columns = {column.header: list(column.cells) for column in made.columns}
    assert columns["suite"] == ["topics", "tags", *["robustness"] * 12]
    assert columns["one"] == columns["other"]
    assert set(columns["difference"]) == {"+0.0000"}
    with pytest.raises(ConfigError, match="no suite that both"):
        side_by_side(evaluation, Evaluation((), {}), ("one", "other"))
    (tmp_path / "answers.jsonl").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="no report that can be read"):
        load_report(tmp_path)


def test_a_broken_model_is_told(settings: EvalConfig, tmp_path: Path) -> None:
    class Broken(FakeTagger):
        def read(self, found: list[Any]) -> NetworkOutputs:
            readings = super().read(found)
            return replace(readings, topics=readings.topics[:, [1, 2, 0, 3]])

    broken: Any = Broken()
    found = evaluate(broken, replace(settings, cache=tmp_path), ["topics"])
    verdict, calibration = verdicts(found)
    assert verdict.good is False
    assert "Worse: linear on plain (-0.667)" in verdict.text
    assert (calibration.good, "plain 0.7" in calibration.text, "too sure" in calibration.text) == (False, True, True)
    write_report(found, settings, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f'<li class="bad"><strong>topics</strong>: {verdict.text}</li>' in page
    without = evaluate(broken, replace(settings, cache=tmp_path, baselines=False), ["topics"])
    assert verdicts(without)[0].good is None


def test_a_confidence_is_taken_at_its_word_that_is_as_often_right(evaluation: Evaluation) -> None:
    ours = evaluation.find("topics", "plain")
    assert isinstance(ours, Classification)

    def calibration(sure: float) -> tuple[bool | None, str]:
        verdict = verdicts(Evaluation((replace(ours, confidence=(sure,) * 12),), {}))[-1]
        return verdict.good, verdict.text.split(". ", 1)[-1]

    assert calibration(10 / 12) == (True, "A calibration error (ECE) of at most 0.03 on 1 of 1 corpora.")
    assert calibration(0.3) == (False, "Above it: plain 0.533, not sure enough.")
    assert calibration(0.76)[0] is None  # 0.073, but of twelve articles
    assert [v.suite for v in verdicts(Evaluation((replace(ours, confidence=None),), {}))] == ["topics"]


def test_a_model_that_gives_nothing_is_told(evaluation: Evaluation, settings: EvalConfig, tmp_path: Path) -> None:
    tags = evaluation.find("tags", "almayadeen")
    assert isinstance(tags, Tagging)
    some = replace(tags, ranked=((), *tags.ranked[1:]), given=((), *(tags.given or ())[1:]))
    told = verdicts(Evaluation((some,), {}))[0]
    assert (told.good, "Nothing was given to 1 of 12 articles (almayadeen)." in told.text) == (None, True)
    none = replace(tags, ranked=((),) * 12, given=((),) * 12)
    topics = Labelling(Key("by-hand", "all"), ("1",), (("sport",),), ((),))
    found = Evaluation((none, topics), evaluation.about)
    assert [verdict.good for verdict in verdicts(found)] == [False, False]
    assert {score.value for score in found.scores()} == {0.0}
    write_report(found, settings, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Nothing was given to 12 of 12 articles (almayadeen)." in page


def test_the_surest_errors_come_first(evaluation: Evaluation, settings: EvalConfig) -> None:
    errors = worst_errors(evaluation, settings)
    sure = [error["confidence"] for error in errors if error["confidence"] is not None]
    assert len(sure) == 2
    assert sure == sorted(sure, reverse=True)
    assert (errors[0]["gold"], errors[0]["given"]) == ("health / weather", "sport")
    assert sum(error["confidence"] is None for error in errors) == 8  # whose tags were all wrong


def test_a_text_of_an_article_cannot_put_markup_into_the_page(
    evaluation: Evaluation, settings: EvalConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = "<script>alert(1)</script>"
    row = {"corpus": bad, "id": bad, "gold": bad, "given": bad, "confidence": 0.5, "text": bad}
    monkeypatch.setattr("wusum.eval.report.report.worst_errors", lambda *_: [row])
    write_report(evaluation, settings, tmp_path)
    assert "<script" not in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<b>" not in lines({"<b>": [(0, 0), (1, 1)]}, "<b>", "<b>", x_range=(0, 1))
    assert "<b>" not in bars({"<b>": (0.5, 0.4, 0.6)}, "<b>")


def test_a_bar_is_as_long_as_its_value() -> None:
    from xml.etree import ElementTree

    root = ElementTree.fromstring(bars({"a": (1.0, 1.0, 1.0), "b": (0.25, 0.2, 0.3)}, "x"))
    full, quarter = (float(r.get("width", 0)) for r in root.iter("rect"))
    assert quarter == pytest.approx(full / 4, abs=0.1)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not binary or not driver:
        pytest.skip("no chromium and chromedriver here")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = binary
    profile = tmp_path_factory.mktemp("profile")
    for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     f"--user-data-dir={profile}"):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield opened
    opened.quit()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_it_whole(browser: Any, folder: Path, width: int, scheme: str) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.get((folder / "report.html").as_uri())
    assert browser.title == "wusum: evaluation of weights"
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    shown = browser.execute_script(
        "return {verdicts: document.querySelectorAll('.verdicts li').length, charts: document.querySelectorAll('svg')"
        ".length, errors: document.querySelectorAll('.error').length, ground: getComputedStyle(document.body)"
        ".backgroundColor, direction: getComputedStyle(document.querySelector('.text')).direction,"
        " flat: [...document.querySelectorAll('svg')].filter(s => s.getBoundingClientRect().height < 40).length}"
    )
    assert shown == {
        "verdicts": 4, "charts": 5, "errors": 10, "direction": "rtl",
        "flat": 0,
        "ground": "rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 23, 26)",
    }  # fmt: skip
    assert browser.get_log("browser") == []


def test_metrics_json_is_plain(evaluation: Evaluation) -> None:
    assert json.loads(json.dumps(metrics_json(evaluation)))
