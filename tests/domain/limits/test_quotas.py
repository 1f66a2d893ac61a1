"""How much of a pace and a quota is spent, and how the rest is spread over time."""

from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.config.values import Quota
from newsintel.domain.limits.quotas import OwnStart, OwnStarts, SourceLimits, Spent

DAY_S = 86_400
TTL_S, LONGEST_S = 300, 3900
NEWSAPI = SourceLimits(0, Quota(100, DAY_S))


def starts(terms: SourceLimits, *at_s: float) -> OwnStarts:
    """Starts at these times."""
    made = OwnStarts(terms)
    for number, one in enumerate(at_s):
        made.add(OwnStart(str(number), one, shared=number % 2 == 0))
    return made


def test_starts_are_summed_up_and_old_ones_are_forgotten() -> None:
    """The sum has their number, the newest, and those whose end makes room.

    Starts outside the window are forgotten.
    """
    made = starts(SourceLimits(1, Quota(4, 100)), 0, 10, 20, 30)
    assert made.compute_spent(40) == Spent(4, 30, 0, 10)
    assert made.compute_spent(100) == Spent(3, 30, -inf, 10)
    assert made.compute_spent(500) == Spent()


def test_starts_out_of_order_are_sorted() -> None:
    """Two starts decided at the same time may be reported in either order."""
    assert starts(SourceLimits(1, Quota(2, 100)), 10, 5, 20).compute_spent(20) == Spent(
        3, 20, 10, 10
    )


def test_a_pace_without_a_quota_has_no_window() -> None:
    """Without a quota there is no limit on the number of starts."""
    assert starts(SourceLimits(2), 0, 2, 4).compute_spent(4) == Spent(0, 4)
    assert not SourceLimits().is_limited
    assert SourceLimits(2).is_limited
    assert SourceLimits(2).count_left(Spent(5)) is None
    assert SourceLimits(2).keep_s(Spent(5), LONGEST_S) == 0


def test_starts_are_reported_until_they_are_shared() -> None:
    """A start that was undone is not reported."""
    made = starts(NEWSAPI, 0, 1, 2, 3)
    assert made.list_unshared() == {"1": 1, "3": 3}
    made.remove("3")
    made.mark_shared({"1": 1})
    assert made.list_unshared() == {}
    assert made.compute_spent(4).used == 3
    made.mark_shared({})


def test_two_counts_of_the_same_starts_join_to_the_stricter() -> None:
    """The join takes the stricter value of each field, because neither count need be complete."""
    assert Spent(3, 10, -inf, 4) | Spent(2, 12, 1, 2) == Spent(3, 12, 1, 4)


@pytest.mark.parametrize(
    ("calls", "open_"), [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (8, 6), (100, 75)]
)
def test_a_quarter_is_kept_for_callers_who_are_signed_in(calls: int, open_: int) -> None:
    """Anonymous callers stop when a quarter of the quota is left."""
    terms = SourceLimits(0, Quota(calls, 100))
    assert terms.ranks == (calls, open_)
    assert terms.count_left(Spent(open_)) <= calls / 4 < terms.count_left(Spent(open_ - 1))


@pytest.mark.parametrize(
    ("left", "keep_s"),
    [(100, 0), (90, 192), (80, 432), (50, 1728), (26, LONGEST_S), (1, LONGEST_S), (0, LONGEST_S)],
)
def test_the_less_is_left_the_longer_an_outcome_is_kept(left: int, keep_s: float) -> None:
    """The time is 0 while most of the quota is left, and longest when little is left."""
    assert NEWSAPI.keep_s(Spent(100 - left), LONGEST_S) == pytest.approx(keep_s)


@given(st.integers(1, 1000), st.integers(1, DAY_S), st.floats(0, 1e5))
def test_keeping_grows_as_the_quota_falls_and_never_past_its_bound(
    calls: int, window_s: int, longest_s: float
) -> None:
    """This also holds beyond the quota, which can happen while Redis is away."""
    terms = SourceLimits(0, Quota(calls, window_s))
    kept = [terms.keep_s(Spent(used), longest_s) for used in range(calls + 3)]
    assert all(a <= b + 1e-6 for a, b in pairwise(kept))
    assert all(0 <= one <= longest_s for one in kept)


def simulated(
    queries: int, *, spread: bool, signed_in: bool = False, hours: int = 72
) -> tuple[float, int]:
    """Ask for so many queries all the time.

    Returns the hour of the first refusal, and the fewest calls that were ever left.
    """
    made, fewest, refused_h = OwnStarts(NEWSAPI), 100, float("inf")
    due_s = {number: float(number) for number in range(queries)}
    while (now_s := min(due_s.values())) < hours * 3600:
        number = min(due_s, key=lambda one: due_s[one])
        spent = made.compute_spent(now_s)
        if (free_s := DAY_S + (spent.full_s if signed_in else spent.open_s)) > now_s:
            refused_h = min(refused_h, now_s / 3600)
            due_s[number] = free_s
            continue
        made.add(OwnStart("", now_s, shared=True))
        spent = made.compute_spent(now_s)
        fewest = min(fewest, 100 - spent.used)
        due_s[number] = now_s + max(TTL_S, NEWSAPI.keep_s(spent, LONGEST_S) if spread else 0)
    return refused_h, fewest


def test_one_hot_query_cannot_drain_a_small_quota() -> None:
    """With the TTL alone, a hundred calls a day are spent in 8 h 20 min.

    With spreading, the calls left never fall to the reserved quarter.
    """
    assert simulated(1, spread=False, signed_in=True) == (pytest.approx(8.33, abs=0.01), 0)
    assert simulated(1, spread=True, signed_in=True) == (float("inf"), 31)


def test_three_hot_queries_last_longer_and_leave_the_last_quarter() -> None:
    """With the TTL alone, the part open to everybody is spent in 2 h; with spreading, in 10 h.

    The last quarter stays in both cases.
    """
    assert simulated(3, spread=False) == (pytest.approx(2.08, abs=0.01), 25)
    assert simulated(3, spread=True) == (pytest.approx(9.92, abs=0.01), 25)


def test_a_persons_starts_are_removed_one_by_one() -> None:
    """Nothing is left of a person without starts."""
    made = starts(SourceLimits(4))
    for number in range(2):
        made.add(OwnStart(f"alice/{number}", float(number), shared=True))
    for left in (1, 0):
        made.remove(f"alice/{left}")
        assert len(made._own.get("alice", ())) == left
    assert not made._own
