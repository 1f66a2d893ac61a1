"""Bytes on a real Redis: the same promises as in memory, and what is never shown."""

import pytest
import trio

from newsintel.errors import UnavailableError
from newsintel.storage.bytes_cache import RedisBytes
from newsintel.storage.redis import SOCKET_S
from tests.fakes import MemoryBytes
from tests.storage.support import frozen_processes


@pytest.fixture
def on_redis(link, tally):
    """The adapter."""
    return RedisBytes(link, tally)


@pytest.fixture(params=["memory", "redis"])
def kept(request):
    """Each fulfilment of the port."""
    return MemoryBytes() if request.param == "memory" else request.getfixturevalue("on_redis")


async def test_what_is_put_comes_back_with_its_age(kept):
    """Byte for byte, line feeds and all; a later put replaces an earlier one."""
    assert await kept.get("archive:k") is None
    for data in (b"", b"7 archive:k\n\x00\xff\r\n"):
        await kept.put("archive:k", data, 60)
        found = await kept.get("archive:k")
        assert found.data == data
        assert (found.ttl_s, 0 <= found.age_s < 1) == (60, True)
    assert await kept.get("archive:other") is None


async def test_it_ages_and_is_forgotten(kept):
    """The age grows; once the time is over it is gone."""
    await kept.put("k", b"x", 1)
    await trio.sleep(0.3)
    assert 0.3 <= (await kept.get("k")).age_s < 0.9
    await trio.sleep(0.8)
    assert await kept.get("k") is None


@pytest.mark.parametrize("wrong", [b"", b"60 other\nx", b"60\nx", b"x k\nx", b"-1 k\nx", b"\xff\x00", b"60 k2\nx", b"60 kx"])
async def test_a_value_that_is_not_of_its_key_is_a_miss_deleted_and_counted(on_redis, redis, tally, wrong):
    """Another key's, another format's, rubbish: never shown."""
    await redis("SET", "k", wrong, "EX", 60)
    assert await on_redis.get("k") is None
    assert await redis("EXISTS", "k") == 0
    assert tally.counts == {"cache_mismatches": 1}


async def test_a_value_that_would_stay_for_ever_is_not_shown(on_redis, redis):
    """Nothing of ours is without an end; the next put gives it one."""
    await redis("SET", "k", b"60 k\nx")
    assert await on_redis.get("k") is None
    await on_redis.put("k", b"y", 60)
    assert (await on_redis.get("k")).data == b"y"
    assert 0 < await redis("TTL", "k") <= 60


@pytest.mark.parametrize("redis_reply_s", [SOCKET_S])
async def test_an_outage_is_one_for_all_that_use_the_link(on_redis, cache, link, servers):
    """Failures of harvests and of bytes open one breaker, and then neither costs anything."""
    await link.ping()
    with frozen_processes([servers.redis.pid()]):
        for call in [lambda: on_redis.get("k"), lambda: cache.claim("k", "mine", 1), lambda: on_redis.put("k", b"", 1)] * 2:
            with pytest.raises(UnavailableError):
                await call()
        began = trio.current_time()
        with pytest.raises(UnavailableError):
            await on_redis.get("k")
        assert trio.current_time() - began < SOCKET_S / 2
