"""Leases one person's calls in one window from a counter of all processes: the arithmetic.

Pure. Every process adds to the counter. Calls up to the limit are granted, those beyond it are not.
So the grants sum to at most the limit, in any order of processes.
"""

from attrs import define, field

PARTS = 8
"""A lease is at most an eighth of the limit. So one process cannot withhold more than this from the
others."""


@define
class Lease:
    """What this process may still admit, and what it knows of the rest.

    Attributes:
        limit: calls in the window over all processes.
        rest: calls that no process had leased, as last known.
        unspent: calls leased and not yet taken.
        leased: all calls leased by this process.
        unshared: those of `leased` that other processes do not know, leased while Redis was
            unavailable.
    """

    limit: int
    rest: int = field(init=False)
    unspent: int = 0
    leased: int = 0
    unshared: int = 0

    def __attrs_post_init__(self) -> None:
        self.rest = self.limit

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to take or to lease."""
        return self.unspent <= 0 and (self.rest <= 0 or self.leased >= self.limit)

    @property
    def remaining(self) -> int:
        """Calls left in the window, as known here."""
        return self.unspent + self.rest

    def take(self) -> bool:
        """Take a call if one is leased."""
        if self.unspent <= 0:
            return False
        self.unspent -= 1
        return True

    def give_back(self) -> None:
        """Undo a take."""
        self.unspent += 1

    def next_lease_size(self) -> int:
        """Return how many calls to lease next: fewer near the limit, to leave some for others."""
        return max(1, min(self.limit // PARTS, self.rest // 2))

    def grant(self, wanted: int, unshared: int, total: int) -> None:
        """Add the leased calls.

        Args:
            wanted: how many calls were requested.
            unshared: how many earlier calls were added to the counter with them.
            total: the new value of the shared counter.
        """
        granted = max(0, min(wanted, self.limit - (total - wanted), self.limit - self.leased))
        self.rest = max(0, self.limit - total)
        self.unshared -= unshared
        self._add_calls(granted)

    def grant_alone(self, wanted: int) -> None:
        """Lease without the shared counter, within the limit as known here."""
        granted = max(0, min(wanted, self.rest, self.limit - self.leased))
        self.rest -= granted
        self.unshared += granted
        self._add_calls(granted)

    def _add_calls(self, granted: int) -> None:
        self.leased += granted
        self.unspent += granted
