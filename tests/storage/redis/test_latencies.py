"""Latencies on a real Redis: the same promises as in memory, and what goes by itself."""

from datetime import date, timedelta

import pytest

from newsintel.domain.operations.latencies import Latency
from newsintel.domain.search.outcome import Status
from newsintel.errors import UnavailableError
from newsintel.storage.redis.latencies import DAYS, KEEP_S, RedisLatencies
from tests.fakes.basics import MemoryLatencies

TODAY = date(2026, 3, 14)
FAST, CUT = Latency("guardian", Status.OK, 320), Latency("reddit", Status.TIMEOUT, 1000)


@pytest.fixture
def on_redis(link):
    """The adapter."""
    return RedisLatencies(link)


@pytest.fixture(params=["memory", "redis"])
def store(request):
    """Each fulfilment of the port."""
    return MemoryLatencies() if request.param == "memory" else request.getfixturevalue("on_redis")


async def test_counts_of_a_week_add_up(store):
    """Of several writers and days; what is older, or in the future, is left out."""
    assert await store.read(TODAY) == {}
    await store.add(TODAY, {FAST: 2, CUT: 1})
    await store.add(TODAY, {FAST: 3})
    await store.add(TODAY - timedelta(days=DAYS - 1), {FAST: 10})
    await store.add(TODAY - timedelta(days=DAYS), {FAST: 100})
    await store.add(TODAY + timedelta(days=1), {FAST: 1000})
    assert await store.read(TODAY) == {FAST: 15, CUT: 1}


async def test_a_day_goes_by_itself(link, redis):
    """Each write has its day kept for eight more days, and no longer."""
    await RedisLatencies(link).add(TODAY, {FAST: 1})
    assert KEEP_S - 5 < await redis("TTL", "latencies:2026-03-14") <= KEEP_S


async def test_fields_of_another_version_are_left_out(link, redis):
    """Whatever stands there, the rest is read."""
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
    assert await store.read(TODAY) == {FAST: 1}


async def test_redis_away_is_unavailable(link, servers):
    """Told as such, for the writer to count."""
    await servers.redis.stop()
    with pytest.raises(UnavailableError):
        await RedisLatencies(link).add(TODAY, {FAST: 1})
    await servers.redis.ensure()
