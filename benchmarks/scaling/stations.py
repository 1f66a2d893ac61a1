"""The places where requests queue, with the service times that the benchmarks measured."""

import json
import random
from collections.abc import Sequence
from math import ceil
from typing import Any

from attrs import frozen

from benchmarks.report import RESULTS
from benchmarks.scaling.queueing import Waits, simulate_queue

MISS_SHARE = 0.02
"""New searches among all requests, as in docs/deploy.md."""
ARCHIVE_SHARE = 0.05
"""Searches of the archive among all requests. An assumption."""
SAVED_ROWS = 217
"""Articles of a new search, as `just bench miss` has them."""
SLICE_S = 0.005
"""The longest turn of one request on a task's event loop. For PostgreSQL's processes, about the
time slice of Linux."""
BUSY = 0.7
"""Of its processors, at which autoscaling adds a task."""
DATABASE_PROCESSORS = 2
"""Of db.m7g.large, the instance of ops/terraform."""
FEWEST_TASKS, MOST_TASKS = 2, 20
"""The limits of autoscaling in ops/terraform."""
LONGEST_WAIT_S = 0.05
"""A queue whose p99 wait is longer has passed its knee."""


@frozen
class Work:
    """What one request costs at a station, on average.

    Attributes:
        share: of requests that have this work.
        service_s: measured times, in seconds, equally likely.
    """

    share: float
    service_s: Sequence[float]

    @property
    def mean_s(self) -> float:
        """The mean time of one such job."""
        return sum(self.service_s) / len(self.service_s)


@frozen
class Station:
    """A queue, and the kinds of its jobs."""

    name: str
    works: tuple[Work, ...]

    def count_busy(self, requests_per_s: float) -> float:
        """How many servers the jobs of so many requests keep busy."""
        return requests_per_s * sum(work.share * work.mean_s for work in self.works)

    def simulate(self, requests_per_s: float, servers: int) -> Waits | None:
        """Return the waits; None if the queue only grows."""
        if self.count_busy(requests_per_s) >= servers:
            return None
        shares = [work.share for work in self.works]

        def draw(dice: random.Random) -> float:
            (work,) = dice.choices(self.works, shares)
            return dice.choice(work.service_s)

        rate = requests_per_s * sum(shares)
        return simulate_queue(rate, servers, draw, slice_s=SLICE_S)

    def find_knee(self, servers: int) -> float:
        """Return the requests a second at which the p99 wait is LONGEST_WAIT_S, within 5 %."""
        low, high = 0.0, servers / self.count_busy(1.0)
        while high - low > high / 20:
            middle = (low + high) / 2
            waits = self.simulate(middle, servers)
            if waits is None or waits.p99_s > LONGEST_WAIT_S:
                high = middle
            else:
                low = middle
        return low


def count_tasks(task: Station, requests_per_s: float) -> int:
    """Return the tasks that autoscaling runs, MOST_TASKS at most."""
    wanted = ceil(task.count_busy(requests_per_s) / BUSY)
    return min(MOST_TASKS, max(FEWEST_TASKS, wanted))


def read_stations() -> tuple[Station, Station]:
    """Return a task's processor and PostgreSQL's processors, as benchmarks/results have them.

    PostgreSQL is taken to be busy for the whole time of a command. This is too much: a part is the
    way to it and back.
    """
    hit, miss, archive = (_read(name) for name in ("hit", "miss", "archive"))
    hits_s = [us / 1e6 for us in hit["figures"]["rounds"]["newsintel, 8"]["server_us"]]
    misses_s = [ms / 1e3 for ms in miss["figures"]["server_cpu_ms"]["newsintel"]]
    largest = archive["sizes"]["1000000"]
    reads_s = [
        times["p50"] / 1e3
        for name, times in largest["latency_ms"].items()
        if not name.endswith(":")  # that is a group of the others
    ]
    save_s = SAVED_ROWS / largest["ingest"]["persister"]["median"]
    return (
        Station("a task's processor", (Work(1 - MISS_SHARE, hits_s), Work(MISS_SHARE, misses_s))),
        Station(
            "PostgreSQL's processors", (Work(MISS_SHARE, [save_s]), Work(ARCHIVE_SHARE, reads_s))
        ),
    )


def _read(name: str) -> Any:
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
