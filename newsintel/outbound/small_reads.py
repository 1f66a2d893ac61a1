"""Connections that hand a reply to httpcore in small pieces, and no more framing than any server needs.

httpcore works through all that one read brings before others have their turn: 64 KiB of interim answers, header lines or trailers
would take it tens to hundreds of milliseconds. The reader of a body notes each piece; what comes between two is framing, and counted.
"""

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

from newsintel.errors import NewsIntelError

FRAMING_READ_BYTES = 512
"""Read at a time before a body: at most 36 interim answers or 170 header lines, some 2 ms of work."""

BODY_READ_BYTES = 4 * 1024
"""Read at a time of a body: it may end with that much of trailers. The largest recorded reply is 0.85 MiB: some 200 reads of 30 us."""

MOST_FRAMING_BYTES, MOST_FRAMING_LINES = 32 * 1024, 128
"""Of interim answers and a head together, and between two pieces of a body; a read more is possible. Recorded heads have under 60 lines."""


class FramingError(NewsIntelError):
    """A reply of too much framing. The message is one line and holds nothing of the reply."""


class SmallReads(httpcore.AsyncNetworkBackend):
    """httpcore's backend for trio, with connections of this kind."""

    def __init__(self) -> None:
        self._network = httpcore.TrioBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection."""
        return SmallReadStream(await self._network.connect_tcp(host, port, timeout, local_address, socket_options))


class SmallReadStream(httpcore.AsyncNetworkStream):
    """A connection, and what has come on it since the last piece of a body or the last request."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._in_body = False
        self._framing_bytes = self._framing_lines = 0

    def note_piece(self) -> None:
        """Say that a head, or a piece of a body, has been taken."""
        self._in_body = True
        self._framing_bytes = self._framing_lines = 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's interface
        """The next bytes.

        Raises:
            FramingError: all that came before was framing, and too much.
        """
        if self._framing_bytes > MOST_FRAMING_BYTES or self._framing_lines > MOST_FRAMING_LINES:
            raise FramingError("too many headers, interim answers or trailers")
        data = await self._stream.read(min(max_bytes, BODY_READ_BYTES if self._in_body else FRAMING_READ_BYTES), timeout)
        self._framing_bytes += len(data)
        self._framing_lines += data.count(b"\n")
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's interface
        """Send a part of a request: a head comes next."""
        self._in_body = False
        self._framing_bytes = self._framing_lines = 0
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close it."""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore\'s interface
    ) -> httpcore.AsyncNetworkStream:
        """The same connection under TLS."""
        return SmallReadStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """What is known of it."""
        return self._stream.get_extra_info(info)
