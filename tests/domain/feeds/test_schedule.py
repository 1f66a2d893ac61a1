"""When a feed is polled next."""

from datetime import timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.feeds.schedule import (
    PollBounds,
    find_rhythm_s,
    plan_failure_pause_s,
    plan_pause_s,
    read_freshness_s,
    read_retry_after_s,
)
from tests.make import NOON, at

BOUNDS = PollBounds(900, 86400)
HOUR = 3600


def http(seconds: float) -> str:
    """A time after NOON, as HTTP writes it (RFC 9110, 5.6.7)."""
    return format_datetime(at(seconds), usegmt=True)


def test_half_the_mean_gap_between_items():
    """Or the feed's ttl, if that is longer."""
    assert find_rhythm_s([at(0), at(2 * HOUR), at(4 * HOUR)], 0) == HOUR
    assert find_rhythm_s([at(4 * HOUR), at(0)], 3 * HOUR) == 3 * HOUR
    assert find_rhythm_s([at(0)], 60) == 60
    assert find_rhythm_s([], 0) == 0


@pytest.mark.parametrize(
    ("days", "pause_s"), [(0, 900), (6.9, 900), (7, 21600), (14, 43200), (30, 86400), (900, 86400)]
)
def test_quiet_feeds_wait_longer(days, pause_s):
    """A quarter of the longest pause after a week, half after two, all of it after a month."""
    newest = NOON - timedelta(days=days)
    assert plan_pause_s(0, newest, {}, BOUNDS, NOON) == pause_s


@pytest.mark.parametrize(
    ("headers", "pause_s"),
    [
        ({}, 1800),
        ({"cache-control": "max-age=3600"}, 3600),
        ({"cache-control": "public, Max-Age=7200", "age": "3600"}, 3600),
        ({"cache-control": 'max-age="5400"'}, 5400),
        ({"cache-control": "max-age=60"}, 1800),
        ({"cache-control": "max-age=60", "expires": http(7200)}, 1800),
        ({"cache-control": "no-cache", "expires": http(7200)}, 1800),
        ({"expires": http(7200), "date": http(0)}, 7200),
        ({"expires": http(7200)}, 7200),
        ({"expires": "0"}, 1800),
        ({"expires": http(-60)}, 1800),
        ({"retry-after": "5000"}, 5000),
        ({"retry-after": http(4000)}, 4000),
        ({"cache-control": "max-age=99999999"}, 86400),
        ({"cache-control": "max-age=x"}, 1800),
        ({"cache-control": "max-age=99999999999"}, 1800),
    ],
)
def test_the_longest_of_what_is_asked_counts(headers, pause_s):
    """RFC 9111, 4.2.1 and 5.3; RFC 9110, 10.2.3."""
    assert plan_pause_s(1800, NOON, headers, BOUNDS, NOON) == pause_s


@given(
    st.floats(0, 1e9),
    st.none() | st.floats(-1e8, 1e5),
    st.dictionaries(
        st.sampled_from(["cache-control", "expires", "date", "age", "retry-after"]),
        st.text(max_size=30) | st.integers(0, 10**12).map(str) | st.just(http(10**6)),
    ),
)
def test_every_pause_is_within_the_bounds(rhythm_s, newest_s, headers):
    """Whatever a server sends."""
    newest = None if newest_s is None else at(newest_s)
    assert 900 <= plan_pause_s(rhythm_s, newest, headers, BOUNDS, NOON) <= 86400


def test_failures_back_off():
    """An hour more for each, up to the longest pause; more if the server asks for more."""
    assert [plan_failure_pause_s(n, 0, BOUNDS) for n in (1, 2, 30)] == [HOUR, 2 * HOUR, 86400]
    assert plan_failure_pause_s(1, 7200, BOUNDS) == 7200
    assert plan_failure_pause_s(1, 10**9, BOUNDS) == 86400
    assert plan_failure_pause_s(1, 0, PollBounds(7200, 86400)) == 7200


def test_headers_that_say_nothing():
    """They ask for no pause."""
    assert read_freshness_s({}, NOON) == 0
    assert read_retry_after_s("", NOON) == 0
    assert read_retry_after_s("soon", NOON) == 0
    assert read_retry_after_s(http(-5), NOON) == 0
