"""The EMF writer: once a minute writes the service's numbers as one line, of which CloudWatch makes metrics.

It has no inbox that could end, so the composition root cancels it last of all but the stores; the line of the minute begun is then written.
"""

from collections.abc import Callable, Mapping

import trio
from attrs import frozen

from newsintel.codec import to_json
from newsintel.emf import Interval, Metric, document
from newsintel.ports import WallClock
from newsintel.telemetry import Samples

EVERY_S = 60.0
"""CloudWatch's own resolution of standard metrics."""


@frozen
class _Line:
    """Everything that a line is made of but the numbers."""

    table: Mapping[str, Metric]
    labels: Mapping[str, str]
    write: Callable[[str], object]
    now: WallClock


async def run(
    *, table: Mapping[str, Metric], labels: Mapping[str, str], read: Callable[[], Samples], write: Callable[[str], object], now: WallClock
) -> None:
    """Write a line a minute until cancelled, and then the last one.

    Args:
        table: the metrics.
        labels: what every line says of its writer; `env` among it, which is the dimension.
        read: every number now.
        write: takes a line, its line feed included.
        now: the time of day.
    """
    line = _Line(table, labels, write, now)
    before = read()
    try:
        while True:
            await trio.sleep(EVERY_S)
            before = _write(line, before, read())
    finally:
        _write(line, before, read())


def _write(line: _Line, before: Samples, after: Samples) -> Samples:
    line.write(to_json(document(line.table, Interval(before, after), line.now(), line.labels)).decode() + "\n")
    return after
