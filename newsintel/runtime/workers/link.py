"""A worker's side: it obeys the supervisor, reports to it, and ends when the supervisor is gone."""

import signal
from collections.abc import Awaitable, Callable

import trio

from newsintel.errors import MetricsUnavailableError
from newsintel.runtime.make_once import MakeOnce
from newsintel.runtime.stopping import first_signal
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.runtime.workers.channel import Channel, Kind

log = get_logger(__name__)

ALL_METRICS_S = 5.0
"""How long the supervisor may take to answer with the metrics of all workers. It waits 1 s for a
worker (`supervisor.SCRAPE_S`); Prometheus waits 10 s by default."""


class Link:
    """The link to the supervisor over `channel`, the worker's end."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._asking: MakeOnce[None, bytes | None] = MakeOnce()

    async def run(self, read_own_metrics: Callable[[], Awaitable[bytes]]) -> None:
        """Obey the supervisor until it closes the channel. Then end this process in order."""
        await self._channel.run(on_notice=begin_shutdown, read_metrics=read_own_metrics)
        log.warning("supervisor_gone")
        begin_shutdown()

    async def report_serving(self) -> None:
        """Report that this worker accepts connections."""
        await self._channel.notify(Kind.SERVING)

    async def read_all_metrics(self) -> bytes:
        """Return the metrics of all workers.

        Raises:
            MetricsUnavailableError: the supervisor is gone, or does not answer in time. This
                worker's own metrics would not do: Prometheus would take the smaller sums for a
                restart.
        """
        with trio.move_on_after(ALL_METRICS_S):
            exposition = await self._asking.make(None, self._channel.ask_metrics)
            if exposition is not None:
                return exposition
            raise MetricsUnavailableError("The supervisor of the workers is gone.")
        raise MetricsUnavailableError("The supervisor of the workers does not answer.")


def begin_shutdown() -> None:
    """Begin the shutdown as SIGTERM does, with its time limit, unless it has begun.

    A platform may signal all processes of a service at once, so the supervisor's notice may come
    after a signal. A worker that ends by itself is started again.
    """
    if first_signal() is None:
        signal.raise_signal(signal.SIGTERM)
