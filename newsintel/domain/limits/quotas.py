"""A source's pace and quota, what has been spent of them, and how what is left is made to last.

Pure. Times are seconds of one clock that never goes back.
"""

from bisect import bisect_right, insort
from math import inf

from attrs import define, field, frozen

from newsintel.config.values import Quota

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
    """A start of this process. `shared`: every other process could see it from the first. `name`: as `name_start` makes it."""

    name: str
    at_s: float
    shared: bool


@define
class OwnStarts:
    """The starts of this process alone, oldest first. Holds what matters to the terms: a window's worth, which the quota bounds.

    A quota may be of hundreds of thousands, so nothing here walks through all of them but giving a start back.
    """

    _terms: Terms
    _starts: list[OwnStart] = field(factory=list)
    _unshared: dict[str, float] = field(factory=dict)
    _own: dict[str, list[float]] = field(factory=dict)

    def add(self, start: OwnStart) -> None:
        """Count a start; they come in order but for a few that were decided at once."""
        insort(self._starts, start, key=_at)
        if not start.shared:
            self._unshared[start.name] = start.at_s
        if person := person_of(start.name):
            insort(self._own.setdefault(person, []), start.at_s)

    def remove(self, name: str) -> None:
        """Undo a start whose call was never made."""
        for start in self._starts:
            if start.name == name:
                self._forget(start)
        self._starts = [start for start in self._starts if start.name != name]

    def spent(self, now_s: float, person: str | None = None) -> Spent:
        """Their sum at a moment, with the part of a person's."""
        over = bisect_right(self._starts, now_s - self._terms.window_s, key=_at)
        for start in self._starts[:over]:
            self._forget(start)
        del self._starts[:over]
        full, open_ = self._terms.ranks
        window_s = self._terms.quota.window_s if self._terms.quota else 0
        used = len(self._starts) - bisect_right(self._starts, now_s - window_s, key=_at)
        own = self._own.get(person, []) if person else []
        own = own[bisect_right(own, now_s - window_s) :]
        return Spent(used, self._nth(1), self._nth(full), self._nth(open_), len(own), own[0] if own else -inf)

    def _forget(self, start: OwnStart) -> None:
        """Take a start out of what is kept beside the list."""
        self._unshared.pop(start.name, None)
        if person := person_of(start.name):
            own = self._own[person]
            own.remove(start.at_s)
            if not own:
                del self._own[person]

    def unshared(self) -> dict[str, float]:
        """When each start that nobody else can see was, by name."""
        return dict(self._unshared)

    def note_shared(self, names: dict[str, float]) -> None:
        """From now on everybody can see these."""
        for name in names:
            self._unshared.pop(name, None)

    def _nth(self, rank: int) -> float:
        """The `rank`-th newest start; -inf if there are fewer."""
        return self._starts[-rank].at_s if 0 < rank <= len(self._starts) else -inf


def _at(start: OwnStart) -> float:
    return start.at_s
