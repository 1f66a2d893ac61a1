"""Trends on a real PostgreSQL: people count, not requests.

Nothing under the floor is shown, and each query is compared with its own usual number.
"""

from datetime import timedelta
from functools import partial

import pytest

from newsintel.domain.intelligence.search_counts import TrendWindow
from newsintel.domain.intelligence.trending import rank_trends
from newsintel.storage.postgres.intelligence.trending import PostgresTrending
from tests.storage.postgres.searching import DAY, FLOOR, HOUR, TODAY, Crowd, people
from tests.storage.support import NOON

MINUTE = timedelta(minutes=1)


@pytest.fixture
def crowd(postgres):
    """People who search."""
    return Crowd(postgres)


@pytest.fixture
def trends(postgres, execute):
    """Counts a window's list at a moment; returns queries and people."""
    trending = PostgresTrending(postgres)

    async def listed(span=TrendWindow.DAY, at=NOON, floor=FLOOR):
        await execute("DELETE FROM trending_made")
        assert await trending.rebuild_list(span, at, floor, partial(rank_trends, limit=100))
        return [(trend.query, trend.people) for trend in await trending.list_top(span, floor, 20)]

    return listed


async def test_people_are_counted_not_requests(crowd, trends):
    """A person who searches a hundred times counts once.

    Three people count as three, whatever they search before and after.
    """
    for minute in range(100):
        await crowd.search("alone", "alice", at=NOON - minute * MINUTE)
    for _ in range(2):
        await crowd.search("flood", *people(3))
    for span in TrendWindow:
        assert await trends(span) == [("flood", 3)]


@pytest.mark.parametrize("span", TrendWindow)
async def test_queries_under_the_floor_are_not_listed(crowd, trends, span):
    """Two people are too few for a floor of three, and enough for a floor of two."""
    await crowd.search("secret", *people(2))
    await crowd.search("flood", *people(3))
    assert await trends(span) == [("flood", 3)]
    assert {query for query, _ in await trends(span, floor=2)} == {"flood", "secret"}


async def test_floor_applies_when_a_list_is_read(crowd, trends, postgres):
    """A list may come from a time with a lower floor, or from a process with the old setting.

    Nothing under the floor is shown.
    """
    await crowd.search("secret", *people(2))
    await trends(floor=2)
    assert await PostgresTrending(postgres).list_top(TrendWindow.DAY, FLOOR, 20) == []


async def test_one_person_on_many_days_never_reaches_the_floor(crowd, trends, fetch):
    """Searches on both sides of midnight, or in every hour of a day, do not help.

    This holds for marks and for closed days.
    """
    for hours in range(24 * 7):
        await crowd.search("private", "u_alice", at=NOON - hours * HOUR)
    for span in TrendWindow:
        for hours in (0, 11, 12, 13):
            assert await trends(span, at=NOON + hours * HOUR) == []
    await crowd.marks.close_days(TODAY + DAY, FLOOR)
    for span in TrendWindow:
        assert await trends(span, at=NOON + DAY) == []
    assert await fetch("SELECT * FROM search_days") == []


async def test_two_people_around_midnight_are_not_four(crowd, trends):
    """Parts of a window are added up only if each part reaches the floor."""
    late, early = NOON + 11.75 * HOUR, NOON + 12.5 * HOUR
    for at in (late, early):
        await crowd.search("secret", "u_alice", "u_bob", at=at)
    await crowd.search("flood", *people(3), at=late)
    await crowd.search("flood", *people(4, "q"), "u_bob", at=early)
    await crowd.search("tide", *people(3), at=late)
    await crowd.search("tide", "u_alice", at=early)
    for span in (TrendWindow.HOUR, TrendWindow.DAY, TrendWindow.WEEK):
        assert dict(await trends(span, at=early + MINUTE)) == {"flood": 8, "tide": 3}


async def test_days_counted_under_a_lower_floor_do_not_add_up(crowd, trends):
    """Three people on each of four days do not reach a floor of four."""
    for day in range(2, 6):
        await crowd.search("secret", *people(3), at=NOON - day * DAY)
        await crowd.search("flood", *people(4), at=NOON - day * DAY)
    await crowd.marks.close_days(TODAY, FLOOR)
    assert await trends(TrendWindow.WEEK, floor=4) == [("flood", 16)]
    assert dict(await trends(TrendWindow.WEEK)) == {"flood": 16, "secret": 12}


