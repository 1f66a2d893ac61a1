"""Matches over time: bars of equal width without gaps."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from newsintel.domain.archive.model import Bar, Bucket
from newsintel.errors import InvalidParameterError

MOST_BARS = 1_000
"""Most bars of a timeline (contract)."""

WIDTHS = {
    Bucket.HOUR: timedelta(hours=1),
    Bucket.DAY: timedelta(days=1),
    Bucket.WEEK: timedelta(weeks=1),
}

_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


def build_bars(
    counts: Mapping[datetime, int], start: datetime | None, end: datetime | None, bucket: Bucket
) -> tuple[Bar, ...]:
    """Return the bars from `start` to `end`.

    Without `start` or `end`, the first or last match takes its place; without matches either, the
    result is ().

    Args:
        counts: number of matches by the start of their bar.
        start: first moment wanted.
        end: last moment wanted.
        bucket: width of the bars.

    Raises:
        InvalidParameterError: there would be more than MOST_BARS.
    """
    first = start_of_bar(start, bucket) if start else min(counts, default=None)
    last = start_of_bar(end, bucket) if end else max(counts, default=None)
    if first is None or last is None:
        return ()
    number = (last - first) // WIDTHS[bucket] + 1
    if number > MOST_BARS:
        raise too_many_bars_error()
    starts = (first + WIDTHS[bucket] * place for place in range(number))
    return tuple(Bar(moment, counts.get(moment, 0)) for moment in starts)


def start_of_bar(moment: datetime, bucket: Bucket) -> datetime:
    """Return the start of the bar that contains a moment."""
    return moment - (moment - _MONDAY) % WIDTHS[bucket]


def too_many_bars_error() -> InvalidParameterError:
    """Return the error for a timeline with more than MOST_BARS."""
    return InvalidParameterError(
        "bucket",
        "too_many_buckets",
        f"bucket would give more than {MOST_BARS:,} buckets: "
        "ask for wider ones, or a shorter time.",
    )
