"""The numbers in README and model card are those that were measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import ROOT
from wusum.eval.report.quote import main, quoted, robustness_table, score_table, speed_table
from wusum.model.run.manifest import model_fingerprint

WEIGHTS = ROOT / "model" / "weights"
CARD = (WEIGHTS / "README.md").read_text(encoding="utf-8")


def score(system: str, metric: str, value: float, variant: str = "") -> dict[str, object]:
    return {
        "suite": "topics", "corpus": "plain", "system": system, "variant": variant, "metric": metric, "value": value,
        "low": value - 0.01, "high": value + 0.01, "articles": 1234,
    }  # fmt: skip


METRICS = {
    "scores": [
        score(system, metric, value)
        for system, value in (("wusum", 0.9), ("majority", 0.2), ("linear", 0.85))
        for metric in ("accuracy", "macro-F1")
    ]
    + [score("wusum", "accuracy", 0.1, "no title")]
}


def test_a_table_has_the_best_baseline_beside() -> None:
    assert score_table(METRICS).splitlines()[2:] == [
        "| topics: plain | accuracy | 0.900 | 0.890 – 0.910 | 0.850 (linear) | 1,234 |",
        "| topics: plain | macro-F1 | 0.900 | 0.890 – 0.910 | 0.850 (linear) | 1,234 |",
    ]


def test_the_best_baseline_is_that_of_each_measure_and_calibration_has_none() -> None:
    more = [score("majority", "macro-F1", 0.95), score("wusum", "ECE", 0.02), score("majority", "ECE", 0.0)]
    scores = [s for s in METRICS["scores"] if (s["system"], s["metric"]) != ("majority", "macro-F1")]
    assert score_table({"scores": scores + more}).splitlines()[2:] == [
        "| topics: plain | accuracy | 0.900 | 0.890 – 0.910 | 0.850 (linear) | 1,234 |",
        "| topics: plain | macro-F1 | 0.900 | 0.890 – 0.910 | 0.950 (majority) | 1,234 |",
        "| topics: plain | ECE | 0.020 | 0.010 – 0.030 |  | 1,234 |",
    ]


def test_a_suite_without_baselines_has_none_beside() -> None:
    ours, theirs = (score(s, "micro-F1", v) | {"suite": "by-hand"} for s, v in (("wusum", 0.7), ("linear", 0.6)))
    row = "| topics labelled by hand: plain | micro-F1 | 0.700 | 0.690 – 0.710 |"
    assert score_table({"scores": [ours]}).splitlines()[2] == f"{row}  | 1,234 |"
    assert score_table({"scores": [ours, theirs]}).splitlines()[2] == f"{row} 0.600 (linear) | 1,234 |"


def test_transfer_has_a_row_for_the_mean_of_the_corpora() -> None:
    rows = [
        score(system, "accuracy", value) | {"suite": "transfer", "corpus": corpus}
        for corpus, ours, theirs in (("one", 0.9, 0.8), ("other", 0.7, 0.7))
        for system, value in (("wusum", ours), ("linear", theirs))
    ]
    assert (
        score_table({"scores": rows}).splitlines()[-1] == "| mean of these 2 | accuracy | 0.800 | | 0.750 (linear) | |"
    )


def test_disturbances_are_rows_and_corpora_columns() -> None:
    rows = [
        score("wusum", metric, value, variant) | {"suite": "robustness", "corpus": corpus}
        for corpus, metric, values in (("one", "accuracy", (0.9, 0.8)), ("other", "F1@5", (0.5, 0.4)))
        for variant, value in zip(("as it is", "no title"), values, strict=True)
    ]
    assert robustness_table({"scores": rows}).splitlines() == [
        "| articles | one, accuracy (1,234) | other, F1@5 (1,234) |",
        "|---|---|---|",
        "| as it is | 0.900 | 0.500 |",
        "| no title | 0.800 | 0.400 |",
    ]


def test_speed_is_quoted_with_what_it_depends_on() -> None:
    bench = json.loads((ROOT / "eval" / "bench.json").read_text(encoding="utf-8"))
    rows = speed_table(bench).splitlines()
    assert rows[2].startswith(f"| `wusum tag` | {bench['rates'][0]['articles']:,.0f} | ")
    assert f"{bench['articles']:,} articles" in rows[-1]


def test_a_page_gets_the_tables_between_their_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    begin, end, other = "<!-- scores of m.json -->", "<!-- end of scores -->", "<!-- scores of other.json -->"
    page.write_text(f"before\n{begin}\nold\n{end}\nbetween\n{other}\nkept\n{end}\nafter\n", encoding="utf-8")
    (tmp_path / "m.json").write_text(json.dumps(METRICS), encoding="utf-8")
    main([str(tmp_path / "m.json"), str(page)])
    made = page.read_text(encoding="utf-8")
    table = score_table(METRICS)
    assert made == f"before\n{begin}\n{table}\n{end}\nbetween\n{other}\nkept\n{end}\nafter\n"
    assert quoted(made, METRICS, "m.json") == made
    with pytest.raises(ValueError, match="0 times"):
        quoted("no marks", METRICS, "m.json")
    with pytest.raises(ValueError, match="scores 2 times"):
        quoted(made + made, METRICS, "m.json")


PAGES = [
    path for part in ("", "model", "model/weights", "train", "eval") for path in sorted((ROOT / part).glob("*.md"))
]


@pytest.mark.parametrize("source", ["model/weights/metrics.json", "eval/transfer.json", "eval/bench.json"])
def test_every_page_quotes_what_was_measured(source: str) -> None:
    metrics = json.loads((ROOT / source).read_text(encoding="utf-8"))
    file = Path(source).name
    assert quoted(CARD, metrics, file) == CARD
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        if f" of {file} -->" in text:
            assert quoted(text, metrics, file) == text, page


def test_the_bundled_model_is_the_one_that_was_measured() -> None:
    metrics = json.loads((WEIGHTS / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["about"]["model_fingerprint"] == model_fingerprint(WEIGHTS), "measure the bundled model anew"
