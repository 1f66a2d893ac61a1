"""When a feed is polled next. It is what the polite do (Miniflux, CommaFeed).

The pause is the longest of what the feed's own rhythm suggests, what it says in its `ttl`, and what
its server says in Cache-Control, Expires and Retry-After. It is at least FEEDS_POLL_MIN_S and at
most FEEDS_POLL_MAX_S.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from attrs import frozen

QUIET_DAYS = ((30, 1), (14, 2), (7, 4))
"""A feed without a new item for this many days is polled at most so many times in POLL_MAX_S."""

FAILED_S = 3600.0
"""A feed that fails is polled after one hour more for each failure (CommaFeed)."""

JITTER = 0.1
"""A pause is made up to a tenth longer, so that feeds which failed together do not come together
again."""


@frozen
class PollBounds:
    """FEEDS_POLL_MIN_S and FEEDS_POLL_MAX_S, in seconds."""

    min_s: float
    max_s: float

    def clamp(self, pause_s: float) -> float:
        """Return the pause within the bounds."""
        return min(max(pause_s, self.min_s), self.max_s)


def find_rhythm_s(dates: Iterable[datetime], ttl_s: float) -> float:
    """Return the pause that a feed's content suggests: half the mean gap between its items, or ttl.

    Args:
        dates: when its items were published.
        ttl_s: from the feed itself; 0 = none.
    """
    ordered = sorted(dates)
    gaps = len(ordered) - 1
    if gaps < 1:
        return ttl_s
    return max(ttl_s, (ordered[-1] - ordered[0]).total_seconds() / gaps / 2)


def plan_pause_s(
    rhythm_s: float,
    newest_at: datetime | None,
    headers: Mapping[str, str],
    bounds: PollBounds,
    now: datetime,
) -> float:
    """Return the seconds until a feed that answered is polled again, without jitter.

    Args:
        rhythm_s: what its content suggests.
        newest_at: when its newest item was published; None if unknown.
        headers: of the reply, by lower-case name.
        bounds: the shortest and the longest pause.
        now: the time of the reply.
    """
    quiet_s = _find_quiet_s(newest_at, bounds.max_s, now)
    retry_s = read_retry_after_s(headers.get("retry-after", ""), now)
    wanted_s = max(rhythm_s, quiet_s, read_freshness_s(headers, now), retry_s)
    return bounds.clamp(wanted_s)


def _find_quiet_s(newest_at: datetime | None, max_s: float, now: datetime) -> float:
    """Return the shortest pause of a feed that has had no new item for days; 0 for others."""
    if newest_at is None:
        return 0.0
    silent = now - newest_at
    return next((max_s / times for days, times in QUIET_DAYS if silent >= timedelta(days)), 0.0)


def plan_failure_pause_s(failures: int, asked_s: float, bounds: PollBounds) -> float:
    """Return the seconds until a feed that failed is polled again, without jitter.

    Args:
        failures: in a row, with this one.
        asked_s: from Retry-After; 0 = none.
        bounds: the shortest and the longest pause.
    """
    return bounds.clamp(max(FAILED_S * failures, asked_s))


def read_freshness_s(headers: Mapping[str, str], now: datetime) -> float:
    """Return for how many seconds a reply stays fresh (RFC 9111, 4.2.1); 0 if it does not say.

    Cache-Control has priority over Expires, and the reply's Age counts.
    """
    asked: dict[str, str] = {}
    for part in headers.get("cache-control", "").lower().split(","):
        name, _, value = part.strip().partition("=")
        asked.setdefault(name, value.strip('" '))
    if "max-age" in asked:
        return max(0.0, _read_seconds(asked["max-age"]) - _read_seconds(headers.get("age", "")))
    if {"no-cache", "no-store"} & asked.keys() or "expires" not in headers:
        return 0.0
    until = _read_date(headers["expires"])
    since = _read_date(headers.get("date", "")) or now
    return max(0.0, (until - since).total_seconds()) if until else 0.0


def read_retry_after_s(value: str, now: datetime) -> float:
    """Return the seconds of a Retry-After header (RFC 9110, 10.2.3); 0 if there is none."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return _read_seconds(text)
    until = _read_date(text)
    return max(0.0, (until - now).total_seconds()) if until else 0.0


def _read_seconds(text: str) -> float:
    """Return a whole number of seconds; 0 if it is none. More than ten digits are a fault."""
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 10 else 0.0


def _read_date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
