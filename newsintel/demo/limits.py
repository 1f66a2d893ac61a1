"""Quotas and paces: how many calls in a rolling window."""

from collections import deque

from attrs import define, field


@define
class Window:
    """At most `calls` in any `seconds`. Times are monotonic seconds, given by the caller."""

    calls: int
    seconds: float
    _taken: deque[float] = field(factory=deque)

    def used(self, at: float) -> int:
        """Calls inside the window that ends now."""
        while self._taken and self._taken[0] <= at - self.seconds:
            self._taken.popleft()
        return len(self._taken)

    def full(self, at: float) -> bool:
        """True if another call would be one too many."""
        return self.used(at) >= self.calls

    def take(self, at: float) -> None:
        """Count a call, wanted or not."""
        self._taken.append(at)

    def resets_in(self, at: float) -> int:
        """Whole seconds until the window is empty again if nothing more is taken; a fresh one lasts its length."""
        return max(1, round(self._taken[-1] + self.seconds - at)) if self.used(at) else round(self.seconds)
