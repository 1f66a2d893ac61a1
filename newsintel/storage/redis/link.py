"""The way to Redis on redis-py: one pool, one lane, one breaker, for every port that is fulfilled there."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar, TypeVarTuple

import trio
from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.connection import to_bool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

from newsintel.config import redis_url
from newsintel.config.redis_url import RedisUrl
from newsintel.config.values import Secret
from newsintel.storage.bridge import Bridge, Lane
from newsintel.storage.redis.breaker import Breaker
from newsintel.storage.redis.failures import FORESEEN, misplaced, served, translate
from newsintel.storage.slots import Rules
from newsintel.storage.store_log import StoreLog

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

CONNECTIONS = 20
ROOM = Rules(CONNECTIONS, each=5, kept=1, patience_s=0.25)
"""One person has a quarter of the places at most, who is asking goes first, and who finds none waits for some fifty commands."""
POOL_WAIT_S = 0.1
SOCKET_S = 0.25
"""For connecting and for each reply: what a black hole costs the few callers before the breaker opens."""

HEALTH_CHECK_S = 30
CLOSE_S = 0.5

PING_KEY = "ping"
PING_MS = 1000
"""What a ping writes is gone after this."""


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
        """Return if Redis takes a write; raises UnavailableError if not, as from a replica or a server that is full."""
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

    async def judge(self, error: BaseException) -> None:
        """Draw the consequences of a failure: for the breaker, and for the connections if their server is the wrong one.

        After a failover behind one name, open connections go on leading to the old primary, whose replies nothing else ends.
        """
        if served(error):
            self._breaker.succeeded()
        else:
            self._breaker.failed(time.monotonic())
        if misplaced(error):
            pool = self.redis.connection_pool
            # Others are in the middle of an operation: their connections go when it is done.
            await pool.update_active_connections_for_reconnect()  # type: ignore[no-untyped-call]
            with suppress(*FORESEEN):
                await pool.disconnect(inuse_connections=False)

    async def _watched(self, operation: Callable[[*Ts], Coroutine[Any, Any, T]], args: tuple[*Ts]) -> T:
        """Tell the breaker and the log how it went, here where it always ends: the caller may have left."""
        try:
            result = await operation(*args)
        except FORESEEN as error:
            lost = error
        else:
            self._breaker.succeeded()
            self._log.worked()
            return result
        await self.judge(lost)
        failure = translate(lost)
        self._log.failed(failure)
        raise failure from lost

    async def _ping(self) -> None:
        await self.redis.set(PING_KEY, b"", px=PING_MS)


@asynccontextmanager
async def open_redis(bridge: Bridge, url: Secret, password: Secret | None) -> AsyncIterator[RedisLink]:
    """A link to one Redis; `password` replaces the URL's. Connects with the first command.

    Owns: the pool's connections.
    """
    redis = Redis.from_pool(_pool(url, password))
    closing = bridge.lane("closing Redis", 1)
    try:
        yield RedisLink(bridge.lane("Redis", ROOM), redis)
    finally:
        with trio.move_on_after(CLOSE_S, shield=True):
            await closing.run(_close, redis)


async def _close(redis: Redis) -> None:
    try:
        await asyncio.wait_for(redis.aclose(), CLOSE_S)
    except FORESEEN:
        return  # it was going away in any case


def _pool(url: Secret, password: Secret | None) -> BlockingConnectionPool:
    """The pool as redis-py should be set up, not as it comes.

    As it comes a black hole costs 59 s a command, and a connection with an unread reply is handed on to the next caller (8.x skips the
    check while it listens for maintenance notifications). The rest spares round trips at each connection.
    """
    return BlockingConnectionPool(
        **_place(redis_url.read(url.reveal()), password),
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


def _place(url: RedisUrl, password: Secret | None) -> dict[str, Any]:
    """Where to connect, as arguments of redis-py's connections."""
    place: dict[str, Any] = {"path": url.path} if url.path else {"host": url.host, "port": url.port}
    place |= {"db": url.db, "username": url.username, "password": password.reveal() if password else url.password}
    kind = UnixDomainSocketConnection if url.path else SSLConnection if url.tls else Connection
    passed: dict[str, Any] = {name: value for name, value in url.given.items() if name not in ("protocol", "ssl_check_hostname")}
    if url.tls:
        passed["ssl_check_hostname"] = to_bool(url.given.get("ssl_check_hostname", "true"))
    return {"connection_class": kind, **place, **passed}
