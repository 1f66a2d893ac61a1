"""Search marks on a real PostgreSQL.

They are added once, removed with their person, and deleted when their day closes.
"""

from datetime import timedelta
from functools import partial

import pytest
import trio

from newsintel.config.values import Secret
from newsintel.domain.intelligence.marks import SearchMarker
from newsintel.domain.intelligence.search_counts import TrendWindow
from newsintel.domain.intelligence.trending import rank_trends
from newsintel.errors import UnavailableError
from newsintel.runtime import turns
from newsintel.storage import loop_turns
from newsintel.storage.postgres.accounts.accounts import PostgresAccounts
from newsintel.storage.postgres.intelligence import search_marks as module
from newsintel.storage.postgres.intelligence.trending import PostgresTrending
from newsintel.storage.postgres.personal.own_history import PostgresOwnHistory
from tests.storage.postgres.searching import DAY, FLOOR, HOUR, KEY, TODAY, Crowd, people
from tests.storage.support import NOON

IDS = ("a_1", "a_2", "a_3")


@pytest.fixture
def crowd(postgres):
    """People who search."""
    return Crowd(postgres)


async def test_marks_do_not_identify_people(crowd, execute, fetch):
    """Two queries, or two days, of one person have no common value."""
    await crowd.search("flood", "u_alice")
    await crowd.search("tide", "u_alice")
    await crowd.search("flood", "u_alice", at=NOON + DAY)
    marks = await fetch("SELECT mark FROM search_marks UNION ALL SELECT mark FROM pair_marks")
    assert len(marks) == len(set(marks)) == 4
    for table in ("search_marks", "pair_marks", "search_answers", "trending"):
        assert not await fetch(
            f"SELECT 1 FROM {table} AS t"  # noqa: S608
            " WHERE t::text LIKE '%alice%' OR t::text LIKE '%616c696365%'"
        )


async def test_first_articles_of_an_answer_are_stored(crowd, fetch):
    """They are replaced once an hour at most. A search without a result keeps them."""
    await crowd.search("flood", "a", articles=IDS)
    await crowd.search("flood", "b", articles=("a_9",), at=NOON + 59 * timedelta(minutes=1))
    await crowd.search("flood", "c", at=NOON + 2 * HOUR)
    assert await fetch("SELECT articles FROM search_answers") == [([*IDS],)]
    await crowd.search("flood", "d", articles=("a_9",), at=NOON + 2 * HOUR)
    assert await fetch("SELECT articles FROM search_answers") == [(["a_9"],)]


@pytest.mark.parametrize("rows", [1, 4, 1000])
async def test_queries_under_the_floor_are_deleted_when_the_day_closes(
    crowd, fetch, monkeypatch, rows
):
    """No table has its name then: neither marks nor counts, pairs or answers.

    A query that reached the floor becomes a count.
    """
    monkeypatch.setattr(module, "CLOSE_ROWS", rows)
    for query, number in (("flood", 3), ("tide", 4), ("secret", 2)):
        await crowd.search(query, *people(number), at=NOON - 2 * DAY, articles=IDS)
    await crowd.search("young secret", *people(2), at=NOON - DAY, articles=IDS)
    assert await crowd.marks.close_days(TODAY, FLOOR) == 9
    assert await fetch("SELECT query, day, people FROM search_days ORDER BY query") == [
        ("flood", TODAY - 2 * DAY, 3),
        ("tide", TODAY - 2 * DAY, 4),
    ]
    assert await fetch("SELECT low, high, people FROM pair_days") == [("flood", "tide", 3)]
    assert await fetch("SELECT query FROM search_answers ORDER BY query") == [
        ("flood",),
        ("tide",),
        ("young secret",),
    ]
    assert await fetch("SELECT DISTINCT query FROM search_marks") == [("young secret",)]
    assert await fetch("SELECT * FROM pair_marks") == []


