"""The limit for restarts."""

from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.bounds.restart_budget import RestartBudget


def test_a_restart_beyond_the_budget_is_refused_until_one_is_old():
    """A refused restart does not count."""
    budget = RestartBudget(2, 60.0)
    assert [budget.take(at_s) for at_s in (0, 10, 20, 59.9, 60, 61, 70)] == [
        True,
        True,
        False,
        False,
        True,
        False,
        True,
    ]


@given(
    st.integers(1, 4),
    st.lists(st.integers(0, 30), max_size=40),
)
def test_no_period_has_more_than_the_budget(restarts, gaps):
    """It takes each restart that the period allows, and no other; a count of all is the oracle."""
    budget, taken, now = RestartBudget(restarts, 60.0), [], 0
    for gap in gaps:
        now += gap
        recent = [at for at in taken if at > now - 60]
        assert budget.take(now) is (len(recent) < restarts)
        if len(recent) < restarts:
            taken.append(now)
