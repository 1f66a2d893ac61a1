"""Decides which failures and recoveries of a component are logged.

An outage is logged when it begins and when it ends, not with each call.
"""

from math import inf

from attrs import frozen

MIN_LOG_INTERVAL_S = 60.0
"""Minimum time between log lines of the same failure. A component that fails every other call costs
a line or two a minute."""


@frozen
class Recovery:
    """The end of an outage: its number of failures and its duration."""

    failures: int
    after_s: float


class OutageTracker:
    """The condition of one component. Times are seconds of any monotonic clock."""

    def __init__(self) -> None:
        self._since_s: float | None = None
        self._failures = 0
        self._told: set[str] = set()
        self._told_at_s: dict[str, float] = {}

    def record_failure(self, kind: str, now_s: float) -> bool:
        """Record a failure.

        Args:
            kind: one of a small set of words.
            now_s: the time.

        Returns:
            Whether to log it: it is the first of its kind since the last success, and none of its
                kind was logged within MIN_LOG_INTERVAL_S.
        """
        if self._since_s is None:
            self._since_s = now_s
        self._failures += 1
        if kind in self._told or now_s - self._told_at_s.get(kind, -inf) < MIN_LOG_INTERVAL_S:
            return False
        self._told.add(kind)
        self._told_at_s[kind] = now_s
        return True

    def record_success(self, now_s: float) -> Recovery | None:
        """Record a success. Returns the recovery if it ends a logged outage, else None."""
        if self._since_s is None:
            return None
        recovery, told = Recovery(self._failures, now_s - self._since_s), bool(self._told)
        self._since_s, self._failures, self._told = None, 0, set()
        return recovery if told else None
