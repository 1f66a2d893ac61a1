"""A source's pace and quota, what has been spent of them, and how what is left is made to last.

Pure. Times are seconds of one clock that never goes back.
"""

from bisect import bisect_right, insort
from math import inf

from attrs import define, field, frozen

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
    """

    used: int = 0
    newest_s: float = -inf
    full_s: float = -inf
    open_s: float = -inf

    def __or__(self, other: "Spent") -> "Spent":
        """What holds if both are true and neither tells everything."""
        return Spent(
            max(self.used, other.used),
            max(self.newest_s, other.newest_s),
            max(self.full_s, other.full_s),
            max(self.open_s, other.open_s),
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


@frozen
class OwnStart:
    """A start of this process. `shared`: every other process could see it from the first."""

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

    def add(self, start: OwnStart) -> None:
        """Count a start; they come in order but for a few that were decided at once."""
        insort(self._starts, start, key=_at)
        if not start.shared:
            self._unshared[start.name] = start.at_s

    def remove(self, name: str) -> None:
        """Undo a start whose call was never made."""
        self._starts = [start for start in self._starts if start.name != name]
        self._unshared.pop(name, None)

    def spent(self, now_s: float) -> Spent:
        """Their sum at a moment."""
        over = bisect_right(self._starts, now_s - self._terms.window_s, key=_at)
        for start in self._starts[:over]:
            self._unshared.pop(start.name, None)
        del self._starts[:over]
        full, open_ = self._terms.ranks
        window_s = self._terms.quota.window_s if self._terms.quota else 0
        used = len(self._starts) - bisect_right(self._starts, now_s - window_s, key=_at)
        return Spent(used, self._nth(1), self._nth(full), self._nth(open_))

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
