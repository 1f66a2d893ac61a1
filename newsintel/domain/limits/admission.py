"""Decides when a source may be asked: its pace, its quota, and pauses after refusals.

Pure: times are arguments, in seconds of one monotonic clock (`..._s`), and as wall time for people.
What was spent of pace and quota is counted elsewhere and is an argument, too. The result is the
time of a start, or the reason why there is none and the time of a retry. This code never waits; the
fetcher does.
"""

from collections import Counter, deque
from datetime import datetime, timedelta
from math import inf
from statistics import median

from attrs import evolve, field, frozen

from newsintel.domain.limits.pauses import clamp_pause
from newsintel.domain.limits.quotas import SourceLimits, Spent
from newsintel.domain.search.outcome import HeldFrom, Refusal, SourcePage, Status

MIN_WAIT_S = 0.001
"""Shorter waits are ignored: two readings of the same start may differ by this much."""

LATE_START_S = 0.5
"""A start that is missed by more is not made up for: its call would come too close to the next one.
Two of Redis's socket timeouts, so a start may come late by what its reservation takes.
"""

MAX_LATENCIES = 32
"""The number of successful fetches whose median predicts the next latency. It is large enough to
ignore one slow answer, and small enough to follow a slow hour."""


@frozen
class Start:
    """The call may start at `at_s`, now or later. Its start is reserved under its name."""

    at_s: float
    name: str = field(default="", eq=False)


@frozen
class Refused:
    """The call must not be made: it would miss its deadline. Nothing was reserved.

    Attributes:
        held_back: the callers from whom the quota is held back, if so. Others may have a shorter
            wait.
    """

    status: Status
    retry_at: datetime
    held_back: HeldFrom | None = None


@frozen
class _Hold:
    """What blocks a start, and until when."""

    until_s: float
    status: Status
    held_back: HeldFrom | None = None


@frozen
class _PauseRule:
    """How a kind of refusal pauses a source.

    After `patience` refusals in a row it pauses for `first_s`, doubling up to `most_s`. During the
    pause its status is `says`.
    """

    says: Status
    patience: int
    first_s: float
    most_s: float


_CIRCUIT = _PauseRule(Status.CIRCUIT_OPEN, 3, 5.0, 300.0)

_RULES = {
    # A minute, then doubling: GitHub's rule for clients that got no Retry-After (docs.github.com,
    # REST best practices).
    Status.RATE_LIMITED: _PauseRule(Status.RATE_LIMITED, 1, 60.0, 3600.0),
    # NewsAPI restores half a day's quota every 12 h, at an hour that we do not know: an hourly
    # retry loses little.
    Status.QUOTA_EXHAUSTED: _PauseRule(Status.QUOTA_EXHAUSTED, 1, 3600.0, 3600.0),
    # Only an operator can fix a key. Five minutes keep the log readable, and limit the effect of a
    # temporary 403 from a network.
    Status.UNAUTHORIZED: _PauseRule(Status.UNAUTHORIZED, 1, 300.0, 3600.0),
    # One failure may be chance and two a restart. With five seconds, an outage costs one 1 s
    # deadline per six seconds.
    Status.UNREACHABLE: _CIRCUIT,
    Status.TIMEOUT: _CIRCUIT,
    Status.BAD_PAYLOAD: _CIRCUIT,
}
"""Other refusals say nothing about the source: `overloaded` means that we had no slot,
`unsupported` that the query is at fault."""


