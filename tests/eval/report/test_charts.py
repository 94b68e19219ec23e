"""Charts, as XML."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from wusum.eval.report.charts import BAR_NAME, BAR_VALUE, WIDTH, bar_chart, line_chart


def test_names_cannot_put_markup_into_a_chart() -> None:
    assert "<b>" not in line_chart({"<b>": [(0, 0), (1, 1)]}, "<b>", "<b>", x_range=(0, 1))
    assert "<b>" not in bar_chart({"<b>": (0.5, 0.4, 0.6)}, "<b>")


def test_a_bar_is_as_long_as_its_value() -> None:
    root = ElementTree.fromstring(bar_chart({"a": (1.0, 1.0, 1.0), "b": (0.25, 0.2, 0.3)}, "x"))
    full, quarter = (float(r.get("width", 0)) for r in root.iter("rect"))
    assert quarter == pytest.approx(full / 4, abs=0.1)


def test_an_interval_is_drawn_within_the_scale_and_the_number_stands_behind_both() -> None:
    root = ElementTree.fromstring(bar_chart({"a": (0.9, 0.5, 1.4), "b": (0.9, -0.2, 0.5), "c": (0.9, None, None)}, "x"))
    bars = {bar.get("y"): float(bar.get("x", 0)) + float(bar.get("width", 0)) for bar in root.iter("rect")}
    left, right = BAR_NAME, WIDTH - BAR_VALUE
    middle = left + (right - left) / 2
    drawn = [tuple(map(float, re.findall(r"[\d.]+", path.get("d", "")))) for path in root.iter("path")]
    assert [(x, end) for x, _, end in drawn] == [(middle, right), (left, middle)]
    numbers = [float(text.get("x", 0)) for text in root.iter("text") if text.text == "0.900"]
    assert numbers == pytest.approx([right + 6, *[end + 6 for end in list(bars.values())[1:]]])


def test_each_series_is_a_line_with_a_class_and_an_entry_of_the_legend() -> None:
    series = {"one": [(0.0, 0.2), (1.0, 0.8)], "other": [(0.0, 0.1), (1.0, 0.4)]}
    chart = line_chart(series, "k", "F1", x_range=(0, 1), diagonal=True)
    svg, legend = chart.split("<ul", 1)
    paths = {path.get("class"): path.get("d") for path in ElementTree.fromstring(svg).iter("path")}
    assert paths.keys() == {"grid", "ideal", "line s0", "line s1"}
    assert paths["line s0"] != paths["line s1"]
    assert ">one<" in legend
    assert ">other<" in legend
