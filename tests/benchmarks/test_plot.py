"""The plots: well-formed SVG that shows what it was given."""

from xml.etree import ElementTree as ET

import pytest

from benchmarks.numbers import Figure
from benchmarks.plot import LEFT, Bar, bars, curves

SVG = "{http://www.w3.org/2000/svg}"


def _parsed(text: str) -> ET.Element:
    root = ET.fromstring(text)  # noqa: S314 - our own
    assert root.tag == f"{SVG}svg"
    return root


def test_bars_are_as_long_as_their_figures():
    """Twice the figure is twice the length from the same start; labels are escaped; the goal is drawn."""
    some = [Bar("a <b> & c", "newsintel", Figure(10, 5, 20)), Bar("d", "floor", Figure(5, 5, 5))]
    root = _parsed(bars("Title", "ms", some, goal=8))
    one, other = root.iter(f"{SVG}rect")
    assert float(one.attrib["width"]) == pytest.approx(2 * float(other.attrib["width"]), abs=0.2)
    assert float(one.attrib["x"]) == float(other.attrib["x"]) == LEFT
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"Title (ms)", "a <b> & c", "d", "10.0", "5.00", "goal 8.00"} <= set(texts)
    assert [path for path in root.iter(f"{SVG}path") if path.attrib["class"] == "goal"]


def test_bars_without_a_goal_and_of_nothing():
    """No goal, no line; figures of 0 and below it divide by nothing and have no negative length."""
    root = _parsed(bars("T", "ms", [Bar("a", "x", Figure(0, 0, 0)), Bar("b", "x", Figure(-3, -4, 0))]))
    assert not [path for path in root.iter(f"{SVG}path") if path.attrib["class"] == "goal"]
    assert all(float(rect.attrib["width"]) > 0 for rect in root.iter(f"{SVG}rect"))


def test_curves():
    """A line with a point for each of its points, from the origin up and to the right, and its name."""
    root = _parsed(curves("Memory", "searches", "MiB", {"newsintel": [(0, 0), (500, 90), (1000, 100)]}))
    (line,) = root.iter(f"{SVG}polyline")
    points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    assert len(points) == 3
    assert points == sorted(points)
    assert [y for _, y in points] == sorted((y for _, y in points), reverse=True)
    assert "newsintel" in [text.text for text in root.iter(f"{SVG}text")]