class Admission:
    """One source's state in this process: its known starts, its latencies, and its pauses.

    Order of use: `reserve`; wait until the start's time; `recheck`; call; `record_reply`. Take a
    slot before `reserve`: a start that waits for a slot afterwards would come too close to the next
    one.

    Quota: at most `quota.calls` starts in ANY `window_s` seconds. This respects the provider's day,
    whenever it begins. The cost: after a spent day calls become free one by one, as old ones leave
    the window. Pauses belong to this process: the refusal that starts one answers only this
    process.
    """

    def __init__(self, terms: SourceLimits) -> None:
        self._terms = terms
        self._spent = Spent()
        self._latencies_s: deque[float] = deque(maxlen=MAX_LATENCIES)
        self._refusals: Counter[Status] = Counter()
        self._pause = _Hold(-inf, Status.RATE_LIMITED)
        self._paused_at_s = -inf

    def reserve(
        self, spent: Spent, now_s: float, wall_now: datetime, deadline_s: float, *, signed_in: bool
    ) -> Start | Refused:
        """Return when a call may start.

        A start in the future is only given if the source would probably still answer in time, by
        its median latency (0 at first). A start without a wait is always given; otherwise a source
        that became slower than the deadline would never be asked again. If several limits apply,
        one for everybody, or for all anonymous callers, is reported before one for this person
        alone.
        """
        self.set_spent(spent)
        takes_s = self.expected_latency_s()
        last = _Hold(now_s, Status.OK)
        for holds in (
            self._list_shared_holds(spent, signed_in=signed_in),
            self._list_personal_holds(spent, signed_in=signed_in),
        ):
            last = max([last, *holds], key=lambda hold: hold.until_s)
            if last.until_s > now_s + MIN_WAIT_S and last.until_s + takes_s > deadline_s:
                return Refused(
                    last.status, wall_now + timedelta(seconds=last.until_s - now_s), last.held_back
                )
        self.set_spent(evolve(spent, used=spent.used + 1))
        return Start(last.until_s)

    def _list_shared_holds(self, spent: Spent, *, signed_in: bool) -> list[_Hold]:
        """Return what blocks all callers of that kind: a pause, the pace, the quota."""
        holds = [
            self._pause,
            _Hold(spent.newest_s + self._terms.pace_s, Status.RATE_LIMITED),
            self._make_quota_hold(),
        ]
        if not signed_in and self._terms.quota:
            until_s = spent.open_s + self._terms.quota.window_s
            holds.append(_Hold(until_s, Status.QUOTA_EXHAUSTED, HeldFrom.ANONYMOUS))
        return holds

    def _list_personal_holds(self, spent: Spent, *, signed_in: bool) -> list[_Hold]:
        """Return what blocks this person: a spent share of the quota.

        It blocks until the person's oldest start leaves the window.
        """
        if self._terms.quota is None or not self._terms.has_spent_share(spent, signed_in=signed_in):
            return []
        return [
            _Hold(spent.own_s + self._terms.quota.window_s, Status.QUOTA_EXHAUSTED, HeldFrom.PERSON)
        ]

    def expected_latency_s(self) -> float:
        """Return the median latency of the last successful calls; 0 if there is none yet."""
        return median(self._latencies_s) if self._latencies_s else 0.0

    def set_spent(self, spent: Spent) -> None:
        """Store what was spent, in this process or any other."""
        self._spent = spent

    def recheck(self, start: Start, now_s: float, wall_now: datetime) -> Refused | None:
        """Check a start when its time has come.

        A pause that began meanwhile forbids the call. So does a pace, if this process stood still
        and missed the time. None allows it.
        """
        if self._pause.until_s > start.at_s:
            wait_s = self._pause.until_s - start.at_s
            return Refused(self._pause.status, wall_now + timedelta(seconds=wait_s))
        if self._terms.pace_s > 0 and now_s > start.at_s + LATE_START_S:
            return Refused(Status.OVERLOADED, wall_now)
        return None

    def record_reply(
        self, start: Start, reply: SourcePage | Refusal, now_s: float, jitter: float
    ) -> None:
        """Learn from the result of a call.

        Args:
            start: the start that allowed the call.
            reply: the result; a call that its deadline ended is a Refusal, too, `timeout`.
            now_s: when the call ended.
            jitter: a random number, 0..1. It makes a pause that we choose up to 50 % longer, so
                that processes do not retry at the same time.
        """
        if isinstance(reply, SourcePage):
            self._latencies_s.append(now_s - start.at_s)
            self._refusals.clear()
            if reply.pause_s > 0:
                self._pause_for(now_s, reply.pause_s, Status.RATE_LIMITED)
            return
        rule = _RULES.get(reply.status)
        if rule is None or reply.query_fault:
            return
        if reply.pause_s is not None:
            self._pause_for(
                now_s, reply.pause_s, Status.RATE_LIMITED if rule is _CIRCUIT else rule.says
            )
        elif start.at_s >= self._paused_at_s:
            # Calls that started before the pause report the same outage: ten at once must not count
            # as ten in a row.
            self._refusals[rule.says] += 1
            if (beyond := self._refusals[rule.says] - rule.patience) >= 0:
                pause_s = min(rule.most_s, rule.first_s * 2.0 ** min(beyond, 10)) * (1 + jitter / 2)
                self._pause_until(now_s + pause_s, rule.says)
                self._paused_at_s = now_s

    def find_pause(self, now_s: float, wall_now: datetime) -> Refused | None:
        """Return what blocks the source apart from its pace: a pause or the quota; else None."""
        last = max(self._pause, self._make_quota_hold(), key=lambda hold: hold.until_s)
        return (
            Refused(last.status, wall_now + timedelta(seconds=last.until_s - now_s))
            if last.until_s > now_s
            else None
        )

    @property
    def is_circuit_open(self) -> bool:
        """Whether failures in a row have opened the circuit, and no call has succeeded since."""
        return self._refusals[_CIRCUIT.says] >= _CIRCUIT.patience

    def pause_left_s(self, now_s: float) -> float:
        """Return the remaining seconds of the pause after a refusal."""
        return max(0.0, self._pause.until_s - now_s)

    def quota_left(self) -> int | None:
        """Return the calls left in the window, by the last known starts; None without a quota."""
        return self._terms.count_left(self._spent)

    def min_fresh_s(self, longest_s: float) -> float:
        """Return how long an answer of the source must stay fresh, so that the quota lasts."""
        return self._terms.keep_s(self._spent, longest_s)

    def _pause_for(self, now_s: float, asked_s: float, status: Status) -> None:
        """Pause as long as the source asked, within our bounds."""
        self._pause_until(now_s + clamp_pause(asked_s), status)
        self._paused_at_s = now_s

    def _pause_until(self, until_s: float, status: Status) -> None:
        """Start a pause; a longer current one stays."""
        self._pause = max(self._pause, _Hold(until_s, status), key=lambda hold: hold.until_s)

    def _make_quota_hold(self) -> _Hold:
        """Return until when the quota blocks all callers, by the last known starts."""
        return _Hold(
            self._spent.full_s + (self._terms.quota.window_s if self._terms.quota else 0),
            Status.QUOTA_EXHAUSTED,
        )
