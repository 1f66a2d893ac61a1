"""Errors in groups of errors."""

from newsintel.errors import flatten_errors


def test_errors_of_nested_groups_are_listed_in_order():
    """A single error is its own list."""
    one, two, three = ValueError("1"), KeyError("2"), OSError("3")
    group = ExceptionGroup("outer", [one, ExceptionGroup("inner", [two, three])])
    assert flatten_errors(group) == [one, two, three]
    assert flatten_errors(one) == [one]
