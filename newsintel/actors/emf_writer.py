"""The EMF writer: once a minute writes the service's numbers as one line, of which CloudWatch makes metrics.

It has no inbox that could end, so the composition root cancels it last of all but the stores; the line of the minute begun is then written.
"""

from collections.abc import Awaitable, Callable, Mapping

import trio
from attrs import frozen

from newsintel.domain.operations.emf import Interval, Metric, document
from newsintel.domain.operations.metrics import Samples
from newsintel.domain.ports import WallClock
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

EVERY_S = 60.0
"""CloudWatch's own resolution of standard metrics."""

LAST_S = 1.0
"""For reading the numbers at the end, which takes some 10 ms."""


@frozen
class _Line:
    """Everything that a line is made of but the numbers."""

    table: Mapping[str, Metric]
    labels: Mapping[str, str]
    now: WallClock


async def run(*, table: Mapping[str, Metric], labels: Mapping[str, str], read: Callable[[], Awaitable[Samples]], now: WallClock) -> None:
    """Log a line a minute until cancelled, and then the last one.

    Args:
        table: the metrics.
        labels: what every line says of its writer; `env` among it, which is the dimension.
        read: every number now.
        now: the time of day.
    """
    line = _Line(table, labels, now)
    before: Samples = {}  # it all began at 0
    try:
        while True:
            await trio.sleep(EVERY_S)
            before = _write(line, before, await read())
    finally:
        with trio.move_on_after(LAST_S, shield=True):
            _write(line, before, await read())


def _write(line: _Line, before: Samples, after: Samples) -> Samples:
    log.info("metrics", **document(line.table, Interval(before, after), line.now(), line.labels))
    return after
