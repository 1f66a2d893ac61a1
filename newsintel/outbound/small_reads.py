"""Connections that pass a reply to httpcore in small reads and limit its framing.

httpcore processes everything that one read returns before other tasks run: 64 KiB of interim
answers, header lines or trailers would block the loop for tens to hundreds of milliseconds. The
reader of a body notes each piece. Bytes between two pieces are framing, and they are counted.
"""

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

from newsintel.errors import NewsIntelError

FRAMING_READ_BYTES = 512
"""Size of one read before a body: at most 36 interim answers or 170 header lines, about 2 ms."""

BODY_READ_BYTES = 4 * 1024
"""Size of one read in a body of unknown length, whose last read may hold as many bytes of trailers.

The largest recorded reply has 0.85 MiB: about 200 reads of 30 us. A body of known length has no
trailers, so it is read as httpcore asks for it: 64 KiB at once.
"""

MOST_FRAMING_BYTES, MOST_FRAMING_LINES = 32 * 1024, 128
"""Limits for interim answers and head together, and for the framing between two body pieces.

They can be exceeded by one read. Recorded heads have fewer than 60 lines.
"""


class FramingError(NewsIntelError):
    """A reply has too much framing. The message is one line and contains nothing of the reply."""


class SmallReads(httpcore.AsyncNetworkBackend):
    """A backend of httpcore whose connections are `SmallReadStream`s."""

    def __init__(self, network: httpcore.AsyncNetworkBackend) -> None:
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Open a connection."""
        return SmallReadStream(
            await self._network.connect_tcp(host, port, timeout, local_address, socket_options)
        )


class SmallReadStream(httpcore.AsyncNetworkStream):
    """A connection that counts the framing since the last piece of a body or the last request."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._in_body = False
        self._expected_bytes = 0
        self._framing_bytes = self._framing_lines = 0

    def expect_body(self, length_bytes: int) -> None:
        """Note that a body of this length follows the head, some of it already read."""
        self._expected_bytes = length_bytes

    def note_piece(self) -> None:
        """Note that a head or a piece of a body has been read."""
        self._in_body = True
        self._framing_bytes = self._framing_lines = 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's interface
        """Return the next bytes.

        Raises:
            FramingError: the framing read so far exceeds a limit.
        """
        if self._framing_bytes > MOST_FRAMING_BYTES or self._framing_lines > MOST_FRAMING_LINES:
            raise FramingError("too many headers, interim answers or trailers")
        most = max(BODY_READ_BYTES, self._expected_bytes) if self._in_body else FRAMING_READ_BYTES
        data = await self._stream.read(min(max_bytes, most), timeout)
        self._expected_bytes -= len(data)
        self._framing_bytes += len(data)
        self._framing_lines += data.count(b"\n")
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's interface
        """Send a part of a request; the next read starts a head."""
        self._in_body = False
        self._expected_bytes = 0
        self._framing_bytes = self._framing_lines = 0
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore\'s interface
    ) -> httpcore.AsyncNetworkStream:
        """Return this connection with TLS."""
        return SmallReadStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore's stream knows about `info`."""
        return self._stream.get_extra_info(info)
