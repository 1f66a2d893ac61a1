"""Stops asking a server that does not answer, so that its outage costs callers nothing."""

from newsintel.errors import UnavailableError

FAILURES = 5
"""In a row before it opens: fewer would open at a single lost connection, whose neighbours in the pool fail with it."""

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8.0
"""Pauses double between these; at the longest, recovery is noticed within 8 s."""


class Breaker:
    """Counts failures in a row. Once open, it lets one caller through per pause as a probe; a success closes it.

    Takes the time as an argument: seconds of any clock that never goes back.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._pause_s = FIRST_PAUSE_S
        self._refusing_until_s = 0.0

    @property
    def open(self) -> bool:
        """Whether callers are turned away, but for a probe now and then."""
        return self._failures >= FAILURES

    def check(self, now_s: float) -> None:
        """Let a caller through, or raise UnavailableError at once."""
        if not self.open:
            return
        if now_s < self._refusing_until_s:
            raise UnavailableError("Redis is left alone for a moment: it has not been answering")
        self._refusing_until_s = now_s + self._pause_s  # this caller is the probe; whoever comes during the pause is not
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)

    def succeeded(self) -> None:
        """The server answered."""
        self._failures = 0
        self._pause_s = FIRST_PAUSE_S

    def failed(self, now_s: float) -> None:
        """The server did not answer."""
        self._failures += 1
        if self._failures == FAILURES:
            self._refusing_until_s = now_s + FIRST_PAUSE_S
