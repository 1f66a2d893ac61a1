"""Quotas and paces: a limit of calls in a rolling window."""

from collections import deque

from attrs import define, field


@define
class CallWindow:
    """At most `calls` calls in any `seconds` seconds. The caller passes monotonic seconds."""

    calls: int
    seconds: float
    _taken: deque[float] = field(factory=deque)

    def count_used(self, at: float) -> int:
        """Return the number of calls in the window that ends at `at`."""
        while self._taken and self._taken[0] <= at - self.seconds:
            self._taken.popleft()
        return len(self._taken)

    def is_full(self, at: float) -> bool:
        """Return whether another call would exceed the limit."""
        return self.count_used(at) >= self.calls

    def take(self, at: float) -> None:
        """Count a call, even above the limit."""
        self._taken.append(at)

    def compute_reset_s(self, at: float) -> int:
        """Return seconds until the window is empty without more calls; its length if unused."""
        return (
            max(1, round(self._taken[-1] + self.seconds - at))
            if self.count_used(at)
            else round(self.seconds)
        )
