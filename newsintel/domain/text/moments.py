"""Reads times as people write them: RFC 3339, or a date, which means the start or end of that day.

All are in UTC.
"""

import re
from datetime import UTC, date, datetime, time

_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"

_MOMENT = _DATE + r"[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"

_LEAP_SECOND = re.compile(r"(?<=:[0-5][0-9]):60(?=[.,Z+-])")

EARLIEST_TIME, LATEST_TIME = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Stored times of people's data lie in this range. The end is exclusive. The tables' own checks use
the same range."""


def parse_time(raw: str, *, end: bool = False) -> datetime:
    """Read a time; the result is in UTC.

    Args:
        raw: as written.
        end: a date without a time means its last moment, else its first.

    Raises:
        ValueError: it is not a date or a time. The message states the rule.
    """
    try:
        if re.fullmatch(_DATE, raw):
            return datetime.combine(
                date.fromisoformat(raw), time.max if end else time.min, tzinfo=UTC
            )
        if re.fullmatch(_MOMENT, raw):
            return datetime.fromisoformat(raw.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # well-formed, but the day does not exist or is outside the years 1 to 9999 in UTC
    raise ValueError("must be a date such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z")


def read_moment(raw: str) -> datetime:
    """Read a time that another program wrote: RFC 3339, and what Python reads beside it.

    RFC 3339 allows t and z, and seconds of 60 (5.6 and 5.7), which Python does not. A leap second
    counts as the second before it.

    Returns:
        The time; without a zone if it has no offset.

    Raises:
        ValueError: it is not a time.
    """
    return datetime.fromisoformat(_LEAP_SECOND.sub(":59", raw.upper()))


def format_time(moment: datetime, timespec: str = "milliseconds") -> str:
    """Write an aware time as RFC 3339 in UTC, e.g. `2026-01-02T03:04:05.678Z`.

    Digits finer than `timespec` are cut off.
    """
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=timespec) + "Z"
