"""The tags of an article in the archive's GIN index: its source, publisher and slices of time.

A GIN index gives no order, and a common word has hundreds of thousands of matches. But the index
intersects: for a word and a slice of time it reads little more than the matches in that slice. So
newsintel finds the newest matches of any word slice by slice, backwards in time.

An article is in one slice of each of four widths. Wide slices cover long times with few tags.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

SLOT_S = 3 * 3600
"""Width of the narrowest slice, three hours: with five million articles over two years it holds
about a thousand.
"""

LEVELS = (0, 3, 6, 9)
"""The widths of slices as powers of two of a slot: three hours, a day, eight days, 64 days.

Eight slices make one of the next width. So a time range needs at most 14 tags of each width but the
last.
"""

_SLOT = "floor(date_part('epoch', published_at AT TIME ZONE 'UTC') / 10800)::bigint"

_SLICES = ", ".join(f"'{level}t' || ({_SLOT} >> {level})" for level in LEVELS)

TAGS = f"(ARRAY['s' || source, 'p' || publisher_key, {_SLICES}])"
"""The indexed expression; a query must repeat it exactly. It names the time zone, because
PostgreSQL only indexes expressions that never change.
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def compute_slot(moment: datetime) -> int:
    """Return the number of a moment's slot, counted from 1970; negative before."""
    return int((moment - _EPOCH).total_seconds() // SLOT_S)


def cover_slots(low: int, high: int) -> Iterator[str]:
    """Yield the tags of the widest slices that together cover the slots `low` to `high` - 1."""
    while low < high:
        level = max(
            level for level in LEVELS if low % (1 << level) == 0 and low + (1 << level) <= high
        )
        yield f"{level}t{low >> level}"
        low += 1 << level
