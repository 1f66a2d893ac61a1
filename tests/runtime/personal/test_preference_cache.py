"""Preferences cached for a few seconds: few reads, and no old value after a person's own change."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from newsintel.domain.bounds.sized_cache import ENTRY_BYTES
from newsintel.domain.personal.preferences import Preferences
from newsintel.errors import UnavailableError
from newsintel.runtime.personal import preference_cache as module
from newsintel.runtime.personal.preference_cache import PREFERENCES_KEEP_S, PreferenceCache
from tests.fakes.personal import MemoryPreferences
from tests.make import NOON


@pytest.fixture
def store():
    """Two people, of whom one has a preference."""
    made = MemoryPreferences()
    made.kept[1]["default_limit"] = 5
    return made


async def test_searches_within_keep_s_cost_one_read(store, autojump_clock):
    """After PREFERENCES_KEEP_S the store is read again, so a change by another process counts."""
    cache = PreferenceCache(store)
    for _ in range(3):
        assert await cache.get_preferences(1) == Preferences(default_limit=5)
    assert store.reads == 1
    store.kept[1]["default_limit"] = 6
    await trio.sleep(PREFERENCES_KEEP_S)
    assert (await cache.get_preferences(1)).default_limit == 6


async def test_each_account_has_its_own_preferences(store):
    """The second account has none."""
    cache = PreferenceCache(store)
    assert (await cache.get_preferences(1)).default_limit == 5
    assert await cache.get_preferences(2) == Preferences()


async def test_a_change_counts_at_once(store, autojump_clock):
    """It counts after a put and after a delete.

    It also counts if the store reported a failure, because it may have made the change.
    """
    cache = PreferenceCache(store)
    await cache.get_preferences(1)
    await cache.put(1, "default_limit", 7, NOON)
    assert (await cache.get_preferences(1)).default_limit == 7
    await cache.delete(1, "default_limit")
    assert (await cache.get_preferences(1)).default_limit is None
    store.kept[1]["default_limit"] = 8
    store.away = True
    with pytest.raises(UnavailableError):
        await cache.put(1, "default_limit", 8, NOON)
    store.away = False
    assert (await cache.get_preferences(1)).default_limit == 8
    assert await cache.get_all(1) == {"default_limit": 8}


async def test_a_read_overtaken_by_a_change_is_not_cached(store, autojump_clock):
    """It may have seen the old value."""
    cache, arrives = PreferenceCache(store), trio.Event()
    answer = store._answer
    store._answer = arrives.wait
    async with trio.open_nursery() as nursery:
        nursery.start_soon(cache.get_preferences, 1)
        await wait_all_tasks_blocked()
        store._answer = answer
        await cache.put(1, "default_limit", 9, NOON)
        arrives.set()
    assert (await cache.get_preferences(1)).default_limit == 9


async def test_cached_preferences_outlast_a_short_outage(store, autojump_clock):
    """Within PREFERENCES_KEEP_S the store is not asked; then the outage is reported."""
    cache = PreferenceCache(store)
    await cache.get_preferences(1)
    store.away = True
    assert (await cache.get_preferences(1)).default_limit == 5
    await trio.sleep(PREFERENCES_KEEP_S)
    with pytest.raises(UnavailableError):
        await cache.get_preferences(1)


async def test_the_cache_is_bounded(store, monkeypatch):
    """The person whose preferences were not used for longest is removed first."""
    two = 2 * (Preferences().size_bytes + ENTRY_BYTES)
    monkeypatch.setattr(module, "MAX_BYTES", two)
    cache = PreferenceCache(store)
    for user_id in (1, 2, 1, 3):
        await cache.get_preferences(user_id)
    assert store.reads == 3
    await cache.get_preferences(1)
    assert store.reads == 3
    await cache.get_preferences(2)
    assert store.reads == 4


async def test_concurrent_searches_share_one_read(store, autojump_clock):
    """A search after a change does not wait for a read that began before the change."""
    cache, arrives, found = PreferenceCache(store), trio.Event(), []
    answer = store._answer

    async def ask():
        found.append((await cache.get_preferences(1)).default_limit)

    store._answer = arrives.wait
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(ask)
        await wait_all_tasks_blocked()
        store._answer = answer
        await cache.put(1, "default_limit", 9, NOON)
        await ask()
        assert found == [9]
        arrives.set()
    assert store.reads == 2
