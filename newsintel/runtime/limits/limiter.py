"""How many calls each person has: a limit over all processes, at a price of almost nothing per call.

Windows are fixed and the same for everybody: window n of a limit `60/60s` is the n-th minute since 1970 by the process's clock. In one
window at most `calls` are admitted over all processes while Redis works; so round the turn of a window, twice as many may come close
together. Calls are leased from Redis an eighth of the limit at a time, and a call that is leased costs no waiting.

Redis away: it is counted, and each process keeps within the limit by itself; what it admitted is entered with the next lease.
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
"""Persons known in one window, in about 3 MiB. Past that whoever came first is forgotten: what was leased for them is lost to them."""


class Limiter:
    """One limit.

    Args:
        policy: its public name.
        quota: calls per window.
        counter: what all processes share.
        count: counts refusals, and leases taken without Redis.
        clock: seconds since 1970.
    """

    def __init__(self, policy: str, quota: Quota, counter: SharedCounter, count: Count, clock: Callable[[], float]) -> None:
        self.policy = policy
        self.quota = quota
        self._counter = counter
        self._count = count
        self._clock = clock
        self._window = -1
        self._ends_at = self._seen_at = -math.inf
        self._leases = Newest[str, Lease](MAX_PERSONS)
        self._leasing: MakeOnce[str, None] = MakeOnce()

    def lease(self, person: str) -> Lease:
        """What a person has in the window that runs. Does not wait."""
        now = self._seen_at = self._clock()
        if not self._ends_at - self.quota.window_s <= now < self._ends_at:
            self._window = int(now // self.quota.window_s)
            self._ends_at = (self._window + 1) * self.quota.window_s
            self._leases.clear()
        found = self._leases.get(person)
        if found is None:
            found = self._leases[person] = Lease(self.quota.calls)
        return found

    def resets_s(self) -> int:
        """Whole seconds from the latest look at anybody's lease until the next window."""
        return max(1, math.ceil(self._ends_at - self._seen_at))

    async def take(self, person: str) -> Lease:
        """Take one call of a person's; waits only if none is leased.

        Raises:
            RateLimitedError: there is none left in this window.
        """
        while not (lease := self.lease(person)).take():
            if lease.over:
                self._count("limited", policy=self.policy)
                raise RateLimitedError(self.resets_s())
            await self._refill(person, lease)
        return lease

    async def _refill(self, person: str, lease: Lease) -> None:
        """Lease further calls; those who come meanwhile wait for them."""
        key = f"limit:{self.policy}:{person}:{self._window}"
        await self._leasing.make(key, partial(self._lease_more, key, lease))

    async def _lease_more(self, key: str, lease: Lease) -> None:
        wanted, unshared = lease.wanted(), lease.unshared
        try:
            # Two windows: another process's clock may be behind.
            lease.grant(wanted, unshared, await self._counter.add(key, wanted + unshared, 2 * self.quota.window_s))
        except UnavailableError:
            self._count("lease_errors", policy=self.policy)
            lease.grant_alone(wanted)


def limiter(policy: str, quota: Quota | None, counter: SharedCounter, count: Count, clock: Callable[[], float]) -> Limiter | None:
    """A limit, or None where it is off."""
    return Limiter(policy, quota, counter, count, clock) if quota else None
