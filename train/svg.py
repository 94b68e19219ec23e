"""Axes of line charts, as elements of an SVG image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

Point = tuple[float, float]

TICKS = 5
"""Tick labels of an axis."""


@dataclass(frozen=True, slots=True)
class Axes:
    """Two linear axes: they place points (x, y) of the data in an image, whose origin is its upper left corner."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    width: int
    """Width of the image, like all lengths in user units of the SVG."""
    height: int
    left: int
    """Margin for the labels of the y axis."""
    right: int
    top: int
    bottom: int
    """Margin for the labels and the name of the x axis."""

    def place(self, x: float, y: float) -> Point:
        """Return the position of a point in the image; a range of no extent counts as 1 long."""
        (x_low, x_high), (y_low, y_high) = self.x_range, self.y_range
        return (
            self.left + (x - x_low) / ((x_high - x_low) or 1) * (self.width - self.left - self.right),
            self.top + (y_high - y) / ((y_high - y_low) or 1) * (self.height - self.top - self.bottom),
        )

    def path(self, points: Sequence[Point]) -> str:
        """Return the `d` attribute of a path through points."""
        return "M" + "L".join("{:.1f} {:.1f}".format(*self.place(*point)) for point in points)

    def elements(self, x_name: str, x_format: str) -> list[str]:
        """Return grid lines of class `grid`, the tick labels of both axes, and the name of the x axis."""
        parts = []
        for x, y in zip(ticks(*self.x_range), ticks(*self.y_range), strict=True):
            across, down = self.place(x, y)
            parts.append(f'<path class="grid" d="M{self.left} {down:.1f}H{self.width - self.right}"/>')
            parts.append(f'<text x="{self.left - 6}" y="{down + 4:.1f}" text-anchor="end">{y:.2f}</text>')
            label = format(x, x_format)
            parts.append(
                f'<text x="{across:.1f}" y="{self.height - self.bottom + 16}" text-anchor="middle">{label}</text>'
            )
        middle = (self.left + self.width - self.right) / 2
        parts.append(f'<text x="{middle}" y="{self.height - 6}" text-anchor="middle">{escape(x_name)}</text>')
        return parts


def ticks(low: float, high: float) -> list[float]:
    """Return `TICKS` values from `low` to `high`, evenly spaced."""
    return [low + (high - low) * i / (TICKS - 1) for i in range(TICKS)]
