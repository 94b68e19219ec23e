"""Charts as inline SVG, coloured by the style sheet of the page, which has a light and a dark scheme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from wusum.train.svg import Axes, Point

WIDTH, HEIGHT = 420, 260
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 12, 40
"""Margins of a line chart."""

BAR_HEIGHT, BAR_GAP = 16, 6
BAR_NAME, BAR_VALUE = 128, 52
"""Width of the name to the left of a bar, and of the value to its right."""


def line_chart(
    series: Mapping[str, Sequence[Point]],
    x_name: str,
    y_name: str,
    *,
    x_range: tuple[float, float],
    y_range: tuple[float, float] = (0.0, 1.0),
    diagonal: bool = False,
) -> str:
    """Return lines through series of points (x, y) with a legend; the series have the classes `s0`, `s1` and so on."""
    axes = Axes(x_range, y_range, WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM)
    parts = axes.elements(x_name, ".3g")
    if diagonal:
        corners = [(x_range[0], y_range[0]), (x_range[1], y_range[1])]
        parts.append(f'<path class="ideal" d="{axes.path(corners)}"/>')
    for number, (name, points) in enumerate(series.items()):
        path = axes.path(points)
        parts.append(f'<path class="line s{number}" d="{path}"><title>{escape(name)}</title></path>')
    legend = "".join(f'<li class="s{i}">{escape(name)}</li>' for i, name in enumerate(series))
    return f'{_svg(parts, WIDTH, HEIGHT, y_name)}<ul class="legend">{legend}</ul>'


def bar_chart(values: Mapping[str, tuple[float, float | None, float | None]], label: str) -> str:
    """Return horizontal bars from 0 to 1 with their intervals, if they have one, from (value, low, high) by name."""
    parts = []
    room = WIDTH - BAR_NAME - BAR_VALUE
    step = BAR_HEIGHT + BAR_GAP
    for number, (name, (value, low, high)) in enumerate(values.items()):
        top = TOP + number * step
        middle = top + BAR_HEIGHT / 2
        width = max(value, 0) * room
        end = BAR_NAME + width
        parts.append(f'<text x="{BAR_NAME - 6}" y="{middle + 4:.1f}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<rect class="bar" x="{BAR_NAME}" y="{top}" width="{width:.1f}" height="{BAR_HEIGHT}"/>')
        if low is not None and high is not None:
            left, right = BAR_NAME + max(low, 0.0) * room, BAR_NAME + min(high, 1.0) * room
            parts.append(f'<path class="interval" d="M{left:.1f} {middle:.1f}H{right:.1f}"/>')
            end = max(end, right)
        parts.append(f'<text x="{end + 6:.1f}" y="{middle + 4:.1f}">{value:.3f}</text>')
    return _svg(parts, WIDTH, TOP * 2 + step * len(values), label)


def _svg(parts: Sequence[str], width: float, height: float, label: str) -> str:
    head = f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label, quote=True)}">'
    return "".join([head, *parts, "</svg>"])
