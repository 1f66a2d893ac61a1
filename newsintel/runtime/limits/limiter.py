"""A rate limit per person over all processes, at almost no cost per call.

Windows are fixed and the same for everybody: window n of a limit `60/60s` is the n-th minute since
1970 by the process's clock. While Redis works, all processes together admit at most `calls` calls
per window; so when one window ends and the next begins, twice as many may come in a short time.
Each process leases calls from Redis, at most an eighth of the limit at a time. A call that is
already leased does not wait.

While Redis is unavailable, the failure is counted and each process keeps to the limit by itself;
the calls that it admitted are entered with the next lease.
"""

import math
from collections.abc import Callable
from functools import partial

from newsintel.config.values import Quota
from newsintel.domain.bounds.newest import Newest
from newsintel.domain.limits.leases import Lease
from newsintel.domain.ports import Count, SharedCounter
from newsintel.errors import RateLimitedError, UnavailableError
from newsintel.runtime.make_once import MakeOnce

MAX_PERSONS = 10_000
"""Maximum number of persons per window; about 3 MiB.

Beyond it the oldest person is forgotten and loses the calls leased for them.
"""


class Limiter:
    """One limit.

    Args:
        policy: its public name.
        quota: calls per window.
        counter: the counter that all processes share.
        count: counts refusals, and leases without Redis.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        policy: str,
        quota: Quota,
        counter: SharedCounter,
        count: Count,
        clock: Callable[[], float],
    ) -> None:
        self.policy = policy
        self.quota = quota
        self._counter = counter
        self._count = count
        self._clock = clock
        self._window = -1
        self._ends_at = self._seen_at = -math.inf
        self._leases = Newest[str, Lease](MAX_PERSONS)
        self._leasing: MakeOnce[str, None] = MakeOnce()

    def get_lease(self, person: str) -> Lease:
        """Return a person's lease in the current window, without waiting."""
        now = self._seen_at = self._clock()
        if not self._ends_at - self.quota.window_s <= now < self._ends_at:
            self._window = int(now // self.quota.window_s)
            self._ends_at = (self._window + 1) * self.quota.window_s
            self._leases.clear()
        found = self._leases.get(person)
        if found is None:
            found = self._leases[person] = Lease(self.quota.calls)
        return found

    def seconds_to_reset(self) -> int:
        """Return the whole seconds, at least 1, from the last `get_lease` until the next window."""
        return max(1, math.ceil(self._ends_at - self._seen_at))

    async def take(self, person: str) -> Lease:
        """Take one of a person's calls. It waits only if none is leased.

        Raises:
            RateLimitedError: no call is left in this window.
        """
        while not (lease := self.get_lease(person)).take():
            if lease.is_over:
                self._count("limited", policy=self.policy)
                raise RateLimitedError(self.seconds_to_reset())
            await self._refill(person, lease)
        return lease

    async def _refill(self, person: str, lease: Lease) -> None:
        """Lease more calls, or wait for the task that is already doing so."""
        key = f"limit:{self.policy}:{person}:{self._window}"
        await self._leasing.make(key, partial(self._lease_more, key, lease))

    async def _lease_more(self, key: str, lease: Lease) -> None:
        wanted, unshared = lease.next_lease_size(), lease.unshared
        try:
            # Keep the counter for two windows, since another process's clock may be behind.
            lease.grant(
                wanted,
                unshared,
                await self._counter.add(key, wanted + unshared, 2 * self.quota.window_s),
            )
        except UnavailableError:
            self._count("lease_errors", policy=self.policy)
            lease.grant_alone(wanted)


def create_limiter(
    policy: str,
    quota: Quota | None,
    counter: SharedCounter,
    count: Count,
    clock: Callable[[], float],
) -> Limiter | None:
    """Create a limit, or return None if it is off."""
    return Limiter(policy, quota, counter, count, clock) if quota else None
