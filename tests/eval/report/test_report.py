"""The report, as files and as a browser shows it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wusum.eval.cli import side_by_side
from wusum.eval.config import EvalConfig
from wusum.eval.measures.evaluation import Evaluation
from wusum.eval.report.errors import worst_errors
from wusum.eval.report.report import metrics_json, write_report
from wusum.eval.runner import load_report
from wusum.model.errors import ConfigError
from wusum.model.network.artifact import BUNDLED


def test_every_number_is_in_the_json_with_everything_it_depends_on(folder: Path, evaluation: Evaluation) -> None:
    found = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert found["about"].keys() >= {"model_fingerprint", "data", "settings", "versions", "revision"}
    accuracy = next(
        s for s in found["scores"] if (s["corpus"], s["system"], s["metric"]) == ("plain", "wusum", "accuracy")
    )
    assert accuracy["value"] == pytest.approx(17 / 21)
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    linear = next(c for c in found["comparisons"] if c["baseline"] == "linear")
    assert linear["difference"] == pytest.approx(-4 / 21)
    assert linear["p"] <= linear["p_holm"]
    assert [row["class"] for row in found["per_class"]["topics/plain"]] == ["sport", "economy", "health / weather"]
    (confusion,) = found["confusions"]
    assert confusion == {
        "place": "topics/plain", "classes": ["sport", "economy", "health / weather"],
        "rows": [[7, 0, 0], [0, 7, 0], [4, 0, 3]],
    }  # fmt: skip


def cells(page: str, corpus: str, system: str) -> list[str]:
    """Return the text of the cells of a row of the tables of scores."""
    begin = f'<td class="name">{corpus}</td><td class="name">{system}</td>'
    row = page[page.index(begin) + len(begin) :].partition("</tr>")[0]
    return [re.sub(r"<[^>]+>", " ", cell).strip() for cell in row.split("<td>")[1:]]


def test_a_table_shows_intervals_and_each_comparison_with_its_corrected_p_value(
    folder: Path, evaluation: Evaluation
) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    accuracy, _, error, *_ = cells(page, "plain", "wusum")
    scores = {s.metric: s for s in evaluation.find("topics", "plain").scores()}  # type: ignore[union-attr]
    assert accuracy == f"{17 / 21:.3f} {scores['accuracy'].low:.3f} – {scores['accuracy'].high:.3f}"
    assert error == f"{scores['ECE'].value:.3f} –"
    *_, compared, articles = cells(page, "almayadeen", "embeddings")
    rows = [row for row in evaluation.comparisons() if row["baseline"] == "embeddings"]
    assert [row["metric"] for row in rows] == ["F1@5", "F1@10"]
    for row in rows:
        assert f"{row['metric']} {-row['difference']:+.3f} p {row['p']:.4f}, corrected {row['p_holm']:.4f}" in compared
    assert articles == "24"
    assert cells(page, "mean of corpora", "wusum")[0] == f"{17 / 21:.3f} –"


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
    assert page.count("mean of corpora") == 1  # the baselines were measured on one of the two


def test_two_reports_are_compared(folder: Path, evaluation: Evaluation, tmp_path: Path) -> None:
    assert load_report(tmp_path) is None
    again = load_report(folder)
    assert again is not None
    assert again.answers == evaluation.answers
    made = side_by_side(evaluation, again, ("one", "other"))
    columns = {column.header: list(column.cells) for column in made.columns}
    assert columns["suite"] == ["topics", *["tags"] * 2, *["robustness"] * 12]
    assert columns["one"] == columns["other"]
    assert set(columns["difference"]) == {"+0.0000"}
    with pytest.raises(ConfigError, match="no suite in common"):
        side_by_side(evaluation, Evaluation((), {}), ("one", "other"))
    (tmp_path / "answers.jsonl").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="the report cannot be read"):
        load_report(tmp_path)


def test_the_most_confident_errors_come_first(evaluation: Evaluation, settings: EvalConfig) -> None:
    errors = worst_errors(evaluation, settings)
    sure = [error["confidence"] for error in errors if error["confidence"] is not None]
    assert len(sure) == 4
    assert sure == sorted(sure, reverse=True)
    assert (errors[0]["gold"], errors[0]["given"]) == ("health / weather", "sport")
    assert sum(error["confidence"] is None for error in errors) == 16  # whose tags were all wrong


def test_a_text_of_an_article_cannot_put_markup_into_the_page(
    evaluation: Evaluation, settings: EvalConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = "<script>alert(1)</script>"
    row = {"corpus": bad, "id": bad, "gold": bad, "given": bad, "confidence": 0.5, "text": bad}
    monkeypatch.setattr("wusum.eval.report.report.worst_errors", lambda *_: [row])
    write_report(evaluation, settings, tmp_path)
    assert "<script" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_metrics_json_is_plain(evaluation: Evaluation) -> None:
    assert json.loads(json.dumps(metrics_json(evaluation)))


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
        "verdicts": 4, "charts": 4 + (BUNDLED / "history.json").is_file(), "errors": 20, "direction": "rtl",
        "flat": 0,
        "ground": "rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 23, 26)",
    }  # fmt: skip
    assert browser.get_log("browser") == []
