"""The byte cache on a real Redis: it acts as in memory, and never shows a wrong value."""

import pytest
import trio

from newsintel.errors import UnavailableError
from newsintel.storage.redis.byte_cache import RedisBytes
from newsintel.storage.redis.harvests import RedisCache
from tests.fakes.basics import MemoryBytes
from tests.storage.support import ON_ONE_SERVER
from tests.waiting import until

ROUNDING_S = 0.01
"""Redis reports a key's age in milliseconds."""


@pytest.fixture
def on_redis(link, tally):
    """The adapter on Redis."""
    return RedisBytes(link, tally)


@pytest.fixture(params=["memory", "redis"])
def kept(request, redis_kind):
    """Each implementation of the port."""
    return MemoryBytes() if request.param == "memory" else request.getfixturevalue("on_redis")


async def test_value_is_read_back_with_its_age(kept):
    """Every byte is the same, line feeds included; a later put replaces an earlier one."""
    assert await kept.get("archive:k") is None
    for data in (b"", b"7 archive:k\n\x00\xff\r\n"):
        before = trio.current_time()
        await kept.put("archive:k", data, 6000)
        found = await kept.get("archive:k")
        assert found.data == data
        assert found.ttl_s == 6000
        assert 0 <= found.age_s <= trio.current_time() - before + ROUNDING_S
    assert await kept.get("archive:other") is None


@pytest.mark.slow
async def test_value_ages_and_expires(kept):
    """The age grows, and the value disappears at its end."""
    before = trio.current_time()
    await kept.put("k", b"x", 6000)
    await trio.sleep(0.3)
    assert (
        0.3 - ROUNDING_S <= (await kept.get("k")).age_s <= trio.current_time() - before + ROUNDING_S
    )
    await kept.put("k", b"x", 1)

    async def gone():
        return await kept.get("k") is None

    await until(gone)


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"60 other\nx",
        b"60\nx",
        b"x k\nx",
        b"-1 k\nx",
        b"\xff\x00",
        b"60 k2\nx",
        b"60 kx",
        b"9" * 400 + b" k\nx",
        b"9" * 5000 + b" k\nx",
    ],
)
async def test_wrong_value_is_a_miss_deleted_and_counted(on_redis, redis, tally, wrong):
    """The value belongs to another key, has another format, or is invalid."""
    await redis("SET", "k", wrong, "EX", 60)
    assert await on_redis.get("k") is None
    assert await redis("EXISTS", "k") == 0
    assert tally.counts == {"cache_mismatches": 1}


async def test_value_without_expiry_is_a_miss(on_redis, redis):
    """All our values expire; the next put sets the expiry."""
    await redis("SET", "k", b"60 k\nx")
    assert await on_redis.get("k") is None
    await on_redis.put("k", b"y", 60)
    assert (await on_redis.get("k")).data == b"y"
    assert 0 < await redis("TTL", "k") <= 60


@ON_ONE_SERVER
async def test_ports_of_one_link_share_its_breaker(cut_off, name, tally):
    """Failures of harvests and of bytes open one breaker. Then neither sends a request to Redis."""
    pieces = RedisBytes(cut_off, tally)
    cache = RedisCache(cut_off, keep_s=60, count=tally)
    await cut_off.ping()
    name.cut()
    for call in [
        lambda: pieces.get("k"),
        lambda: cache.claim("k", "mine", 1),
        lambda: pieces.put("k", b"", 1),
    ] * 2:
        with pytest.raises(UnavailableError):
            await call()
    asked = name.opened
    with pytest.raises(UnavailableError):
        await pieces.get("k")
    assert name.opened == asked
