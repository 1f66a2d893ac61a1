"""The one way out: the transport under every httpx client of newsintel, and what httpx's failures mean.

`Transport` reads each reply whole, under caps, before its client sees it; so no client ever decodes or streams. Callers own time: each
call runs in a cancel scope of its caller, whose deadline alone decides.
"""

import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpcore
import httpx
import trio
from attrs import define

from newsintel import __version__
from newsintel.domain.search.outcome import Refusal, Status
from newsintel.domain.text.body import RAW_CAP_BYTES, Body, BodyError
from newsintel.outbound.small_reads import FramingError, SmallReads, SmallReadStream

LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=10)
"""Twice the ten fetches that a source may have in the air: httpcore loses slots to cancelled requests that queue (encode/httpcore#1093)."""

MOST_AT_ONCE = 15
"""Requests of one transport in the air; further ones wait their turn. More than any source has, and fewer than there are connections, so
that none ever queues in the pool: else as many would be open as there are people who sign in while their provider does not answer."""

TIMEOUT = httpx.Timeout(None)
"""None of httpx's own. They bound single socket operations, so they would cut a source that is slow within its deadline and let one go on
that sends a byte now and then."""

POOL_S = 0.5
"""A request that waits this long for a slot, or for half of its time if that is shorter, says that the pool has lost slots."""

CLOSE_S = 1.0
"""Bound on closing a connection or a pool. That is a system call without a wait; longer means that something is wrong."""

HEADERS = {"User-Agent": f"newsintel/{__version__}", "Accept": "application/json", "Accept-Encoding": "identity"}
"""Sent unless a request says otherwise."""

_KEPT = frozenset({b"content-type", b"retry-after", b"www-authenticate"})
_KEPT_PREFIX = b"x-ratelimit-"
"""The headers that somebody reads. The others never reach httpx's client, which acts on some of them: it would keep cookies, by which a
source ties all searches together, and look at the address of a redirect that is never followed, with exceptions of its own."""

PIECES_A_TURN = 32
"""Pieces of a body, some 20 us each, after which others have their turn: a chunk may be one byte."""

MOST_PIECES = 20_000
"""Chunks of a body, each at least as long as a line on the average if it is as large as it may be."""

_EOF = "Server disconnected"
"""How httpcore 1.0 begins its message for an end before the headers; it has no class of its own."""

_MEANINGS: tuple[tuple[type[Exception], Status, str], ...] = (
    (httpx.PoolTimeout, Status.OVERLOADED, "no connection was free"),
    (httpx.ConnectTimeout, Status.TIMEOUT, "no connection in time"),
    (httpx.TimeoutException, Status.TIMEOUT, "no answer in time"),
    (httpx.ConnectError, Status.UNREACHABLE, "cannot connect"),
    (httpx.NetworkError, Status.UNREACHABLE, "connection lost"),
    (httpx.UnsupportedProtocol, Status.UNREACHABLE, "address cannot be used"),
    (httpx.InvalidURL, Status.UNREACHABLE, "address cannot be used"),
    # A setting of ours with a character that no header can carry: a key pasted wrongly.
    (httpx.LocalProtocolError, Status.UNAUTHORIZED, "a credential cannot be sent as it is written"),
    (UnicodeEncodeError, Status.UNAUTHORIZED, "a credential cannot be sent as it is written"),
    # idna's, of a host that httpx takes and then cannot read.
    (UnicodeError, Status.UNREACHABLE, "address cannot be used"),
    (httpx.HTTPError, Status.BAD_PAYLOAD, "reply is not HTTP, or breaks off"),
)
"""The first class that fits decides. Messages of httpx are never repeated: they may hold a URL or a header, and so a key."""

FORESEEN: tuple[type[Exception], ...] = (*(kind for kind, _, _ in _MEANINGS), BodyError, FramingError)
"""What sending a request may raise without that being a bug."""

_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLError, "TLS"),
    (socket.gaierror, "DNS"),
    (ConnectionRefusedError, "refused"),
    (ConnectionResetError, "reset"),
)


def refusal(error: Exception) -> Refusal:
    """What one of `FORESEEN` means, as a value that holds neither URL nor key."""
    if isinstance(error, BodyError | FramingError):
        return Refusal(Status.BAD_PAYLOAD, str(error))
    if isinstance(error, httpx.RemoteProtocolError) and str(error).startswith(_EOF):
        return Refusal(Status.UNREACHABLE, "connection closed before an answer")
    status, meaning = next((status, meaning) for kind, status, meaning in _MEANINGS if isinstance(error, kind))
    reason = _reason(error) if status is Status.UNREACHABLE else None
    return Refusal(status, f"{meaning}: {reason}" if reason else meaning)


