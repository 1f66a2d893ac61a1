"""Faults below HTTP: what a connection can suffer before or while a response is sent. The caller closes it afterwards."""

import socket
import struct
from collections.abc import Callable, Mapping

import trio

from newsintel.demo.wire import RECEIVE_BYTES, Reply, Sabotage

DRIP_S = 0.5
"""Between two bytes: below any usual read timeout, so that only a deadline for the whole ends it."""
HUGE_BYTES = 100_000_000
CHUNK = b" " * 65_536


def _head(reply: Reply, *framing: str) -> bytes:
    """Status line and headers, with framing headers of the caller's choice."""
    lines = [f"HTTP/1.1 {reply.status} {reply.reason}", *(f"{name}: {text}" for name, text in reply.header_lines), *framing]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _length(size: int) -> str:
    return f"Content-Length: {size}"


def _close_by_reset(stream: trio.SocketStream) -> None:
    """Make the coming close a reset: lingering for no time drops what is unsent and sends RST."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def _until_left(stream: trio.SocketStream) -> None:
    """Wait for the client to hang up."""
    while await stream.receive_some(RECEIVE_BYTES):
        pass


async def _drip(stream: trio.SocketStream, data: bytes) -> None:
    for at in range(len(data)):
        await stream.send_all(data[at : at + 1])
        await trio.sleep(DRIP_S)


def hang(_: Reply) -> Sabotage:
    """Say nothing until the client leaves."""
    return _until_left


def drip(reply: Reply) -> Sabotage:
    """Prompt headers, then a byte every half second."""

    async def act(stream: trio.SocketStream) -> None:
        await stream.send_all(_head(reply, _length(len(reply.body))))
        await _drip(stream, reply.body)

    return act


def slow_headers(reply: Reply) -> Sabotage:
    """The status line and headers, a byte every half second."""

    async def act(stream: trio.SocketStream) -> None:
        await _drip(stream, _head(reply, _length(len(reply.body))) + reply.body)

    return act


def wrong_length(reply: Reply) -> Sabotage:
    """A Content-Length above what comes before the connection ends."""

    async def act(stream: trio.SocketStream) -> None:
        await stream.send_all(_head(reply, _length(len(reply.body) + 1000)) + reply.body)

    return act


def reset(reply: Reply) -> Sabotage:
    """Half the body, then RST."""

    async def act(stream: trio.SocketStream) -> None:
        await stream.send_all(_head(reply, _length(len(reply.body))) + reply.body[: len(reply.body) // 2])
        _close_by_reset(stream)

    return act


def eof(_: Reply) -> Sabotage:
    """An ordinary end of the connection where the response should begin."""

    async def act(stream: trio.SocketStream) -> None:
        await stream.send_eof()

    return act


def huge(reply: Reply) -> Sabotage:
    """100 MB that end with the connection, their size not told."""
    return _flood(reply, "Connection: close")


def huge_length(reply: Reply) -> Sabotage:
    """100 MB, as the Content-Length says."""
    return _flood(reply, _length(HUGE_BYTES))


def _flood(reply: Reply, framing: str) -> Sabotage:
    async def act(stream: trio.SocketStream) -> None:
        await stream.send_all(_head(reply, framing))
        for at in range(0, HUGE_BYTES, len(CHUNK)):
            await stream.send_all(CHUNK[: HUGE_BYTES - at])

    return act


SABOTAGES: Mapping[str, Callable[[Reply], Sabotage]] = {
    act.__name__: act for act in (hang, drip, slow_headers, wrong_length, reset, eof, huge, huge_length)
}
