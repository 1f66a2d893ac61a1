"""The SharedCounter port on Redis: counters that all processes share."""

from newsintel.storage.redis.link import RedisLink
from newsintel.storage.redis.server import RedisServer


class RedisCounter:
    """Counters in Redis."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def add(self, key: str, amount: int, ttl_s: int) -> int:
        return await self._link.call(key, _add, key, amount, ttl_s)


async def _add(server: RedisServer, key: str, amount: int, ttl_s: int) -> int:
    async with server.redis.pipeline(transaction=True) as together:
        together.incrby(key, amount)
        together.expire(key, ttl_s)
        total, _ = await together.execute()
    return int(total)
