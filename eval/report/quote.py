"""Write measured numbers into Markdown pages, so that nobody copies one by hand.

`python -m wusum.eval.report.quote model/weights/metrics.json README.md model/weights/README.md` writes each table
between its two marks, `<!-- scores of metrics.json -->` and `<!-- end of scores -->`.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from wusum.eval.report.tables import interval_text
from wusum.eval.report.verdicts import FLOOR

MAIN_METRICS = {
    "topics": ("accuracy", "macro-F1", "ECE"),
    "transfer": ("accuracy",),
    "tags": ("F1@5", "F1@10", "new R@10"),
    "drift": ("F1@5", "F1@10", "new R@10"),
    "by-hand": ("micro-F1",),
}
"""The suites of the table of scores, each with the measures to show of those that its answers have."""

ANNOTATED_METRICS = {
    "annotated": (
        "main right", "first right", "micro-F1", "macro-F1", "ECE", "confident", "confident, main right",
        "confident, first right", "F1@5", "F1@10", "F1@M", "new R@10", "absent given", "absent right",
    ),
}  # fmt: skip
"""The same of the table of annotated articles."""

ROW_NAMES = {
    "topics": "topics of {corpus}",
    "transfer": "topics of {corpus}, trained without it",
    "tags": "tags of {corpus}",
    "drift": "tags of {corpus}",
    "by-hand": "topics by hand, {corpus}",
    "annotated": "{corpus}",
}

LOWER_IS_BETTER = ("ECE",)

WITHOUT_BASELINE = ("absent given", "confident")
"""Measures that say how a system answers, and not how well."""

AVERAGED_SUITE = "transfer"
"""The suite with a row for the mean of all corpora."""

Place = tuple[str, str, str, str]
"""Suite, corpus, system and metric of a score."""


def score_table(metrics: dict[str, Any], shown: Mapping[str, Sequence[str]] = MAIN_METRICS) -> str:
    """Return a Markdown table of the `shown` measures by suite with their intervals, and the best baseline of each."""
    scores: dict[Place, dict[str, Any]] = {
        (s["suite"], s["corpus"], s["system"], s["metric"]): s for s in metrics["scores"] if not s["variant"]
    }
    lines = ["| articles | measure | wusum | 95% interval | best baseline | number |", "|---|---|---|---|---|---|"]
    for suite, names in shown.items():
        corpora = list(dict.fromkeys(place[1] for place in scores if place[0] == suite))
        for corpus in corpora:
            for name in names:
                if ours := scores.get((suite, corpus, "wusum", name)):
                    lines.append(_score_row(ours, _best(scores, suite, corpus, name)))
        if suite == AVERAGED_SUITE and corpora:
            lines.append(_mean_row(scores, suite, corpora, names[0]))
    return "\n".join(lines)


def _score_row(ours: dict[str, Any], best: dict[str, Any] | None) -> str:
    """Return a row of a score and of the same score of the best baseline."""
    cells = [
        ROW_NAMES[ours["suite"]].format(corpus=ours["corpus"]),
        ours["metric"],
        f"{ours['value']:.3f}",
        interval_text(ours["low"], ours["high"]),
        f"{best['value']:.3f} ({best['system']})" if best else "",
        f"{ours['articles']:,}",
    ]
    return f"| {' | '.join(cells)} |"


def _mean_row(scores: Mapping[Place, dict[str, Any]], suite: str, corpora: Sequence[str], metric: str) -> str:
    """Return a row of the mean over corpora, and of that of the baseline that is best on the first of them."""
    best = _best(scores, suite, corpora[0], metric)
    ours, theirs = (
        mean(scores[suite, corpus, system, metric]["value"] for corpus in corpora)
        for system in ("wusum", best["system"] if best else "wusum")
    )
    beside = f"{theirs:.3f} ({best['system']})" if best else ""
    return f"| mean of these {len(corpora)} | {metric} | {ours:.3f} | | {beside} | |"


def _best(scores: Mapping[Place, dict[str, Any]], suite: str, corpus: str, metric: str) -> dict[str, Any] | None:
    """Return the score of the best baseline that counts, None if there is none to show."""
    found = [
        score
        for (*place, system, name), score in scores.items()
        if (*place, name) == (suite, corpus, metric) and system not in ("wusum", FLOOR)
    ]
    if metric in WITHOUT_BASELINE:
        return None
    sign = -1 if metric in LOWER_IS_BETTER else 1
    return max(found, key=lambda score: sign * score["value"], default=None)


def annotated_table(metrics: dict[str, Any]) -> str:
    """Return a Markdown table of the scores on annotated articles."""
    return score_table(metrics, ANNOTATED_METRICS)


def topics_table(metrics: dict[str, Any]) -> str:
    """Return a Markdown table of the scores of each topic on annotated articles, and how many of these have it."""
    lines = ["| topic | articles | precision | recall | F1 |", "|---|---|---|---|---|"]
    for row in metrics["per_class"].get("annotated/topics", ()):
        measures = " | ".join(f"{row[name]:.2f}" for name in ("precision", "recall", "f1"))
        lines.append(f"| {row['class']} | {row['articles']:.0f} | {measures} |")
    return "\n".join(lines)


def robustness_table(metrics: dict[str, Any]) -> str:
    """Return a Markdown table of the robustness suite: a row for each disturbance, a column for each corpus."""
    found = [s for s in metrics["scores"] if s["suite"] == "robustness" and s["metric"] in ("accuracy", "F1@5")]
    columns = dict.fromkeys((s["corpus"], s["metric"], s["articles"]) for s in found)
    values = {(s["variant"], s["corpus"]): s["value"] for s in found}
    heads = " | ".join(f"{corpus}, {metric} ({articles:,})" for corpus, metric, articles in columns)
    lines = [f"| articles | {heads} |", "|---" * (len(columns) + 1) + "|"]
    for variant in dict.fromkeys(s["variant"] for s in found):
        lines.append(f"| {variant} | " + " | ".join(f"{values[variant, corpus]:.3f}" for corpus, *_ in columns) + " |")
    return "\n".join(lines)


def speed_table(found: dict[str, Any]) -> str:
    """Return a Markdown table, and a paragraph, of the numbers that `wusum bench -o` has written."""
    lines = ["| | articles/s | tokens/s | peak memory, MiB | of the matrix rate |", "|---|---|---|---|---|"]
    for rate in found["rates"]:
        cells = [f"{rate[name]:,.0f}" if rate[name] else "" for name in ("articles", "tokens", "peak_mib")]
        share = f"{rate['share']:.0%}" if rate["share"] else ""
        system = rate["system"].replace("wusum tag", "`wusum tag`")
        lines.append(f"| {system} | {' | '.join(cells)} | {share} |")
    integers = f", in int8 {found['times_pipeline_int8']:.1f} times" if "times_pipeline_int8" in found else ""
    lines += [
        "",
        f"{found['articles']:,} articles of {found['words']:.0f} words on {found['processors']} processors that make "
        f"{found['matrix_products_gflops']:,.0f} GFLOP/s of float32 matrix products. `wusum tag` does "
        f"{found['times_pipeline']:.1f} times the articles of `transformers.pipeline` at its best{integers}; tags add "
        f"{found['tags_add']:.0%} to the time of topics alone. One article takes {found['p50_ms']:.0f} ms (median; "
        f"{found['p99_ms']:.0f} ms at the 99th percentile). A fresh process has its first result after "
        f"{found['first_result_s']:.1f} s, the help is there after {found['help_s']:.1f} s.",
    ]
    if "memory_articles" in found:
        few = f"{found['memory_articles'] // 10:,} articles of 20 words with two workers came to"
        lines[-1] += (
            f" Memory: {few} {found['memory_mib_of_a_tenth']:,.0f} MiB in all three processes, "
            f"{found['memory_articles']:,} of them, from a `.jsonl.gz`, to {found['memory_mib']:,.0f}."
        )
    return "\n".join(lines)


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "scores": score_table,
    "annotated": annotated_table,
    "topics": topics_table,
    "robustness": robustness_table,
    "speed": speed_table,
}


def quoted(page: str, metrics: dict[str, Any], file: str) -> str:
    """Return a page with the tables of a metrics file between its marks.

    Raises ValueError if the page has no marks of this file, or has those of a table twice.
    """
    marks = rf"<!-- ({'|'.join(TABLES)}) of {re.escape(file)} -->.*?<!-- end of \1 -->"

    def fill(found: re.Match[str]) -> str:
        table = TABLES[found[1]](metrics)
        return f"<!-- {found[1]} of {file} -->\n{table}\n<!-- end of {found[1]} -->"

    times = Counter(re.findall(marks, page, flags=re.DOTALL))
    if set(times.values()) != {1}:
        has = ", ".join(f"{table} {count} times" for table, count in times.items()) or "none of them, 0 times"
        raise ValueError(f"a page needs marks of {' or '.join(TABLES)} of {file} once, it has {has}")
    return re.sub(marks, fill, page, flags=re.DOTALL)


def main(arguments: Sequence[str]) -> None:
    """Rewrite pages; the arguments are a metrics file and the pages."""
    source = Path(arguments[0])
    metrics = json.loads(source.read_text(encoding="utf-8"))
    for name in arguments[1:]:
        path = Path(name)
        path.write_text(quoted(path.read_text(encoding="utf-8"), metrics, source.name), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
