"""A worker's side: it obeys the supervisor, reports to it, and ends when the supervisor is gone."""

import signal
from collections.abc import Awaitable, Callable

from newsintel.runtime.make_once import MakeOnce
from newsintel.runtime.stopping import first_signal
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.runtime.workers.channel import Channel, Kind

log = get_logger(__name__)


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
        """Return the metrics of all workers; nothing if the supervisor is gone."""
        return await self._asking.make(None, self._channel.ask_metrics) or b""


def begin_shutdown() -> None:
    """Begin the shutdown as SIGTERM does, with its time limit, unless it has begun.

    A platform may signal all processes of a service at once, so the supervisor's notice may come
    after a signal. A worker that ends by itself is started again.
    """
    if first_signal() is None:
        signal.raise_signal(signal.SIGTERM)
