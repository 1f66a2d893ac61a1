"""A queue before some equal servers that serve each job a slice at a time.

Jobs arrive at random: the times between arrivals are exponential. Who is not done after a slice
goes to the end of the queue, as the event loop and an operating system have it. With slices longer
than every job, this is the queue M/G/c; with slices of no length, each job has an equal share of a
server (processor sharing).
"""

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from math import inf

from attrs import define, frozen

from benchmarks.numbers import percentile

JOBS = 20_000
WARM_UP = JOBS // 10
"""The first jobs find an empty queue, so they are not counted."""


@frozen
class Waits:
    """How long jobs take, in seconds.

    Attributes:
        mean_s, p50_s, p99_s: from the arrival until they are served for the first time.
        mean_stay_s: from the arrival until they are done.
    """

    mean_s: float
    p50_s: float
    p99_s: float
    mean_stay_s: float


@define(eq=False)
class _Job:
    arrived: float
    left_s: float
    began: float = inf
    done: float = inf

    def serve(self, now: float, slice_s: float) -> float:
        """Serve it from now on for a slice at most; return for how long."""
        self.began = min(self.began, now)
        turn_s = min(slice_s, self.left_s)
        self.left_s -= turn_s
        return turn_s


_ENDS, _ARRIVES = range(2)
"""What happens: a job's slice ends, or a job arrives."""


def simulate_queue(
    rate: float,
    servers: int,
    draw_service_s: Callable[[random.Random], float],
    *,
    slice_s: float = inf,
    seed: int = 0,
) -> Waits:
    """Simulate JOBS arrivals; equal arguments give equal waits.

    Args:
        rate: arrivals a second.
        servers: how many jobs are served at once.
        draw_service_s: draws the time that a job is served in all, in seconds. Its mean times
            `rate` must be below `servers`: otherwise the queue only grows.
        slice_s: how long a job is served before others have their turn.
        seed: of the dice.
    """
    dice = random.Random(seed)  # noqa: S311 - nothing here is a secret
    jobs = list(_arrive(dice, rate, draw_service_s))
    _serve(jobs, servers, slice_s)
    waits = [job.began - job.arrived for job in jobs[WARM_UP:]]
    stays = [job.done - job.arrived for job in jobs[WARM_UP:]]
    count = len(waits)
    return Waits(
        sum(waits) / count, percentile(waits, 0.5), percentile(waits, 0.99), sum(stays) / count
    )


def _arrive(
    dice: random.Random, rate: float, draw_service_s: Callable[[random.Random], float]
) -> Iterator[_Job]:
    now = 0.0
    for _ in range(JOBS):
        now += dice.expovariate(rate)
        yield _Job(now, draw_service_s(dice))


def _serve(jobs: Sequence[_Job], servers: int, slice_s: float) -> None:
    """Serve all jobs; note when each began and when it was done."""
    queue: deque[int] = deque()
    free = servers
    events = [(job.arrived, _ARRIVES, number) for number, job in enumerate(jobs)]  # a heap
    while events:
        now, kind, number = heapq.heappop(events)
        free += kind is _ENDS
        if kind is _ARRIVES or jobs[number].left_s > 0:
            queue.append(number)
        else:
            jobs[number].done = now
        while free and queue:
            free -= 1
            number = queue.popleft()
            ends = now + jobs[number].serve(now, slice_s)
            heapq.heappush(events, (ends, _ENDS, number))
