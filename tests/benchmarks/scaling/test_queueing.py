"""The simulated queue against the formulas of queueing theory."""

from math import factorial

import pytest

from benchmarks.scaling.queueing import simulate_queue
from benchmarks.scaling.stations import Station, Work

ENOUGH = 5
"""Runs whose means are averaged, so that chance is a few percent."""


def simulate_mean(rate, servers, draw):
    """The mean wait over some runs."""
    runs = (simulate_queue(rate, servers, draw, seed=seed) for seed in range(ENOUGH))
    return sum(run.mean_s for run in runs) / ENOUGH


def erlang_c(rate, servers, service_s):
    """The mean wait in M/M/c: Erlang's C formula (A. K. Erlang, 1917)."""
    offered = rate * service_s
    top = offered**servers / factorial(servers) * servers / (servers - offered)
    waiting = top / (sum(offered**n / factorial(n) for n in range(servers)) + top)
    return waiting * service_s / (servers - offered)


@pytest.mark.slow
@pytest.mark.parametrize("servers", [1, 2, 8])
@pytest.mark.parametrize("busy", [0.3, 0.7])
def test_times_of_service_without_memory(servers, busy):
    """M/M/c; for one server the mean wait is also busy / (1 - busy)."""
    expected = erlang_c(busy * servers, servers, 1.0)
    if servers == 1:
        assert expected == pytest.approx(busy / (1 - busy))
    found = simulate_mean(busy * servers, servers, lambda dice: dice.expovariate(1.0))
    assert found == pytest.approx(expected, rel=0.12)


@pytest.mark.slow
@pytest.mark.parametrize("times", [(1.0,), (0.1, 0.1, 0.1, 3.7), (0.5, 1.5)])
def test_other_times_of_service(times):
    """M/G/1: the mean wait by Pollaczek and Khinchine is rate * E[S^2] / 2 / (1 - busy)."""
    rate = 0.7
    squares = sum(one * one for one in times) / len(times)
    found = simulate_mean(rate, 1, lambda dice: dice.choice(times))
    assert found == pytest.approx(rate * squares / 2 / (1 - rate), rel=0.12)


@pytest.mark.slow
@pytest.mark.parametrize("times", [(1.0,), (0.1, 0.1, 0.1, 3.7), (0.5, 1.5)])
def test_short_slices_share_a_server(times):
    """M/G/1 with processor sharing: the mean stay is E[S] / (1 - busy), whatever the times."""
    rate = 0.6
    runs = (
        simulate_queue(rate, 1, lambda dice: dice.choice(times), slice_s=0.1, seed=seed)
        for seed in range(ENOUGH)
    )
    assert sum(run.mean_stay_s for run in runs) / ENOUGH == pytest.approx(1 / (1 - rate), rel=0.12)


def test_equal_arguments_give_equal_waits():
    """The page of figures can be compared with a new run."""
    runs = {simulate_queue(0.5, 1, lambda _: 1.0, seed=seed) for seed in (1, 1, 2)}
    assert len(runs) == 2


@pytest.mark.slow
def test_the_knee_is_where_the_waits_begin():
    """Short times of service allow a load near the limit; some long ones do not."""
    even = Station("even", (Work(1.0, [0.004]),))
    mixed = Station("mixed", (Work(0.9, [0.001]), Work(0.1, [0.031])))
    assert even.count_busy(50) == pytest.approx(mixed.count_busy(50)) == pytest.approx(0.2)
    assert 200 < even.find_knee(1) < 250
    assert mixed.find_knee(1) < even.find_knee(1)
    assert even.simulate(250, 1) is None
    assert even.find_knee(2) > 2 * even.find_knee(1)
