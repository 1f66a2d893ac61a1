"""A timeline: how many stories there are in each stretch of time, as bars of an SVG drawing."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil

from attrs import frozen

from newsintel.domain.archive.model import Bar

WIDTH, HEIGHT = 720, 56
"""Of the drawing, in its own units."""
LEAST_HEIGHT = 3
"""Of a bar, so that one story is visible beside hundreds."""
MOST_BARS = 48
HOUR_S, DAY_S = 3600, 86400
STEPS_S = (
    HOUR_S,
    3 * HOUR_S,
    6 * HOUR_S,
    12 * HOUR_S,
    DAY_S,
    2 * DAY_S,
    7 * DAY_S,
    28 * DAY_S,
    91 * DAY_S,
    364 * DAY_S,
)
"""The widths that a bar may stand for; wider ones are multiples of the last."""
EPOCH = datetime(1999, 1, 4, tzinfo=UTC)
"""A Monday at midnight, where bars may begin."""


@frozen
class DrawnBar:
    """One bar of a drawing.

    Attributes:
        start: the first moment of its time as the parameter `from` takes it.
        end: the last moment, as the parameter `to` takes it.
        label: its time and count in words.
        x: of its left edge.
        width: of the whole column.
        height: of the bar, at most HEIGHT.
    """

    start: str
    end: str
    label: str
    x: float
    width: float
    height: float


@frozen
class Timeline:
    """A drawing: columns of equal width, and bars in those that are not empty.

    Attributes:
        bars: in order.
        columns: their number.
        start: of the first column, RFC 3339.
        step_s: the time of one column, in seconds.
        first: the first day in words.
        last: the last day in words.
    """

    bars: tuple[DrawnBar, ...]
    columns: int
    start: str
    step_s: int
    first: str
    last: str


def count_times(times: Sequence[datetime]) -> tuple[Bar, ...]:
    """Return bars of equal width, at most MOST_BARS, for all times; () without times."""
    if not times:
        return ()
    first, last = min(times), max(times)
    step_s = _choose_step((last - first).total_seconds())
    start = _round_down(first, step_s)
    counts = [0] * (int((last - start).total_seconds() // step_s) + 1)
    for moment in times:
        counts[int((moment - start).total_seconds() // step_s)] += 1
    return tuple(
        Bar(start + timedelta(seconds=step_s * place), count) for place, count in enumerate(counts)
    )


def draw_timeline(bars: Sequence[Bar], step: timedelta | None = None) -> Timeline | None:
    """Draw bars; neighbours are joined until there are at most MOST_BARS. None without bars.

    Args:
        bars: in order, of equal width.
        step: the width, if there may be one bar only.
    """
    if not bars:
        return None
    width = bars[1].start - bars[0].start if len(bars) > 1 else step or timedelta(seconds=HOUR_S)
    together = ceil(len(bars) / MOST_BARS)
    joined = [
        Bar(bars[place].start, sum(bar.count for bar in bars[place : place + together]))
        for place in range(0, len(bars), together)
    ]
    return Timeline(
        tuple(_draw_bars(joined, width * together)),
        len(joined),
        _format_time(joined[0].start),
        round((width * together).total_seconds()),
        _format_day(joined[0].start),
        _format_day(joined[-1].start),
    )


def _draw_bars(bars: Sequence[Bar], width: timedelta) -> Iterator[DrawnBar]:
    column, highest = WIDTH / len(bars), max(bar.count for bar in bars)
    whole_days = width.total_seconds() % DAY_S == 0
    for place, bar in enumerate(bars):
        if bar.count:
            end = bar.start + width - timedelta(seconds=1)
            stories = "story" if bar.count == 1 else "stories"
            yield DrawnBar(
                f"{bar.start:%Y-%m-%d}" if whole_days else _format_time(bar.start),
                f"{end:%Y-%m-%d}" if whole_days else _format_time(end),
                f"{_format_span(bar.start, width)}: {bar.count} {stories}",
                round(place * column, 1),
                round(column, 1),
                round(max(HEIGHT * bar.count / highest, LEAST_HEIGHT), 1),
            )


def _choose_step(span_s: float) -> int:
    """Return the smallest width for which a span needs at most MOST_BARS bars."""
    for step_s in STEPS_S:
        if span_s / step_s < MOST_BARS - 1:
            return step_s
    return STEPS_S[-1] * ceil(span_s / STEPS_S[-1] / (MOST_BARS - 1))


def _round_down(moment: datetime, step_s: int) -> datetime:
    return EPOCH + timedelta(seconds=(moment - EPOCH).total_seconds() // step_s * step_s)


def _format_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _format_day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b} {moment.year:04d}"


def _format_span(start: datetime, width: timedelta) -> str:
    if width < timedelta(days=1):
        return f"{_format_day(start)}, {start:%H:%M}"
    if width == timedelta(days=1):
        return _format_day(start)
    return f"{_format_day(start)} to {_format_day(start + width - timedelta(seconds=1))}"
