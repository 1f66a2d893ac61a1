"""An upstream that misbehaves on purpose: a scripted HTTP/1.1 server on 127.0.0.1.

It works on raw bytes, so it can send what no server library would send.

A `Script` runs once per request, after the request's head was read. If it returns, the connection
stays open; if it closes the stream, the connection ends.
"""

import datetime as dt
import ipaddress
import itertools
import socket
import ssl
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import trio
from attrs import define, field
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Script = Callable[[trio.abc.Stream], Awaitable[None]]

MB = 1024 * 1024


@define
class Served:
    """A running upstream: its URL and the head of each request."""

    url: str
    heads: list[str] = field(factory=list)


async def _head(stream: trio.abc.Stream) -> str:
    """Read the next request's head; return "" after the client has closed.

    Requests are small here, so no packet holds parts of two requests.
    """
    head = b""
    while b"\r\n\r\n" not in head:
        piece = await stream.receive_some()
        if not piece:
            return ""
        head += piece
    return head.decode("latin-1")


@asynccontextmanager
async def serving(script: Script, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Served]:
    """Serve one script on a free port."""
    served = Served("")

    async def handle(stream: trio.abc.Stream) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while head := await _head(stream):
                served.heads.append(head)
                await script(stream)

    serve = (
        partial(trio.serve_tcp, handle)
        if tls is None
        else partial(trio.serve_ssl_over_tcp, handle, ssl_context=tls)
    )
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(serve, port=0, host="127.0.0.1"))
        listener = listeners[0] if tls is None else listeners[0].transport_listener
        served.url = (
            f"{'http' if tls is None else 'https'}://127.0.0.1:{listener.socket.getsockname()[1]}"
        )
        yield served
        nursery.cancel_scope.cancel()


def head(status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    """The head of a response."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", *headers]
    lines += [] if length is None else [f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode()


def reply(
    body: bytes = b"{}", status: str = "200 OK", *headers: str, length: int | None = None
) -> Script:
    """A complete response. A `length` other than the true one also closes the connection."""

    async def script(stream: trio.abc.Stream) -> None:
        await stream.send_all(
            head(status, *headers, length=len(body) if length is None else length) + body
        )
        if length is not None:
            await stream.aclose()

    return script


def sequence(*scripts: Script) -> Script:
    """One script per request; the last one repeats."""
    order = itertools.chain(scripts[:-1], itertools.repeat(scripts[-1]))

    async def script(stream: trio.abc.Stream) -> None:
        await next(order)(stream)

    return script


async def stall(stream: trio.abc.Stream) -> None:
    """Accept the connection and never answer."""
    await trio.sleep_forever()


def trickle(body: bytes, every_s: float = 0.1) -> Script:
    """Send one byte at a time, each early enough for a read timeout."""

    async def script(stream: trio.abc.Stream) -> None:
        await stream.send_all(head(length=len(body)))
        for at in range(len(body)):
            await stream.send_all(body[at : at + 1])
            await trio.sleep(every_s)

    return script


def chunked(*pieces: bytes) -> Script:
    """Send a chunked body in one packet. It claims to be gzip."""

    async def script(stream: trio.abc.Stream) -> None:
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b""))
        await stream.send_all(
            head("200 OK", "Content-Encoding: gzip", "Transfer-Encoding: chunked") + chunks
        )

    return script


async def eof(stream: trio.abc.Stream) -> None:
    """Close before the headers."""
    await stream.aclose()


async def eof_in_head(stream: trio.abc.Stream) -> None:
    """Close in the middle of the headers."""
    await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Ty")
    await stream.aclose()


async def reset(stream: trio.abc.Stream) -> None:
    """Reset the connection: SO_LINGER with 0 s makes the kernel send RST."""
    assert isinstance(stream, trio.SocketStream)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await stream.aclose()


async def reset_in_body(stream: trio.abc.Stream) -> None:
    """Reset the connection half-way through the body."""
    await stream.send_all(head(length=100) + b"{")
    await trio.sleep(0.05)
    await reset(stream)


async def not_http(stream: trio.abc.Stream) -> None:
    """Speak another protocol."""
    await stream.send_all(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    await stream.aclose()


def flood(megabytes: int, *, announced: bool) -> Script:
    """A huge body, with or without a Content-Length."""

    async def script(stream: trio.abc.Stream) -> None:
        await stream.send_all(head(length=megabytes * MB if announced else None))
        for _ in range(megabytes):
            await stream.send_all(b" " * MB)
        await stream.aclose()

    return script


def _gzip(pieces: Iterable[bytes]) -> bytes:
    squeeze = zlib.compressobj(9, wbits=31)
    return b"".join([*(squeeze.compress(piece) for piece in pieces), squeeze.flush()])


def bomb(megabytes: int, *, twice: bool = False) -> Script:
    """A small gzip body that inflates to many megabytes.

    `twice` compresses and declares it twice.
    """
    body = _gzip(itertools.repeat(bytes(MB), megabytes))
    return (
        reply(_gzip([body]), "200 OK", "Content-Encoding: gzip, gzip")
        if twice
        else reply(body, "200 OK", "Content-Encoding: gzip")
    )


def self_signed(folder: Path) -> ssl.SSLContext:
    """TLS of a server with a self-signed certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = folder / "self-signed.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    return context
