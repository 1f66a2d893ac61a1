"""A circuit breaker: it stops calls to a server that does not answer.

So an outage costs callers nothing.
"""

from newsintel.errors import UnavailableError

FAILURES = 5
"""Failures in a row that open the breaker. Fewer might open it after one lost connection, because
the pool's other connections fail with it.
"""

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8.0
"""The pause doubles from FIRST_PAUSE_S up to this, so a recovery is noticed within 8 s."""


class Breaker:
    """Counts failures in a row.

    While open, it lets one caller through per pause as a probe; a success closes it.

    Methods take the time as an argument: seconds of any clock that never goes back.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._pause_s = FIRST_PAUSE_S
        self._refusing_until_s = 0.0

    @property
    def is_open(self) -> bool:
        """True while callers are refused, except probes."""
        return self._failures >= FAILURES

    @property
    def is_failing(self) -> bool:
        """True if the server did not answer the last time."""
        return self._failures > 0

    def refuse(self, now_s: float) -> None:
        """Return if a caller may ask `check`, else raise UnavailableError at once."""
        if self.is_open and now_s < self._refusing_until_s:
            raise UnavailableError("Redis is not used for some seconds, because it did not answer")

    def check(self, now_s: float) -> None:
        """Return if the caller may use the server now, else raise UnavailableError at once."""
        self.refuse(now_s)
        if self.is_open:
            # This caller is the probe; callers during the pause are refused.
            self._refusing_until_s = now_s + self._pause_s
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)

    def note_success(self) -> None:
        """Note that the server answered."""
        self._failures = 0
        self._pause_s = FIRST_PAUSE_S

    def note_failure(self, now_s: float) -> None:
        """Note that the server did not answer."""
        self._failures += 1
        if self._failures == FAILURES:
            self._refusing_until_s = now_s + FIRST_PAUSE_S
