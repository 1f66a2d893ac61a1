"""Latencies are rounded to steps of two digits and counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.operations.latencies import CUT_STATUSES, Latency, Tally, round_latency
from newsintel.domain.search.outcome import Status


@pytest.mark.parametrize(
    ("latency_ms", "answered", "cut"),
    [
        (0, 0, 0),
        (0.2, 1, 0),
        (7, 7, 7),
        (99.5, 100, 99),
        (100, 100, 100),
        (101, 110, 100),
        (450, 450, 450),
        (450.1, 460, 450),
        (995, 1000, 990),
        (1000.4, 1100, 1000),
    ],
)
def test_latencies_are_rounded_to_steps(latency_ms, answered, cut):
    """An answer is rounded up, to a deadline that would suffice.

    A call cut short is rounded down, to one that would not.
    """
    assert round_latency(latency_ms, Status.OK) == answered
    assert round_latency(latency_ms, Status.UNREACHABLE) == answered
    assert round_latency(latency_ms, Status.TIMEOUT) == cut


@given(st.floats(0, 1e7), st.sampled_from(Status))
def test_a_step_is_close_and_on_the_safe_side(latency_ms, status):
    """Within a tenth or a millisecond.

    It is never below the latency of an answer and never above that of a call cut short. A step is
    its own step.
    """
    step = round_latency(latency_ms, status)
    assert step <= latency_ms if status in CUT_STATUSES else step >= latency_ms
    assert abs(step - latency_ms) <= max(1, latency_ms / 10)
    assert round_latency(step, status) == step
    assert len(str(step).rstrip("0")) <= 2


def test_a_tally_adds_up_equal_steps_until_it_is_taken():
    """After that it is empty."""
    tally = Tally()
    for latency_ms in (311, 319.9, 320):
        tally.add("guardian", Status.OK, latency_ms)
    tally.add("guardian", Status.TIMEOUT, 1000.2)
    assert tally.take() == {
        Latency("guardian", Status.OK, 320): 3,
        Latency("guardian", Status.TIMEOUT, 1000): 1,
    }
    assert not tally.take()
