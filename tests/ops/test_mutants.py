"""Mutants change one line each. Their plans show that a mutant breaks only its own scenario."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.terraform_check.mutants import (
    Mutant,
    compare_failures,
    lay_out_plans,
    load_mutants,
    load_scenarios,
)

MANY = [Mutant(f"scenario {number}", "main.tf", "", "") for number in range(200)]


@given(st.integers(2, 200))
def test_each_mutant_of_a_pair_has_a_plan_without_the_other(count):
    """So a mutant that breaks another's scenario is found, and the plans are few."""
    plans = lay_out_plans(MANY[:count])
    places = [
        {number for number, plan in enumerate(plans) if mutant in plan} for mutant in MANY[:count]
    ]
    assert all(one - other and other - one for one, other in combinations(places, 2))
    assert len(plans) <= 10


def test_a_single_mutant_is_planned():
    """It has one plan."""
    assert lay_out_plans(MANY[:1]) == [(MANY[0],)]


def test_a_mutant_changes_its_line_whatever_its_spaces(tmp_path):
    """Columns move when a neighbouring line changes."""
    (tmp_path / "main.tf").write_text("a   = 1\nab  = 1\n")
    Mutant("s", "main.tf", "ab = 1", "ab = 2").apply(tmp_path)
    assert (tmp_path / "main.tf").read_text() == "a   = 1\nab = 2\n"


def test_a_mutant_may_add_to_the_end(tmp_path):
    """For example a resource that must not exist."""
    (tmp_path / "main.tf").write_text("a = 1\n")
    Mutant("s", "main.tf", "", "b = 1").apply(tmp_path)
    assert (tmp_path / "main.tf").read_text() == "a = 1\n\nb = 1\n"


@pytest.mark.parametrize("text", ["a = 2\n", "a = 1\na = 1\n"])
def test_a_mutant_that_does_not_find_its_line_once_is_refused(tmp_path, text):
    """It would change nothing, or more than it names."""
    (tmp_path / "main.tf").write_text(text)
    with pytest.raises(ValueError, match="'s' finds its line"):
        Mutant("s", "main.tf", "a = 1", "a = 3").apply(tmp_path)
    assert (tmp_path / "main.tf").read_text() == text


def test_survivors_and_bystanders_are_named():
    """Both are failures."""
    assert compare_failures(MANY[:2], ["scenario 0", "scenario 1"]) == ""
    assert compare_failures(MANY[:2], ["scenario 0"]) == "survived: scenario 1"
    assert compare_failures(MANY[:1], ["scenario 0", "scenario 7"]) == "broke as well: scenario 7"
    assert (
        compare_failures(MANY[:1], ["scenario 7"])
        == "survived: scenario 0, broke as well: scenario 7"
    )


def test_table_and_features_are_read(tmp_path):
    """The features give scenarios by name, the table gives mutants by scenario."""
    (tmp_path / "one.feature").write_text(
        "@noskip\nFeature: F\n\n  Scenario: it is so \n    Given x\n\n  Scenario: and so\n"
    )
    (tmp_path / "mutants.toml").write_text('[one]\n"it is so" = ["main.tf", "a", "b"]\n')
    assert load_scenarios(tmp_path) == ["it is so", "and so"]
    assert load_mutants(tmp_path / "mutants.toml") == [Mutant("it is so", "main.tf", "a", "b")]
