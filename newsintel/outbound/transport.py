"""The transport of every httpx client in newsintel, and the meaning of httpx's failures.

`Transport` reads each reply completely, within size limits, before its client sees it; so no client
decodes or streams. Callers own the deadline: each call runs in a cancel scope of its caller, and no
other time limit applies.
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
from newsintel.domain.text.body import RAW_CAP_BYTES, BodyError, BodyReader
from newsintel.outbound.public_network import PrivateAddressError
from newsintel.outbound.small_reads import FramingError, SmallReads, SmallReadStream

LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=10)
"""Twice the ten fetches that a source may run at once.

httpcore loses slots when queued requests are cancelled (encode/httpcore#1093).
"""

MOST_AT_ONCE = 15
"""Requests of one transport that run at once; more requests wait.

This is more than any source runs, and fewer than there are connections, so no request queues in the
pool. Without this limit, a sign-in provider that does not answer would hold one open request per
person who signs in.
"""

TIMEOUT = httpx.Timeout(None)
"""We use none of httpx's timeouts, because they limit single socket operations.

They would stop a source that is slow but within its deadline, and would not stop one that sends a
byte now and then.
"""

POOL_S = 0.5
"""A request that waits POOL_S for a slot shows that the pool has lost slots.

If half of the request's remaining time is shorter, that counts instead.
"""

CLOSE_S = 1.0
"""Time limit for closing a connection or a pool.

Closing is a system call that does not wait; if it takes longer, something is wrong.
"""

HEADERS = {
    "User-Agent": f"newsintel/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
}
"""Sent unless a request says otherwise."""

_PASSED_HEADERS = frozenset({b"content-type", b"retry-after", b"www-authenticate"})
_PASSED_PREFIX = b"x-ratelimit-"
"""The headers that our code reads. The transport removes all others.

httpx's client acts on some of them: it would keep cookies, with which a source can link all
searches, and it would parse the address of a redirect, which we never follow, and raise its own
exceptions.
"""

PIECES_A_TURN = 32
"""Pieces of a body, about 20 us each, after which other tasks run: a chunk may be one byte."""

MOST_PIECES = 20_000
"""Maximum number of chunks of a body.

A body of the largest size, 2 MiB, then has chunks of at least 100 bytes on average.
"""

_EOF = "Server disconnected"
"""The start of httpcore 1.0's message when a connection closes before the headers.

httpcore has no exception class for it.
"""

_MEANINGS: tuple[tuple[type[Exception], Status, str], ...] = (
    (PrivateAddressError, Status.UNREACHABLE, "the host is on a private network"),
    (httpx.PoolTimeout, Status.OVERLOADED, "no connection was free"),
    (httpx.ConnectTimeout, Status.TIMEOUT, "no connection in time"),
    (httpx.TimeoutException, Status.TIMEOUT, "no answer in time"),
    (httpx.ConnectError, Status.UNREACHABLE, "cannot connect"),
    (httpx.NetworkError, Status.UNREACHABLE, "connection lost"),
    (httpx.UnsupportedProtocol, Status.UNREACHABLE, "address cannot be used"),
    (httpx.InvalidURL, Status.UNREACHABLE, "address cannot be used"),
    # One of our settings has a character that no header can carry: a key pasted wrongly.
    (httpx.LocalProtocolError, Status.UNAUTHORIZED, "a credential cannot be sent as it is written"),
    (UnicodeEncodeError, Status.UNAUTHORIZED, "a credential cannot be sent as it is written"),
    # From idna: httpx accepts the host at first and cannot encode it later.
    (UnicodeError, Status.UNREACHABLE, "address cannot be used"),
    (httpx.HTTPError, Status.BAD_PAYLOAD, "reply is not HTTP, or breaks off"),
)
"""The first class that matches decides.

httpx's own messages are never shown: they may contain a URL or a header, and so a key.
"""

FORESEEN: tuple[type[Exception], ...] = (
    *(kind for kind, _, _ in _MEANINGS),
    BodyError,
    FramingError,
)
"""The exceptions that are expected when a request is sent. Any other exception is a bug."""

_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLError, "TLS"),
    (socket.gaierror, "DNS"),
    (ConnectionRefusedError, "refused"),
    (ConnectionResetError, "reset"),
)


def make_refusal(error: Exception) -> Refusal:
    """Return what an exception of `FORESEEN` means, without URL or key."""
    if isinstance(error, BodyError | FramingError):
        return Refusal(Status.BAD_PAYLOAD, str(error))
    if isinstance(error, httpx.RemoteProtocolError) and str(error).startswith(_EOF):
        return Refusal(Status.UNREACHABLE, "connection closed before an answer")
    status, meaning = next(
        (status, meaning) for kind, status, meaning in _MEANINGS if isinstance(error, kind)
    )
    reason = _find_reason(error) if status is Status.UNREACHABLE else None
    return Refusal(status, f"{meaning}: {reason}" if reason else meaning)


def _find_reason(error: BaseException) -> str | None:
    causes = list(_iterate_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            # E.g. "certificate has expired"; for a wrong host, the host's name follows the comma.
            return f"TLS, {cause.verify_message.partition(',')[0]}"
    return next(
        (reason for kind, reason in _REASONS for cause in causes if isinstance(cause, kind)), None
    )


def _iterate_causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception, then its causes.

    httpcore drops `__cause__` (`raise ... from None`) but keeps `__context__`.
    """
    while error is not None:
        yield error
        error = (
            error.exceptions[0]
            if isinstance(error, BaseExceptionGroup)
            else error.__cause__ or error.__context__
        )


@define
class _Pool:
    """A connection pool and the number of requests that use it."""

    transport: httpx.AsyncHTTPTransport
    users: int = 0


class _SmallReadTransport(httpx.AsyncHTTPTransport):
    """httpx's transport over `SmallReads` connections.

    httpx has no option for the kind of connection, so this class replaces its pool.
    """

    def __init__(self, tls: ssl.SSLContext, network: httpcore.AsyncNetworkBackend) -> None:
        super().__init__(verify=tls, limits=LIMITS, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=LIMITS.max_connections,
            max_keepalive_connections=LIMITS.max_keepalive_connections,
            keepalive_expiry=LIMITS.keepalive_expiry,
            network_backend=SmallReads(network),
        )


class Transport(httpx.AsyncBaseTransport):
    """Reads replies within size limits; replaces its connection pool when that has lost its slots.

    Owns: its pool. The last request in a replaced pool closes it, so a replacement ends no request.

    Args:
        max_body_bytes: limit of a reply's body, both as sent and decoded.
        network: opens the connections.
        passed: further headers to pass on, in lower case.

    Raises (from `handle_async_request`): the exceptions in FORESEEN.
    """

    def __init__(
        self,
        max_body_bytes: int = RAW_CAP_BYTES,
        *,
        network: httpcore.AsyncNetworkBackend | None = None,
        passed: frozenset[bytes] = frozenset(),
    ) -> None:
        self._max_body_bytes = max_body_bytes
        self._network = network or httpcore.TrioBackend()
        self._passed = _PASSED_HEADERS | passed
        # Created once: reading the certificates takes longer than a request may take.
        self._tls = httpx.create_ssl_context(trust_env=False)
        self._pool = self._create_pool()
        self._places = trio.CapacityLimiter(MOST_AT_ONCE)

    def _create_pool(self) -> _Pool:
        return _Pool(_SmallReadTransport(self._tls, self._network))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its reply, read and decoded.

        A request that found no slot is sent again through the new pool.
        """
        async with self._places:
            try:
                return await self._send(request)
            except httpx.PoolTimeout:
                return await self._send(request)

    async def _send(self, request: httpx.Request) -> httpx.Response:
        left_s = trio.current_effective_deadline() - trio.current_time()
        request.extensions["timeout"] = {"pool": min(POOL_S, left_s / 2)}
        async with self._use_pool() as pool:
            response = await pool.handle_async_request(request)
            try:
                body = await _read(response, self._max_body_bytes)
            finally:
                with trio.move_on_after(CLOSE_S, shield=True):
                    await response.aclose()
        kept = [
            (name, value) for name, value in response.headers.raw if self._is_passed(name.lower())
        ]
        return httpx.Response(response.status_code, headers=kept, content=body)

    @asynccontextmanager
    async def _use_pool(self) -> AsyncIterator[httpx.AsyncHTTPTransport]:
        pool = self._pool
        pool.users += 1
        try:
            yield pool.transport
        except httpx.PoolTimeout:
            # There are fewer requests than slots, so a slot is missing only if httpcore lost it.
            # A lost slot never comes back.
            if pool is self._pool:
                self._pool = self._create_pool()
            raise
        finally:
            pool.users -= 1
            if pool is not self._pool and not pool.users:
                with trio.move_on_after(CLOSE_S, shield=True):
                    await pool.transport.aclose()

    def _is_passed(self, name: bytes) -> bool:
        return name in self._passed or name.startswith(_PASSED_PREFIX)

    async def aclose(self) -> None:
        """Close the pool and the connections in it."""
        with trio.move_on_after(CLOSE_S, shield=True):
            await self._pool.transport.aclose()


async def _read(response: httpx.Response, max_bytes: int) -> bytes:
    """Return the body of a reply.

    Raises:
        BodyError: it is too large, in too many pieces, or not in the coding that it claims.
        FramingError: it has too much framing, or switches to another protocol.
    """
    connection = response.extensions["network_stream"]
    if not isinstance(connection, SmallReadStream):  # a 101, although we requested no upgrade
        raise FramingError("another protocol than HTTP")
    connection.note_piece()
    given = response.headers.get("content-length", "")
    length = int(given) if given.isdecimal() else None
    body = BodyReader(response.headers.get("content-encoding", ""), length, max_bytes)
    # Chunks take precedence over a length (RFC 9112, 6.3), and only they have trailers.
    if length is not None and "transfer-encoding" not in response.headers:
        connection.expect_body(length)
    fault: BodyError | None = None
    pieces = 0
    # To stop early, the loop is cancelled instead of left by `break`: this unwinds httpx's nested
    # generators in order, and the connection is closed, not drained. The cancellation must arrive
    # inside the generators, at the next read, so the pauses in the loop are shielded from it.
    with trio.CancelScope() as rest:
        async for piece in response.aiter_raw():
            connection.note_piece()
            pieces += 1
            if not pieces % PIECES_A_TURN:
                await trio.lowlevel.cancel_shielded_checkpoint()
            if fault is None:
                fault = (
                    await _feed(body, piece)
                    if pieces <= MOST_PIECES
                    else BodyError(f"body in more than {MOST_PIECES:,} pieces")
                )
            if fault is not None:
                rest.cancel()
    if fault is not None:
        raise fault
    return body.finish()


async def _feed(body: BodyReader, piece: bytes) -> BodyError | None:
    """Add a piece to a body; other tasks run after each step of decompression.

    Returns:
        What is wrong with the body, or None.
    """
    try:
        for _ in body.feed(piece):
            await trio.lowlevel.cancel_shielded_checkpoint()
    except BodyError as error:
        return error
    return None
