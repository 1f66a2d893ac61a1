"""Latencies on a real Redis: they act as in memory, and expire by themselves."""

from datetime import date, timedelta

import pytest

from newsintel.domain.operations.latencies import Latency
from newsintel.domain.search.outcome import Status
from newsintel.errors import UnavailableError
from newsintel.storage.redis.latencies import COUNTS_KEEP_S, DAYS, RedisLatencies
from tests.fakes.basics import MemoryLatencies
from tests.storage.support import ON_ONE_SERVER

TODAY = date(2026, 3, 14)
FAST, CUT = Latency("guardian", Status.OK, 320), Latency("reddit", Status.TIMEOUT, 1000)


@pytest.fixture
def on_redis(link):
    """The adapter on Redis."""
    return RedisLatencies(link)


@pytest.fixture(params=["memory", "redis"])
def store(request, redis_kind):
    """Each implementation of the port."""
    return MemoryLatencies() if request.param == "memory" else request.getfixturevalue("on_redis")


async def test_counts_of_a_week_are_added_up(store):
    """They come from several writers and days. Older days and days in the future are left out."""
    assert await store.read_totals(TODAY) == {}
    await store.add(TODAY, {FAST: 2, CUT: 1})
    await store.add(TODAY, {FAST: 3})
    await store.add(TODAY - timedelta(days=DAYS - 1), {FAST: 10})
    await store.add(TODAY - timedelta(days=DAYS), {FAST: 100})
    await store.add(TODAY + timedelta(days=1), {FAST: 1000})
    assert await store.read_totals(TODAY) == {FAST: 15, CUT: 1}


async def test_day_expires(link, redis):
    """Each write keeps its day for eight more days."""
    await RedisLatencies(link).add(TODAY, {FAST: 1})
    assert COUNTS_KEEP_S - 5 < await redis("TTL", "latencies:2026-03-14") <= COUNTS_KEEP_S


async def test_invalid_fields_are_ignored(link, redis):
    """The other fields of the day are read."""
    store = RedisLatencies(link)
    await store.add(TODAY, {FAST: 1})
    for field, count in (
        ("guardian lost 320", 1),
        ("guardian ok", 1),
        ("guardian ok x", 1),
        (b"\xff ok 1", 1),
        ("guardian ok 330", "x"),
        ("guardian ok 340", "9" * 5000),
    ):
        await redis("HSET", "latencies:2026-03-14", field, count)
    assert await store.read_totals(TODAY) == {FAST: 1}


@ON_ONE_SERVER
async def test_stopped_redis_is_unavailable(link, servers):
    """The writer counts this error."""
    await servers.redis.stop()
    with pytest.raises(UnavailableError):
        await RedisLatencies(link).add(TODAY, {FAST: 1})
    await servers.redis.ensure()
