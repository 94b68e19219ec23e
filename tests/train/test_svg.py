"""Axes of charts."""

from __future__ import annotations

from xml.etree import ElementTree

from wusum.train.svg import Axes

AXES = Axes((0, 10), (0, 1), width=120, height=70, left=15, right=5, top=10, bottom=20)


def test_points_are_placed_between_the_margins_upside_down() -> None:
    assert AXES.place(0, 0) == (15, 50)
    assert AXES.place(10, 1) == (115, 10)
    assert AXES.place(5, 0.5) == (65, 30)
    assert AXES.path([(0, 0), (10, 1)]) == "M15.0 50.0L115.0 10.0"


def test_a_range_of_no_extent_has_a_place() -> None:
    assert Axes((3, 3), (2, 2), 120, 70, 15, 5, 10, 20).place(3, 2) == (15, 10)


def test_both_axes_have_five_ticks_and_the_horizontal_one_a_name() -> None:
    root = ElementTree.fromstring("<svg>" + "".join(AXES.elements("<steps>", ".3g")) + "</svg>")
    texts = [text.text for text in root.iter("text")]
    assert texts == ["0.00", "0", "0.25", "2.5", "0.50", "5", "0.75", "7.5", "1.00", "10", "<steps>"]
    assert sum(path.get("class") == "grid" for path in root.iter("path")) == 5
