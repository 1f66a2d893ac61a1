"""What the archive's one GIN index knows of an article beside its words: its source, its publisher and its slices of time.

A GIN index gives no order, and a common word has hundreds of thousands of matches. But it intersects: asked for a word and a slice of time
it reads little more than the matches in that slice. So the newest matches are found slice by slice, backwards, whatever the word.

An article is in one slice of each of four widths, of which wide ones cover long times with few names.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

SLOT_S = 3 * 3600
"""The narrowest slice, three hours: at five million articles over two years it holds about a thousand."""

LEVELS = (0, 3, 6, 9)
"""The widths of slices, each as the power of two that it has of slots: three hours, a day, eight days, 64 days.

Eight of one make one of the next, so a stretch of time takes at most 14 names of each width but the last.
"""

_SLOT = "floor(date_part('epoch', published_at AT TIME ZONE 'UTC') / 10800)::bigint"

_SLICES = ", ".join(f"'{level}t' || ({_SLOT} >> {level})" for level in LEVELS)

TAGS = f"(ARRAY['s' || source, 'p' || publisher_key, {_SLICES}])"
"""The indexed expression; a query must repeat it to the letter. The zone is spelt out so that PostgreSQL knows: it never changes."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def slot(moment: datetime) -> int:
    """The slot that a moment is in, counted from 1970; negative before."""
    return int((moment - _EPOCH).total_seconds() // SLOT_S)


def cover(low: int, high: int) -> Iterator[str]:
    """The tags of the widest slices that together are the slots from `low` to `high`, that one not included."""
    while low < high:
        level = max(level for level in LEVELS if low % (1 << level) == 0 and low + (1 << level) <= high)
        yield f"{level}t{low >> level}"
        low += 1 << level
