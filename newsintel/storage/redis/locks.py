"""The Locks port on Redis: a thing done once among all processes. SET NX PX with a token; only whoever holds it gives it back."""

from redis.exceptions import WatchError

from newsintel.storage.redis.link import RedisLink


class RedisLocks:
    """Claims in Redis, each of which lapses by itself."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._redis = link.redis

    async def lock(self, key: str, token: str, ttl_s: float) -> bool:
        """Claim a key; False if another holds it. The claim lapses after `ttl_s`."""
        return await self._link.call(self._claim, f"once:{key}", token, max(1, round(ttl_s * 1000)))

    async def unlock(self, key: str, token: str) -> None:
        """Give the claim back if `token` still holds it."""
        await self._link.call(self._give_back, f"once:{key}", token)

    async def _claim(self, key: str, token: str, ttl_ms: int) -> bool:
        return bool(await self._redis.set(key, token, nx=True, px=ttl_ms))

    async def _give_back(self, key: str, token: str) -> None:
        async with self._redis.pipeline(transaction=True) as together:
            await together.watch(key)
            if await together.get(key) != token.encode():
                return
            together.multi()  # type: ignore[no-untyped-call]
            together.delete(key)
            try:
                await together.execute()
            except WatchError:
                return  # it lapsed this instant, and somebody else has it
