"""Connections to public addresses only, for requests to addresses that others choose (SSRF).

A host is resolved once, every address is checked, and the connection goes to a checked address. So
a name that resolves differently a moment later (DNS rebinding) changes nothing.
"""

import socket
from collections.abc import Iterable
from functools import partial
from typing import Any

import httpcore
import trio

from newsintel.domain.text.public_addresses import is_public
from newsintel.errors import NewsIntelError

MOST_ADDRESSES = 4
"""Addresses of a host that are tried."""

MOST_LOOK_UPS = 32
"""Look-ups of hosts that run at once. More wait, within their own time."""

EACH_S = 5.0
"""How long one address may take to connect, so that the next one gets its turn."""


class PrivateAddressError(NewsIntelError):
    """A host is on a private network. The message is one line without the address."""


class PublicNetwork(httpcore.AsyncNetworkBackend):
    """httpcore's trio backend for public addresses.

    It looks up hosts in threads of its own. Who chooses a host may let its look-up take as long as
    the resolver waits, half a minute or more, and nobody can end such a thread. In trio's 40
    threads they would stop the look-ups of the sources, and all else that needs a thread.

    Args:
        private: allow private addresses too, for tests and demos.
    """

    def __init__(self, *, private: bool = False) -> None:
        self._network = httpcore.TrioBackend()
        self._private = private
        self._threads = trio.CapacityLimiter(MOST_LOOK_UPS)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Open a connection to the first checked address that accepts it.

        Raises:
            PrivateAddressError: one of the host's addresses is not public.
            httpcore.ConnectError: the host has no address, or none accepts a connection.
        """
        addresses = await self._resolve(host, port)
        if not self._private and not all(map(is_public, addresses)):
            raise PrivateAddressError("the host is on a private network")
        failure: Exception | None = None
        for address in addresses[:MOST_ADDRESSES]:
            try:
                return await self._network.connect_tcp(
                    address, port, timeout or EACH_S, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError("no address")

    async def _resolve(self, host: str, port: int) -> list[str]:
        """Return a host's addresses, in the order of the resolver.

        Raises:
            httpcore.ConnectError: there is none; its cause is the resolver's error.
        """
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        try:
            found = await trio.to_thread.run_sync(
                look_up, limiter=self._threads, abandon_on_cancel=True
            )
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        return list(dict.fromkeys(str(place[4][0]) for place in found))
