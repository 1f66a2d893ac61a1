"""docs/resilience.md: every case has tests, every test that the page names exists."""

import ast
import re
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "resilience.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+|\*)`", PAGE)))
ROWS = [
    (int(number), row)
    for number, row in re.findall(r"^\| (\d+) \|(.*)\|$", PAGE, flags=re.MULTILINE)
]
FAULTS = (
    *("refused", "black hole", "slow", "replies lost", "reset"),
    *("flapping", "full disk", "read-only", "failover"),
)


@cache
def find_tests(path):
    """The names of the tests in a file."""
    tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_every_test_that_the_page_names_exists(path, name):
    """`*` means all tests of a file."""
    tests = find_tests(path)
    assert name in tests if name != "*" else tests


@pytest.mark.parametrize("number", range(1, 41))
def test_every_case_has_a_test(number):
    """Each row of the case names one, and a test that has the number in its name is listed."""
    rows = [row for found, row in ROWS if found == number]
    assert rows
    assert all(".py::test_" in row for row in rows)


def test_every_numbered_test_is_listed_under_its_number():
    """A test of a case is found by its number: `test_case_02_…` is in the row of case 2."""
    for path in (ROOT / "tests").rglob("test_*.py"):
        for name in find_tests(path.relative_to(ROOT / "tests")):
            if found := re.match(r"test_cases?_(\d+)_(?:and_(\d+)_)?", name):
                for number in filter(None, found.groups()):
                    rows = [row for listed, row in ROWS if listed == int(number)]
                    assert any(name in row for row in rows), f"{name}: case {number}"


@pytest.mark.parametrize("fault", FAULTS)
def test_every_cell_of_the_matrix_has_a_test_or_a_reason(fault):
    """A cell names tests, cases, or says why there is nothing to test."""
    (row,) = re.findall(rf"^\| {fault} \|(.*)\|$", PAGE, flags=re.MULTILINE)
    cells = [cell.strip() for cell in row.split("|")]
    assert len(cells) == 3
    assert all(cells)


def test_every_alarm_is_explained():
    """Each alarm of the deployment is in the page, by its name or by a pattern such as `x-*`."""
    alarms = (ROOT / "ops" / "terraform" / "alarms.tf").read_text(encoding="utf-8")
    names = re.findall(r"^ {6}([a-z-]+) += \{ text =", alarms, flags=re.MULTILINE)
    assert len(names) > 10
    listed = re.findall(r"`([a-z]+[a-z*-]*)`", PAGE.partition("## The alarms")[2])
    for name in names:
        assert any(fnmatch(name, one) for one in listed), name
