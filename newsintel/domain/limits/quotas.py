"""A source's pace and quota, what has been spent, and how to make the rest last.

Pure. Times are seconds of one monotonic clock.
"""

from bisect import bisect_right, insort
from math import inf

from attrs import define, field, frozen

from newsintel.config.values import Quota

RESERVE = 4
"""One in this many calls of a quota is reserved for signed-in callers."""


@frozen
class Spent:
    """What is known about a source's starts at one moment. -inf = no such start.

    Attributes:
        used: starts in the quota's window that ends now.
        newest_s: the newest start, which may be in the future.
        full_s: the start that must leave the window before any caller gets a call: the `calls`-th
            newest.
        open_s: the same for an anonymous caller.
        own: the number of starts in `used` that belong to the caller.
        own_s: the oldest of these.
    """

    used: int = 0
    newest_s: float = -inf
    full_s: float = -inf
    open_s: float = -inf
    own: int = 0
    own_s: float = -inf

    def __or__(self, other: "Spent") -> "Spent":
        """Combine two incomplete views: both are true, and each may miss starts."""
        return Spent(
            max(self.used, other.used),
            max(self.newest_s, other.newest_s),
            max(self.full_s, other.full_s),
            max(self.open_s, other.open_s),
            max(self.own, other.own),
            max(self.own_s, other.own_s),
        )


@frozen
class SourceLimits:
    """How often a source may be asked: `pace_s` seconds between starts, and its quota."""

    pace_s: float = 0.0
    quota: Quota | None = None

    @property
    def is_limited(self) -> bool:
        """Whether starts must be counted."""
        return self.pace_s > 0 or self.quota is not None

    @property
    def window_s(self) -> float:
        """How long a start counts."""
        return max(self.pace_s, self.quota.window_s if self.quota else 0)

    @property
    def ranks(self) -> tuple[int, int]:
        """The ranks of `Spent.full_s` and `open_s`, newest first: 1 = the newest; 0 = no quota."""
        return (
            (self.quota.calls, self.quota.calls - self.quota.calls // RESERVE)
            if self.quota
            else (0, 0)
        )

    def count_left(self, spent: Spent) -> int | None:
        """Return the calls left in the window; None without a quota."""
        return max(0, self.quota.calls - spent.used) if self.quota else None

    def has_spent_share(self, spent: Spent, *, signed_in: bool) -> bool:
        """Whether the caller has used as many calls as are left for all others of that kind.

        So one person uses at most about half: of 100 calls 38 of the 75 open ones, or 50 if signed
        in.
        """
        full, open_ = self.ranks
        return spent.own > 0 and spent.own >= (full if signed_in else open_) - spent.used

    def keep_s(self, spent: Spent, longest_s: float) -> float:
        """Return how long an outcome fetched now must stay fresh, so that the calls left last.

        The calls left, spread evenly over the window, are `window_s / left` apart. The result is
        twice that, times the spent part of the quota: nothing while little is spent, and near the
        end two even shares, since other queries need calls, too. The formula is ours; decision 11
        derives and simulates it.

        Args:
            spent: the starts so far, including the one of this outcome.
            longest_s: the maximum of the result.
        """
        if self.quota is None:
            return 0.0
        left = self.quota.calls - spent.used
        if left <= 0:
            return longest_s
        return min(longest_s, 2 * (1 - left / self.quota.calls) * self.quota.window_s / left)


def name_start(person: str | None, unique: str) -> str:
    """Return the name of a start, which includes its person."""
    return f"{person}/{unique}" if person else unique


def person_of(name: str) -> str | None:
    """Return the person of a start from its name; None = it has none."""
    return name.rpartition("/")[0] or None


@frozen
class OwnStart:
    """A start of this process.

    Attributes:
        name: as `name_start` makes it.
        shared: all other processes could see it from the beginning.
    """

    name: str
    at_s: float
    shared: bool


@define
class OwnStarts:
    """The starts of this process in one window, oldest first. The quota limits their number.

    A quota may have hundreds of thousands of calls, so only `remove` iterates over all starts.
    """

    _terms: SourceLimits
    _starts: list[OwnStart] = field(factory=list)
    _unshared: dict[str, float] = field(factory=dict)
    _own: dict[str, list[float]] = field(factory=dict)

    def add(self, start: OwnStart) -> None:
        """Add a start. They come in order, except for a few that were decided at the same time."""
        insort(self._starts, start, key=_get_start_time)
        if not start.shared:
            self._unshared[start.name] = start.at_s
        if person := person_of(start.name):
            insort(self._own.setdefault(person, []), start.at_s)

    def remove(self, name: str) -> None:
        """Undo a start whose call was never made."""
        for start in self._starts:
            if start.name == name:
                self._remove_from_indexes(start)
        self._starts = [start for start in self._starts if start.name != name]

    def compute_spent(self, now_s: float, person: str | None = None) -> Spent:
        """Return what these starts have spent at a moment, and a person's part of it."""
        over = bisect_right(self._starts, now_s - self._terms.window_s, key=_get_start_time)
        for start in self._starts[:over]:
            self._remove_from_indexes(start)
        del self._starts[:over]
        full, open_ = self._terms.ranks
        window_s = self._terms.quota.window_s if self._terms.quota else 0
        used = len(self._starts) - bisect_right(self._starts, now_s - window_s, key=_get_start_time)
        own = self._own.get(person, []) if person else []
        own = own[bisect_right(own, now_s - window_s) :]
        return Spent(
            used,
            self._nth_newest(1),
            self._nth_newest(full),
            self._nth_newest(open_),
            len(own),
            own[0] if own else -inf,
        )

    def _remove_from_indexes(self, start: OwnStart) -> None:
        """Remove a start from the indexes beside the list."""
        self._unshared.pop(start.name, None)
        if person := person_of(start.name):
            own = self._own[person]
            own.remove(start.at_s)
            if not own:
                del self._own[person]

    def list_unshared(self) -> dict[str, float]:
        """Return the times of the starts that no other process can see, by name."""
        return dict(self._unshared)

    def mark_shared(self, names: dict[str, float]) -> None:
        """Mark starts as visible to all processes."""
        for name in names:
            self._unshared.pop(name, None)

    def _nth_newest(self, rank: int) -> float:
        """Return the `rank`-th newest start; -inf if there are fewer."""
        return self._starts[-rank].at_s if 0 < rank <= len(self._starts) else -inf


def _get_start_time(start: OwnStart) -> float:
    return start.at_s