async def test_counts_are_deleted_after_two_weeks(crowd, fetch):
    """Answers that only these counts referred to are deleted too."""
    await crowd.search("flood", *people(3), at=NOON - 13 * DAY, articles=IDS)
    await crowd.search("flood", *people(3, "q"), at=NOON - 13 * DAY + HOUR)
    await crowd.search("tide", *people(3), at=NOON - 13 * DAY)
    await crowd.marks.close_days(TODAY, FLOOR)
    assert len(await fetch("SELECT * FROM search_days")) == 2
    assert len(await fetch("SELECT * FROM pair_days")) == 1
    await crowd.marks.close_days(TODAY + DAY, FLOOR)
    assert (
        await fetch(
            "SELECT 1 FROM search_days UNION ALL SELECT 1 FROM pair_days"
            " UNION ALL SELECT 1 FROM search_answers"
        )
        == []
    )


async def test_concurrent_closes_count_everything_once(crowd, fetch, monkeypatch):
    """Each close uses short transactions. A later close counts only what is left."""
    monkeypatch.setattr(module, "DROP_ROWS", 7)
    for query in range(40):
        await crowd.search(f"query {query}", *people(1 + query % 5), at=NOON - 2 * DAY)
    gone = []

    async def close():
        gone.append(await crowd.marks.close_days(TODAY, FLOOR))

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(close)
    assert sum(gone) + await crowd.marks.close_days(TODAY, FLOOR) == 8 * (1 + 2 + 3 + 4 + 5)
    assert await fetch("SELECT count(*), sum(people) FROM search_days") == [(24, 8 * (3 + 4 + 5))]
    assert await fetch("SELECT 1 FROM search_marks") == []


async def test_concurrent_processes_add_the_same_marks(postgres, fetch):
    """No process loses marks, and each person counts once."""
    crowds = [Crowd(postgres) for _ in range(4)]

    async def search(crowd, backwards):
        for query in sorted(("flood", "tide", "quake"), reverse=backwards):
            await crowd.search(query, *people(30))

    async with trio.open_nursery() as nursery:
        for number, crowd in enumerate(crowds):
            nursery.start_soon(search, crowd, bool(number % 2))
    assert await fetch("SELECT query, count(*) FROM search_marks GROUP BY 1 ORDER BY 1") == [
        ("flood", 30),
        ("quake", 30),
        ("tide", 30),
    ]


@pytest.mark.parametrize("rows", [1, 3, 1000])
async def test_forgotten_person_is_in_no_count(crowd, fetch, monkeypatch, rows):
    """The marks go on both open days, alone and in pairs.

    Queries that no other person made disappear; the marks of others stay.
    """
    monkeypatch.setattr(module, "OPEN_ROWS", rows)
    monkeypatch.setattr(module, "PAIR_ROWS", rows)
    monkeypatch.setattr(module, "LOW_ROWS", rows)
    for at in (NOON - DAY, NOON):
        await crowd.search("planted", "u_alice", at=at, articles=IDS)
        await crowd.search("flood", "u_alice", *people(2), at=at, articles=IDS)
        await crowd.search("tide", "u_alice", *people(3), at=at)
    others = "SELECT count(*) FROM search_marks UNION ALL SELECT count(*) FROM pair_marks"
    assert await fetch(others) == [(16,), (2 * (3 + 2),)]
    await crowd.forget("u_alice")
    assert await fetch(others) == [(10,), (2 * 2,)]
    assert await fetch("SELECT DISTINCT query FROM search_marks ORDER BY 1") == [
        ("flood",),
        ("tide",),
    ]
    assert await fetch("SELECT query FROM search_answers") == [("flood",)]


async def test_other_work_runs_between_the_marks_of_a_person(crowd, monkeypatch):
    """A program that searches all day makes hundreds of thousands of pairs."""
    for number in range(9):
        await crowd.search(f"query {number}", "u_alice")
    find, pause = crowd.marking.make_marks_finder("u_alice"), loop_turns._pause
    pauses, marked_after = 0, []

    def find_counting_pauses(day, *queries):
        if len(queries) == 2:
            marked_after.append(pauses)
        return find(day, *queries)

    async def count_pauses():
        nonlocal pauses
        pauses += 1
        await pause()

    monkeypatch.setattr(turns, "TURN_S", 0)
    monkeypatch.setattr(loop_turns, "_pause", count_pauses)
    await crowd.marks.forget_person(find_counting_pauses)
    assert len(marked_after) == len(set(marked_after)) == sum(range(9))


