"""The breaker, with times given as numbers."""

import pytest

from newsintel.errors import UnavailableError
from newsintel.storage.redis.breaker import FAILURES, FIRST_PAUSE_S, LONGEST_PAUSE_S, Breaker


def opened(now_s=100.0):
    """A breaker that has just opened."""
    breaker = Breaker()
    for _ in range(FAILURES):
        breaker.check(now_s)
        breaker.note_failure(now_s)
    return breaker


def admits(breaker, now_s):
    """Whether the breaker lets a caller through."""
    try:
        breaker.check(now_s)
    except UnavailableError:
        return False
    return True


def test_success_resets_the_count_of_failures():
    """Only failures in a row open the breaker."""
    breaker = Breaker()
    for _ in range(3):
        for _ in range(FAILURES - 1):
            breaker.note_failure(0)
        breaker.note_success()
    breaker.check(0)


def test_open_breaker_lets_one_probe_through_per_pause():
    """During the pause every caller is refused.

    After it one caller passes, and the next one after another pause.
    """
    breaker = opened()
    with pytest.raises(UnavailableError):
        breaker.check(100.0 + FIRST_PAUSE_S - 0.01)
    assert [admits(breaker, 100.0 + FIRST_PAUSE_S) for _ in range(3)] == [True, False, False]


def test_pauses_double_up_to_the_limit():
    """Failed probes become rarer."""
    breaker, now_s, pauses = opened(0), 0.0, []
    for _ in range(7):
        last = now_s
        while not admits(breaker, now_s):
            now_s += 0.125
        breaker.note_failure(now_s)
        pauses.append(now_s - last)
    assert pauses == [0.5, 0.5, 1.0, 2.0, 4.0, 8.0, LONGEST_PAUSE_S]


def test_successful_probe_closes_the_breaker():
    """After one success every caller passes."""
    breaker = opened()
    breaker.check(200)
    breaker.note_success()
    assert all(admits(breaker, 200) for _ in range(3))
