"""The server: its limits, and one task per connection.

On shutdown, the server lets requests in flight finish.
"""

import resource
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import trio
from hypercorn.config import Config
from hypercorn.trio.worker_context import WorkerContext

from newsintel.config.settings import Settings
from newsintel.config.values import ListenAddress
from newsintel.domain.tracing import BeginRequest, begin_no_request
from newsintel.http.asgi import Asgi
from newsintel.http.server.accepting import accept_connections
from newsintel.http.server.connection import ServerParts
from newsintel.http.server.connections import Connections
from newsintel.http.server.listening import format_url, open_listeners
from newsintel.http.server.log import ServerLog
from newsintel.http.server.wire import AnswerAtOnce, Wire
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.runtime.telemetry.metrics import Metrics
from newsintel.runtime.workers.batch_listener import BatchListener
from newsintel.runtime.workers.connection_counts import ConnectionCounts

log = get_logger(__name__)

GRACEFUL_SHARE = 0.4
"""The part of DRAIN_S in which requests in flight may finish after the shutdown began: 8 s of 20.
The sinks then have the same time."""

MAX_HEADER_BYTES = 16_384

RESERVED_DESCRIPTORS = 256
"""Part of the process's limit of file descriptors, reserved for connections to stores and sources,
for files and for pipes. Clients' connections may use the rest."""


async def serve_http(
    app: Asgi,
    settings: Settings,
    *,
    shutdown: trio.Event,
    metrics: Metrics,
    bind: ListenAddress | None = None,
    inherited: Sequence[BatchListener] = (),
    counts: ConnectionCounts | None = None,
    answer_at_once: AnswerAtOnce | None = None,
    is_searching: Callable[[], bool] = lambda: False,
    begin_span: BeginRequest = begin_no_request,
    task_status: trio.TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until `shutdown` is set.

    After that, the server accepts no new connections, and requests in flight may finish within
    GRACEFUL_SHARE of DRAIN_S.

    Args:
        app: answers the requests.
        settings: give BIND, DRAIN_S, HEAD_TIMEOUT_S and the limits of connections.
        shutdown: ends the server.
        metrics: count requests and connections.
        bind: the address to listen on instead of BIND; such a listener has no gauge.
        inherited: the listeners of that address, if another process has opened them.
        counts: the connections of all workers; None = there is no other process.
        answer_at_once: finished answers, which are sent without parsing the request; None = there
            are none.
        is_searching: whether a search runs, which a crowd of new connections should not hold up.
        begin_span: traces the requests.
        task_status: receives the URL of every listening address once the server accepts
            connections. Where BIND has port 0, the URL has the port that the system chose.

    Raises:
        NewsIntelError: the server cannot listen on the address.
    """
    listeners = inherited or [
        BatchListener(listener) for listener in await open_listeners(bind or settings.bind)
    ]
    connections = Connections(
        settings,
        metrics.count,
        capacity=_find_capacity(settings.max_connections),
        all_workers=counts,
    )
    if bind is None:
        metrics.set_gauge_reader("connections", lambda: {(): float(len(connections))})
    serving = _build_parts(
        app, settings, metrics, connections, answer_at_once, begin_span=begin_span
    )
    async with trio.open_nursery() as nursery:
        async with trio.open_nursery() as accepting:
            for listener in listeners:
                listener.is_searching = is_searching
                accepting.start_soon(
                    accept_connections, listener, serving.serve_connection, nursery
                )
            task_status.started([format_url(listener) for listener in listeners])
            await shutdown.wait()
            connections.leave()
            accepting.cancel_scope.cancel()
        await serving.context.terminated.set()
        connections.drain()
        nursery.cancel_scope.deadline = trio.current_time() + settings.drain_s * GRACEFUL_SHARE


def _build_parts(
    app: Asgi,
    settings: Settings,
    metrics: Metrics,
    connections: Connections,
    answer_at_once: AnswerAtOnce | None,
    *,
    begin_span: BeginRequest = begin_no_request,
) -> ServerParts:
    config = Config()
    config.h11_max_incomplete_size = MAX_HEADER_BYTES
    config.include_server_header = False
    server_log = ServerLog(metrics.observe, begin_span, urlsplit(settings.public_url).scheme)
    return ServerParts(
        app,
        config,
        WorkerContext(None),
        connections,
        server_log,
        metrics.count,
        settings.head_timeout_s,
        Wire(answer_at_once, config, server_log) if answer_at_once else None,
    )


def _find_capacity(wanted: int) -> int:
    """Return how many connections may be open: MAX_CONNECTIONS, or fewer if descriptors run out.

    Raises the process's limit of file descriptors to the highest that the system allows.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most == resource.RLIM_INFINITY or wanted + RESERVED_DESCRIPTORS <= most:
        return wanted
    possible = max(1, most - RESERVED_DESCRIPTORS)
    log.warning("fewer_connections", max_connections=wanted, descriptors=most, possible=possible)
    return possible
