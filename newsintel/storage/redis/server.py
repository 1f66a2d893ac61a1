"""One server of Redis: its connections, its breaker and its part of the log."""

import time
from collections.abc import Callable, Coroutine
from copy import copy
from typing import Any, Self, TypeVar, TypeVarTuple

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

from newsintel.runtime.telemetry.logs import get_logger
from newsintel.storage.redis.asking import AskingRedis
from newsintel.storage.redis.breaker import Breaker
from newsintel.storage.redis.failures import (
    FORESEEN,
    REDIRECTIONS,
    UNREADABLE,
    is_server_healthy,
    is_wrong_server,
    translate,
)
from newsintel.storage.store_log import StoreLog

log = get_logger(__name__)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

CONNECTIONS = 20
POOL_WAIT_S = 0.1
SOCKET_S = 0.25
"""Timeout of connecting and of each reply. If Redis drops all packets, each of the few callers
before the breaker opens waits this long.
"""

HEALTH_CHECK_S = 30


class RedisServer:
    """Runs operations on one server.

    After the first few callers, an outage costs nothing: see Breaker.

    Attributes:
        redis: the client; only operations that `run` runs may await it.
    """

    def __init__(self, arguments: dict[str, Any]) -> None:
        """It connects with the first command; the arguments are those of redis-py's connections."""
        self.redis = Redis.from_pool(_create_pool(arguments))
        self.breaker = Breaker()
        self._log = StoreLog("redis")

    @property
    def asking(self) -> Self:
        """The same server for one operation on a slot that it imports."""
        view = copy(self)
        view.redis = AskingRedis(connection_pool=self.redis.connection_pool)
        return view

    async def run(
        self, operation: Callable[["RedisServer", *Ts], Coroutine[Any, Any, T]], *args: *Ts
    ) -> T:
        """Run an operation and report its outcome to the breaker and the log.

        This happens on the asyncio side, because the caller may leave before the end.

        Raises:
            UnavailableError: Redis failed, or the breaker is open.
            ResponseError: one of REDIRECTIONS, for the caller to follow.
        """
        self.breaker.check(time.monotonic())
        try:
            result = await operation(self, *args)
        except REDIRECTIONS:
            self.breaker.note_success()
            raise
        except FORESEEN as error:
            if isinstance(error, UNREADABLE):
                log.exception("redis_reply_unreadable", kind=type(error).__name__)
            lost = error
        else:
            self.breaker.note_success()
            self._log.note_success()
            return result
        await self.handle_failure(lost)
        failure = translate(lost)
        self._log.note_failure(failure)
        raise failure from lost

    def note_written(self) -> None:
        """Note that the server takes writes, which the success of an operation does not say."""
        self._log.note_success(wrote=True)

    async def discard(self, key: str) -> None:
        """Delete an invalid value and close idle connections: one may have an unread reply."""
        await self.redis.connection_pool.disconnect(inuse_connections=False)
        await self.redis.delete(key)

    async def handle_failure(self, error: BaseException) -> None:
        """Report a failure to the breaker; leave the server if it is the wrong one."""
        if is_server_healthy(error):
            self.breaker.note_success()
        else:
            self.breaker.note_failure(time.monotonic())
        if is_wrong_server(error):
            await self.leave()

    async def leave(self) -> None:
        """Close the connections; those in use are closed when their operations end.

        After a failover behind one host name, open connections still lead to the old primary. It
        goes on answering, so nothing else closes them.
        """
        pool = self.redis.connection_pool
        await pool.update_active_connections_for_reconnect()  # type: ignore[no-untyped-call]
        try:
            await pool.disconnect(inuse_connections=False)
        except FORESEEN:
            return  # the connections are dropped anyway


def _create_pool(arguments: dict[str, Any]) -> BlockingConnectionPool:
    """Return a pool with safer settings than redis-py's defaults.

    With the defaults, a server that drops all packets costs 59 s per command, and the next caller
    may get a connection with an unread reply (8.x skips the check while it listens for maintenance
    notifications). The other settings save round trips for each new connection.
    """
    return BlockingConnectionPool(
        **arguments,
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
