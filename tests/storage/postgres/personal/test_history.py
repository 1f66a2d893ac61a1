"""The search history on a real PostgreSQL.

It is stored for its retention time, then deleted in short transactions.
"""

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
SELECT 'q', 'k', 1, '2026-01-01+00'::timestamptz + n * interval '1 s'
FROM generate_series(1, 12000) AS n
"""


@pytest.fixture
def history(postgres):
    """The history in its own database."""
    return PostgresHistory(postgres)


async def test_searches_are_recorded_and_pruned(history, fetch):
    """A search exactly at the limit stays. No row names a person."""
    times = [NOON - timedelta(days=1), NOON, NOON + timedelta(days=1)]
    await history.record_searches(
        [search_record(results_count=number, searched_at=time) for number, time in enumerate(times)]
    )
    assert await history.prune_searches(NOON) == 1
    assert await history.prune_searches(NOON) == 0
    assert await fetch("SELECT results_count, user_id FROM search_history ORDER BY id") == [
        (1, None),
        (2, None),
    ]


async def test_many_searches_are_pruned_in_several_transactions(
    history, execute, fetch, monkeypatch
):
    """No transaction deletes more than PRUNE_ROWS."""
    monkeypatch.setattr(module, "PRUNE_ROWS", 1000)
    await execute(MANY)
    assert await history.prune_searches(NOON) == 12_000
    assert await fetch("SELECT count(*) FROM search_history") == [(0,)]


async def test_concurrent_prunes_share_the_work(history, execute, fetch, monkeypatch):
    """No prune waits for another, no search counts twice, and none is left."""
    monkeypatch.setattr(module, "PRUNE_ROWS", 100)
    await execute(MANY)
    went = []

    async def prune():
        went.append(await history.prune_searches(NOON))

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(prune)
    assert sum(went) + await history.prune_searches(NOON) == 12_000
    assert await fetch("SELECT count(*) FROM search_history") == [(0,)]


async def test_locked_searches_are_skipped(history, execute, holding):
    """A locked search does not delay the others."""
    await execute(MANY)
    async with holding("SELECT 1 FROM search_history WHERE id <= 10 FOR UPDATE"):
        with trio.fail_after(PATIENCE_S):
            assert await history.prune_searches(NOON) == 11_990
    assert await history.prune_searches(NOON) == 10


async def test_stopped_server_is_an_outage(history, servers):
    """The error is UnavailableError; pruning works again when the server is back."""
    await servers.postgres.stop()
    with pytest.raises(UnavailableError):
        await history.prune_searches(NOON)
    await servers.postgres.ensure()
    assert await history.prune_searches(NOON) == 0
