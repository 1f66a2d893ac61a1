"""Whether something works: which of its failures and recoveries are worth a line of the log.

An outage is told when it begins and when it ends, not with each call.
"""

from math import inf

from attrs import frozen

QUIET_S = 60.0
"""The same failure is told no more often than this: what fails every other call then costs a line or two a minute."""


@frozen
class Recovery:
    """The end of an outage: how many failures it had, and how long it lasted."""

    failures: int
    after_s: float


class Condition:
    """What is known of one thing. Times are seconds of any clock that never goes back."""

    def __init__(self) -> None:
        self._since_s: float | None = None
        self._failures = 0
        self._told: set[str] = set()
        self._told_at_s: dict[str, float] = {}

    def failed(self, kind: str, now_s: float) -> bool:
        """Note a failure.

        Args:
            kind: one of a small set of words.
            now_s: the time.

        Returns:
            Whether it is to be told: it is the first of its kind since the thing worked, and none was told within QUIET_S.
        """
        if self._since_s is None:
            self._since_s = now_s
        self._failures += 1
        if kind in self._told or now_s - self._told_at_s.get(kind, -inf) < QUIET_S:
            return False
        self._told.add(kind)
        self._told_at_s[kind] = now_s
        return True

    def worked(self, now_s: float) -> Recovery | None:
        """Note a success. The recovery if it is to be told: it ends an outage that was."""
        if self._since_s is None:
            return None
        recovery, told = Recovery(self._failures, now_s - self._since_s), bool(self._told)
        self._since_s, self._failures, self._told = None, 0, set()
        return recovery if told else None
