"""A source's pace and quota, what has been spent of them, and how what is left is made to last.

Pure. Times are seconds of one clock that never goes back.
"""

from collections import deque
from math import inf

from attrs import define, evolve, field, frozen

from newsintel.options import Quota

RESERVE = 4
"""One call in this many of a quota is kept for callers who are signed in."""


@frozen
class Spent:
    """What is known of a source's starts at one moment; no start is -inf.

    Attributes:
        used: starts in the quota's window that ends now.
        newest_s: the newest start, which may still lie ahead.
        full_s: the start that must leave the window before there is a call for anybody: the `calls`-th newest.
        open_s: the same for a caller who is not signed in.
        own: of `used`, the starts of the person who asks.
        own_s: the oldest of these.
    """

    used: int = 0
    newest_s: float = -inf
    full_s: float = -inf
    open_s: float = -inf
    own: int = 0
    own_s: float = -inf

    def __or__(self, other: "Spent") -> "Spent":
        """What holds if both are true and neither tells everything."""
        return Spent(
            max(self.used, other.used),
            max(self.newest_s, other.newest_s),
            max(self.full_s, other.full_s),
            max(self.open_s, other.open_s),
            max(self.own, other.own),
            max(self.own_s, other.own_s),
        )


@frozen
class Terms:
    """How often a source may be asked: `pace_s` seconds between starts, and its quota."""

    pace_s: float = 0.0
    quota: Quota | None = None

    @property
    def limited(self) -> bool:
        """False if starts need not be counted at all."""
        return self.pace_s > 0 or self.quota is not None

    @property
    def window_s(self) -> float:
        """For how long a start matters."""
        return max(self.pace_s, self.quota.window_s if self.quota else 0)

    @property
    def ranks(self) -> tuple[int, int]:
        """Which newest starts `Spent.full_s` and `open_s` are: 1 = the newest; 0 = there is no quota."""
        return (self.quota.calls, self.quota.calls - self.quota.calls // RESERVE) if self.quota else (0, 0)

    def left(self, spent: Spent) -> int | None:
        """Calls left in the window; None without a quota."""
        return max(0, self.quota.calls - spent.used) if self.quota else None

    def share_spent(self, spent: Spent, *, signed_in: bool) -> bool:
        """True if the person who asks has had as many calls as are left for all others of that kind.

        So nobody alone takes more than half: of 100 calls 38 of the 75 that are open, or 50 if signed in.
        """
        full, open_ = self.ranks
        return spent.own > 0 and spent.own >= (full if signed_in else open_) - spent.used

    def keep_s(self, spent: Spent, longest_s: float) -> float:
        """How long an outcome fetched now is to stay fresh, so that the calls left last for the window.

        The calls left, spread evenly over the window, are `window_s / left` apart. Twice that, weighed by the part already spent: nothing
        while the day is young, and near its end an even share twice over, since other queries want theirs. The formula is ours; decision 11
        derives and simulates it.

        Args:
            spent: the starts so far, the one that brought the outcome among them.
            longest_s: what the result is cut to, however little is left.
        """
        if self.quota is None:
            return 0.0
        left = self.quota.calls - spent.used
        if left <= 0:
            return longest_s
        return min(longest_s, 2 * (1 - left / self.quota.calls) * self.quota.window_s / left)


def name_start(person: str | None, unique: str) -> str:
    """The name of a start, which tells whose it is."""
    return f"{person}/{unique}" if person else unique


def person_of(name: str) -> str | None:
    """Whose start has this name; None = nobody's."""
    return name.rpartition("/")[0] or None


@frozen
class OwnStart:
    """A start of this process. `shared`: every other process can see it. `name`: as `name_start` makes it."""

    name: str
    at_s: float
    shared: bool


@define
class OwnStarts:
    """The starts of this process alone, oldest first. Holds what matters to the terms: a window's worth, which the quota bounds."""

    _terms: Terms
    _starts: deque[OwnStart] = field(factory=deque)

    def add(self, start: OwnStart) -> None:
        """Count a start; they come in order but for a few that were decided at once."""
        self._starts.append(start)
        if len(self._starts) > 1 and self._starts[-2].at_s > start.at_s:
            self._starts = deque(sorted(self._starts, key=lambda one: one.at_s))

    def remove(self, name: str) -> None:
        """Undo a start whose call was never made."""
        self._starts = deque(start for start in self._starts if start.name != name)

    def spent(self, now_s: float, person: str | None = None) -> Spent:
        """Their sum at a moment, with the part of a person's."""
        while self._starts and self._starts[0].at_s <= now_s - self._terms.window_s:
            self._starts.popleft()
        full, open_ = self._terms.ranks
        window_s = self._terms.quota.window_s if self._terms.quota else 0
        within = [start for start in self._starts if start.at_s > now_s - window_s]
        own = [start.at_s for start in within if person and person_of(start.name) == person]
        return Spent(len(within), self._nth(1), self._nth(full), self._nth(open_), len(own), min(own, default=-inf))

    def unshared(self) -> dict[str, float]:
        """When each start that nobody else can see was, by name."""
        return {start.name: start.at_s for start in self._starts if not start.shared}

    def note_shared(self, names: dict[str, float]) -> None:
        """From now on everybody can see these."""
        if names:
            self._starts = deque(evolve(start, shared=True) if start.name in names else start for start in self._starts)

    def _nth(self, rank: int) -> float:
        """The `rank`-th newest start; -inf if there are fewer."""
        return self._starts[-rank].at_s if 0 < rank <= len(self._starts) else -inf
