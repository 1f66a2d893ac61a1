"""The recipes run every slow test, which `just test` leaves out, and CI runs these recipes."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OF_PEOPLE = ("one-box-check",)
"""Recipes that people run: this one needs root on Debian."""
SAME_AS_A_RECIPE = {
    "tests/ops/test_containers.py": "kubernetes-check",
    "tests/ops/test_drill.py": "drill",
    "tests/ops/test_image_check.py": "image-check",
    "tests/ops/test_one_box.py": "one-box-check",
}
"""Files whose slow tests do what a recipe does without pytest."""


def read_slow_recipes():
    """The folders and files that each recipe with slow tests names."""
    found, name = {}, ""
    for line in (ROOT / "justfile").read_text(encoding="utf-8").splitlines():
        if begun := re.match(r"([a-z-]+)[^:=]*:(?!=)", line):
            name = begun[1]
        elif "pytest -m slow" in line:
            found[name] = [word for word in line.split() if word.startswith("tests")]
    return found


def list_slow_files():
    """The files with slow tests."""
    return [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if re.search(r"\bmark\.slow\b", path.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("file", list_slow_files())
def test_a_recipe_runs_every_slow_test(file):
    """Otherwise nobody would notice that it fails."""
    named = [place for places in read_slow_recipes().values() for place in places]
    assert file in SAME_AS_A_RECIPE or any(
        (ROOT / file).is_relative_to(ROOT / place) for place in named
    )


def test_each_place_that_a_recipe_names_has_a_slow_test():
    """A file that was renamed would end the recipe."""
    for recipe, places in read_slow_recipes().items():
        for place in places:
            assert any((ROOT / one).is_relative_to(ROOT / place) for one in list_slow_files()), (
                recipe,
                place,
            )


def test_ci_runs_these_recipes():
    """By the same names."""
    steps = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    wanted = {*read_slow_recipes(), *SAME_AS_A_RECIPE.values()} - {*OF_PEOPLE}
    assert "test-long" in wanted
    assert [name for name in sorted(wanted) if f"./dev {name}\n" not in steps] == []
