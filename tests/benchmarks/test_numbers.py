"""Percentiles and figures over rounds, on which every table and goal of the benchmarks depends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.numbers import Figure, compute_ratio, percentile

VALUES = st.lists(st.floats(-1e9, 1e9), min_size=1)


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, 1), (0.01, 1), (0.5, 50), (0.501, 51), (0.99, 99), (0.991, 100), (1.0, 100)],
)
def test_percentile_is_the_nearest_rank(share, expected):
    """The p-th percentile of a hundred values is the p-th smallest."""
    assert percentile(range(100, 0, -1), share) == expected


@given(VALUES, st.floats(0.001, 1))
def test_a_percentile_is_the_smallest_value_that_enough_do_not_exceed(values, share):
    """It is a measured value: enough values are at most as large, and too few are smaller."""
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) * (1 - 1e-12)
    assert sum(value < found for value in values) < share * len(values)


def test_percentile_of_no_values_is_an_error():
    """No values have no percentile."""
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_figure_is_the_median_with_its_range():
    """The median with the range of the rounds; a single value has no range."""
    assert Figure.from_rounds([3.0, 1.0, 2.0]) == Figure(2.0, 1.0, 3.0)
    assert Figure.from_rounds([1500.0, 1000.0, 3000.0]).format(0) == "1,500 (1,000-3,000)"
    assert Figure.from_rounds([2.25]).format(2) == "2.25"


def test_ratios_are_taken_round_by_round():
    """A round in which everything was slow has the same ratio as the others."""
    assert compute_ratio([100, 10], [200, 20]) == Figure(0.5, 0.5, 0.5)
    with pytest.raises(ValueError, match="zip"):
        compute_ratio([1], [1, 2])
