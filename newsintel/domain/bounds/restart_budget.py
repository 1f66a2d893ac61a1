"""A limit for repeated restarts."""

from collections import deque


class RestartBudget:
    """Allows a number of restarts in any period.

    Args:
        restarts: the number.
        period_s: the length of a period, in seconds.
    """

    def __init__(self, restarts: int, period_s: float) -> None:
        self._period_s = period_s
        self._last: deque[float] = deque(maxlen=restarts)

    def take(self, now_s: float) -> bool:
        """Take a restart; False if the period that ends now has had all of them."""
        if len(self._last) == self._last.maxlen and now_s - self._last[0] < self._period_s:
            return False
        self._last.append(now_s)
        return True
