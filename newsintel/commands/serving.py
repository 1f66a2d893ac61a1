"""The service as a process: the pipeline and HTTP, from the first log line to the last."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import trio

from newsintel import __version__
from newsintel.app import open_pipeline, run_reporting
from newsintel.config.settings import Settings
from newsintel.domain.operations.ports import Phase
from newsintel.domain.operations.source_notice import make_source_notice
from newsintel.http.application import create_front
from newsintel.http.routes.health import watch_readiness
from newsintel.http.routes.metrics import MetricsListener
from newsintel.http.server import listener as server
from newsintel.runtime.clock import utc_now
from newsintel.runtime.command_loop import call_on_signals
from newsintel.runtime.lifecycle import END_SLACK_S, Shutdown, configure_gc
from newsintel.runtime.startup import check_addresses, check_clock, serving_fields
from newsintel.runtime.stopping import Stopped, first_signal
from newsintel.runtime.telemetry import scraping
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.runtime.telemetry.metrics import Metrics
from newsintel.runtime.watchdog import STUCK_S, watch_loop

log = get_logger(__name__)


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
    log.info("starting", version=__version__, commit=settings.commit, env=settings.env)
    if notice := make_source_notice(settings):
        log.warning("source_notice", notice=notice)
    check_clock(utc_now())
    await check_addresses(settings)
    metrics = Metrics()
    with trio.CancelScope() as process, ExitStack() as watching:
        ending = Shutdown(process.cancel, settings.drain_s)
        with call_on_signals(ending.begin, ending.end_now, settings.drain_s + END_SLACK_S):
            async with (
                run_reporting(settings, metrics),
                open_pipeline(settings, metrics) as services,
                trio.open_nursery() as http,
            ):
                await services.operations.health.check_stores()  # else the first probes get a 503
                listen = partial(
                    server.serve_http, settings=settings, shutdown=ending.begun, metrics=metrics
                )
                front = create_front(services)
                public = partial(listen, front.app, answer_at_once=front.wire_path.answer)
                urls, metrics_urls = await http.start(public), []
                if settings.metrics_bind:
                    listener = MetricsListener(partial(scraping.format_exposition, metrics))
                    metrics_urls = await http.start(
                        partial(listen, listener, bind=settings.metrics_bind)
                    )
                services.operations.health.enter_phase(Phase.SERVING)
                http.start_soon(watch_readiness, services, ending.begun, name="readiness")
                configure_gc()
                watching.enter_context(watch_loop(stuck_s))
                ending.in_order = True
                log.info("serving", **serving_fields(settings, urls, metrics_urls))
                on_ready(urls[0])
                await ending.begun.wait()
                services.operations.health.enter_phase(Phase.DRAINING)
    if (signal := first_signal()) is not None and not ending.in_order:
        raise Stopped(signal)
    log.info("stopped")
