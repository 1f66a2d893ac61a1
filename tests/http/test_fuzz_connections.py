"""A fuzzer with 20,000 connections, valid and invalid, cut at any point and left in any way.

It is seeded: a failure names the last seed of its round and can be repeated.
"""

import random
import socket
import struct

import trio

from tests.http.test_hostile_bytes import KILLERS, taking_bodies
from tests.http.wire import back_to, get, held, serving, until_closed

CONNECTIONS = 20_000
AT_ONCE = 40
ROUND = 1_000

WELL_FORMED = (
    get("/health"),
    get("/articles?q=a"),
    get("/articles?q=a", method="HEAD"),
    get(
        "/articles?q=climate%20OR%20%22sea%20level%22&limit=3",
        "If-None-Match: *",
        "X-Request-Id: abc",
    ),
    get("/openapi.json", "Accept-Encoding: gzip"),
    get("/me", "Authorization: Bearer ni_" + "x" * 43),
    get("/body", "Content-Length: 5", method="PUT") + b"hello",
    get("/body", "Transfer-Encoding: chunked", method="PUT")
    + b"5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n",
    get("/body", "Content-Length: 5", "Expect: 100-continue", method="PUT") + b"hello",
    b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3 + get("/sources"),
    b"\r\n\r\n" + get("/health"),
    b"GET /health HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n",
)
PLAIN = tuple(
    request.replace(b"Connection: close\r\n", b"")
    for request in (
        get("/health"),
        get("/health", method="HEAD"),
        get("/articles?q=a", "If-None-Match: *"),
        get("/openapi.json", "Accept-Encoding: gzip"),
    )
)
"""Requests that are answered before the parser, once their answer is finished."""
CORPUS = (*WELL_FORMED, *PLAIN, *KILLERS.values())
SPICES = (
    b"\x00",
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b":",
    b"\xff",
    b"%00",
    b"0\r\n\r\n",
    b"Content-Length: 7\r\n",
    b"HTTP/1.1",
    b"Host: x\r\n",
)


def mutated(dice):
    """Return the bytes of a random connection."""
    data = bytearray(dice.choice(CORPUS))
    for _ in range(dice.choice((0, 0, 1, 1, 2, 8))):
        at = dice.randrange(len(data) + 1)
        match dice.randrange(6):
            case 0:
                data[at:at] = dice.choice(SPICES)
            case 1:
                del data[at : at + dice.randrange(1, 20)]
            case 2:
                data[at : at + 1] = bytes([dice.randrange(256)])
            case 3:
                data[at:at] = dice.choice(CORPUS)[: dice.randrange(200)]
            case 4:
                data[at:] = b""
            case 5:
                data[at:at] = dice.randbytes(dice.randrange(30))
    return bytes(data)


def split(dice, data):
    """Return the bytes in one to four parts."""
    cuts = sorted(dice.randrange(len(data) + 1) for _ in range(dice.choice((0, 0, 1, 3))))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


async def converse(served, seed):
    """Play one client from start to end."""
    dice = random.Random(seed)
    stream = await trio.open_tcp_stream("127.0.0.1", served.port)
    async with stream:
        try:
            if dice.randrange(2):  # the connection was used before the parser got a byte
                await stream.send_all(dice.choice(PLAIN))
                await stream.receive_some()
            for part in split(dice, mutated(dice)):
                await stream.send_all(part)
            match dice.randrange(4):
                case 0:
                    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                case 1:
                    return
                case _:
                    await stream.send_eof()
                    await until_closed(stream)
        except trio.BrokenResourceError:
            pass  # the server may close at any time


async def test_the_service_survives_any_bytes():
    """After each thousand connections it answers a plain request.

    At the end it holds no more than before, and no connection caused an error. The bytes came to
    fresh connections, and to those that the wire path had used.
    """
    limits = {
        "NEWSINTEL_MAX_CONNECTIONS_PER_ADDRESS": "1000",
        "NEWSINTEL_CORS_ORIGINS": "https://a.example",
    }
    async with serving(prepare=taking_bodies, patience_s=900, **limits) as served:
        before = held()
        for start in range(0, CONNECTIONS, ROUND):
            seeds = iter(range(start, start + ROUND))

            async def work(seeds=seeds):
                for seed in seeds:
                    await converse(served, seed)

            async with trio.open_nursery() as nursery:
                for _ in range(AT_ONCE):
                    nursery.start_soon(work)
            assert await served.status(get("/health")) == 200, f"after seed {start + ROUND}"
        await back_to(before)
        assert len(served.at_once) > CONNECTIONS // 3
        assert served.counted("connection_errors") == 0
        assert served.counted("connections_refused", limit="address") == 0
