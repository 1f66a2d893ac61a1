"""Bounds the reads that wait for their answer: one too many is refused at once.

Without it each of thousands of clients would wait longer than any of them is willing to. Writes are
bounded by the slots of the stores. A response that has begun does not count, so clients that read
slowly take no place; neither do probes.
"""

from newsintel.domain.ports import Count
from newsintel.http.asgi import Asgi, Receive, Scope, Send
from newsintel.http.middleware.identify import ANONYMOUS_PATHS
from newsintel.http.response.problems import RETRY_AFTER_S
from newsintel.http.response.refusal import Refusals

MAX_WAITING = 2_048
"""A process answers some 1,500 requests a second that reach the framework. So the last of these has
its answer within about the time of a search, 1.5 s."""

READS = ("GET", "HEAD")


class InFlight:
    """ASGI middleware before Identify, which already asks the stores.

    Attributes:
        waiting: reads whose response has not begun.
    """

    def __init__(self, app: Asgi, count: Count, refusals: Refusals) -> None:
        self._app = app
        self._refusals = refusals
        self._count = count
        self.waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 503 `busy`."""
        if (
            scope["type"] != "http"
            or scope["method"] not in READS
            or scope["path"] in ANONYMOUS_PATHS
        ):
            await self._app(scope, receive, send)
        elif self.waiting >= MAX_WAITING:
            self._count("shed_requests")
            head = [(b"retry-after", b"%d" % RETRY_AFTER_S)]
            await self._refusals.send(scope, send, "busy", head)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count a request until its response begins, or until there is none."""
        counted = 1
        self.waiting += counted

        async def sending(message: dict[str, object]) -> None:
            nonlocal counted
            self.waiting, counted = self.waiting - counted, 0
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            self.waiting -= counted
