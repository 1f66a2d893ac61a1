"""An invented mix of latencies to try `newsintel deadlines`. It says nothing about any real API.

The distributions are typical of such APIs: most answers near a median, a long tail, a few calls
that a deadline of one second cuts short, a few failures. Every run prints the same mix.

    python -m benchmarks.recorded_mix | newsintel deadlines --file -
"""

import math
import random

import orjson
from attrs import frozen

from newsintel.domain.operations.latencies import Tally
from newsintel.domain.search.outcome import Status

CALLS = 20_000
"""Per source: about a week of a small team's searches."""
DEADLINE_MS = 1000.0


@frozen
class Shape:
    """Log-normal latencies; a share takes three times as long, and a share of calls fails early."""

    median_ms: float
    spread: float
    slow: float
    failed: float


SHAPES = {
    "newsapi": Shape(median_ms=240, spread=0.22, slow=0.002, failed=0.002),
    "guardian": Shape(median_ms=150, spread=0.28, slow=0.004, failed=0.001),
    "reddit": Shape(median_ms=290, spread=0.30, slow=0.010, failed=0.006),
}


def make_mix(seed: int = 1) -> Tally:
    """Return the counts of the whole mix."""
    chance, tally = random.Random(seed), Tally()  # noqa: S311 - the same on every run
    for source, shape in SHAPES.items():
        for _ in range(CALLS):
            latency_ms = chance.lognormvariate(math.log(shape.median_ms), shape.spread) * (
                3 if chance.random() < shape.slow else 1
            )
            if chance.random() < shape.failed:
                tally.add(source, Status.UNREACHABLE, latency_ms / 2)
            elif latency_ms >= DEADLINE_MS:
                tally.add(source, Status.TIMEOUT, DEADLINE_MS)
            else:
                tally.add(source, Status.OK, latency_ms)
    return tally


def main() -> None:
    """Print the mix as JSON lines."""
    for latency, count in make_mix().take().items():
        print(
            orjson.dumps(
                {
                    "source": latency.source,
                    "status": latency.status,
                    "ms": latency.ms,
                    "count": count,
                }
            ).decode()
        )


if __name__ == "__main__":
    main()
