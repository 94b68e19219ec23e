"""Charts, as XML."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from wusum.eval.report.charts import bar_chart, line_chart


def test_names_cannot_put_markup_into_a_chart() -> None:
    assert "<b>" not in line_chart({"<b>": [(0, 0), (1, 1)]}, "<b>", "<b>", x_range=(0, 1))
    assert "<b>" not in bar_chart({"<b>": (0.5, 0.4, 0.6)}, "<b>")


def test_a_bar_is_as_long_as_its_value() -> None:
    root = ElementTree.fromstring(bar_chart({"a": (1.0, 1.0, 1.0), "b": (0.25, 0.2, 0.3)}, "x"))
    full, quarter = (float(r.get("width", 0)) for r in root.iter("rect"))
    assert quarter == pytest.approx(full / 4, abs=0.1)


def test_each_series_is_a_line_with_a_class_and_an_entry_of_the_legend() -> None:
    series = {"one": [(0.0, 0.2), (1.0, 0.8)], "other": [(0.0, 0.1), (1.0, 0.4)]}
    chart = line_chart(series, "k", "F1", x_range=(0, 1), diagonal=True)
    svg, legend = chart.split("<ul", 1)
    paths = {path.get("class"): path.get("d") for path in ElementTree.fromstring(svg).iter("path")}
    assert paths.keys() == {"grid", "ideal", "line s0", "line s1"}
    assert paths["line s0"] != paths["line s1"]
    assert ">one<" in legend
    assert ">other<" in legend
