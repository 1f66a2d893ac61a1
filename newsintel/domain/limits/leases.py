"""One person's calls in one window, leased from what all processes share: the arithmetic.

Pure. Of a counter that every process adds to, the calls up to the limit are real and those beyond it are not; so whatever order the
processes come in, their grants sum to the limit at most.
"""

from attrs import define, field

PARTS = 8
"""A lease is an eighth of the limit at most: what one process holds and does not need is missed by the others for no more than that."""


@define
class Lease:
    """What this process may still admit, and what it knows of the rest.

    Attributes:
        limit: calls in the window over all processes.
        rest: calls that nobody had leased when last told.
        unspent: calls leased and not yet taken.
        had: calls leased by this process in all.
        unshared: of those, the ones that the others do not know of, leased while Redis was away.
    """

    limit: int
    rest: int = field(init=False)
    unspent: int = 0
    had: int = 0
    unshared: int = 0

    def __attrs_post_init__(self) -> None:
        self.rest = self.limit

    @property
    def over(self) -> bool:
        """True if there is nothing to take, and nothing to lease either."""
        return self.unspent <= 0 and (self.rest <= 0 or self.had >= self.limit)

    @property
    def remaining(self) -> int:
        """Calls left in the window, as far as is known here."""
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

    def wanted(self) -> int:
        """How many calls to lease next: fewer towards the end, when what one process holds is what another lacks."""
        return max(1, min(self.limit // PARTS, self.rest // 2))

    def grant(self, wanted: int, unshared: int, total: int) -> None:
        """Take what was leased.

        Args:
            wanted: how many calls were asked for.
            unshared: how many calls of before were entered along with them.
            total: what the shared counter came to.
        """
        granted = max(0, min(wanted, self.limit - (total - wanted), self.limit - self.had))
        self.rest = max(0, self.limit - total)
        self.unshared -= unshared
        self._keep(granted)

    def grant_alone(self, wanted: int) -> None:
        """Lease without asking anybody, within the limit as far as it is known."""
        granted = max(0, min(wanted, self.rest, self.limit - self.had))
        self.rest -= granted
        self.unshared += granted
        self._keep(granted)

    def _keep(self, granted: int) -> None:
        self.had += granted
        self.unspent += granted
