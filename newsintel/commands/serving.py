"""The service as a process: the pipeline and HTTP, from the first log line to the last."""

import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from functools import partial

import trio
from attrs import evolve, frozen

from newsintel.app import open_pipeline, run_reporting
from newsintel.config.settings import Settings
from newsintel.domain.operations.ports import Phase
from newsintel.domain.tracing import BeginRequest
from newsintel.http.application import create_front
from newsintel.http.routes.health import watch_readiness
from newsintel.http.routes.metrics import MetricsListener
from newsintel.http.server import listener as server
from newsintel.http.services import Services
from newsintel.outbound.tracing.choice import announce_tracing
from newsintel.outbound.tracing.opening import open_tracing
from newsintel.runtime.command_loop import call_on_signals
from newsintel.runtime.lifecycle import END_SLACK_S, Shutdown, configure_gc
from newsintel.runtime.startup import announce_start, check_addresses, serving_fields
from newsintel.runtime.stopping import Stopped, first_signal
from newsintel.runtime.telemetry import scraping
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.runtime.telemetry.loop_stalls import measure_stalls
from newsintel.runtime.telemetry.metrics import Metrics
from newsintel.runtime.telemetry.task_tree import ignore_request
from newsintel.runtime.watchdog import STUCK_S, watch_loop
from newsintel.runtime.workers.batch_listener import BatchListener
from newsintel.runtime.workers.connection_counts import ConnectionCounts

log = get_logger(__name__)


@frozen(kw_only=True)
class Role:
    """How a process takes part in the service: alone, or as one of several workers.

    Attributes:
        exposition: returns the metrics of the whole service.
        on_serving: called with the URLs of BIND and of METRICS_BIND when requests are accepted.
        on_silence: called while an actor does not get on. Alone, a process says so in `/health`,
            and its platform restarts it.
        counts: the connections of all workers; None = there is no other process.
        public: the listeners of BIND, if another process has opened them.
        metrics: those of METRICS_BIND.
    """

    exposition: Callable[[], Awaitable[bytes]]
    on_serving: Callable[[list[str], list[str]], Awaitable[None]]
    on_silence: Callable[[], None] = lambda: None
    counts: ConnectionCounts | None = None
    public: Sequence[BatchListener] = ()
    metrics: Sequence[BatchListener] = ()

    @property
    def is_worker(self) -> bool:
        """Whether the supervisor cuts an orderly shutdown short; otherwise a second signal does."""
        return self.counts is not None


async def run_service(
    settings: Settings,
    on_ready: Callable[[str], None] = lambda _: None,
    *,
    stuck_s: float = STUCK_S,
) -> None:
    """Run the pipeline and HTTP until a signal (`stopping.SIGNALS`); then stop within DRAIN_S.

    Args:
        settings: all settings of the service.
        on_ready: called with the URL as soon as requests are accepted.
        stuck_s: how long the event loop may be blocked while serving, before the process is ended.

    Raises:
        Stopped: a signal came before it served, or a second signal cut the shutdown short.
    """
    announce_start(settings)
    announce_tracing(os.environ)
    await check_addresses(settings)

    async def on_serving(urls: list[str], metrics_urls: list[str]) -> None:
        log.info("serving", **serving_fields(settings, urls, metrics_urls))
        on_ready(urls[0])

    metrics = Metrics()
    alone = Role(exposition=partial(scraping.format_exposition, metrics), on_serving=on_serving)
    await serve_in_role(settings, metrics, alone, stuck_s=stuck_s)


async def serve_in_role(
    settings: Settings, metrics: Metrics, role: Role, *, stuck_s: float = STUCK_S
) -> None:
    """Run one process of the service, as `run_service` does for the only one."""
    with trio.CancelScope() as process, ExitStack() as watching, ignore_request():
        ending = Shutdown(process.cancel, settings.drain_s)
        again = _ignore if role.is_worker else ending.end_now
        with call_on_signals(ending.begin, again, settings.drain_s + END_SLACK_S):
            async with (
                open_tracing(settings, os.environ) as begin_span,
                run_reporting(settings, metrics),
                open_pipeline(settings, metrics, polls=True) as opened,
                trio.open_nursery() as http,
            ):
                services = _report_in_role(opened, role)
                await services.operations.health.check_stores()  # else the first probes get a 503
                urls = await _start_listening(
                    http, services, role, metrics, shutdown=ending.begun, begin_span=begin_span
                )
                services.operations.health.enter_phase(Phase.SERVING)
                http.start_soon(
                    watch_readiness, services, ending.begun, role.on_silence, name="readiness"
                )
                configure_gc()
                watching.enter_context(watch_loop(stuck_s))
                watching.enter_context(measure_stalls(metrics.observe))
                ending.in_order = True
                await role.on_serving(*urls)
                await ending.begun.wait()
                services.operations.health.enter_phase(Phase.DRAINING)
    if (signal := first_signal()) is not None and not ending.in_order:
        raise Stopped(signal)
    log.info("stopped")


def _report_in_role(services: Services, role: Role) -> Services:
    """Return the services with the metrics of the whole service."""
    return evolve(services, operations=evolve(services.operations, exposition=role.exposition))


async def _start_listening(
    http: trio.Nursery,
    services: Services,
    role: Role,
    metrics: Metrics,
    *,
    shutdown: trio.Event,
    begin_span: BeginRequest,
) -> tuple[list[str], list[str]]:
    """Serve the public port and METRICS_BIND, until `shutdown` is set. Returns their URLs."""
    settings = services.settings
    listen = partial(server.serve_http, settings=settings, shutdown=shutdown, metrics=metrics)
    front = create_front(services)
    metrics.set_gauge_reader("requests_waiting", lambda: {(): front.in_flight.waiting})
    urls = await http.start(
        partial(
            listen,
            front.app,
            inherited=role.public,
            counts=role.counts,
            answer_at_once=front.wire_path.answer,
            is_searching=lambda: services.search.desk.flights > 0,
            begin_span=begin_span,
        )
    )
    metrics_urls = []
    if settings.metrics_bind:
        listener = MetricsListener(role.exposition)
        metrics_urls = await http.start(
            partial(listen, listener, bind=settings.metrics_bind, inherited=role.metrics)
        )
    return urls, metrics_urls


def _ignore() -> None:
    """Do nothing."""
