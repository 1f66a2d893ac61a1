"""The servers of Redis: one, or those of a cluster, by the slot of a key.

Nothing says beforehand whether a server is part of a cluster. The first redirection does. Then any
server that answers says which server has which slots. This is read again after a redirection and
when a server fails.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio.connection import (
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
    to_bool,
)
from redis.crc import key_slot
from redis.exceptions import AskError, MovedError, ResponseError

from newsintel.config.redis_url import RedisUrl
from newsintel.config.values import Secret
from newsintel.errors import StoreRefusedError, UnavailableError
from newsintel.storage.redis.failures import REDIRECTIONS
from newsintel.storage.redis.server import RedisServer

PING_KEY = "ping"
MAX_PING_KEYS = 2_000
"""How many keys are tried to find one for each server: enough for one with 0.5 % of the slots."""

TRY_AGAIN_S = 0.02
"""How long an operation waits whose keys are moving to another server."""

SLOTS = 16_384
MOST_SERVERS = 1_000
"""How many slots and servers a cluster has at most (Redis Cluster specification). A reply that
names more, from a proxy or a broken server, would take minutes to read and fill the memory.
"""

MOST_ASKED = 5
"""How many servers one load asks which server has which slots, so that it ends if none says so. The
next load begins with another one.
"""

LOAD_PAUSE_S = 0.5
"""Between two loads. A server may redirect for ever, and reading its slots takes up to a tenth of a
second. A redirection is followed also without a load.
"""

Place = tuple[str, int]
"""The host and port of a server."""


class RedisServers:
    """Finds the server of a key.

    Attributes:
        first: the server that the URL names, and the only one without a cluster.
        is_cluster: True from the first redirection on.
        ping_keys: a key of each server that has slots, for pings.
    """

    def __init__(self, url: RedisUrl, password: Secret | None) -> None:
        self._url = url
        self._arguments = _build_arguments(url, password)
        self.first = RedisServer(self._arguments)
        self.is_cluster = False
        self.ping_keys: Sequence[str] = (PING_KEY,)
        self._others: dict[Place, RedisServer] = {}
        self._slots: Mapping[int, Place] = {}
        self._loading = asyncio.Lock()
        self._loads = 0
        self._load_again_s = 0.0

    def list_servers(self) -> list[RedisServer]:
        """Return every server that has connections."""
        return [self.first, *self._others.values()]

    def find(self, key: str) -> RedisServer:
        """Return the server of a key, as known so far."""
        if not self._slots:
            return self.first
        # redis-py refuses such a key later, as on one server.
        place = self._slots.get(key_slot(key.encode(errors="surrogatepass")))
        return self._at(*place) if place else self.first

    async def locate(self, *keys: str) -> list[RedisServer]:
        """Return the server of each key. If one fails, ask the others who has its slot now."""
        if self.is_cluster and any(self.find(key).breaker.is_failing for key in keys):
            await self._load()
        return [self.find(key) for key in keys]

    async def follow(self, key: str, error: ResponseError) -> RedisServer:
        """Return the server where a redirection leads.

        Raises:
            StoreRefusedError: the URL cannot lead to a cluster, or its user may not read the slots.
        """
        if self._url.path:
            raise StoreRefusedError("Redis is a cluster: name it by host and port, not by a socket")
        self.is_cluster = True
        if isinstance(error, MovedError):
            await self._load()
            return self._at(error.host or self._url.host, error.port)
        if isinstance(error, AskError):
            return self._at(error.host or self._url.host, error.port).asking
        await asyncio.sleep(TRY_AGAIN_S)
        return self.find(key)

    def _at(self, host: str, port: int) -> RedisServer:
        if (host, port) == (self._url.host, self._url.port):
            return self.first
        if (host, port) not in self._others:
            if len(self._others) >= MOST_SERVERS:
                raise UnavailableError(f"Redis names more than {MOST_SERVERS:,} servers")
            self._others[host, port] = RedisServer(self._arguments | {"host": host, "port": port})
        return self._others[host, port]

    async def _load(self) -> None:
        """Read which server has which slots; keep what is known if no server says so.

        Nothing is read within LOAD_PAUSE_S of the last load.
        """
        async with self._loading:
            if time.monotonic() < self._load_again_s:
                return
            servers = self.list_servers()
            # One that is out of date is not always the first to be asked.
            begin = self._loads % len(servers)
            servers = servers[begin:] + servers[:begin]
            try:
                servers.sort(key=lambda one: one.breaker.is_failing)
                for server in servers[:MOST_ASKED]:
                    if slots := await _ask_slots(server):
                        await self._note_slots(slots)
                        return
            finally:
                self._loads += 1
                self._load_again_s = time.monotonic() + LOAD_PAUSE_S

    async def _note_slots(self, slots: Mapping[int, Place]) -> None:
        self._slots = slots
        places = set(slots.values())
        for place in self._others.keys() - places:
            await self._others.pop(place).leave()
        self.ping_keys = self._choose_ping_keys(len(places))

    def _choose_ping_keys(self, servers: int) -> tuple[str, ...]:
        chosen: dict[RedisServer, str] = {}
        for number in range(MAX_PING_KEYS):
            if len(chosen) == servers:
                break
            key = f"{PING_KEY}:{number}"
            chosen.setdefault(self.find(key), key)
        return tuple(chosen.values())


async def _ask_slots(server: RedisServer) -> Mapping[int, Place]:
    """Return the server of each slot, as one server knows it; empty if it does not say so.

    Raises:
        StoreRefusedError: the user may not ask this.
    """
    try:
        return await server.run(_read_slots)
    except StoreRefusedError:
        raise
    except (UnavailableError, *REDIRECTIONS):
        return {}


async def _read_slots(server: RedisServer) -> dict[int, Place]:
    """Read the reply of CLUSTER SLOTS; a server without a host has that of the answering one."""
    own: str = server.redis.connection_pool.connection_kwargs["host"]
    ranges = await server.redis.execute_command("CLUSTER", "SLOTS")  # type: ignore[no-untyped-call]
    slots: dict[int, Place] = {}
    named = 0
    for first, last, (host, port, *_), *_ in ranges:
        place = (host.decode() if host else own, port)
        named += last - first + 1
        if not 0 <= first <= last < SLOTS or named > SLOTS or type(port) is not int:
            raise ValueError("expected each slot of a cluster once, and ports")
        slots |= dict.fromkeys(range(first, last + 1), place)
    if len(set(slots.values())) > MOST_SERVERS:
        raise ValueError(f"expected at most {MOST_SERVERS:,} servers")
    return slots


def _build_arguments(url: RedisUrl, password: Secret | None) -> dict[str, Any]:
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
