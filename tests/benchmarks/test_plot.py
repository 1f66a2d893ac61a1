"""The plots: well-formed SVG that shows the given figures."""

from xml.etree import ElementTree as ET

import pytest

from benchmarks.numbers import Figure
from benchmarks.plot import LEFT, Bar, draw_bars, draw_curves

SVG = "{http://www.w3.org/2000/svg}"


def _parsed(text: str) -> ET.Element:
    root = ET.fromstring(text)  # noqa: S314 - our own
    assert root.tag == f"{SVG}svg"
    return root


def test_bars_are_as_long_as_their_figures():
    """Bars start at the same place, and twice the figure is twice the length.

    Labels are escaped, and the goal is drawn.
    """
    some = [Bar("a <b> & c", "newsintel", Figure(10, 5, 20)), Bar("d", "floor", Figure(5, 5, 5))]
    root = _parsed(draw_bars("Title", "ms", some, goal=8))
    one, other = root.iter(f"{SVG}rect")
    assert float(one.attrib["width"]) == pytest.approx(2 * float(other.attrib["width"]), abs=0.2)
    assert float(one.attrib["x"]) == float(other.attrib["x"]) == LEFT
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"Title (ms)", "a <b> & c", "d", "10.0", "5.00", "goal 8.00"} <= set(texts)
    assert [path for path in root.iter(f"{SVG}path") if path.attrib["class"] == "goal"]


def test_bars_need_no_goal_and_no_positive_figures():
    """Without a goal there is no line.

    Figures of 0 or less give no error and no negative length.
    """
    root = _parsed(
        draw_bars("T", "ms", [Bar("a", "x", Figure(0, 0, 0)), Bar("b", "x", Figure(-3, -4, 0))])
    )
    assert not [path for path in root.iter(f"{SVG}path") if path.attrib["class"] == "goal"]
    assert all(float(rect.attrib["width"]) > 0 for rect in root.iter(f"{SVG}rect"))


def test_curve_has_its_points_and_its_name():
    """The line has each of its points, goes up and to the right, and has its name."""
    root = _parsed(
        draw_curves("Memory", "searches", "MiB", {"newsintel": [(0, 0), (500, 90), (1000, 100)]})
    )
    (line,) = root.iter(f"{SVG}polyline")
    points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    assert len(points) == 3
    assert points == sorted(points)
    assert [y for _, y in points] == sorted((y for _, y in points), reverse=True)
    assert "newsintel" in [text.text for text in root.iter(f"{SVG}text")]
