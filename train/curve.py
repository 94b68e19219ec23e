"""Draw the learning curve of a pretraining from its `history.jsonl`, as one SVG file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 320, 56, 16, 28, 44
TICKS = 5


def ticks(low: float, high: float) -> list[float]:
    """Places for about `TICKS` marks between two values, evenly apart."""
    return [low + (high - low) * i / (TICKS - 1) for i in range(TICKS)]


def draw(points: Sequence[tuple[float, float]], title: str, across: str) -> str:
    """One line through points (x, y) with both axes, readable on light and dark ground.

    Raises ValueError for fewer than two points.
    """
    if len(points) < 2:
        raise ValueError(f"a curve needs two points, there are {len(points)}")
    xs, ys = zip(*points, strict=True)
    x_low, x_high, y_low, y_high = min(xs), max(xs), min(ys), max(ys)

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + (x - x_low) / ((x_high - x_low) or 1) * (WIDTH - LEFT - RIGHT),
            TOP + (y_high - y) / ((y_high - y_low) or 1) * (HEIGHT - TOP - BOTTOM),
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
        ' font-size="12">',
        "<style>text{fill:#555}.grid{stroke:#8884}.line{stroke:#2a78c5;stroke-width:2;fill:none}"
        "@media(prefers-color-scheme:dark){text{fill:#bbb}}</style>",
        f'<text x="{LEFT}" y="16">{title}</text>',
    ]
    for y in ticks(y_low, y_high):
        _, down = place(x_low, y)
        parts.append(f'<path class="grid" d="M{LEFT} {down:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{down + 4:.1f}" text-anchor="end">{y:.2f}</text>')
    for x in ticks(x_low, x_high):
        right, _ = place(x, y_low)
        parts.append(f'<text x="{right:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{x:,.1f}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{across}</text>')
    path = "L".join("{:.1f} {:.1f}".format(*place(x, y)) for x, y in points)
    return "\n".join([*parts, f'<path class="line" d="M{path}"/>', "</svg>\n"])


def draw_history(history: Path, output: Path, *, key: str, per_step: float, title: str, across: str) -> None:
    """The number `key` of a history against the steps, of `per_step` units each, if it stands there twice."""
    lines = [json.loads(line) for line in history.read_text(encoding="utf-8").splitlines()]
    # A resumed run may score a step again: the last score of a step counts.
    scores = {line["step"]: line[key] for line in lines if key in line}
    points = [(step * per_step, value) for step, value in sorted(scores.items())]
    if len(points) > 1:
        output.write_text(draw(points, title, across), encoding="utf-8")
