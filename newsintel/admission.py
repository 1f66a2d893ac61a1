"""When a source may be asked: its pace, its quota, and how long to leave it alone after a refusal.

Pure: times come in as arguments, in seconds of one monotonic clock (`..._s`) and as the wall time that people are told. What goes out is
the moment of a start, or the reason and time of a turning away. It never waits; the fetcher does.
"""

from collections import Counter, deque
from datetime import datetime, timedelta
from statistics import median

from attrs import frozen

from newsintel.model import Page, Refusal, Status
from newsintel.options import Quota

LATENCIES = 32
"""Good fetches whose median tells how long the next will take. Enough to ride out one slow answer, few enough to follow a bad hour."""

SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 3600.0
"""What we make of any Retry-After: never a busy loop, and no typing error of theirs silences a source for a day."""


@frozen
class Start:
    """The call may start at `at_s`, now or later; until then its place is kept."""

    at_s: float


@frozen
class Turned:
    """The call cannot be answered before its deadline, so it must not be made. Nothing was kept."""

    status: Status
    retry_at: datetime


@frozen
class _Rule:
    """After `patience` refusals in a row a source is left alone for `first_s`, doubling up to `most_s`; meanwhile it counts as `says`."""

    says: Status
    patience: int
    first_s: float
    most_s: float


_CIRCUIT = _Rule(Status.CIRCUIT_OPEN, 3, 5.0, 300.0)

_RULES = {
    # A minute, then doubling: GitHub's rule for clients that were told no time (docs.github.com, REST best practices).
    Status.RATE_LIMITED: _Rule(Status.RATE_LIMITED, 1, 60.0, 3600.0),
    # NewsAPI gives half a day's quota back every 12 h at an hour of its own: asking hourly loses little.
    Status.QUOTA_EXHAUSTED: _Rule(Status.QUOTA_EXHAUSTED, 1, 3600.0, 3600.0),
    # Only an operator can mend a key; five minutes keep the log readable and a network's passing 403 short.
    Status.UNAUTHORIZED: _Rule(Status.UNAUTHORIZED, 1, 300.0, 3600.0),
    # One may be chance and two a restart. At five seconds an outage costs a 1 s deadline in six.
    Status.UNREACHABLE: _CIRCUIT,
    Status.TIMEOUT: _CIRCUIT,
    Status.BAD_PAYLOAD: _CIRCUIT,
}
"""Refusals that are not here (`overloaded`: our own want of room) say nothing about the source."""


class Admission:
    """One source's state.

    `ask`; wait until the start's time; `recall`; call; `note`. A start whose call was never made is given back.
    Ask with a slot in hand: a start that then waited for a slot would come too close to the next one.

    Quota: at most `quota.calls` starts in ANY `window_s` seconds. That keeps within the provider's day wherever it begins; the price is
    that after a spent day calls come back one by one, as old ones leave the window. It counts this process's calls alone.
    """

    def __init__(self, *, pace_s: float, quota: Quota | None) -> None:
        self._pace_s = pace_s
        self._quota = quota
        self._starts_s: deque[float] = deque()
        self._latencies_s: deque[float] = deque(maxlen=LATENCIES)
        self._refusals: Counter[Status] = Counter()
        self._pause = (float("-inf"), Status.RATE_LIMITED)
        self._paused_at_s = float("-inf")

    def ask(self, now_s: float, wall_now: datetime, deadline_s: float) -> Start | Turned:
        """When a call may start.

        A start that must wait is only given if the source would probably still answer in time: by its median latency, 0 at first. One that
        need not wait is always given; else a source that became slower than the deadline would never be asked again.
        """
        at_s, status = self._free(now_s)
        if at_s > now_s and at_s + (median(self._latencies_s) if self._latencies_s else 0.0) > deadline_s:
            return Turned(status, wall_now + timedelta(seconds=at_s - now_s))
        self._starts_s.append(at_s)
        return Start(at_s)

    def recall(self, start: Start, wall_now: datetime) -> Turned | None:
        """Asked when a start's time has come: a pause that has begun since takes it back. None lets the call be made."""
        until_s, status = self._pause
        if until_s <= start.at_s:
            return None
        self.give_back(start)
        return Turned(status, wall_now + timedelta(seconds=until_s - start.at_s))

    def give_back(self, start: Start) -> None:
        """Undo a start whose call was never made. One with later starts behind it stays spent: they keep their times."""
        if self._starts_s and self._starts_s[-1] == start.at_s:
            self._starts_s.pop()

    def note(self, start: Start, reply: Page | Refusal, now_s: float, jitter: float) -> None:
        """Learn from what a call brought.

        Args:
            start: what allowed the call.
            reply: what it brought; a call cut by its deadline is a Refusal too, `timeout`.
            now_s: when it ended.
            jitter: a random number, 0..1: it makes a pause of our own choosing up to half as long again, so that processes part ways.
        """
        if isinstance(reply, Page):
            self._latencies_s.append(now_s - start.at_s)
            self._refusals.clear()
            if reply.pause_s > 0:
                self._leave_alone(now_s, reply.pause_s, Status.RATE_LIMITED)
            return
        rule = _RULES.get(reply.status)
        if rule is None:
            return
        if reply.pause_s is not None:
            self._leave_alone(now_s, reply.pause_s, Status.RATE_LIMITED if rule is _CIRCUIT else rule.says)
        elif start.at_s >= self._paused_at_s:
            # Calls from before the pause tell of the same trouble: ten at once must not count as ten in a row.
            self._refusals[rule.says] += 1
            if (beyond := self._refusals[rule.says] - rule.patience) >= 0:
                pause_s = min(rule.most_s, rule.first_s * 2.0 ** min(beyond, 10)) * (1 + jitter / 2)
                self._pause = max(self._pause, (now_s + pause_s, rule.says))
                self._paused_at_s = now_s

    def paused(self, now_s: float, wall_now: datetime) -> Turned | None:
        """What keeps the source from being asked for longer than its pace does, if anything."""
        until_s, status = max(self._pause, self._quota_free(now_s), key=lambda hold: hold[0])
        return Turned(status, wall_now + timedelta(seconds=until_s - now_s)) if until_s > now_s else None

    def quota_left(self, now_s: float) -> int | None:
        """Calls left in the window that ends now; None without a quota."""
        if self._quota is None:
            return None
        return max(0, self._quota.calls - sum(start_s > now_s - self._quota.window_s for start_s in self._starts_s))

    def _leave_alone(self, now_s: float, asked_s: float, status: Status) -> None:
        """Do as the source asked, within our bounds. A longer pause already begun stays."""
        until_s = now_s + min(max(asked_s, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)
        self._pause = max(self._pause, (until_s, status))
        self._paused_at_s = now_s

    def _free(self, now_s: float) -> tuple[float, Status]:
        """The first moment at which pause, pace and quota all allow a start, and what holds it up until then."""
        window_s = self._quota.window_s if self._quota else 0
        while self._starts_s and self._starts_s[0] <= now_s - max(window_s, self._pace_s):
            self._starts_s.popleft()
        held = [(now_s, Status.OK), self._pause, self._quota_free(now_s)]
        if self._starts_s:
            held.append((self._starts_s[-1] + self._pace_s, Status.RATE_LIMITED))
        return max(held, key=lambda hold: hold[0])

    def _quota_free(self, now_s: float) -> tuple[float, Status]:
        """The first moment at which the quota allows a start."""
        if self._quota is None or len(self._starts_s) < self._quota.calls:
            return now_s, Status.OK
        return self._starts_s[-self._quota.calls] + self._quota.window_s, Status.QUOTA_EXHAUSTED
