"""The link to Redis with redis-py: one lane for all its ports, and the way to the right server."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar, TypeVarTuple

import trio
from redis.exceptions import RedisError, ResponseError

from newsintel.config.redis_url import parse_redis_url
from newsintel.config.values import Secret
from newsintel.storage.bridge import Bridge, Lane
from newsintel.storage.redis.failures import FORESEEN, REDIRECTIONS, translate
from newsintel.storage.redis.server import CONNECTIONS, RedisServer
from newsintel.storage.redis.servers import RedisServers
from newsintel.storage.slots import Rules

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Command = tuple[str | bytes | int, ...]
"""A command of one key: its name, the key, and the other arguments."""

SLOT_RULES = Rules(CONNECTIONS, per_person=5, reserved=1, patience_s=0.25)
"""One person holds at most a quarter of the slots, one slot is reserved for urgent operations,
which go first, and an operation waits for a slot as long as about fifty commands take.
"""
CLOSE_S = 0.5

MAX_REDIRECTIONS = 16
"""As redis-py's RedisClusterRequestTTL."""

PING_MS = 1000
"""The keys that a ping writes expire after this."""


class RedisLink:
    """Runs whole operations, each on the server that has its keys.

    All keys of an operation have one slot: one is named after another as a hash tag.

    Attributes:
        servers: the servers of Redis; one without a cluster.
    """

    def __init__(self, lane: Lane, servers: RedisServers) -> None:
        self.servers = servers
        self._lane = lane

    @property
    def slots_used(self) -> int:
        """Number of running operations."""
        return self._lane.running

    @property
    def breaker_open(self) -> bool:
        """True while a server with keys is not used because it did not answer."""
        return any(self.servers.find(key).breaker.is_open for key in self.servers.ping_keys)

    async def ping(self) -> None:
        """Return if each server takes writes; raise UnavailableError if one does not.

        A replica and a full server take none.
        """
        for key in self.servers.ping_keys:
            await self.call(key, _ping, key)
            self.servers.find(key).note_written()

    async def call(
        self,
        key: str,
        operation: Callable[[RedisServer, *Ts], Coroutine[Any, Any, T]],
        *args: *Ts,
    ) -> T:
        """Run one asyncio operation on the server of a key.

        It runs again where a redirection leads, after a server has refused one of its commands.

        Raises:
            UnavailableError: Redis failed, or the breaker is open.
        """
        self.servers.find(key).breaker.refuse(time.monotonic())
        return await self._lane.run(self._run, key, operation, args)

    async def each(self, commands: Sequence[Command], read: Callable[[Any], T]) -> list[T]:
        """Run commands of one key each, of any slots, with one round trip per server.

        Returns:
            What `read` returns for each reply, in the order of the commands. A reply that it cannot
            read is a failure of Redis.

        Raises:
            UnavailableError: a server failed; the commands on others may have run.
        """
        if not commands:
            return []
        for server in {self.servers.find(_key_of(one)) for one in commands}:
            server.breaker.refuse(time.monotonic())
        return await self._lane.run(self._run_each, commands, read)

    async def _run(
        self,
        key: str,
        operation: Callable[[RedisServer, *Ts], Coroutine[Any, Any, T]],
        args: tuple[*Ts],
    ) -> T:
        (server,) = await self.servers.locate(key)
        for _ in range(MAX_REDIRECTIONS):
            try:
                return await server.run(operation, *args)
            except REDIRECTIONS as error:
                lost: ResponseError = error
            server = await self.servers.follow(key, lost)
        raise translate(lost) from lost

    async def _run_each(self, commands: Sequence[Command], read: Callable[[Any], T]) -> list[T]:
        replies: list[Any] = [None] * len(commands)
        groups: dict[RedisServer, list[int]] = {}
        for number, server in enumerate(await self.servers.locate(*map(_key_of, commands))):
            groups.setdefault(server, []).append(number)
        for server, numbers in groups.items():
            found = await server.run(_send, [commands[number] for number in numbers], read)
            for number, reply in zip(numbers, found, strict=True):
                replies[number] = reply
        # A refused command did nothing, so it can run elsewhere; the others must not run again.
        for number, reply in enumerate(replies):
            if isinstance(reply, REDIRECTIONS):
                one = commands[number]
                replies[number] = await self._run(_key_of(one), _send_alone, (one, read))
        return replies


def _key_of(command: Command) -> str:
    return str(command[1])


async def _send(
    server: RedisServer, commands: Sequence[Command], read: Callable[[Any], T]
) -> list[T | ResponseError]:
    """Return the replies; a redirection stands in the place of its reply."""
    async with server.redis.pipeline(transaction=False) as together:
        for one in commands:
            together.execute_command(*one)
        replies: list[Any] = await together.execute(raise_on_error=False)
    for reply in replies:
        if isinstance(reply, RedisError) and not isinstance(reply, REDIRECTIONS):
            raise reply
    return [one if isinstance(one, REDIRECTIONS) else read(one) for one in replies]


async def _send_alone(server: RedisServer, command: Command, read: Callable[[Any], T]) -> T:
    return read(await server.redis.execute_command(*command))  # type: ignore[no-untyped-call]


async def _ping(server: RedisServer, key: str) -> None:
    await server.redis.set(key, b"", px=PING_MS)


@asynccontextmanager
async def open_redis(
    bridge: Bridge, url: Secret, password: Secret | None
) -> AsyncIterator[RedisLink]:
    """Open a link to Redis; `password` replaces the URL's. It connects with the first command.

    Owns: the connections to every server.
    """
    servers = RedisServers(parse_redis_url(url.reveal()), password)
    closing = bridge.add_lane("closing Redis", 1)
    try:
        yield RedisLink(bridge.add_lane("Redis", SLOT_RULES), servers)
    finally:
        with trio.move_on_after(CLOSE_S, shield=True):
            await closing.run(_close, servers)


async def _close(servers: RedisServers) -> None:
    try:
        async with asyncio.timeout(CLOSE_S):
            for server in servers.list_servers():
                await server.redis.aclose()
    except FORESEEN:
        return  # the connections are dropped anyway
