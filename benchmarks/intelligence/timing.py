"""How long calls take, each kind in turns with all the others, so that none has the caches to itself."""

import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from benchmarks.numbers import percentile

Call = Callable[[], Awaitable[object]]


async def measure(kinds: Mapping[str, Sequence[Call]], calls: int) -> dict[str, dict[str, float]]:
    """Percentiles of each kind in milliseconds: of `calls` calls, after a tenth as many that do not count.

    A call's time is from asking the port to its answer: bridge, round trips, PostgreSQL and decoding; client and server on one machine.
    """
    turns = [(name, some[number % len(some)]) for name, some in kinds.items() for number in range(calls)]
    random.Random(1).shuffle(turns)  # noqa: S311 - nothing secret
    for _, call in turns[::10]:
        await call()
    times: dict[str, list[float]] = {name: [] for name in kinds}
    for name, call in turns:
        began = time.perf_counter()
        await call()
        times[name].append((time.perf_counter() - began) * 1000)
    return {name: {f"p{share:g}": round(percentile(found, share / 100), 2) for share in (50, 95, 99)} for name, found in times.items()}


def latency_rows(latency: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    """What `measure` found as rows of a table: name, p50, p95, p99."""
    return [[name, *(f"{found[share]:.2f} ms" for share in ("p50", "p95", "p99"))] for name, found in latency.items()]
