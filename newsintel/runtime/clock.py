"""The time of day, as a `WallClock`."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the current time as aware UTC."""
    return datetime.now(UTC)
