"""Quote the numbers of a `metrics.json` in the pages that have a place for them.

`python -m wusum.eval.quote model/weights/metrics.json README.md model/weights/README.md` writes the table between the
two marks of each page, so that nobody copies a number by hand.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- scores of metrics.json -->", "<!-- end of scores -->"
METRICS = {
    "topics": ("accuracy", "macro-F1"),
    "transfer": ("accuracy", "macro-F1"),
    "tags": ("F1@5", "F1@10"),
    "by-hand": ("micro-F1",),
}
NAMES = {
    "topics": "topics: {corpus}",
    "transfer": "topics: {corpus}, never trained on",
    "tags": "tags: {corpus}",
    "by-hand": "topics labelled by hand: {corpus}",
}
BASELINE_OF = {"topics": "accuracy", "transfer": "accuracy", "tags": "F1@5", "by-hand": "micro-F1"}
"""By which measure the best baseline is chosen."""


def score_table(metrics: dict[str, Any]) -> str:
    """A Markdown table of the main numbers, each with its interval, and the best baseline of each corpus."""
    scores = {(s["suite"], s["corpus"], s["system"], s["metric"]): s for s in metrics["scores"] if not s["variant"]}
    lines = ["| test split | measure | wusum | 95% interval | best baseline | articles |", "|---|---|---|---|---|---|"]
    for suite, names in METRICS.items():
        for corpus in dict.fromkeys(place[1] for place in scores if place[0] == suite):
            best = _best(scores, suite, corpus)
            for name in names:
                s = scores[suite, corpus, "wusum", name]
                theirs = f"{scores[suite, corpus, best, name]['value']:.3f} ({best})" if best else ""
                what = NAMES[suite].format(corpus=corpus)
                interval = f"{s['low']:.3f} – {s['high']:.3f}"
                lines.append(f"| {what} | {name} | {s['value']:.3f} | {interval} | {theirs} | {s['articles']:,} |")
    return "\n".join(lines)


def quoted(page: str, table: str) -> str:
    """A page with the table between its marks; raises ValueError where it has none."""
    made, count = re.subn(f"{re.escape(BEGIN)}.*?{re.escape(END)}", f"{BEGIN}\n{table}\n{END}", page, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"a page needs {BEGIN} and {END} once, it has them {count} times")
    return made


def _best(scores: dict[tuple[str, str, str, str], Any], suite: str, corpus: str) -> str:
    measure = BASELINE_OF.get(suite)
    values = {p[2]: s["value"] for p, s in scores.items() if (*p[:2], p[3]) == (suite, corpus, measure)}
    values.pop("wusum", None)
    return max(values, key=lambda system: values[system], default="")


def main(arguments: Sequence[str]) -> None:
    """Rewrite the pages named after the metrics."""
    table = score_table(json.loads(Path(arguments[0]).read_text(encoding="utf-8")))
    for name in arguments[1:]:
        path = Path(name)
        path.write_text(quoted(path.read_text(encoding="utf-8"), table), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
