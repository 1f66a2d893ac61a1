"""The link to Redis with redis-py: one pool, one lane and one breaker for all its ports."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar, TypeVarTuple

import trio
from redis.asyncio import (
    BlockingConnectionPool,
    Connection,
    Redis,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.asyncio.connection import to_bool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

from newsintel.config import redis_url
from newsintel.config.redis_url import RedisUrl
from newsintel.config.values import Secret
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.storage.bridge import Bridge, Lane
from newsintel.storage.redis.breaker import Breaker
from newsintel.storage.redis.failures import (
    FORESEEN,
    UNREADABLE,
    is_server_healthy,
    is_wrong_server,
    translate,
)
from newsintel.storage.slots import Rules
from newsintel.storage.store_log import StoreLog

log = get_logger(__name__)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

CONNECTIONS = 20
SLOT_RULES = Rules(CONNECTIONS, per_person=5, reserved=1, patience_s=0.25)
"""One person holds at most a quarter of the slots, one slot is reserved for urgent operations,
which go first, and an operation waits for a slot as long as about fifty commands take.
"""
POOL_WAIT_S = 0.1
SOCKET_S = 0.25
"""Timeout of connecting and of each reply. If Redis drops all packets, each of the few callers
before the breaker opens waits this long.
"""

HEALTH_CHECK_S = 30
CLOSE_S = 0.5

PING_KEY = "ping"
PING_MS = 1000
"""The key that a ping writes expires after this."""


class RedisLink:
    """Runs whole operations on one Redis.

    After the first few callers, an outage costs nothing: see Breaker.

    Attributes:
        redis: the client; only operations that `call` runs may await it.
    """

    def __init__(self, lane: Lane, redis: Redis) -> None:
        self.redis = redis
        self._lane = lane
        self._breaker = Breaker()
        self._log = StoreLog("redis")

    @property
    def slots_used(self) -> int:
        """Number of running operations."""
        return self._lane.running

    @property
    def breaker_open(self) -> bool:
        """True while Redis is not used because it did not answer."""
        return self._breaker.is_open

    async def ping(self) -> None:
        """Return if Redis takes writes; raise UnavailableError if not.

        A replica and a full server take none.
        """
        await self.call(self._ping)

    async def call(self, operation: Callable[[*Ts], Coroutine[Any, Any, T]], *args: *Ts) -> T:
        """Run one asyncio operation on the client.

        Raises:
            UnavailableError: Redis failed, or the breaker is open.
        """
        self._breaker.check(time.monotonic())
        return await self._lane.run(self._run_watched, operation, args)

    async def discard(self, key: str) -> None:
        """Delete an invalid value and close idle connections: one may have an unread reply.

        This is an operation for `call`.
        """
        await self.redis.connection_pool.disconnect(inuse_connections=False)
        await self.redis.delete(key)

    async def handle_failure(self, error: BaseException) -> None:
        """Report a failure to the breaker; close the connections if their server is the wrong one.

        After a failover behind one host name, open connections still lead to the old primary. It
        goes on answering, so nothing else closes them.
        """
        if is_server_healthy(error):
            self._breaker.note_success()
        else:
            self._breaker.note_failure(time.monotonic())
        if is_wrong_server(error):
            pool = self.redis.connection_pool
            # Connections in use are closed when their operations end.
            await pool.update_active_connections_for_reconnect()  # type: ignore[no-untyped-call]
            with suppress(*FORESEEN):
                await pool.disconnect(inuse_connections=False)

    async def _run_watched(
        self, operation: Callable[[*Ts], Coroutine[Any, Any, T]], args: tuple[*Ts]
    ) -> T:
        """Run an operation and report its outcome to the breaker and the log.

        This happens on the asyncio side, because the caller may leave before the end.
        """
        try:
            result = await operation(*args)
        except FORESEEN as error:
            if isinstance(error, UNREADABLE):
                log.exception("redis_reply_unreadable", kind=type(error).__name__)
            lost = error
        else:
            self._breaker.note_success()
            self._log.note_success()
            return result
        await self.handle_failure(lost)
        failure = translate(lost)
        self._log.note_failure(failure)
        raise failure from lost

    async def _ping(self) -> None:
        await self.redis.set(PING_KEY, b"", px=PING_MS)


@asynccontextmanager
async def open_redis(
    bridge: Bridge, url: Secret, password: Secret | None
) -> AsyncIterator[RedisLink]:
    """Open a link to one Redis; `password` replaces the URL's. It connects with the first command.

    Owns: the pool's connections.
    """
    redis = Redis.from_pool(_create_pool(url, password))
    closing = bridge.add_lane("closing Redis", 1)
    try:
        yield RedisLink(bridge.add_lane("Redis", SLOT_RULES), redis)
    finally:
        with trio.move_on_after(CLOSE_S, shield=True):
            await closing.run(_close, redis)


async def _close(redis: Redis) -> None:
    try:
        await asyncio.wait_for(redis.aclose(), CLOSE_S)
    except FORESEEN:
        return  # the connections are dropped anyway


def _create_pool(url: Secret, password: Secret | None) -> BlockingConnectionPool:
    """Return a pool with safer settings than redis-py's defaults.

    With the defaults, a server that drops all packets costs 59 s per command, and the next caller
    may get a connection with an unread reply (8.x skips the check while it listens for maintenance
    notifications). The other settings save round trips for each new connection.
    """
    return BlockingConnectionPool(
        **_build_connection_arguments(redis_url.parse_redis_url(url.reveal()), password),
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


def _build_connection_arguments(url: RedisUrl, password: Secret | None) -> dict[str, Any]:
    """Return where to connect, as arguments of redis-py's connections."""
    place: dict[str, Any] = {"path": url.path} if url.path else {"host": url.host, "port": url.port}
    place |= {
        "db": url.db,
        "username": url.username,
        "password": password.reveal() if password else url.password,
    }
    kind = UnixDomainSocketConnection if url.path else SSLConnection if url.tls else Connection
    passed: dict[str, Any] = {
        name: value
        for name, value in url.parameters.items()
        if name not in ("protocol", "ssl_check_hostname")
    }
    if url.tls:
        passed["ssl_check_hostname"] = to_bool(url.parameters.get("ssl_check_hostname", "true"))
    return {"connection_class": kind, **place, **passed}
