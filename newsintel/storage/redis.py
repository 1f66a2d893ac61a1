"""The HarvestCache port on redis-py: harvests by the key of their query, and a claim per key among processes.

A value's key is inside the value and compared on reading, so that a reply meant for another request can never be shown. A claim is a set
with one member, the token. Giving it back is then SREM of that token: it takes nothing from a later holder, leaves no key behind and can
stand in one MULTI with the write of the harvest. The usual string would need a Lua script (which careful operators forbid) or WATCH with
two more round trips. Claiming is RENAMENX, the one command that is both conditional and carries a lifetime along.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

import trio
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError
from redis.maint_notifications import MaintNotificationsConfig

from newsintel.errors import NewsIntelError, RefusedError, UnavailableError
from newsintel.model import Harvest
from newsintel.options import Secret
from newsintel.ports import Count
from newsintel.storage.breaker import Breaker
from newsintel.storage.bridge import Bridge, Lane

T = TypeVar("T")

CONNECTIONS = 20
POOL_WAIT_S = 0.1
SOCKET_S = 0.25
"""For connecting and for each reply: what a black hole costs the few callers before the breaker opens."""

HEALTH_CHECK_S = 30
CLOSE_S = 0.5


class RedisCache:
    """Harvests in Redis. Its outage costs callers nothing after the first few: see Breaker."""

    def __init__(
        self,
        lane: Lane,
        redis: Redis,
        *,
        keep_s: float,
        count: Count,
        encode: Callable[[Harvest], bytes],
        decode: Callable[[bytes], Harvest],
    ) -> None:
        self._lane = lane
        self._redis = redis
        self._keep_s = max(1, round(keep_s))  # SETEX takes whole seconds
        self._count = count
        self._encode = encode
        self._decode = decode
        self._breaker = Breaker()

    async def load(self, key: str) -> Harvest | None:
        """The harvest kept under a key, however old. One that is unreadable or another key's is deleted, counted and not shown."""
        data = await self._call(self._get, key)
        if data is None:
            return None
        try:
            harvest = self._decode(data)
        except ValueError:
            harvest = None
        if harvest is not None and harvest.query.key == key:
            return harvest
        self._count("cache_mismatches")
        await self._call(self._discard, key)
        return None

    async def store(self, harvest: Harvest, lock_token: str | None) -> None:
        """Keep a harvest and release the lock, both or neither."""
        await self._call(self._set, harvest.query.key, self._encode(harvest), lock_token)

    async def lock(self, key: str, token: str, ttl_s: float) -> bool:
        """Claim the fan-out of a key among processes; False if another holds it. It lapses after `ttl_s`."""
        return await self._call(self._claim, key, token, max(1, round(ttl_s * 1000)))

    async def unlock(self, key: str, token: str) -> None:
        """Give the claim back if `token` still holds it."""
        await self._call(self._release, key, token)

    async def ping(self) -> None:
        """Return if Redis answers; raises UnavailableError if not."""
        await self._call(self._ping)

    async def _call(self, operation: Callable[..., Coroutine[Any, Any, T]], *args: object) -> T:
        self._breaker.check(time.monotonic())
        return await self._lane.run(self._watched, operation, args)

    async def _watched(self, operation: Callable[..., Coroutine[Any, Any, T]], args: tuple[object, ...]) -> T:
        """Tell the breaker how it went, here where it always ends: the caller may have left."""
        try:
            result = await operation(*args)
        except (RedisError, OSError) as error:
            self._breaker.failed(time.monotonic())
            raise _translate(error) from error
        self._breaker.succeeded()
        return result

    async def _get(self, key: str) -> bytes | None:
        return cast("bytes | None", await self._redis.get(f"articles:{key}"))  # never str: decode_responses is off

    async def _discard(self, key: str) -> None:
        """Delete a value that cannot be trusted, and drop the idle connections: one of them may be a reply behind."""
        await self._redis.connection_pool.disconnect(inuse_connections=False)
        await self._redis.delete(f"articles:{key}")

    async def _set(self, key: str, data: bytes, token: str | None) -> None:
        async with self._redis.pipeline(transaction=True) as together:
            together.setex(f"articles:{key}", self._keep_s, data)
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

    async def _ping(self) -> None:
        await self._redis.ping()


@asynccontextmanager
async def open_redis(
    bridge: Bridge,
    url: Secret,
    password: Secret | None,
    *,
    keep_s: float,
    count: Count,
    encode: Callable[[Harvest], bytes],
    decode: Callable[[bytes], Harvest],
) -> AsyncIterator[RedisCache]:
    """A cache that keeps harvests for `keep_s` seconds; `password` replaces the URL's. Connects with the first command.

    `encode` and `decode` turn a harvest into bytes and back; `decode` raises ValueError on anything else.

    Owns: the pool's connections.
    """
    redis = Redis.from_pool(_pool(url, password))
    closing = bridge.lane("closing Redis", 1)
    try:
        yield RedisCache(bridge.lane("Redis", CONNECTIONS), redis, keep_s=keep_s, count=count, encode=encode, decode=decode)
    finally:
        with trio.move_on_after(CLOSE_S, shield=True):
            await closing.run(_close, redis)


async def _close(redis: Redis) -> None:
    try:
        await asyncio.wait_for(redis.aclose(), CLOSE_S)
    except (RedisError, OSError):
        return  # it was going away in any case


def _pool(url: Secret, password: Secret | None) -> BlockingConnectionPool:
    """The pool as redis-py should be set up, not as it comes.

    As it comes a black hole costs 59 s a command, and a connection with an unread reply is handed on to the next caller (8.x skips the
    check while it listens for maintenance notifications). The rest spares round trips at each connection.
    """
    return BlockingConnectionPool.from_url(
        url.reveal(),
        **({"password": password.reveal()} if password else {}),
        max_connections=CONNECTIONS,
        timeout=POOL_WAIT_S,
        socket_timeout=SOCKET_S,
        socket_connect_timeout=SOCKET_S,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        driver_info=None,
        health_check_interval=HEALTH_CHECK_S,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )


def _translate(error: BaseException) -> NewsIntelError:
    """Our exception for one of redis-py's; all that a cache may do wrong is be unavailable."""
    kind = type(error).__name__
    if isinstance(error, AuthenticationError | NoPermissionError) or isinstance(error.__cause__ or error.__context__, ssl.SSLError):
        return RefusedError(f"Redis refuses this service ({kind}): check the user, the password and TLS")
    return UnavailableError(f"Redis is unavailable ({kind})")
