"""Faults below HTTP, before or while a response is sent. The caller closes the connection."""

import socket
import struct
from collections.abc import Callable, Mapping

import trio

from newsintel.demo.wire import RECEIVE_BYTES, Reply, Sabotage

DRIP_S = 0.5
"""Between two bytes: below usual read timeouts, so that only a deadline for the call ends it."""
HUGE_BYTES = 100_000_000
CHUNK = b" " * 65_536


def _build_head(reply: Reply, *framing: str) -> bytes:
    """Return status line and headers, with the caller's framing headers."""
    lines = [
        f"HTTP/1.1 {reply.status} {reply.reason}",
        *(f"{name}: {text}" for name, text in reply.header_lines),
        *framing,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _format_length(size: int) -> str:
    return f"Content-Length: {size}"


def _close_by_reset(stream: trio.SocketStream) -> None:
    """Make the next close send RST: SO_LINGER with 0 seconds drops unsent data."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def _wait_until_left(stream: trio.SocketStream) -> None:
    """Wait until the client closes the connection."""
    while await stream.receive_some(RECEIVE_BYTES):
        pass


async def _send_slowly(stream: trio.SocketStream, data: bytes) -> None:
    for at in range(len(data)):
        await stream.send_all(data[at : at + 1])
        await trio.sleep(DRIP_S)


def hang(_: Reply) -> Sabotage:
    """Send nothing until the client closes the connection."""
    return _wait_until_left


def drip(reply: Reply) -> Sabotage:
    """Send the headers at once, then the body: a byte every half second."""

    async def act(stream: trio.SocketStream) -> None:
        await stream.send_all(_build_head(reply, _format_length(len(reply.body))))
        await _send_slowly(stream, reply.body)

    return act


def slow_headers(reply: Reply) -> Sabotage:
    """Send everything, from the status line on, a byte every half second."""

    async def act(stream: trio.SocketStream) -> None:
        await _send_slowly(stream, _build_head(reply, _format_length(len(reply.body))) + reply.body)

    return act


def wrong_length(reply: Reply) -> Sabotage:
    """Send a Content-Length 1,000 bytes too large, then close."""

    async def act(stream: trio.SocketStream) -> None:
        await stream.send_all(
            _build_head(reply, _format_length(len(reply.body) + 1000)) + reply.body
        )

    return act


def reset(reply: Reply) -> Sabotage:
    """Send half the body, then RST."""

    async def act(stream: trio.SocketStream) -> None:
        await stream.send_all(
            _build_head(reply, _format_length(len(reply.body))) + reply.body[: len(reply.body) // 2]
        )
        _close_by_reset(stream)

    return act


def eof(_: Reply) -> Sabotage:
    """Close the connection in order, without a response."""

    async def act(stream: trio.SocketStream) -> None:
        await stream.send_eof()

    return act


def huge(reply: Reply) -> Sabotage:
    """Send 100 MB without a length; the end of the connection ends the body."""
    return _flood(reply, "Connection: close")


def huge_length(reply: Reply) -> Sabotage:
    """Send 100 MB with their Content-Length."""
    return _flood(reply, _format_length(HUGE_BYTES))


def _flood(reply: Reply, framing: str) -> Sabotage:
    async def act(stream: trio.SocketStream) -> None:
        await stream.send_all(_build_head(reply, framing))
        for at in range(0, HUGE_BYTES, len(CHUNK)):
            await stream.send_all(CHUNK[: HUGE_BYTES - at])

    return act


SABOTAGES: Mapping[str, Callable[[Reply], Sabotage]] = {
    act.__name__: act
    for act in (hang, drip, slow_headers, wrong_length, reset, eof, huge, huge_length)
}
