"""The ByteCache port on Redis: finished bytes under any key, for a while.

As with harvests the key is inside the value and compared on reading. So is the time for which it was to be kept: with what is left of that
Redis tells the age by its own clock, whichever process wrote it.
"""

from collections.abc import Sequence

from newsintel.domain.ports import Count, Kept
from newsintel.storage.redis.link import RedisLink

MOST_DIGITS = 9
"""Of the seconds for which something is kept: thirty years."""


class RedisBytes:
    """Bytes in Redis, as `<ttl in seconds> <key>`, a line feed, and the bytes."""

    def __init__(self, link: RedisLink, count: Count) -> None:
        self._link = link
        self._redis = link.redis
        self._count = count

    async def get(self, key: str) -> Kept | None:
        """What is unreadable or another key's is deleted and counted."""
        value, left_ms = await self._link.call(self._get, key)
        if value is None or left_ms < 0:  # PTTL is negative of a key that is gone by then, or never goes
            return None
        head, _, data = value.partition(b"\n")
        ttl_s, _, named = head.partition(b" ")
        if named == key.encode() and ttl_s.isdigit() and len(ttl_s) <= MOST_DIGITS:
            return Kept(data, max(0.0, int(ttl_s) - left_ms / 1000), int(ttl_s))
        self._count("cache_mismatches")
        await self._link.call(self._link.discard, key)
        return None

    async def put(self, key: str, data: bytes, ttl_s: int) -> None:
        await self._link.call(self._set, key, b"%d %s\n%s" % (ttl_s, key.encode(), data), ttl_s)

    async def forget(self, keys: Sequence[str]) -> None:
        if keys:
            await self._link.call(self._delete, keys)

    async def _delete(self, keys: Sequence[str]) -> None:
        await self._redis.delete(*keys)

    async def _get(self, key: str) -> tuple[bytes | None, int]:
        async with self._redis.pipeline(transaction=True) as together:
            together.get(key)
            together.pttl(key)
            value, left_ms = await together.execute()
        return value, left_ms

    async def _set(self, key: str, value: bytes, ttl_s: int) -> None:
        await self._redis.set(key, value, ex=ttl_s)
