"""The listening sockets. The supervisor of workers opens them without the rest of the server."""

import socket
import sys

import trio

from newsintel.config.values import ListenAddress
from newsintel.errors import NewsIntelError
from newsintel.runtime.workers.batch_listener import BatchListener

Listener = trio.SocketListener | BatchListener

UNACKNOWLEDGED_MS = 8000
"""How long sent data may stay unacknowledged (TCP_USER_TIMEOUT, RFC 5482). A client that vanished
is detected within this time."""

BACKLOG = 4096
"""Connections that wait to be accepted: as many as may be open by default (MAX_CONNECTIONS). The
system drops what exceeds it, and a client tries again only after a second. Linux cuts the number to
net.core.somaxconn, by default 4096 too.
"""


async def open_listeners(bind: ListenAddress) -> list[trio.SocketListener]:
    """Listen on an address; for a host name, on each of its addresses.

    Raises:
        NewsIntelError: the system refuses the address.
    """
    try:
        listeners = await trio.open_tcp_listeners(bind.port, host=bind.host, backlog=BACKLOG)
    except OSError as error:
        raise NewsIntelError(f"cannot listen on {bind}: {error.strerror or error}") from error
    if sys.platform == "linux":
        for listener in listeners:
            # Accepted connections inherit this option.
            listener.socket.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS
            )
    return listeners


def format_url(listener: Listener) -> str:
    """Return the URL of a listening address."""
    host, port = listener.socket.getsockname()[:2]
    return f"http://{ListenAddress(host, port)}"
