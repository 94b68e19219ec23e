"""Charts as inline SVG. Colours come from the page's style sheet, so that light and dark both work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

Point = tuple[float, float]

WIDTH, HEIGHT = 420, 260
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 12, 40
BAR, LABELS = 22, 128
"""Height of a bar with its gap, and room for its name."""


def lines(
    series: Mapping[str, Sequence[Point]],
    across: str,
    up: str,
    *,
    x_range: tuple[float, float],
    y_range: tuple[float, float] = (0.0, 1.0),
    diagonal: bool = False,
) -> str:
    """Lines with a legend; each series of points (x, y) has a class of its own, `s0`, `s1`, …"""
    (x_low, x_high), (y_low, y_high) = x_range, y_range

    def place(x: float, y: float) -> Point:
        return (
            LEFT + (x - x_low) / ((x_high - x_low) or 1) * (WIDTH - LEFT - RIGHT),
            TOP + (y_high - y) / ((y_high - y_low) or 1) * (HEIGHT - TOP - BOTTOM),
        )

    parts = []
    for i in range(5):
        y, x = y_low + (y_high - y_low) * i / 4, x_low + (x_high - x_low) * i / 4
        down, right = place(x_low, y)[1], place(x, y_low)[0]
        parts.append(f'<path class="grid" d="M{LEFT} {down:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{down + 4:.1f}" text-anchor="end">{y:.2f}</text>')
        parts.append(f'<text x="{right:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{x:.3g}</text>')
    if diagonal:
        parts.append(f'<path class="ideal" d="{_path([place(x_low, y_low), place(x_high, y_high)])}"/>')
    for number, (name, points) in enumerate(series.items()):
        path = _path([place(*point) for point in points])
        parts.append(f'<path class="line s{number}" d="{path}"><title>{escape(name)}</title></path>')
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(across)}</text>'
    )
    legend = "".join(f'<li class="s{i}">{escape(name)}</li>' for i, name in enumerate(series))
    return f'{_svg(parts, WIDTH, HEIGHT, up)}<ul class="legend">{legend}</ul>'


def bars(values: Mapping[str, tuple[float, float, float]], up: str) -> str:
    """Horizontal bars from 0 to 1, each with its interval: name → (value, low, high)."""
    parts = []
    room = WIDTH - LABELS - 52
    for number, (name, (value, low, high)) in enumerate(values.items()):
        top = TOP + number * BAR
        middle = top + (BAR - 6) / 2
        left, right = LABELS + max(low, 0.0) * room, LABELS + min(high, 1.0) * room
        parts.append(f'<text x="{LABELS - 6}" y="{middle + 4:.1f}" text-anchor="end">{escape(name)}</text>')
        parts.append(
            f'<rect class="bar" x="{LABELS}" y="{top}" width="{max(value, 0) * room:.1f}" height="{BAR - 6}"/>'
        )
        parts.append(f'<path class="interval" d="M{left:.1f} {middle:.1f}H{right:.1f}"/>')
        parts.append(f'<text x="{max(right, LABELS + value * room) + 6:.1f}" y="{middle + 4:.1f}">{value:.3f}</text>')
    return _svg(parts, WIDTH, TOP * 2 + BAR * len(values), up)


def _path(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _svg(parts: Sequence[str], width: float, height: float, label: str) -> str:
    head = f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label, quote=True)}">'
    return "".join([head, *parts, "</svg>"])
