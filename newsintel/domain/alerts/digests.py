"""When an alert is due: at once, or with all others at the next hour or morning of its person.

Hours and days are those of the person's IANA time zone. The day on which clocks change has 23 or 25
hours, and in some zones the hour that is skipped or repeated is half an hour.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import Enum
from functools import cache, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

DIGEST_HOUR = 8
"""A daily digest is due at 08:00. No zone has ever skipped or repeated 08:00, except as part of a
whole day (Samoa, 30 December 2011)."""

QUARTER_S = 900
"""The clocks of all zones differ from UTC by whole quarters of an hour, since 1972 (Liberia)."""

MAX_ZONE_CHARS = 64
"""The longest name in the database, of 2026, has 32."""


class Every(Enum):
    """How often a saved search sends what it has found."""

    AT_ONCE = "at_once"
    HOUR = "hour"
    DAY = "day"


def next_due(every: Every, time_zone: str, now: datetime) -> datetime:
    """Return when an alert that was found now is sent, in UTC.

    It is now, or the first full hour or 08:00 after now on the person's clock.

    Args:
        every: how often the saved search sends.
        time_zone: a name for which `is_time_zone` held. One that this machine cannot load any more
            counts as UTC: databases outlive machines, and zones are renamed.
        now: an aware time.
    """
    if every is Every.AT_ONCE:
        return now.astimezone(UTC)
    find = _next_hour if every is Every.HOUR else _next_morning
    return find(_find_zone(time_zone), now)


def is_time_zone(name: str) -> bool:
    """Whether a name is one of the IANA time zones, such as `Europe/Berlin`.

    The names are those of the package `tzdata`, which is installed with newsintel. A system may
    have more, such as `localtime` and `posix/Europe/Berlin`, which other systems do not know.
    """
    return name in _list_names()


@cache
def _list_names() -> frozenset[str]:
    return frozenset(resources.files("tzdata").joinpath("zones").read_text("utf-8").split())


def _find_zone(name: str) -> tzinfo:
    try:
        return _load_zone(name)
    except (ValueError, OSError, KeyError):  # not a zone's file; not readable; unknown
        return UTC


@lru_cache(maxsize=1024)  # there are about 600
def _load_zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _next_hour(zone: tzinfo, now: datetime) -> datetime:
    """Return the first moment after now at which the clock of a zone shows a full hour.

    It is at most 90 minutes away: clocks may be set back by half an hour in between.
    """
    due = datetime.fromtimestamp(now.timestamp() // QUARTER_S * QUARTER_S, UTC)
    while due <= now or due.astimezone(zone).minute:
        due += timedelta(seconds=QUARTER_S)
    return due


def _next_morning(zone: tzinfo, now: datetime) -> datetime:
    """Return the first moment after now at which the clock of a zone shows DIGEST_HOUR."""
    today = now.astimezone(zone).date()
    due = _find_morning(zone, today)
    return due if due > now else _find_morning(zone, today + timedelta(days=1))


def _find_morning(zone: tzinfo, day: date) -> datetime:
    return datetime.combine(day, time(DIGEST_HOUR), zone).astimezone(UTC)
