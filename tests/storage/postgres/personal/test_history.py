"""The search history on a real PostgreSQL: kept for its time, then deleted in short transactions."""

from datetime import timedelta

import pytest
import trio

from newsintel.errors import UnavailableError
from newsintel.storage.postgres.personal import history as module
from newsintel.storage.postgres.personal.history import PostgresHistory
from tests.make import search_record
from tests.storage.support import NOON
from tests.waiting import PATIENCE_S

MANY = """
INSERT INTO search_history (query, key, results_count, searched_at)
SELECT 'q', 'k', 1, '2026-01-01+00'::timestamptz + n * interval '1 s' FROM generate_series(1, 12000) AS n
"""


@pytest.fixture
def history(postgres):
    """The history on a database of its own."""
    return PostgresHistory(postgres)


async def test_searches_are_recorded_and_go_at_their_time(history, fetch):
    """A search made at the very moment stays; nobody's name is on any."""
    times = [NOON - timedelta(days=1), NOON, NOON + timedelta(days=1)]
    await history.record([search_record(results_count=number, searched_at=time) for number, time in enumerate(times)])
    assert await history.prune(NOON) == 1
    assert await history.prune(NOON) == 0
    assert await fetch("SELECT results_count, user_id FROM search_history ORDER BY id") == [(1, None), (2, None)]


async def test_many_go_in_several_transactions(history, execute, fetch, monkeypatch):
    """However many are due, no transaction deletes more than its share."""
    monkeypatch.setattr(module, "PRUNE_ROWS", 1000)
    await execute(MANY)
    assert await history.prune(NOON) == 12_000
    assert await fetch("SELECT count(*) FROM search_history") == [(0,)]


async def test_two_that_prune_at_once_share_the_work(history, execute, fetch, monkeypatch):
    """Neither waits for the other, no search is counted twice, and none is left."""
    monkeypatch.setattr(module, "PRUNE_ROWS", 100)
    await execute(MANY)
    went = []

    async def prune():
        went.append(await history.prune(NOON))

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(prune)
    assert sum(went) + await history.prune(NOON) == 12_000
    assert await fetch("SELECT count(*) FROM search_history") == [(0,)]


async def test_locked_searches_are_passed_over(history, execute, holding):
    """A search that somebody else holds does not hold up the others."""
    await execute(MANY)
    async with holding("SELECT 1 FROM search_history WHERE id <= 10 FOR UPDATE"):
        with trio.fail_after(PATIENCE_S):
            assert await history.prune(NOON) == 11_990
    assert await history.prune(NOON) == 10


async def test_a_server_that_is_away_is_an_outage(history, servers):
    """Said as such, and over when it is back."""
    await servers.postgres.stop()
    with pytest.raises(UnavailableError):
        await history.prune(NOON)
    await servers.postgres.ensure()
    assert await history.prune(NOON) == 0
