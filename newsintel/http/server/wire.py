"""The step before the parser: answers finished bytes from the bytes of a plain request.

Hypercorn with h11 needs some 300 us to read a request, start a task for it and write its answer. An
answer that is finished needs none of that. So while a connection is idle and its parser holds
nothing, and the bytes received are exactly one plain request whose answer is in memory, the answer
is sent from here. Everything else goes to the parser untouched, on the same connection, before and
after such answers: the parser never learns of them.

This file and `Http1.can_be_skipped` are the whole seam. The connection keeps its timers, limits and
guard; keep-alive limit and shutdown are left to the parser, which announces the close.
"""

import time
from collections.abc import Awaitable, Callable

from hypercorn.config import Config

from newsintel.http.asgi import HeaderLines, Scope
from newsintel.http.request.plain_head import read_plain_head
from newsintel.http.server.http1 import Http1, join_parts
from newsintel.http.server.log import ServerLog

AnswerAtOnce = Callable[[Scope], tuple[int, HeaderLines, bytes] | None]
"""Returns status, header lines and body for a request that can be answered at once; else None,
without any effect."""


class Wire:
    """Answers plain requests of all connections.

    Args:
        answer: what the application has in memory.
        config: gives the header lines that the server adds to every response.
        log: logs and measures each request.
    """

    def __init__(self, answer: AnswerAtOnce, config: Config, log: ServerLog) -> None:
        self._answer = answer
        self._config = config
        self._log = log
        self._second = 0
        self._own_lines = b""

    async def try_answer(
        self, data: bytes, protocol: Http1, send: Callable[[bytes], Awaitable[None]]
    ) -> bool:
        """Answer the bytes if they are one plain request whose answer is finished.

        Args:
            data: everything that arrived since the last request.
            protocol: of the connection.
            send: sends bytes to the client.

        Returns:
            Whether they were answered. If not, nothing was sent; nothing was counted or changed
            either, except by a bug.
        """
        started = time.perf_counter()
        if not protocol.can_be_skipped:
            return False
        try:
            found = self._find_answer(data, protocol.client)
        except Exception as failure:  # noqa: BLE001  # the other way answers, or sends the 500
            self._log.log_app_failure(failure)
            return False
        if found is None:
            return False
        scope, status, body_bytes, pieces = found
        protocol.keep_alive_requests += 1
        sent = False
        try:
            for piece in pieces:
                await send(piece)
            sent = not protocol.is_lost
        finally:
            took_s = time.perf_counter() - started
            self._log.log_request(
                scope, status if sent else None, body_bytes if sent else 0, took_s
            )
        return True

    def _find_answer(
        self, data: bytes, client: tuple[str, int] | None
    ) -> tuple[Scope, int, int, tuple[bytes, ...]] | None:
        """Return the request's scope, and its response: status, length of the body, its bytes."""
        scope = read_plain_head(data, client)
        if scope is None or (answer := self._answer(scope)) is None:
            return None
        status, lines, body = answer
        return scope, status, len(body), self._serialize(status, lines, body)

    def _serialize(self, status: int, lines: HeaderLines, body: bytes) -> tuple[bytes, ...]:
        """Return a response as h11 writes it: without a reason phrase."""
        head = [b"HTTP/1.1 %d " % status, *[b"%b: %b" % line for line in lines]]
        return join_parts(b"\r\n".join([*head, self._build_own_lines(), b"", b""]), body)

    def _build_own_lines(self) -> bytes:
        """Return the lines that the server adds. They have the date, so they last for a second."""
        second = int(time.time())
        if second != self._second:
            lines = self._config.response_headers("h11")
            self._second, self._own_lines = second, b"\r\n".join(b"%b: %b" % one for one in lines)
        return self._own_lines
