"""The supervisor of several workers, from the first log line to the last.

It opens the listening sockets, starts the embedded servers, prepares the schema once, and then
starts the workers. It accepts no connection and runs no part of the pipeline.
"""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager

import trio

from newsintel.commands.stores import open_prepared_stores
from newsintel.config.settings import Settings
from newsintel.http.server.listening import format_url, open_listeners
from newsintel.outbound.tracing.choice import announce_tracing
from newsintel.runtime.command_loop import call_on_signals
from newsintel.runtime.lifecycle import END_SLACK_S, Shutdown
from newsintel.runtime.startup import announce_start, check_addresses, serving_fields
from newsintel.runtime.stopping import Stopped, first_signal
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.runtime.telemetry.task_tree import ignore_request, log_on_request
from newsintel.runtime.watchdog import watch_loop
from newsintel.runtime.workers.connection_counts import create_counts
from newsintel.runtime.workers.handover import Handover
from newsintel.runtime.workers.supervisor import Supervisor
from newsintel.runtime.workers.worker_process import END_NOW_S, Sockets
from newsintel.storage.opening import run_own_servers

log = get_logger(__name__)

LAST_S = 1.0
"""How much longer than its workers the supervisor may take to end: with a DRAIN_S of 20 s, 28 s in
all, within a container's usual 30 s."""


async def run_workers(settings: Settings) -> None:
    """Run the workers until a signal (`stopping.SIGNALS`); then stop all of them within DRAIN_S.

    Raises:
        NewsIntelError: a store cannot be used, an address is taken, or the workers keep ending.
        Stopped: a signal came before all workers served, or a second signal cut the shutdown short.
    """
    announce_start(settings)
    announce_tracing(os.environ)
    await check_addresses(settings)
    limit_s = settings.drain_s + END_SLACK_S + END_NOW_S + LAST_S
    with trio.CancelScope() as process, ExitStack() as watching, ignore_request():
        ending = Shutdown(process.cancel, settings.drain_s)
        with call_on_signals(ending.begin, ending.end_now, limit_s):
            async with _open_sockets(settings) as sockets, run_own_servers(settings):
                async with open_prepared_stores(settings):
                    pass  # one process changes the schema; the workers find it done
                supervisor = Supervisor(
                    settings.workers, sockets, _build_arguments, settings.drain_s
                )
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_drain_after, ending.begun, supervisor)
                    nursery.start_soon(log_on_request, supervisor.request_trees)
                    nursery.start_soon(_announce_serving, supervisor, settings, sockets, ending)
                    watching.enter_context(watch_loop())
                    await supervisor.run()
                    nursery.cancel_scope.cancel()
    if (signal := first_signal()) is not None and not ending.in_order:
        raise Stopped(signal)
    log.info("stopped")


async def _drain_after(begun: trio.Event, supervisor: Supervisor) -> None:
    await begun.wait()
    supervisor.begin_drain()


async def _announce_serving(
    supervisor: Supervisor, settings: Settings, sockets: Sockets, ending: Shutdown
) -> None:
    """Log that the service serves, as soon as all workers do."""
    urls, metrics_urls = map(_list_urls, (sockets.public, sockets.metrics))
    await supervisor.all_serving.wait()
    ending.in_order = True
    log.info(
        "serving",
        **serving_fields(settings, urls, metrics_urls),
        workers=settings.workers,
    )


@asynccontextmanager
async def _open_sockets(settings: Settings) -> AsyncIterator[Sockets]:
    """Listen on BIND and METRICS_BIND.

    Clients that connect before the workers serve wait in the queues of these sockets.
    """
    public = await open_listeners(settings.bind)
    metrics = await open_listeners(settings.metrics_bind) if settings.metrics_bind else []
    sockets = Sockets(public, metrics, create_counts())
    try:
        yield sockets
    finally:
        os.close(sockets.counts)
        sockets.close()


def _list_urls(listeners: Sequence[trio.SocketListener]) -> list[str]:
    return [format_url(listener) for listener in listeners]


def _build_arguments(handover: Handover) -> list[str]:
    return ["serve", "--handover", handover.format()]
