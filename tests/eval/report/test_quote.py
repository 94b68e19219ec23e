"""The numbers in README and model card are those that were measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import ROOT
from wusum.eval.report.quote import (
    annotated_table,
    main,
    quoted,
    robustness_table,
    score_table,
    speed_table,
    topics_table,
)
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


HEAD = ["| articles | measure | wusum | 95% interval | best baseline | number |", "|---|---|---|---|---|---|"]


def test_a_table_has_the_best_baseline_beside() -> None:
    assert score_table(METRICS).splitlines() == [
        *HEAD,
        "| topics of plain | accuracy | 0.900 | 0.890 – 0.910 | 0.850 (linear) | 1,234 |",
        "| topics of plain | macro-F1 | 0.900 | 0.890 – 0.910 | 0.850 (linear) | 1,234 |",
    ]


def test_the_best_baseline_is_that_of_each_measure_and_never_the_majority() -> None:
    more = [
        score("majority", "macro-F1", 0.95),
        score("fastText-like", "macro-F1", 0.86),
        score("wusum", "ECE", 0.02) | {"low": None, "high": None},
        *(
            score(system, "ECE", value)
            for system, value in (("majority", 0.0), ("linear", 0.09), ("fastText-like", 0.03))
        ),
    ]
    scores = [s for s in METRICS["scores"] if (s["system"], s["metric"]) != ("majority", "macro-F1")]
    assert score_table({"scores": scores + more}).splitlines()[2:] == [
        "| topics of plain | accuracy | 0.900 | 0.890 – 0.910 | 0.850 (linear) | 1,234 |",
        "| topics of plain | macro-F1 | 0.900 | 0.890 – 0.910 | 0.860 (fastText-like) | 1,234 |",
        "| topics of plain | ECE | 0.020 | – | 0.030 (fastText-like) | 1,234 |",
    ]


def test_a_suite_without_baselines_has_none_beside() -> None:
    ours, *theirs = (
        score(s, "micro-F1", v) | {"suite": "by-hand", "corpus": "two topics"}
        for s, v in (("wusum", 0.7), ("majority", 0.65), ("linear", 0.6))
    )
    row = "| topics by hand, two topics | micro-F1 | 0.700 | 0.690 – 0.710 |"
    assert score_table({"scores": [ours]}).splitlines()[2:] == [f"{row}  | 1,234 |"]
    assert score_table({"scores": [ours, theirs[0]]}).splitlines()[2:] == [f"{row}  | 1,234 |"]
    assert score_table({"scores": [ours, *theirs]}).splitlines()[2:] == [f"{row} 0.600 (linear) | 1,234 |"]


def test_transfer_has_a_row_for_the_mean_of_the_corpora() -> None:
    rows = [
        score(system, "accuracy", value) | {"suite": "transfer", "corpus": corpus}
        for corpus, ours, theirs in (("one", 0.9, 0.8), ("other", 0.7, 0.7))
        for system, value in (("wusum", ours), ("linear", theirs))
    ]
    assert score_table({"scores": rows}).splitlines()[2:] == [
        "| topics of one, trained without it | accuracy | 0.900 | 0.890 – 0.910 | 0.800 (linear) | 1,234 |",
        "| topics of other, trained without it | accuracy | 0.700 | 0.690 – 0.710 | 0.700 (linear) | 1,234 |",
        "| mean of these 2 | accuracy | 0.800 | | 0.750 (linear) | |",
    ]
    rows.append(score("fastText-like", "accuracy", 0.75) | {"suite": "transfer", "corpus": "other"})
    assert (
        score_table({"scores": rows}).splitlines()[-1] == "| mean of these 2 | accuracy | 0.800 | | 0.750 (linear) | |"
    )
    alone = [row for row in rows if row["system"] == "wusum"]
    assert score_table({"scores": alone}).splitlines()[-1] == "| mean of these 2 | accuracy | 0.800 | |  | |"


def test_the_tables_show_the_main_measures_of_each_suite_in_their_order() -> None:
    measures = {
        "annotated": {
            "topics": ["micro-F1", "macro-F1", "first right"],
            "tags": ["absent right", "absent given", "new R@10", "nDCG@10", "F1@M", "F1@10", "F1@5"],
        },
        "by-hand": {"all": ["first right", "macro-F1", "micro-F1"]},
        "drift": {"old": ["new R@10", "F1@M", "F1@10", "F1@5"]},
        "tags": {"news": ["new R@10", "F1@M", "F1@10", "F1@5"]},
        "transfer": {"plain": ["ECE", "macro-F1", "accuracy"]},
        "topics": {"plain": ["ECE", "macro-F1", "accuracy"]},
    }
    scores = [
        score("wusum", metric, 0.5) | {"suite": suite, "corpus": corpus}
        for suite, corpora in measures.items()
        for corpus, metrics in corpora.items()
        for metric in metrics
    ]
    main_rows, annotated_rows = (
        [row[:2] for row in cells(table({"scores": scores}))] for table in (score_table, annotated_table)
    )
    assert main_rows == [
        *[["topics of plain", metric] for metric in ("accuracy", "macro-F1", "ECE")],
        ["topics of plain, trained without it", "accuracy"],
        ["mean of these 1", "accuracy"],
        *[["tags of news", metric] for metric in ("F1@5", "F1@10", "new R@10")],
        *[["tags of old", metric] for metric in ("F1@5", "F1@10", "new R@10")],
        ["topics by hand, all", "micro-F1"],
    ]
    assert annotated_rows == [
        *[["topics", metric] for metric in ("first right", "micro-F1", "macro-F1")],
        *[["tags", metric] for metric in ("F1@5", "F1@10", "F1@M", "new R@10", "absent given", "absent right")],
    ]


def test_how_many_absent_tags_a_system_gives_is_neither_good_nor_bad() -> None:
    rows = [
        score(system, metric, 0.4) | {"suite": "annotated", "corpus": "tags"}
        for system in ("wusum", "dictionary")
        for metric in ("absent given", "absent right")
    ]
    assert [row[4] for row in cells(annotated_table({"scores": rows}))] == ["", "0.400 (dictionary)"]


def cells(table: str) -> list[list[str]]:
    """Return the cells of the rows below the head of a Markdown table."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_each_topic_of_annotated_articles_is_a_row() -> None:
    rows = [
        {"class": "arts", "precision": 0.5, "recall": 1.0, "f1": 2 / 3, "articles": 41.0},
        {"class": "weather", "precision": 0.0, "recall": 0.0, "f1": 0.0, "articles": 9.0},
    ]
    other = {"class": "sport", "precision": 0.0, "recall": 0.0, "f1": 0.0, "articles": 1.0}
    assert topics_table({"per_class": {"by-hand/all": [other], "annotated/topics": rows}}).splitlines() == [
        "| topic | articles | precision | recall | F1 |",
        "|---|---|---|---|---|",
        "| arts | 41 | 0.50 | 1.00 | 0.67 |",
        "| weather | 9 | 0.00 | 0.00 | 0.00 |",
    ]


