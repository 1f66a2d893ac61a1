"""What deadlines cost and save, compared with slow definitions and with worked examples."""

from collections import Counter
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.operations.deadlines import (
    SourceFetches,
    complete_share,
    group_by_source,
    has_enough_fetches,
    list_options,
    miss_ms,
    suggest_deadlines,
)
from newsintel.domain.operations.latencies import CUT_STATUSES, Latency
from newsintel.domain.search.outcome import Status

OK, EMPTY, TIMEOUT, DOWN = Status.OK, Status.EMPTY, Status.TIMEOUT, Status.UNREACHABLE


def of(**sources: dict[tuple[Status, int], int]) -> dict[str, SourceFetches]:
    """The measurements of sources with these counts."""
    return group_by_source(
        {
            Latency(name, status, ms): count
            for name, counts in sources.items()
            for (status, ms), count in counts.items()
        }
    )


HAND = of(
    guardian={(OK, 100): 90, (EMPTY, 200): 8, (OK, 900): 1, (TIMEOUT, 1000): 1, (DOWN, 50): 5}
)

statuses = st.sampled_from([OK, EMPTY, TIMEOUT, Status.OVERLOADED, DOWN])
counts = st.dictionaries(
    st.builds(
        Latency,
        st.sampled_from(["newsapi", "guardian"]),
        statuses,
        st.sampled_from([10, 200, 350, 990, 1000]),
    ),
    st.integers(1, 50),
    min_size=1,
)
deadlines = st.sampled_from([10, 100, 350, 1000, 1500])


def test_losses_of_a_worked_example():
    """Answers later than the deadline are lost, and calls that were cut short always.

    Other failures do not count.
    """
    (guardian,) = HAND.values()
    assert guardian.wanted == 100
    assert [guardian.lost_share(ms) for ms in (50, 100, 200, 899, 900, 1000)] == [
        1.0,
        0.1,
        0.02,
        0.02,
        0.01,
        0.01,
    ]
    assert [guardian.find_shortest_deadline(lost) for lost in (0.1, 0.05, 0.02, 0.01, 0.009)] == [
        100,
        200,
        200,
        900,
        None,
    ]


def test_a_source_that_always_failed_loses_nothing_to_a_deadline():
    """It has no answers to lose. A miss still waits for its failures."""
    down = of(guardian={(DOWN, 50): 5})
    assert down["guardian"].lost_share(10) == 0
    assert miss_ms(down, {"guardian": 1000}, 0.99) == 50
    assert suggest_deadlines(down, 0.99) == {}


def test_losses_are_overstated_only_above_a_cut():
    """A call that was cut at a shorter deadline might have answered by then."""
    guardian = of(guardian={(OK, 100): 9, (TIMEOUT, 500): 1})["guardian"]
    assert [guardian.is_overstated(ms) for ms in (400, 500, 510)] == [False, False, True]


def test_options_of_a_worked_example():
    """One option for each level and for today's deadline, shortest first.

    Each has the duration of a miss with that deadline.
    """
    rows = [
        (option.deadline_ms, option.lost, option.p50_ms, option.p99_ms)
        for option in list_options("guardian", HAND, {"guardian": 1000})
    ]
    assert rows == [
        (100, 0.1, 100, 100),
        (200, 0.02, 100, 200),
        (900, 0.01, 100, 900),
        (1000, 0.01, 100, 900),
    ]


def test_suggestions_come_from_one_limit_for_all_sources():
    """It is the shortest limit that keeps the share complete.

    The suggestion for a source is its longest answer within the limit.
    """
    two = of(
        guardian={(OK, 100): 500, (OK, 300): 499, (OK, 950): 1},
        reddit={(OK, 200): 980, (OK, 400): 12, (OK, 700): 8},
    )
    assert suggest_deadlines(two, 0.99) == {"guardian": 300, "reddit": 400}
    assert complete_share(two, {"guardian": 300, "reddit": 400}) == pytest.approx(0.999 * 0.992)
    assert suggest_deadlines(two, 1.0) == {"guardian": 950, "reddit": 700}
    assert suggest_deadlines(HAND, 0.99) == {"guardian": 900}
    assert suggest_deadlines(HAND, 0.995) == {}


def test_enough_calls_expect_at_least_one_loss():
    """For 99 % that is 100 calls. For 100 % no number is enough."""
    assert has_enough_fetches(HAND["guardian"], 0.99)
    assert not has_enough_fetches(HAND["guardian"], 0.991)
    assert not has_enough_fetches(HAND["guardian"], 1.0)


def test_without_measurements_there_is_no_suggestion():
    """A miss then takes no time."""
    assert group_by_source({}) == {}
    assert miss_ms({}, {}, 0.5) == 0
    assert suggest_deadlines({}, 0.99) == {}


@given(counts, deadlines, deadlines, st.sampled_from([0.01, 0.5, 0.9, 0.99, 1.0]))
def test_a_miss_takes_as_long_as_the_slowest_of_independent_sources(
    given_counts, first_ms, second_ms, share
):
    """It is the quantile of the maximum over every combination of fetches.

    Each fetch takes no longer than its deadline.
    """
    limits = {"newsapi": first_ms, "guardian": second_ms}
    fetches: dict[str, Counter[float]] = {}
    for latency, count in given_counts.items():
        took = (
            limits[latency.source]
            if latency.status in CUT_STATUSES
            else min(latency.ms, limits[latency.source])
        )
        fetches.setdefault(latency.source, Counter())[took] += count
    slowest: Counter[float] = Counter()
    for combination in product(*(source.items() for source in fetches.values())):
        weight = 1
        for _, count in combination:
            weight *= count
        slowest[max(took for took, _ in combination)] += weight
    total, below = sum(slowest.values()), 0
    for expected in sorted(slowest):
        below += slowest[expected]
        if below / total >= share:
            break
    assert miss_ms(group_by_source(given_counts), limits, share) == expected


@given(counts, st.sampled_from([0.5, 0.9, 0.99, 1.0]))
def test_suggestions_keep_the_share_and_are_the_shortest(given_counts, share):
    """The share holds for the measured calls.

    Each value is the latency of an answer of its source, and a shorter limit would not do.
    """
    sources = group_by_source(given_counts)
    suggested = suggest_deadlines(sources, share)
    seen = {
        name: {one.ms for one in given_counts if one.source == name and one.status in (OK, EMPTY)}
        for name in sources
    }
    wanted = {name: source for name, source in sources.items() if source.wanted}
    if suggested:
        assert complete_share(wanted, suggested) >= share
        assert all(ms in seen[name] for name, ms in suggested.items())
        limit = max(suggested.values())
        shorter = dict.fromkeys(wanted, limit - 1)
        assert complete_share(wanted, shorter) < share
    else:
        assert not wanted or complete_share(wanted, dict.fromkeys(wanted, 10_000)) < share


@given(counts, deadlines, deadlines)
def test_longer_deadlines_lose_no_more_and_take_no_less_time(given_counts, one_ms, other_ms):
    """Losses fall and the 99th percentile of a miss grows with the deadline."""
    sources, (short, long) = group_by_source(given_counts), sorted((one_ms, other_ms))
    for source in sources.values():
        assert source.lost_share(long) <= source.lost_share(short)
    assert miss_ms(sources, dict.fromkeys(sources, short), 0.99) <= miss_ms(
        sources, dict.fromkeys(sources, long), 0.99
    )
