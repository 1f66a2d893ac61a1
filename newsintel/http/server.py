"""The server: hypercorn on trio, with our own listening sockets and limits. It ends when told to, after its requests."""

import logging
import socket
import sys
from functools import partial

import trio
from hypercorn.config import Config
from hypercorn.trio import serve as serve_asgi

from newsintel.errors import NewsIntelError
from newsintel.http.envelope import Asgi
from newsintel.http.server_log import ServerLog
from newsintel.options import Address
from newsintel.ports import Observe
from newsintel.settings import Settings

GRACEFUL_SHARE = 0.4
"""The part of DRAIN_S for which requests in flight may go on after the shutdown began: 8 s of 20. The sinks have as much after that."""

UNACKNOWLEDGED_MS = 8000
"""How long what we sent may go unacknowledged (TCP_USER_TIMEOUT, RFC 5482). Hypercorn sends in a shielded scope: a client that stops
reading would otherwise hold up a shutdown for ever."""

KEEP_ALIVE_S = 75
"""Above the 60 s after which an AWS balancer drops an idle connection, else it reuses one that we are closing and answers 502.
The same timer bounds headers that drip in."""

BACKLOG = 512
MAX_HEADER_BYTES = 16_384


async def serve(
    app: Asgi,
    settings: Settings,
    *,
    shutdown: trio.Event,
    observe: Observe,
    bind: Address | None = None,
    task_status: trio.TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until `shutdown` is set, then refuse new connections and let requests in flight finish within its share of DRAIN_S.

    Reports, once it accepts connections, the URL of every address it listens on, with the port that the system chose where BIND says 0.

    Args:
        app: what answers.
        settings: give BIND and DRAIN_S.
        shutdown: ends it.
        observe: told of `http_request_seconds`.
        bind: where to listen instead of BIND.
        task_status: reports.

    Raises:
        NewsIntelError: the address cannot be listened on.
    """
    config = _config(await _listen(bind or settings.bind), settings.drain_s * GRACEFUL_SHARE, observe)
    # hypercorn names the exact unions of ASGI's messages; ours are the protocol's own plain mappings.
    await serve_asgi(app, config, shutdown_trigger=shutdown.wait, task_status=task_status)


def _config(bind: list[str], graceful_s: float, observe: Observe) -> Config:
    config = Config()
    config.bind = bind
    config.backlog = BACKLOG
    config.graceful_timeout = graceful_s
    config.shutdown_timeout = graceful_s
    config.keep_alive_timeout = KEEP_ALIVE_S
    config.h11_max_incomplete_size = MAX_HEADER_BYTES
    config.include_server_header = False
    # Loggers of ours, so that hypercorn adds no handlers of its own and each line appears once.
    config.errorlog = logging.getLogger("newsintel.http.server")
    config.logger_class = partial(ServerLog, observe=observe)  # type: ignore[assignment]
    return config


async def _listen(bind: Address) -> list[str]:
    """Open an address, every address of it if it is a name, and hand the file descriptors over to hypercorn."""
    try:
        listeners = await trio.open_tcp_listeners(bind.port, host=bind.host, backlog=BACKLOG)
    except OSError as error:
        raise NewsIntelError(f"cannot listen on {bind}: {error.strerror or error}") from error
    if sys.platform == "linux":
        for listener in listeners:
            # Accepted connections inherit it.
            listener.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
    # Detached: hypercorn closes them.
    return [f"fd://{listener.socket.detach()}" for listener in listeners]
