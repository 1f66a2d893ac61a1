"""Matches over time: bars of equal width without gaps."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from newsintel.domain.archive.model import Bar, Bucket
from newsintel.errors import InvalidParameterError

MOST_BARS = 1_000
"""Of a timeline (contract)."""

WIDTHS = {Bucket.HOUR: timedelta(hours=1), Bucket.DAY: timedelta(days=1), Bucket.WEEK: timedelta(weeks=1)}

_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


def bars(counts: Mapping[datetime, int], start: datetime | None, end: datetime | None, bucket: Bucket) -> tuple[Bar, ...]:
    """Bars from the first wanted moment, or else the first match, to the last; () if nothing says where to begin or to end.

    Args:
        counts: matches by the beginning of their bar.
        start: first moment wanted.
        end: last moment wanted.
        bucket: their width.

    Raises:
        InvalidParameterError: there would be more than MOST_BARS.
    """
    first = begin(start, bucket) if start else min(counts, default=None)
    last = begin(end, bucket) if end else max(counts, default=None)
    if first is None or last is None:
        return ()
    number = (last - first) // WIDTHS[bucket] + 1
    if number > MOST_BARS:
        raise too_many()
    starts = (first + WIDTHS[bucket] * place for place in range(number))
    return tuple(Bar(moment, counts.get(moment, 0)) for moment in starts)


def begin(moment: datetime, bucket: Bucket) -> datetime:
    """When the bar that a moment is in begins."""
    return moment - (moment - _MONDAY) % WIDTHS[bucket]


def too_many() -> InvalidParameterError:
    """The refusal of a timeline with more than MOST_BARS."""
    return InvalidParameterError(
        "bucket", "too_many_buckets", f"bucket would give more than {MOST_BARS:,} buckets: ask for wider ones, or a shorter time."
    )