async def test_each_window_has_its_length(crowd, trends):
    """People who searched before the window count if they search in the window again."""
    await crowd.search("last week", *people(3), at=NOON - 6 * DAY)
    await crowd.search("long ago", *people(3), at=NOON - 7 * DAY)
    await crowd.search("yesterday", *people(3), at=NOON - 23 * HOUR)
    await crowd.search("the day before", *people(3), at=NOON - 25 * HOUR)
    await crowd.search("again", *people(3), at=NOON - 10 * HOUR)
    await crowd.search("again", *people(3), at=NOON - 30 * MINUTE)
    await crowd.search("now", *people(3), at=NOON - MINUTE)
    await crowd.marks.close_days(TODAY, FLOOR)
    in_hour, in_day = {"again", "now"}, {"again", "now", "yesterday"}
    assert {query for query, _ in await trends(TrendWindow.HOUR)} == in_hour
    assert {query for query, _ in await trends(TrendWindow.DAY)} == in_day
    assert {query for query, _ in await trends(TrendWindow.WEEK)} == in_day | {
        "the day before",
        "last week",
    }


@pytest.mark.parametrize(
    ("span", "before"), [(TrendWindow.HOUR, 2), (TrendWindow.DAY, 2), (TrendWindow.WEEK, 7)]
)
async def test_unusual_query_outranks_a_query_that_is_always_popular(
    crowd, trends, postgres, span, before
):
    """A query that always has many people ranks below one with a few people and none before."""
    for day in range(before, 14):
        for hour in range(24 if span is TrendWindow.HOUR else 1):
            await crowd.search(
                "weather", *people(20, f"{day}:{hour}:"), at=NOON - day * DAY - (12 - hour) * HOUR
            )
    days = 7 if span is TrendWindow.WEEK else 1
    for day in range(days):
        await crowd.search("weather", *people(20, f"{day}:"), at=NOON - day * DAY - MINUTE)
    await crowd.marks.close_days(TODAY, FLOOR)
    await crowd.search("earthquake", *people(6), at=NOON - MINUTE)
    assert [query for query, _ in await trends(span)] == ["earthquake", "weather"]
    weather = (await PostgresTrending(postgres).list_top(span, FLOOR, 20))[1]
    assert weather.usual == pytest.approx(weather.people)


async def test_young_service_compares_with_its_own_days(crowd, trends, postgres):
    """Two days of counts are a baseline of two days, not of seven days with five empty ones."""
    for day in (2, 3):
        await crowd.search("weather", *people(10), at=NOON - day * DAY)
    await crowd.marks.close_days(TODAY, FLOOR)
    await crowd.search("weather", *people(10))
    await trends()
    (weather,) = await PostgresTrending(postgres).list_top(TrendWindow.DAY, FLOOR, 20)
    assert (weather.people, weather.usual) == (10, pytest.approx(10))


async def test_first_days_have_no_usual_number(crowd, trends, postgres):
    """The value is None; zero would mean that nobody searched before."""
    await crowd.search("weather", *people(10))
    await trends()
    (weather,) = await PostgresTrending(postgres).list_top(TrendWindow.DAY, FLOOR, 20)
    assert weather.usual is None


async def test_one_process_makes_the_list_for_all(crowd, postgres):
    """A second process keeps a new list.

    A later refresh makes it again, without queries that nobody makes any more.
    """
    trending = PostgresTrending(postgres)
    refresh = partial(trending.rebuild_list, floor=FLOOR, rank=partial(rank_trends, limit=100))
    await crowd.search("flood", *people(3))
    assert [
        await refresh(TrendWindow.HOUR, NOON + second * timedelta(seconds=1))
        for second in (0, 1, 6)
    ] == [True, False, False]
    assert len(await trending.list_top(TrendWindow.HOUR, FLOOR, 20)) == 1
    assert await refresh(TrendWindow.HOUR, NOON + 2 * HOUR)
    assert await trending.list_top(TrendWindow.HOUR, FLOOR, 20) == []


async def test_list_from_the_future_is_made_again(postgres):
    """The clock was set back."""
    refresh = partial(
        PostgresTrending(postgres).rebuild_list, floor=FLOOR, rank=partial(rank_trends, limit=100)
    )
    assert await refresh(TrendWindow.HOUR, NOON + DAY)
    assert await refresh(TrendWindow.HOUR, NOON)
