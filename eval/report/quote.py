"""Write measured numbers into Markdown pages, so that nobody copies one by hand.

`python -m wusum.eval.report.quote model/weights/metrics.json README.md model/weights/README.md` writes each table
between its two marks, `<!-- scores of metrics.json -->` and `<!-- end of scores -->`.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

SUITE_METRICS = {
    "topics": ("accuracy", "macro-F1", "ECE"),
    "transfer": ("accuracy",),
    "tags": ("F1@5", "F1@10", "new R@10"),
    "drift": ("F1@5", "F1@10", "new R@10"),
    "by-hand": ("micro-F1",),
}
"""The suites and metrics of the table of scores."""

ROW_NAMES = {
    "topics": "topics: {corpus}",
    "transfer": "topics: {corpus}, never trained on",
    "tags": "tags: {corpus}",
    "drift": "tags: {corpus}",
    "by-hand": "topics labelled by hand: {corpus}",
}
WITHOUT_BASELINE = ("ECE",)
"""Metrics that are shown without a baseline: a system that always gives the same answer can be best by them."""

OPTIONAL_METRICS = ("ECE", "new R@10")
"""Metrics that only answers with probabilities or corpora with new tags have."""

AVERAGED_SUITE = "transfer"
"""The suite with a row for the mean of all corpora."""


def score_table(metrics: dict[str, Any]) -> str:
    """Return a Markdown table of the main scores with their intervals, and the best baseline for each."""
    scores = {(s["suite"], s["corpus"], s["system"], s["metric"]): s for s in metrics["scores"] if not s["variant"]}
    lines = ["| test split | measure | wusum | 95% interval | best baseline | articles |", "|---|---|---|---|---|---|"]
    for suite, names in SUITE_METRICS.items():
        corpora = list(dict.fromkeys(place[1] for place in scores if place[0] == suite))
        for corpus in corpora:
            for name in names:
                if name in OPTIONAL_METRICS and (suite, corpus, "wusum", name) not in scores:
                    continue
                best = _best(scores, suite, corpus, name)
                s = scores[suite, corpus, "wusum", name]
                baseline = scores.get((suite, corpus, best, name))
                theirs = f"{baseline['value']:.3f} ({best})" if baseline else ""
                row_name = ROW_NAMES[suite].format(corpus=corpus)
                interval = f"{s['low']:.3f} – {s['high']:.3f}"
                lines.append(f"| {row_name} | {name} | {s['value']:.3f} | {interval} | {theirs} | {s['articles']:,} |")
        if suite == AVERAGED_SUITE and corpora:
            name, base = names[0], _best(scores, suite, corpora[0], names[0])
            ours, theirs = (
                mean(scores[suite, c, system, name]["value"] for c in corpora) for system in ("wusum", base)
            )
            lines.append(f"| mean of these {len(corpora)} | {name} | {ours:.3f} | | {theirs:.3f} ({base}) | |")
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


TABLES = {"scores": score_table, "robustness": robustness_table, "speed": speed_table}


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


def _best(scores: dict[tuple[str, str, str, str], Any], suite: str, corpus: str, metric: str) -> str:
    """Return the name of the best baseline, "" if there is none to show."""
    values = {p[2]: s["value"] for p, s in scores.items() if (*p[:2], p[3]) == (suite, corpus, metric)}
    values.pop("wusum", None)
    return "" if metric in WITHOUT_BASELINE else max(values, key=lambda system: values[system], default="")


def main(arguments: Sequence[str]) -> None:
    """Rewrite pages; the arguments are a metrics file and the pages."""
    source = Path(arguments[0])
    metrics = json.loads(source.read_text(encoding="utf-8"))
    for name in arguments[1:]:
        path = Path(name)
        path.write_text(quoted(path.read_text(encoding="utf-8"), metrics, source.name), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
