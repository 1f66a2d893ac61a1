"""The EMF writer: once a minute it logs the service's numbers as one line for CloudWatch metrics.

It has no inbox that could end, so the composition root cancels it. That happens after the pipeline
and its stores have ended, so the last line has everything that they counted. When it is cancelled
it writes the line of the current minute.
"""

from collections.abc import Awaitable, Callable, Mapping

import trio
from attrs import frozen

from newsintel.domain.operations.emf import Interval, Metric, build_document
from newsintel.domain.operations.metrics import Samples
from newsintel.domain.ports import WallClock
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

EVERY_S = 60.0
"""CloudWatch's own resolution of standard metrics."""

LAST_S = 1.0
"""Time limit for reading the numbers at the end. Reading takes about 10 ms."""


@frozen
class _Line:
    """The parts of a line except the numbers."""

    table: Mapping[str, Metric]
    labels: Mapping[str, str]
    now: WallClock


async def run(
    *,
    table: Mapping[str, Metric],
    labels: Mapping[str, str],
    read: Callable[[], Awaitable[Samples]],
    now: WallClock,
) -> None:
    """Log one line per minute until cancelled, then a last one.

    Args:
        table: the metrics.
        labels: the fields of every line that describe its writer; `env`, the dimension, is one.
        read: reads all current numbers.
        now: the time of day.
    """
    line = _Line(table, labels, now)
    before: Samples = {}  # every counter starts at 0
    try:
        while True:
            await trio.sleep(EVERY_S)
            before = _write(line, before, await read())
    finally:
        with trio.move_on_after(LAST_S, shield=True):
            _write(line, before, await read())


def _write(line: _Line, before: Samples, after: Samples) -> Samples:
    log.info(
        "metrics", **build_document(line.table, Interval(before, after), line.now(), line.labels)
    )
    return after
