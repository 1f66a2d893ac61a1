"""Times calls. The kinds of calls take turns, so that they share the caches."""

import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from benchmarks.numbers import percentile

Call = Callable[[], Awaitable[object]]


async def measure_calls(
    kinds: Mapping[str, Sequence[Call]], calls: int
) -> dict[str, dict[str, float]]:
    """Return the percentiles of each kind in milliseconds.

    It makes `calls` calls of each kind, after a warm-up of a tenth as many calls. A call is timed
    at the port: it includes the bridge, round trips, PostgreSQL and decoding. Client and server run
    on one machine.
    """
    turns = [
        (name, some[number % len(some)]) for name, some in kinds.items() for number in range(calls)
    ]
    random.Random(1).shuffle(turns)  # noqa: S311 - nothing secret
    for _, call in turns[::10]:
        await call()
    times: dict[str, list[float]] = {name: [] for name in kinds}
    for name, call in turns:
        began = time.perf_counter()
        await call()
        times[name].append((time.perf_counter() - began) * 1000)
    return {
        name: {f"p{share:g}": round(percentile(found, share / 100), 2) for share in (50, 95, 99)}
        for name, found in times.items()
    }


def build_latency_rows(latency: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    """Return the results of `measure_calls` as table rows: name, p50, p95, p99."""
    return [
        [name, *(f"{found[share]:.2f} ms" for share in ("p50", "p95", "p99"))]
        for name, found in latency.items()
    ]
