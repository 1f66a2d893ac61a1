"""docs/security.md: every point of the checklist has tests, every test that it names exists."""

import re
from pathlib import Path

import pytest

from tests.named_tests import exists, list_named, list_numbered

PAGE = (Path(__file__).parents[1] / "docs" / "security.md").read_text(encoding="utf-8")
CHECKLIST = PAGE.partition("## The checklist")[2].partition("\n## ")[0]
ROWS = {
    int(number): row
    for number, row in re.findall(r"^\| (\d+) \|(.*)\|$", CHECKLIST, flags=re.MULTILINE)
}


@pytest.mark.parametrize(("path", "name"), list_named(PAGE))
def test_every_test_that_the_page_names_exists(path, name):
    """`*` means all tests of a file."""
    assert exists(path, name)


@pytest.mark.parametrize("number", range(1, 36))
def test_every_point_has_a_test_or_a_reason(number):
    """The columns are what holds, the tests and the reason."""
    what, tests, reason = map(str.strip, ROWS[number].split(" | "))
    assert what.endswith(".")
    assert list_named(tests) or reason


def test_every_numbered_test_is_listed_under_its_number():
    """A test of a point is found by its number: `test_asvs_08_...` is in the row of point 8."""
    for name, (number,) in list_numbered(r"test_(?:asvs|item)_(\d+)_"):
        assert name in ROWS[int(number)], f"{name}: point {number}"
