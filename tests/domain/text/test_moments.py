"""Dates and times as people write them."""

from datetime import UTC, datetime

import pytest

from newsintel.domain.text.moments import parse_time


def test_a_bare_date_is_the_start_or_the_end_of_its_day():
    """It is the first moment of the day in UTC, or with `end` the last."""
    assert parse_time("2026-01-31") == datetime(2026, 1, 31, tzinfo=UTC)
    assert parse_time("2026-01-31", end=True) == datetime(
        2026, 1, 31, 23, 59, 59, 999999, tzinfo=UTC
    )


def test_a_date_time_is_converted_to_utc():
    """The letters may have either case. `end` does not change the moment."""
    assert parse_time("2026-01-31t01:30:00+02:00", end=True) == datetime(
        2026, 1, 30, 23, 30, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "2026-02-30",
        "2026-1-1",
        "20260101",
        "2026-01-01T00:00:00",
        "0001-01-01T00:00:00+14:00",
        "٢026-01-01",
    ],
)
def test_invalid_moments_are_refused(raw):
    """Days that do not exist, a missing offset, other forms, and years out of range."""
    with pytest.raises(ValueError, match="must be a date such as"):
        parse_time(raw)
