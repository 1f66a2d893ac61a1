"""When a source may be asked: its pace, its quota, and how long to leave it alone after a refusal.

Pure: times come in as arguments, in seconds of one monotonic clock (`..._s`) and as the wall time that people are told. So does what was
spent of pace and quota, which is counted elsewhere. What goes out is the moment of a start, or the reason and time of a turning away. It
never waits; the fetcher does.
"""

from collections import Counter, deque
from datetime import datetime, timedelta
from math import inf
from statistics import median

from attrs import evolve, field, frozen

from newsintel.domain.limits.pauses import clamp_pause
from newsintel.domain.limits.quotas import Spent, Terms
from newsintel.domain.search.outcome import HeldFrom, Page, Refusal, Status

MOMENT_S = 0.001
"""A wait as short as this is none: two readings of the same start may differ by as much."""

LATENCIES = 32
"""Good fetches whose median tells how long the next will take. Enough to ride out one slow answer, few enough to follow a bad hour."""


@frozen
class Start:
    """The call may start at `at_s`, now or later; until then its place is kept, under its name."""

    at_s: float
    name: str = field(default="", eq=False)


@frozen
class Turned:
    """The call cannot be answered before its deadline, so it must not be made. Nothing was kept.

    Attributes:
        held_back: from whom; others need not wait as long.
    """

    status: Status
    retry_at: datetime
    held_back: HeldFrom | None = None


@frozen
class _Hold:
    """What keeps a call from starting, and until when."""

    until_s: float
    status: Status
    held_back: HeldFrom | None = None


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
"""Refusals that are not here say nothing about the source: `overloaded` is our own want of room, `unsupported` the query's fault."""


class Admission:
    """One source's state in this process: what it last learned of the starts, how fast the source answers, and its pauses.

    `ask`; wait until the start's time; `recall`; call; `note`.
    Ask with a slot in hand: a start that then waited for a slot would come too close to the next one.

    Quota: at most `quota.calls` starts in ANY `window_s` seconds. That keeps within the provider's day wherever it begins; the price is
    that after a spent day calls come back one by one, as old ones leave the window. Pauses are this process's own: the refusal that makes
    one is an answer to it alone.
    """

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._spent = Spent()
        self._latencies_s: deque[float] = deque(maxlen=LATENCIES)
        self._refusals: Counter[Status] = Counter()
        self._pause = _Hold(-inf, Status.RATE_LIMITED)
        self._paused_at_s = -inf

    def ask(self, spent: Spent, now_s: float, wall_now: datetime, deadline_s: float, *, signed_in: bool) -> Start | Turned:
        """When a call may start.

        A start that must wait is only given if the source would probably still answer in time: by its median latency, 0 at first. One that
        need not wait is always given; else a source that became slower than the deadline would never be asked again. What holds for
        everybody, or for all who are not signed in, is told rather than what holds for this person alone.
        """
        self.learn(spent)
        takes_s = median(self._latencies_s) if self._latencies_s else 0.0
        last = _Hold(now_s, Status.OK)
        for holds in (self._for_many(spent, signed_in=signed_in), self._for_one(spent, signed_in=signed_in)):
            last = max([last, *holds], key=lambda hold: hold.until_s)
            if last.until_s > now_s + MOMENT_S and last.until_s + takes_s > deadline_s:
                return Turned(last.status, wall_now + timedelta(seconds=last.until_s - now_s), last.held_back)
        self.learn(evolve(spent, used=spent.used + 1))
        return Start(last.until_s)

    def _for_many(self, spent: Spent, *, signed_in: bool) -> list[_Hold]:
        """What keeps anybody of that kind from a start: a pause, the pace, the quota."""
        holds = [self._pause, _Hold(spent.newest_s + self._terms.pace_s, Status.RATE_LIMITED), self._spent_until()]
        if not signed_in and self._terms.quota:
            holds.append(_Hold(spent.open_s + self._terms.quota.window_s, Status.QUOTA_EXHAUSTED, HeldFrom.STRANGERS))
        return holds

    def _for_one(self, spent: Spent, *, signed_in: bool) -> list[_Hold]:
        """What keeps the person who asks from a start: the share of the quota, until the oldest of the person's own leaves the window."""
        if self._terms.quota is None or not self._terms.share_spent(spent, signed_in=signed_in):
            return []
        return [_Hold(spent.own_s + self._terms.quota.window_s, Status.QUOTA_EXHAUSTED, HeldFrom.PERSON)]

    def learn(self, spent: Spent) -> None:
        """Take note of what was spent, in this process or any other."""
        self._spent = spent

    def recall(self, start: Start, wall_now: datetime) -> Turned | None:
        """Asked when a start's time has come: a pause that has begun since forbids the call. None lets it be made."""
        if self._pause.until_s <= start.at_s:
            return None
        return Turned(self._pause.status, wall_now + timedelta(seconds=self._pause.until_s - start.at_s))

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
        if rule is None or reply.query_fault:
            return
        if reply.pause_s is not None:
            self._leave_alone(now_s, reply.pause_s, Status.RATE_LIMITED if rule is _CIRCUIT else rule.says)
        elif start.at_s >= self._paused_at_s:
            # Calls from before the pause tell of the same trouble: ten at once must not count as ten in a row.
            self._refusals[rule.says] += 1
            if (beyond := self._refusals[rule.says] - rule.patience) >= 0:
                pause_s = min(rule.most_s, rule.first_s * 2.0 ** min(beyond, 10)) * (1 + jitter / 2)
                self._pause_until(now_s + pause_s, rule.says)
                self._paused_at_s = now_s

    def paused(self, now_s: float, wall_now: datetime) -> Turned | None:
        """What keeps the source from being asked for longer than its pace does, if anything."""
        last = max(self._pause, self._spent_until(), key=lambda hold: hold.until_s)
        return Turned(last.status, wall_now + timedelta(seconds=last.until_s - now_s)) if last.until_s > now_s else None

    @property
    def circuit_open(self) -> bool:
        """Whether failures in a row have opened the circuit, and no call has succeeded since."""
        return self._refusals[_CIRCUIT.says] >= _CIRCUIT.patience

    def pause_left_s(self, now_s: float) -> float:
        """How much longer the source is left alone after a refusal."""
        return max(0.0, self._pause.until_s - now_s)

    def quota_left(self) -> int | None:
        """Calls left in the window, by the starts last learned of; None without a quota."""
        return self._terms.left(self._spent)

    def keep_s(self, longest_s: float) -> float:
        """How long what the source brings now is to stay fresh, so that its quota lasts."""
        return self._terms.keep_s(self._spent, longest_s)

    def _leave_alone(self, now_s: float, asked_s: float, status: Status) -> None:
        """Do as the source asked, within our bounds."""
        self._pause_until(now_s + clamp_pause(asked_s), status)
        self._paused_at_s = now_s

    def _pause_until(self, until_s: float, status: Status) -> None:
        """Begin a pause; a longer one already begun stays."""
        self._pause = max(self._pause, _Hold(until_s, status), key=lambda hold: hold.until_s)

    def _spent_until(self) -> _Hold:
        """The first moment at which the quota allows anybody a start, by the starts last learned of."""
        return _Hold(self._spent.full_s + (self._terms.quota.window_s if self._terms.quota else 0), Status.QUOTA_EXHAUSTED)
