"""The drawing of a timeline: its bars cover all times, and their links are exact."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.archive.model import Bar
from newsintel.domain.text.moments import parse_time
from newsintel.http.pages.timeline import (
    HEIGHT,
    LEAST_HEIGHT,
    MOST_BARS,
    WIDTH,
    count_times,
    draw_timeline,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
times = st.lists(
    st.datetimes(datetime(2000, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - Hypothesis adds the zone
    min_size=1,
    max_size=40,
)


def test_nothing_is_not_drawn():
    """There is no drawing without a time."""
    assert draw_timeline(count_times([])) is None


def test_one_time_is_one_bar_of_an_hour():
    """Its link has the hour's first and last second."""
    drawn = draw_timeline(count_times([NOON + timedelta(minutes=20)]))
    assert (drawn.columns, drawn.step_s, drawn.start) == (1, 3600, "2026-03-02T12:00:00Z")
    [bar] = drawn.bars
    assert (bar.start, bar.end) == ("2026-03-02T12:00:00Z", "2026-03-02T12:59:59Z")
    assert bar.label == "2 Mar 2026, 12:00: 1 story"
    assert (bar.x, bar.width, bar.height) == (0, WIDTH, HEIGHT)


def test_whole_days_are_written_as_dates():
    """A date means the whole day, for both ends. Empty days have no bar."""
    drawn = draw_timeline([Bar(NOON.replace(hour=0) + timedelta(days=n), n % 2) for n in range(4)])
    assert [(bar.start, bar.end, bar.x) for bar in drawn.bars] == [
        ("2026-03-03", "2026-03-03", 180),
        ("2026-03-05", "2026-03-05", 540),
    ]
    assert (drawn.first, drawn.last) == ("2 Mar 2026", "5 Mar 2026")


def test_a_long_time_has_wider_bars():
    """Bars begin on Mondays if they stand for weeks, and neighbours are joined."""
    weeks = draw_timeline(count_times([NOON, NOON + timedelta(days=300)]))
    assert (weeks.step_s, weeks.bars[0].start) == (7 * 86400, "2026-03-02")
    days = [Bar(NOON.replace(hour=0) + timedelta(days=number), 1) for number in range(100)]
    joined = draw_timeline(days)
    assert (joined.columns, joined.step_s) == (34, 3 * 86400)
    assert joined.bars[0].label == "2 Mar 2026 to 4 Mar 2026: 3 stories"


def test_one_story_is_visible_beside_hundreds():
    """The smallest bar has a least height."""
    drawn = draw_timeline([Bar(NOON, 1000), Bar(NOON + timedelta(hours=1), 1)])
    assert [bar.height for bar in drawn.bars] == [HEIGHT, LEAST_HEIGHT]


@given(times)
def test_every_time_is_in_exactly_one_bar(moments):
    """The bars' links together find each story once, in at most MOST_BARS bars."""
    bars = count_times(moments)
    assert sum(bar.count for bar in bars) == len(moments)
    drawn = draw_timeline(bars, timedelta(hours=1))
    assert drawn.columns <= MOST_BARS
    spans = [(parse_time(bar.start), parse_time(bar.end, end=True)) for bar in drawn.bars]
    for moment in moments:
        whole = moment.replace(microsecond=0)
        assert sum(start <= whole <= end for start, end in spans) == 1
