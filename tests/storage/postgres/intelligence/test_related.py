"""Related searches on a real PostgreSQL.

Common people or common articles relate them, never under the floor.
"""

import pytest

from newsintel.domain.intelligence.search_counts import QueryRelation
from newsintel.storage.postgres.intelligence import related
from newsintel.storage.postgres.intelligence.related import PostgresRelatedSearches
from tests.storage.postgres.searching import DAY, FLOOR, TODAY, Crowd, people
from tests.storage.support import NOON

IDS = tuple(f"a_{number}" for number in range(10))


@pytest.fixture
def crowd(postgres):
    """People who search."""
    return Crowd(postgres)


@pytest.fixture
def kin(postgres):
    """Returns the searches related to some queries."""
    kinship = PostgresRelatedSearches(postgres)

    async def of(*seeds, today=TODAY, floor=FLOOR, own=False):
        return sorted(
            await kinship.find_related(seeds, today, floor, own=own),
            key=lambda one: (one.seed, one.query),
        )

    return of


async def test_searches_of_the_same_people_are_related(crowd, kin):
    """A person who searched for both on one day, in either order, counts once.

    Each query finds the other.
    """
    for at in (NOON - DAY, NOON, NOON):
        await crowd.search("flood", *people(5), at=at)
        await crowd.search("dyke", *people(4), at=at)
    assert await kin("flood") == [QueryRelation("flood", "dyke", 8, 10, 8, 0, 0)]
    assert await kin("dyke") == [QueryRelation("dyke", "flood", 10, 8, 8, 0, 0)]


async def test_searches_with_the_same_articles_are_related(crowd, kin):
    """The first articles of both answers decide, even if no person made both searches."""
    await crowd.search("flood", *people(3), articles=IDS[:8])
    await crowd.search("dyke", *people(3, "q"), articles=IDS[2:10])
    await crowd.search("tide", *people(3, "r"), articles=("a_x",))
    assert await kin("flood") == [QueryRelation("flood", "dyke", 3, 3, 0, 6, 10)]


async def test_closed_days_count_once(crowd, kin):
    """A past day adds its pairs once, even while its marks still exist."""
    for day in (3, 0):
        for query in ("flood", "dyke"):
            await crowd.search(query, *people(3), at=NOON - day * DAY, articles=IDS)
    await crowd.marks.close_days(TODAY, FLOOR)
    assert await kin("flood") == [QueryRelation("flood", "dyke", 6, 6, 6, 10, 10)]


@pytest.mark.parametrize("own", [False, True])
async def test_query_under_the_floor_is_never_shown(crowd, kin, own):
    """Neither its people nor its articles show it, on an open day and later.

    With a lower floor it is shown.
    """
    await crowd.search("flood", *people(5), at=NOON - DAY, articles=IDS)
    await crowd.search("secret", *people(2), at=NOON - DAY, articles=IDS)
    assert await kin("flood", own=own) == []
    assert [one.query for one in await kin("flood", floor=2, own=own)] == ["secret"]
    await crowd.marks.close_days(TODAY + DAY, FLOOR)
    assert await kin("flood", floor=2, own=own, today=TODAY + DAY) == []


async def test_pair_under_the_floor_is_not_related(crowd, kin):
    """Two people who made both of two popular searches are too few.

    This also holds when their days are closed.
    """
    await crowd.search("flood", *people(5), at=NOON - DAY)
    await crowd.search("embassy", *people(5, "q"), *people(2), at=NOON - DAY)
    assert await kin("flood") == []
    assert [one.together for one in await kin("flood", floor=2)] == [2]
    await crowd.marks.close_days(TODAY + DAY, FLOOR)
    assert await kin("flood", floor=2, today=TODAY + DAY) == []


async def test_one_person_on_many_days_counts_once(crowd, kin):
    """A person who makes both searches every day for a week relates nothing."""
    for day in reversed(range(7)):
        for query in ("private", "my own"):
            await crowd.search(query, "u_alice", at=NOON - day * DAY, articles=IDS)
    assert await kin("private") == []
    await crowd.marks.close_days(TODAY, FLOOR)
    assert await kin("private") == []


async def test_answer_does_not_show_whether_a_query_was_made(crowd, kin):
    """A query under the floor has no related searches, like one that nobody made.

    For its own person it has them.
    """
    await crowd.search("flood", *people(5), articles=IDS)
    await crowd.search("secret", "u_alice", articles=IDS)
    assert await kin("secret") == await kin("never made") == []
    assert await kin("secret", own=True) == [QueryRelation("secret", "flood", 5, 0, 0, 10, 10)]


async def test_days_counted_under_a_lower_floor_do_not_add_up(crowd, kin):
    """Three people on each of several days are not four.

    This holds for the seed, for the pair and for the shown query.
    """
    for day in (4, 3):
        await crowd.search("secret", *people(3), at=NOON - day * DAY, articles=IDS)
        await crowd.search("flood", *people(5), at=NOON - day * DAY, articles=IDS)
        await crowd.search("dyke", *people(3), *people(2, "q"), at=NOON - day * DAY)
    await crowd.marks.close_days(TODAY, FLOOR)
    assert len(await kin("secret")) == 2
    assert await kin("secret", floor=4) == []
    assert [one.query for one in await kin("flood")] == ["dyke", "secret"]
    assert await kin("flood", floor=4) == []


@pytest.mark.parametrize("days_ago", [0, 3])
async def test_queries_under_the_floor_displace_no_other(crowd, kin, monkeypatch, days_ago):
    """Many private searches may find the same articles: a query above the floor is still found."""
    monkeypatch.setattr(related, "MOST_KIN", 1)
    at = NOON - days_ago * DAY
    await crowd.search("flood", *people(5), at=at, articles=IDS)
    await crowd.search("dyke", *people(5, "q"), at=at, articles=IDS[:2])
    await crowd.search("a private one", *people(3, "r"), at=at, articles=IDS)
    await crowd.marks.close_days(TODAY, FLOOR)
    assert [one.query for one in await kin("flood", floor=4)] == ["dyke"]


async def test_each_seed_has_its_own_related_searches(crowd, kin):
    """Each has its own numbers and its own kind of relation."""
    await crowd.search("flood", *people(4))
    await crowd.search("dyke", *people(4))
    await crowd.search("quake", *people(3, "q"), articles=IDS)
    await crowd.search("volcano", *people(3, "r"), articles=IDS)
    assert await kin("flood", "quake", own=True) == [
        QueryRelation("flood", "dyke", 4, 4, 4, 0, 0),
        QueryRelation("quake", "volcano", 3, 3, 0, 10, 10),
    ]
    assert await kin() == []
