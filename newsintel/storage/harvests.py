"""The HarvestCache port on Redis: harvests by the key of their query, and a claim per key among processes.

A value's key is inside the value and compared on reading, so that a reply meant for another request can never be shown. A claim is a set
with one member, the token. Giving it back is then SREM of that token: it takes nothing from a later holder, leaves no key behind and can
stand in one MULTI with the write of the harvest. The usual string would need a Lua script (which careful operators forbid) or WATCH with
two more round trips. Claiming is RENAMENX, the one command that is both conditional and carries a lifetime along.
"""

from collections.abc import Callable
from typing import cast

from newsintel.model import Harvest
from newsintel.ports import Count
from newsintel.storage.redis import RedisLink


class RedisCache:
    """Harvests in Redis."""

    def __init__(
        self,
        link: RedisLink,
        *,
        keep_s: float,
        count: Count,
        encode: Callable[[Harvest], bytes],
        decode: Callable[[bytes], Harvest],
    ) -> None:
        self._link = link
        self._redis = link.redis
        self._keep_s = max(1, round(keep_s))  # EX takes whole seconds
        self._count = count
        self._encode = encode
        self._decode = decode

    async def load(self, key: str) -> Harvest | None:
        """The harvest kept under a key, however old. One that is unreadable or another key's is deleted, counted and not shown."""
        data = await self._link.call(self._get, key)
        if data is None:
            return None
        try:
            harvest = self._decode(data)
        except ValueError:
            harvest = None
        if harvest is not None and harvest.query.key == key:
            return harvest
        self._count("cache_mismatches")
        await self._link.call(self._link.discard, f"articles:{key}")
        return None

    async def store(self, harvest: Harvest, lock_token: str | None) -> None:
        """Keep a harvest and release the lock, both or neither."""
        await self._link.call(self._set, harvest.query.key, self._encode(harvest), lock_token)

    async def lock(self, key: str, token: str, ttl_s: float) -> bool:
        """Claim the fan-out of a key among processes; False if another holds it. It lapses after `ttl_s`."""
        return await self._link.call(self._claim, key, token, max(1, round(ttl_s * 1000)))

    async def unlock(self, key: str, token: str) -> None:
        """Give the claim back if `token` still holds it."""
        await self._link.call(self._release, key, token)

    async def _get(self, key: str) -> bytes | None:
        return cast("bytes | None", await self._redis.get(f"articles:{key}"))  # never str: decode_responses is off

    async def _set(self, key: str, data: bytes, token: str | None) -> None:
        async with self._redis.pipeline(transaction=True) as together:
            together.set(f"articles:{key}", data, ex=self._keep_s)
            if token is not None:
                together.srem(f"lock:{key}", token)
            await together.execute()

    async def _claim(self, key: str, token: str, ttl_ms: int) -> bool:
        draft = f"lock:{key}:{token}"
        async with self._redis.pipeline(transaction=True) as together:
            together.sadd(draft, token)
            together.pexpire(draft, ttl_ms)
            together.renamenx(draft, f"lock:{key}")
            together.delete(draft)
            _, _, claimed, _ = await together.execute()
        return bool(claimed)

    async def _release(self, key: str, token: str) -> None:
        await self._redis.srem(f"lock:{key}", token)
