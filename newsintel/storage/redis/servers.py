"""The servers of Redis: one, or those of a cluster, by the slot of a key.

Nothing says beforehand whether a server is part of a cluster. The first redirection does, and then
redis-py's NodesManager reads which server has which slots. It reads them again after a redirection
and when a server fails, from any server that answers. It keeps no connection open.

Only this map is redis-py's. Its cluster client itself runs no transaction of ours: see
docs/decisions/0054-redis-cluster.md.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from redis.asyncio.cluster import ClusterNode, NodesManager
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
from newsintel.errors import StoreRefusedError
from newsintel.storage.redis.failures import FORESEEN
from newsintel.storage.redis.server import RedisServer, build_settings

PING_KEY = "ping"
MAX_PING_KEYS = 2_000
"""How many keys are tried to find one for each server: enough for one with 0.5 % of the slots."""

TRY_AGAIN_S = 0.02
"""How long an operation waits whose keys are moving to another server."""


class RedisServers:
    """Finds the server of a key.

    Attributes:
        first: the server that the URL names, and the only one without a cluster.
        ping_keys: a key of each server, for pings.
    """

    def __init__(self, url: RedisUrl, password: Secret | None) -> None:
        self._url = url
        self._place = build_place(url, password)
        self.first = RedisServer(self._place)
        self.ping_keys: Sequence[str] = (PING_KEY,)
        self._others: dict[tuple[str, int], RedisServer] = {}
        self._nodes: NodesManager | None = None
        self._loading = asyncio.Lock()
        self._loads = 0

    @property
    def is_cluster(self) -> bool:
        """True from the first redirection on."""
        return self._nodes is not None

    def list_servers(self) -> list[RedisServer]:
        """Return every server that is in use."""
        return [self.first, *self._others.values()]

    def find(self, key: str) -> RedisServer:
        """Return the server of a key, as known so far."""
        if self._nodes is None:
            return self.first
        slot = key_slot(key.encode(errors="surrogatepass"))
        nodes = self._nodes.slots_cache.get(slot)
        return self._at(nodes[0].host, int(nodes[0].port)) if nodes else self.first

    async def locate(self, key: str) -> RedisServer:
        """Return the server of a key. If that one fails, ask the others who has the slot now."""
        server = self.find(key)
        if self._nodes is None or not server.breaker.is_failing:
            return server
        await self._load()
        return self.find(key)

    async def follow(self, key: str, error: ResponseError) -> RedisServer:
        """Return the server where a redirection leads.

        Raises:
            StoreRefusedError: the URL cannot lead to a cluster.
        """
        if self._url.path:
            raise StoreRefusedError("Redis is a cluster: name it by host and port, not by a socket")
        if isinstance(error, AskError) and not isinstance(error, MovedError):
            return self._at(error.host or self._url.host, error.port).asking
        if isinstance(error, MovedError):
            await self._load()
            return self._at(error.host or self._url.host, error.port)
        if self._nodes is None:
            await self._load()
        else:
            await asyncio.sleep(TRY_AGAIN_S)
        return self.find(key)

    def _at(self, host: str, port: int) -> RedisServer:
        if (host, port) == (self._url.host, self._url.port):
            return self.first
        if (host, port) not in self._others:
            self._others[host, port] = RedisServer(self._place | {"host": host, "port": port})
        return self._others[host, port]

    async def _load(self) -> None:
        """Read which server has which slots; keep what is known if no server says so.

        Who waits for another's load does not load again.
        """
        loads = self._loads
        async with self._loading:
            if loads != self._loads:
                return
            self._loads += 1
            with suppress(*FORESEEN):
                await self._read_slots()

    async def _read_slots(self) -> None:
        arguments = self._place | build_settings()
        host, port = arguments.pop("host"), arguments.pop("port")
        nodes = self._nodes or NodesManager(
            [ClusterNode(host, port, **arguments)],
            require_full_coverage=False,
            connection_kwargs=arguments,
        )
        try:
            # If none of the known ones answers, the name in the URL may lead to others by now.
            await nodes.initialize(
                additional_startup_nodes_info=[(host, port)] if self._nodes else []
            )
        finally:
            with suppress(*FORESEEN):
                await nodes.aclose("startup_nodes")
        self._nodes = nodes
        self.ping_keys = self._choose_ping_keys()
        known = nodes.nodes_cache.values()
        for place in self._others.keys() - {(one.host, int(one.port)) for one in known}:
            await self._others.pop(place).leave()

    def _choose_ping_keys(self) -> tuple[str, ...]:
        chosen: dict[RedisServer, str] = {}
        for number in range(MAX_PING_KEYS):
            key = f"{PING_KEY}:{number}"
            chosen.setdefault(self.find(key), key)
        return tuple(chosen.values())


def build_place(url: RedisUrl, password: Secret | None) -> dict[str, Any]:
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