def test_disturbances_are_rows_and_corpora_columns() -> None:
    rows = [
        score("wusum", metric, value, variant) | {"suite": "robustness", "corpus": corpus}
        for corpus, metric, values in (("one", "accuracy", (0.9, 0.8)), ("other", "F1@5", (0.5, 0.4)))
        for variant, value in zip(("as it is", "no title"), values, strict=True)
    ]
    others = [
        score("wusum", "macro-F1", 0.1, "no title") | {"suite": "robustness", "corpus": "one"},
        score("wusum", "accuracy", 0.1) | {"suite": "topics", "corpus": "one"},
    ]
    assert robustness_table({"scores": rows + others}).splitlines() == [
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


def test_each_kind_of_table_has_its_own_marks() -> None:
    rows = [score("wusum", "accuracy", 0.9, "no title") | {"suite": "robustness"}]
    rows += [score("wusum", "accuracy", 0.9), score("wusum", "first right", 0.9) | {"suite": "annotated"}]
    metrics = {"scores": rows, "per_class": {"annotated/topics": []}}
    tables = {
        "scores": score_table,
        "annotated": annotated_table,
        "topics": topics_table,
        "robustness": robustness_table,
    }
    page = "\n".join(f"<!-- {name} of m.json -->\nold\n<!-- end of {name} -->" for name in tables)
    made = quoted(page, metrics, "m.json")
    for name, table in tables.items():
        assert f"<!-- {name} of m.json -->\n{table(metrics)}\n<!-- end of {name} -->" in made
    assert len({table(metrics) for table in tables.values()}) == len(tables)
    with pytest.raises(ValueError, match=r"scores 2 times, annotated 2 times, topics 2 times, robustness 2 times$"):
        quoted(page + page, metrics, "m.json")


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
