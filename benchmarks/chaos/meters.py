"""What a service holds: memory, files, connections, slots of its stores, running searches."""

from collections.abc import Mapping
from pathlib import Path
from statistics import linear_regression

import httpx
import trio
from attrs import define, field, frozen

from benchmarks.rig import read_rss_mib

GROWTH_MIB = 64.0
"""How much more memory may be resident after the load: the caches in memory are full by then."""
SPARE_FILES = 32
"""How many more files may be open: connections to the stores, which an outage opens and a pool
keeps for a minute."""

SAMPLE_S = 10.0
TREND_MINUTES = 30
"""A trend of less time says nothing: caches fill, and the allocator keeps what it has."""
SLOPE_MIB_H = 8.0
"""Most growth that a day could bear: 200 MiB."""

_GAUGES = ("newsintel_flights", "newsintel_store_slots_used", "newsintel_queue_depth")


@frozen
class Reading:
    """What a service held at one moment.

    Attributes:
        rss_mib: resident memory.
        files: open file descriptors.
        busy: running searches, slots in use and messages in inboxes, by metric.
        spool_bytes: what waits in the spool.
        lost: articles that the service itself counts as lost.
    """

    rss_mib: float
    files: int
    busy: Mapping[str, float]
    spool_bytes: float
    lost: float


async def read_meters(client: httpx.AsyncClient, url: str, pid: int) -> Reading:
    """Read the meters of a service that answers /metrics."""
    samples: dict[str, float] = {}
    for line in (await client.get(f"{url}/metrics")).text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            base = name.partition("{")[0]
            samples[base] = samples.get(base, 0.0) + float(value)
    return Reading(
        read_rss_mib(pid),
        _count_files(pid),
        {name: samples.get(name, 0.0) for name in _GAUGES},
        samples.get("newsintel_spool_bytes", 0.0),
        samples.get("newsintel_lost_articles_total", 0.0),
    )


def _count_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@define
class MemoryTrend:
    """The resident memory over time."""

    _samples: list[tuple[float, float]] = field(factory=list)  # seconds, MiB

    async def sample(self, pid: int) -> None:
        """Read the memory every SAMPLE_S until cancelled."""
        while True:
            self._samples.append((trio.current_time(), read_rss_mib(pid)))
            await trio.sleep(SAMPLE_S)

    def slope_mib_h(self) -> float:
        """Return the slope in the second half by least squares, in MiB an hour."""
        late = self._samples[len(self._samples) // 2 :]
        if len(late) < 2:
            return 0.0
        return linear_regression([at / 3600 for at, _ in late], [mib for _, mib in late]).slope

    def list_growth(self) -> list[str]:
        """Return what is wrong with the trend, in words; nothing if the run was short."""
        first, last = self._samples[0][0], self._samples[-1][0]
        slope = self.slope_mib_h()
        if last - first < TREND_MINUTES * 60 or slope <= SLOPE_MIB_H:
            return []
        return [f"memory grows by {slope:.1f} MiB an hour"]


def list_growth(before: Reading, after: Reading) -> list[str]:
    """Return what did not come back to its start, in words."""
    found = [f"{name} is {value:g}" for name, value in after.busy.items() if value]
    if after.rss_mib > before.rss_mib + GROWTH_MIB:
        found.append(f"memory grew from {before.rss_mib:.0f} to {after.rss_mib:.0f} MiB")
    if after.files > before.files + SPARE_FILES:
        found.append(f"open files grew from {before.files} to {after.files}")
    return found