async def test_trending_list_loses_the_queries_of_a_forgotten_person(crowd, postgres):
    """They disappear at once.

    A query that is still above the floor returns with the next refresh.
    """
    trending = PostgresTrending(postgres)
    refresh = partial(trending.rebuild_list, floor=FLOOR, rank=partial(rank_trends, limit=100))
    await crowd.search("flood", "u_alice", *people(2))
    await crowd.search("tide", "u_alice", *people(3))
    await crowd.search("quake", *people(3))
    await refresh(TrendWindow.DAY, NOON)
    await crowd.forget("u_alice")
    assert [trend.query for trend in await trending.list_top(TrendWindow.DAY, FLOOR, 20)] == [
        "quake"
    ]
    await refresh(TrendWindow.DAY, NOON + HOUR)
    assert [trend.query for trend in await trending.list_top(TrendWindow.DAY, FLOOR, 20)] == [
        "quake",
        "tide",
    ]


async def test_forgetting_includes_a_list_made_at_the_same_time(
    crowd, postgres, fetch, holding, somebody_waits
):
    """Forgetting waits for a list that was counted with the person."""
    trending = PostgresTrending(postgres)
    await crowd.search("flood", "u_alice", *people(2))
    await trending.rebuild_list(
        TrendWindow.DAY, NOON - HOUR, FLOOR, partial(rank_trends, limit=100)
    )

    async with (
        trio.open_nursery() as nursery,
        holding("UPDATE trending_made SET at = at", "DELETE FROM trending") as refresh,
    ):
        nursery.start_soon(crowd.forget, "u_alice")
        await somebody_waits()
        await refresh("INSERT INTO trending VALUES ('24h', 'flood', 3, 0, 3)")
    assert await fetch("SELECT query FROM trending") == []


async def test_marks_of_an_old_key_are_found(crowd, fetch):
    """The old key must still be in the list of keys."""
    await crowd.search("planted", "u_alice")
    await crowd.marks.forget_person(
        SearchMarker([Secret("B" * 42 + "A")]).make_marks_finder("u_alice")
    )
    assert len(await fetch("SELECT * FROM search_marks")) == 1
    await crowd.marks.forget_person(
        SearchMarker([Secret("B" * 42 + "A"), KEY]).make_marks_finder("u_alice")
    )
    assert await fetch("SELECT * FROM search_marks") == []


async def test_late_searches_are_not_counted(crowd, postgres, execute, fetch):
    """These are searches of a deleted account, or from before a person cleared the history."""
    accounts = PostgresAccounts(postgres)
    alice, bob = [await accounts.sign_in("dev", name, name, NOON) for name in ("alice", "bob")]
    await PostgresOwnHistory(postgres).clear(bob.id, NOON)
    await execute(f"DELETE FROM users WHERE id = {alice.id}")  # noqa: S608
    await crowd.search("hers", alice.public_id, user_id=alice.id)
    await crowd.search("his old", bob.public_id, user_id=bob.id)
    await crowd.search("his new", bob.public_id, user_id=bob.id, at=NOON + HOUR)
    assert await fetch(
        "SELECT query FROM search_marks"
        " UNION SELECT low FROM pair_marks UNION SELECT high FROM pair_marks"
    ) == [("his new",)]


async def test_stopped_server_is_an_outage(crowd, servers):
    """The error is UnavailableError, and the next search works."""
    await servers.postgres.stop()
    with pytest.raises(UnavailableError):
        await crowd.search("flood", "a")
    await servers.postgres.ensure()
    await crowd.search("flood", "a")
