"""Dates and times as people write them."""

from datetime import UTC, datetime

import pytest

from newsintel.domain.text.moments import parse_time, read_moment


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


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        # RFC 3339, 5.8
        ("1985-04-12T23:20:50.52Z", datetime(1985, 4, 12, 23, 20, 50, 520000, UTC)),
        ("1996-12-19t16:39:57-08:00", datetime(1996, 12, 20, 0, 39, 57, tzinfo=UTC)),
        ("1990-12-31T23:59:60z", datetime(1990, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("1990-12-31T15:59:60-08:00", datetime(1990, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_times_of_other_programs_are_read_as_rfc_3339_writes_them(raw, moment):
    """Its letters may be small, and a leap second has no number of its own."""
    assert read_moment(raw) == moment


def test_a_time_without_an_offset_has_no_zone():
    """The caller decides what that means."""
    assert read_moment("2026-01-31 12:00:00").tzinfo is None
    with pytest.raises(ValueError, match="Invalid isoformat"):
        read_moment("yesterday")
