"""Moments as people write them: an RFC 3339 date-time, or a bare date that stands for one end of its day in UTC."""

import re
from datetime import UTC, date, datetime, time

_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"

_MOMENT = _DATE + r"[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"

KEPT_FROM, KEPT_UNTIL = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""What is kept of people lies between: the first moment that may be, and the first that may not. The tables' own checks say the same."""


def read_moment(raw: str, *, end: bool = False) -> datetime:
    """A moment in UTC.

    Args:
        raw: as written.
        end: a bare date stands for its last moment, else for its first.

    Raises:
        ValueError: it is neither; the message states the rule.
    """
    try:
        if re.fullmatch(_DATE, raw):
            return datetime.combine(date.fromisoformat(raw), time.max if end else time.min, tzinfo=UTC)
        if re.fullmatch(_MOMENT, raw):
            return datetime.fromisoformat(raw.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # well-formed but no such day, or outside the years 1 to 9999 in UTC: the same words apply
    raise ValueError("must be a date such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z")


def rfc3339(moment: datetime, timespec: str = "milliseconds") -> str:
    """An aware time as RFC 3339 in UTC, e.g. `2026-01-02T03:04:05.678Z`; finer digits are cut off."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=timespec) + "Z"