def _reason(error: BaseException) -> str | None:
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            # E.g. "certificate has expired"; for a wrong host its name follows the comma.
            return f"TLS, {cause.verify_message.partition(',')[0]}"
    return next((reason for kind, reason in _REASONS for cause in causes if isinstance(cause, kind)), None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and what led to it. httpcore drops `__cause__` on the way (`raise ... from None`) but not `__context__`."""
    while error is not None:
        yield error
        error = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error.__cause__ or error.__context__


@define
class _Pool:
    """A connection pool, and how many requests are in it."""

    transport: httpx.AsyncHTTPTransport
    users: int = 0


class _SmallReading(httpx.AsyncHTTPTransport):
    """httpx's transport over connections that are read in small pieces; httpx itself lets nobody choose the kind of its connections."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls, limits=LIMITS, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=LIMITS.max_connections,
            max_keepalive_connections=LIMITS.max_keepalive_connections,
            keepalive_expiry=LIMITS.keepalive_expiry,
            network_backend=SmallReads(),
        )


class Transport(httpx.AsyncBaseTransport):
    """Reads replies under caps; replaces its connection pool when that has run dry.

    Owns: its pool. A pool that was replaced is closed by the last request in it, so that a replacement ends nobody's request.

    Args:
        max_body_bytes: of a reply, as it is sent and decoded.

    Raises (from `handle_async_request`): what is in FORESEEN.
    """

    def __init__(self, max_body_bytes: int = RAW_CAP_BYTES) -> None:
        self._max_body_bytes = max_body_bytes
        # Built once: reading the certificates takes longer than a request may.
        self._tls = httpx.create_ssl_context(trust_env=False)
        self._pool = self._fresh()
        self._places = trio.CapacityLimiter(MOST_AT_ONCE)

    def _fresh(self) -> _Pool:
        return _Pool(_SmallReading(self._tls))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; answer with its reply, read and decoded. One that found no slot goes on in the pool that was opened instead."""
        async with self._places:
            try:
                return await self._send(request)
            except httpx.PoolTimeout:
                return await self._send(request)

    async def _send(self, request: httpx.Request) -> httpx.Response:
        left_s = trio.current_effective_deadline() - trio.current_time()
        request.extensions["timeout"] = {"pool": min(POOL_S, left_s / 2)}
        async with self._pooled() as pool:
            response = await pool.handle_async_request(request)
            try:
                body = await _read(response, self._max_body_bytes)
            finally:
                with trio.move_on_after(CLOSE_S, shield=True):
                    await response.aclose()
        kept = [(name, value) for name, value in response.headers.raw if _is_kept(name.lower())]
        return httpx.Response(response.status_code, headers=kept, content=body)

    @asynccontextmanager
    async def _pooled(self) -> AsyncIterator[httpx.AsyncHTTPTransport]:
        pool = self._pool
        pool.users += 1
        try:
            yield pool.transport
        except httpx.PoolTimeout:
            # With fewer requests than slots there is always a slot, unless httpcore has lost it, for good.
            if pool is self._pool:
                self._pool = self._fresh()
            raise
        finally:
            pool.users -= 1
            if pool is not self._pool and not pool.users:
                with trio.move_on_after(CLOSE_S, shield=True):
                    await pool.transport.aclose()

    async def aclose(self) -> None:
        """Close the pool and whatever is still in it."""
        with trio.move_on_after(CLOSE_S, shield=True):
            await self._pool.transport.aclose()


def _is_kept(name: bytes) -> bool:
    return name in _KEPT or name.startswith(_KEPT_PREFIX)


async def _read(response: httpx.Response, max_bytes: int) -> bytes:
    """The body of a reply.

    Raises:
        BodyError: it is too large, in too many pieces, or not in the coding it claims.
    """
    connection = response.extensions["network_stream"]
    if not isinstance(connection, SmallReadStream):  # 101, which nobody asked for
        raise FramingError("another protocol than HTTP")
    connection.note_piece()
    length = response.headers.get("content-length", "")
    body = Body(response.headers.get("content-encoding", ""), int(length) if length.isdecimal() else None, max_bytes)
    fault: BodyError | None = None
    pieces = 0
    # Left by cancelling, not by `break`: httpx's nested generators are then unwound in order and the connection is closed, not drained.
    # For that a cancellation has to arrive inside them, at the next read, so pauses in here are shielded from it.
    with trio.CancelScope() as rest:
        async for piece in response.aiter_raw():
            connection.note_piece()
            pieces += 1
            if not pieces % PIECES_A_TURN:
                await trio.lowlevel.cancel_shielded_checkpoint()
            if fault is None:
                fault = await _feed(body, piece) if pieces <= MOST_PIECES else BodyError(f"body in more than {MOST_PIECES:,} pieces")
            if fault is not None:
                rest.cancel()
    if fault is not None:
        raise fault
    return body.finish()


async def _feed(body: Body, piece: bytes) -> BodyError | None:
    """Take in a piece, with everybody else's turn after each step of inflating it; what is wrong with it, if anything."""
    try:
        for _ in body.feed(piece):
            await trio.lowlevel.cancel_shielded_checkpoint()
    except BodyError as error:
        return error
    return None
