"""The ByteCache port on Redis: caches finished bytes under any key.

As with harvests, the value contains its key, which is compared on reading. The value also contains
its TTL. The age is this TTL minus the time to live that Redis reports. So the age depends only on
Redis' clock, whichever process wrote the value.
"""

from collections.abc import Sequence

from newsintel.domain.ports import CachedBytes, Count
from newsintel.storage.redis.link import RedisLink
from newsintel.storage.redis.numbers import parse_number
from newsintel.storage.redis.replies import check_bytes
from newsintel.storage.redis.server import RedisServer

MOST_DIGITS = 9
"""Most digits of a TTL in seconds: about thirty years."""


class RedisBytes:
    """Bytes in Redis, as `<ttl in seconds> <key>`, a line feed, and the bytes."""

    def __init__(self, link: RedisLink, count: Count) -> None:
        self._link = link
        self._count = count

    async def get(self, key: str) -> CachedBytes | None:
        """A value that is unreadable or belongs to another key is deleted and counted."""
        value, left_ms = await self._link.call(key, _get, key)
        if value is None or left_ms < 0:  # PTTL is negative if the key has expired or never expires
            return None
        head, _, data = value.partition(b"\n")
        number, _, named = head.partition(b" ")
        ttl_s = parse_number(number, MOST_DIGITS)
        if named == key.encode() and ttl_s is not None:
            return CachedBytes(data, max(0.0, ttl_s - left_ms / 1000), ttl_s)
        self._count("cache_mismatches")
        await self._link.call(key, RedisServer.discard, key)
        return None

    async def put(self, key: str, data: bytes, ttl_s: int) -> None:
        value = b"%d %s\n%s" % (ttl_s, key.encode(), data)
        await self._link.call(key, _set, key, value, ttl_s)

    async def delete_keys(self, keys: Sequence[str]) -> None:
        await self._link.each([("DEL", key) for key in keys], int)


async def _get(server: RedisServer, key: str) -> tuple[bytes | None, int]:
    async with server.redis.pipeline(transaction=True) as together:
        together.get(key)
        together.pttl(key)
        value, left_ms = await together.execute()
    return check_bytes(value), int(left_ms)


async def _set(server: RedisServer, key: str, value: bytes, ttl_s: int) -> None:
    await server.redis.set(key, value, ex=ttl_s)
