"""When an alert is due, on the clock of its person."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from dateutil.tz import gettz
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.alerts.digests import Every, is_time_zone, next_due

ZONES = st.sampled_from(sorted(available_timezones()))
YEAR_S = 365 * 86_400
MOMENTS = st.integers(30 * YEAR_S, 67 * YEAR_S).map(lambda at: datetime.fromtimestamp(at, UTC))


def due(every: Every, zone: str, now: str) -> str:
    """When an alert is due, as text."""
    return next_due(every, zone, datetime.fromisoformat(now)).isoformat()


def test_at_once_is_now():
    """In UTC."""
    assert due(Every.AT_ONCE, "Asia/Tokyo", "2026-05-01T12:34:56+02:00") == (
        "2026-05-01T10:34:56+00:00"
    )


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        ("UTC", "2026-05-01T12:34:56+00:00", "2026-05-01T13:00:00+00:00"),
        ("UTC", "2026-05-01T13:00:00+00:00", "2026-05-01T14:00:00+00:00"),
        ("Asia/Kolkata", "2026-05-01T12:34:00+00:00", "2026-05-01T13:30:00+00:00"),
        ("Asia/Kathmandu", "2026-05-01T12:34:00+00:00", "2026-05-01T13:15:00+00:00"),
        # Half an hour back (02:00 to 01:30), and forth (02:00 to 02:30).
        ("Australia/Lord_Howe", "2026-04-04T14:15:00+00:00", "2026-04-04T15:30:00+00:00"),
        ("Australia/Lord_Howe", "2026-10-03T15:15:00+00:00", "2026-10-03T16:00:00+00:00"),
        # 02:30 became 03:00 (Venezuela, 1 May 2016).
        ("America/Caracas", "2016-05-01T06:45:00+00:00", "2016-05-01T07:00:00+00:00"),
    ],
)
def test_hourly_at_the_full_hour_of_the_zone(zone, now, expected):
    """Also where clocks differ from UTC by parts of an hour, or change by them."""
    assert due(Every.HOUR, zone, now) == expected


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        ("Europe/Berlin", "2026-01-10T06:59:59+00:00", "2026-01-10T07:00:00+00:00"),
        ("Europe/Berlin", "2026-01-10T07:00:00+00:00", "2026-01-11T07:00:00+00:00"),
        # The night with 23 hours, and the one with 25.
        ("Europe/Berlin", "2026-03-28T07:00:00+00:00", "2026-03-29T06:00:00+00:00"),
        ("Europe/Berlin", "2026-10-24T06:00:00+00:00", "2026-10-25T07:00:00+00:00"),
        ("America/Los_Angeles", "2026-07-01T00:00:00+00:00", "2026-07-01T15:00:00+00:00"),
        # Samoa had no 30 December 2011: 24 hours later it is the morning of the 31st.
        ("Pacific/Apia", "2011-12-29T18:00:00+00:00", "2011-12-30T18:00:00+00:00"),
    ],
)
def test_daily_at_eight_in_the_zone(zone, now, expected):
    """On days of 23, 24 and 25 hours."""
    assert due(Every.DAY, zone, now) == expected


@given(ZONES, MOMENTS)
def test_hourly_is_the_first_full_hour_that_dateutil_shows(zone, now):
    """dateutil reads the same database with code of its own."""
    found, other = next_due(Every.HOUR, zone, now), gettz(zone)
    assert now < found <= now + timedelta(minutes=90)
    assert found.astimezone(other).strftime("%M:%S.%f") == "00:00.000000"
    minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while minute < found:
        assert minute.astimezone(other).minute
        minute += timedelta(minutes=1)


@given(ZONES, MOMENTS)
def test_daily_is_once_a_day(zone, now):
    """At 08:00 as dateutil shows it."""
    found, shown = next_due(Every.DAY, zone, now), now.astimezone(ZoneInfo(zone))
    assert now < found <= now + timedelta(hours=25)
    morning = found.astimezone(gettz(zone))
    assert (morning.hour, morning.minute, morning.second) == (8, 0, 0)
    assert morning.date() - shown.date() <= timedelta(days=2 if zone == "Pacific/Apia" else 1)


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/Argentina/Ushuaia", "UTC", "Etc/GMT+5"])
def test_names_of_zones(name):
    """Those of the IANA database."""
    assert is_time_zone(name)


@pytest.mark.parametrize(
    "name",
    ["", "Europe", "Europe/", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "Europe/Berlin\0",
     "Ευρώπη/Αθήνα", "\ud800", "Europe/" + "a" * 60, ".", "tzdata.zi", "GMT+25",
     "localtime", "posixrules", "posix/Europe/Berlin", "right/Europe/Berlin"],
)  # fmt: skip
def test_other_texts_are_no_zones(name):
    """Folders and paths of the database among them, and what only some systems have."""
    assert not is_time_zone(name)


@pytest.mark.parametrize("every", Every)
@pytest.mark.parametrize(
    "gone", ["US/Pacific-New", "posix/Europe/Nowhere", "", "Europe", "zone.tab", "../x"]
)
def test_a_zone_that_this_machine_does_not_know_counts_as_utc(every, gone):
    """It was stored elsewhere, or has been renamed. An error would end every process."""
    now = datetime(2026, 5, 1, 12, 34, tzinfo=UTC)
    assert next_due(every, gone, now) == next_due(every, "UTC", now)
