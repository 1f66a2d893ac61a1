"""A worker: one of several processes of the service. The supervisor starts it (`workers`)."""

import os
from functools import partial

import trio

from newsintel.commands.serving import Role, serve_in_role
from newsintel.config.settings import Settings
from newsintel.runtime.telemetry import scraping
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.runtime.telemetry.metrics import Metrics
from newsintel.runtime.workers.channel import Channel
from newsintel.runtime.workers.handover import Handover
from newsintel.runtime.workers.link import Link, begin_shutdown

log = get_logger(__name__)


async def run_worker(settings: Settings, handover: Handover) -> None:
    """Serve on inherited sockets until the supervisor, or a signal, ends this worker.

    Args:
        settings: a worker's share of the settings.
        handover: what it inherits.

    Raises:
        Stopped: it was ended before it served.
    """
    metrics = Metrics()
    counts = handover.open_counts()
    link = Link(Channel(handover.open_channel()))

    async def on_serving(_urls: list[str], _metrics_urls: list[str]) -> None:
        log.info("worker_serving", pid=os.getpid())
        await link.report_serving()

    role = Role(
        exposition=link.read_all_metrics,
        on_serving=on_serving,
        on_silence=begin_shutdown,
        counts=counts,
        public=handover.open_public(counts),
        metrics=handover.open_metrics(),
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run, partial(scraping.format_exposition, metrics))
        await serve_in_role(settings, metrics, role)
        nursery.cancel_scope.cancel()
