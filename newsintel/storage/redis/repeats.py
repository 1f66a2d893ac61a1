"""The Repeats port on Redis: a key exists if it was seen a short time ago."""

from collections.abc import Sequence

from newsintel.storage.redis.link import RedisLink


class RedisRepeats:
    """Keys that expire."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._redis = link.redis

    async def remember_new(self, keys: Sequence[tuple[str, float]]) -> Sequence[bool]:
        """One round trip."""
        return await self._link.call(self._remember_new, keys)

    async def _remember_new(self, keys: Sequence[tuple[str, float]]) -> list[bool]:
        async with self._redis.pipeline(transaction=False) as together:
            for key, keep_s in keys:
                together.set(f"seen:{key}", b"", nx=True, px=max(1, round(keep_s * 1000)))
            return [bool(done) for done in await together.execute()]
