"""The way to Redis on redis-py: one pool, one lane, one breaker, for every port that is fulfilled there."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar, TypeVarTuple

import trio
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError
from redis.maint_notifications import MaintNotificationsConfig

from newsintel.errors import NewsIntelError, RefusedError, UnavailableError
from newsintel.options import Secret
from newsintel.storage.breaker import Breaker
from newsintel.storage.bridge import Bridge, Lane
from newsintel.storage.store_log import StoreLog

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

CONNECTIONS = 20
POOL_WAIT_S = 0.1
SOCKET_S = 0.25
"""For connecting and for each reply: what a black hole costs the few callers before the breaker opens."""

HEALTH_CHECK_S = 30
CLOSE_S = 0.5


class RedisLink:
    """A Redis, asked by whole operations. Its outage costs callers nothing after the first few: see Breaker.

    Attributes:
        redis: the client, for the operations that are handed to `call`; never awaited outside of one.
    """

    def __init__(self, lane: Lane, redis: Redis) -> None:
        self.redis = redis
        self._lane = lane
        self._breaker = Breaker()
        self._log = StoreLog("redis")

    @property
    def slots_used(self) -> int:
        """Operations that run now."""
        return self._lane.running

    @property
    def breaker_open(self) -> bool:
        """Whether Redis is left alone because it has not been answering."""
        return self._breaker.open

    async def ping(self) -> None:
        """Return if Redis answers; raises UnavailableError if not."""
        await self.call(self._ping)

    async def call(self, operation: Callable[[*Ts], Coroutine[Any, Any, T]], *args: *Ts) -> T:
        """Run one asyncio operation on the client.

        Raises:
            UnavailableError: Redis did not do it, or is left alone for the moment.
        """
        self._breaker.check(time.monotonic())
        return await self._lane.run(self._watched, operation, args)

    async def discard(self, key: str) -> None:
        """An operation for `call`: delete a value that cannot be trusted, and drop the idle connections: one may be a reply behind."""
        await self.redis.connection_pool.disconnect(inuse_connections=False)
        await self.redis.delete(key)

    async def _watched(self, operation: Callable[[*Ts], Coroutine[Any, Any, T]], args: tuple[*Ts]) -> T:
        """Tell the breaker and the log how it went, here where it always ends: the caller may have left."""
        try:
            result = await operation(*args)
        except (RedisError, OSError) as error:
            self._breaker.failed(time.monotonic())
            failure = _translate(error)
            self._log.failed(failure)
            raise failure from error
        self._breaker.succeeded()
        self._log.worked()
        return result

    async def _ping(self) -> None:
        await self.redis.ping()


@asynccontextmanager
async def open_redis(bridge: Bridge, url: Secret, password: Secret | None) -> AsyncIterator[RedisLink]:
    """A link to one Redis; `password` replaces the URL's. Connects with the first command.

    Owns: the pool's connections.
    """
    redis = Redis.from_pool(_pool(url, password))
    closing = bridge.lane("closing Redis", 1)
    try:
        yield RedisLink(bridge.lane("Redis", CONNECTIONS), redis)
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
    """Our exception for one of redis-py's; all that a cache may do wrong is be unavailable.

    The reason may lie several causes deep: what happens while it connects becomes a ConnectionError.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AuthenticationError | NoPermissionError | ssl.SSLError):
            return RefusedError(f"Redis refuses this service ({type(cause).__name__}): check the user, the password and TLS")
        cause = cause.__cause__ or cause.__context__
    return UnavailableError(f"Redis is unavailable ({type(error).__name__})")
