"""Learning curves, drawn from the `history.jsonl` of a training as an SVG file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

from wusum.train.svg import Axes, Point

STYLE = (
    "text{fill:#555}.grid{stroke:#8884}.line{stroke:#2a78c5;stroke-width:2;fill:none}"
    "@media(prefers-color-scheme:dark){text{fill:#bbb}}"
)
"""Style sheet, readable on a light and on a dark background."""


def draw(points: Sequence[Point], title: str, x_name: str) -> str:
    """Return an SVG image of one line through points (x, y); raises ValueError for fewer than two points."""
    if len(points) < 2:
        raise ValueError(f"a curve needs two points, not {len(points)}")
    xs, ys = zip(*points, strict=True)
    axes = Axes((min(xs), max(xs)), (min(ys), max(ys)), width=640, height=320, left=56, right=16, top=28, bottom=44)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {axes.width} {axes.height}" font-family="sans-serif"'
        ' font-size="12">',
        f"<style>{STYLE}</style>",
        f'<text x="{axes.left}" y="16">{escape(title)}</text>',
        *axes.elements(x_name, ",.1f"),
        f'<path class="line" d="{axes.path(points)}"/>',
        "</svg>\n",
    ]
    return "\n".join(parts)


def draw_history(history: Path, output: Path, *, key: str, per_step: float, title: str, across: str) -> None:
    """Draw the values of `key` in a history against the steps, each `per_step` units of the x axis (`across`).

    Nothing is written if fewer than two steps have a value.
    """
    lines = [json.loads(line) for line in history.read_text(encoding="utf-8").splitlines()]
    # A resumed run may score a step again: the last score of a step counts.
    scores = {line["step"]: line[key] for line in lines if key in line}
    points = [(step * per_step, value) for step, value in sorted(scores.items())]
    if len(points) > 1:
        output.write_text(draw(points, title, across), encoding="utf-8")
