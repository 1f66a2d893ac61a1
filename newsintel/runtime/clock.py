"""The time of day, for all that is handed a `WallClock`."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The time now, as aware UTC."""
    return datetime.now(UTC)
