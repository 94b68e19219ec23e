"""Learning curves."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from wusum.train.curve import draw, draw_history


def line(svg: str) -> list[tuple[float, float]]:
    """The points of the line in an image."""
    (path,) = (element for element in ElementTree.fromstring(svg).iter() if element.get("class") == "line")
    points = (point.split() for point in path.get("d", "").removeprefix("M").split("L"))
    return [(float(x), float(y)) for x, y in points]


def test_a_curve_goes_down_where_the_numbers_do() -> None:
    points = line(draw([(0, 4.0), (1, 3.0), (2, 2.5)], "bits", "steps"))
    assert len(points) == 3
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(points))  # down the page
    with pytest.raises(ValueError, match="two points"):
        draw([(0, 1.0)], "", "")


def test_a_history_is_drawn_with_the_last_value_of_each_step(tmp_path: Path) -> None:
    history, curve = tmp_path / "history.jsonl", tmp_path / "curve.svg"
    history.write_text('{"step": 1, "eval_loss": 3}\n', encoding="utf-8")
    draw_history(history, curve, key="eval_loss", per_step=10, title="", across="")
    assert not curve.exists()
    lines = ['{"step": 1, "eval_loss": 3}', '{"step": 2, "loss": 9}', '{"step": 2, "eval_loss": 5}']
    history.write_text("\n".join([*lines, '{"step": 2, "eval_loss": 1}']), encoding="utf-8")
    draw_history(history, curve, key="eval_loss", per_step=10, title="", across="")
    first, last = line(curve.read_text(encoding="utf-8"))
    assert first[1] < last[1]  # from 3 down to 1
