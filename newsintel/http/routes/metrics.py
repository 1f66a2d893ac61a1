"""GET /metrics: the metrics for Prometheus.

The public port requires METRICS_TOKEN; METRICS_BIND answers every client that can reach it.
"""

import hmac
from collections.abc import Awaitable, Callable

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from quart import Response, request
from werkzeug.exceptions import NotFound

from newsintel.config.settings import Settings
from newsintel.errors import MetricsUnavailableError
from newsintel.http.asgi import Receive, Scope, Send
from newsintel.http.middleware.envelope import assign_request_id
from newsintel.http.paths import METRICS
from newsintel.http.response.errors import describe_error
from newsintel.http.response.problems import send_problem
from newsintel.http.route import Route
from newsintel.http.services import Services


def build_routes() -> tuple[Route, ...]:
    """The route of the metrics."""
    about = "The service's numbers for Prometheus; its operator decides who may read them"
    return (Route(METRICS, get_metrics, about, {200: None}, problems=("not_found", "busy")),)


async def get_metrics(services: Services) -> Response:
    """Answer with the metrics; without permission, with a 404, as if the path did not exist."""
    if not _can_read_metrics(services.settings, request.headers.get("Authorization", "")):
        raise NotFound("Not found.")
    return Response(
        await services.operations.exposition(),
        headers={"Cache-Control": "no-store"},
        content_type=CONTENT_TYPE_PLAIN_0_0_4,
    )


def _can_read_metrics(settings: Settings, authorization: str) -> bool:
    """Whether the caller may read the metrics.

    If METRICS_TOKEN is set, the caller must send it. If not, all callers may read in development
    and none in production. The check takes the same time for every wrong token.
    """
    if settings.metrics_token is None:
        return not settings.production
    scheme, _, token = authorization.partition(" ")
    known = hmac.compare_digest(token.strip().encode(), settings.metrics_token.reveal().encode())
    return known and scheme.lower() == "bearer"


class MetricsListener:
    """The ASGI application behind METRICS_BIND. It serves only the metrics, without a token."""

    def __init__(self, exposition: Callable[[], Awaitable[bytes]]) -> None:
        self._exposition = exposition

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request; 404 for any other path or method, 503 without metrics."""
        assign_request_id(scope)
        known = scope["path"] == METRICS and scope["method"] in ("GET", "HEAD")
        if known:
            scope["state"]["route"] = METRICS
        try:
            body = await self._exposition() if known else b""
        except MetricsUnavailableError as error:
            told = describe_error(error, METRICS)
            head = [(name.encode(), value.encode()) for name, value in told.headers.items()]
            await send_problem(scope, send, told.code, told.detail, head)
            return
        headers = [
            (b"content-type", CONTENT_TYPE_PLAIN_0_0_4.encode()),
            (b"content-length", b"%d" % len(body)),
        ]
        await send(
            {"type": "http.response.start", "status": 200 if known else 404, "headers": headers}
        )
        await send({"type": "http.response.body", "body": body, "more_body": False})
