"""Counts the starts of one source's calls over all processes; over this process without Redis.

While Redis is unavailable, only the sharing stops: the failure is counted, this process keeps to
pace and quota by itself, and its starts are entered with the next start that Redis accepts.
"""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime

import trio
from attrs import evolve

from newsintel.domain.bounds.newest import Newest
from newsintel.domain.limits.admission import Admission, Refused, Start
from newsintel.domain.limits.ports import Ledger, SourceState
from newsintel.domain.limits.quotas import OwnStart, OwnStarts, SourceLimits, Spent, name_start
from newsintel.domain.ports import Count, WallClock
from newsintel.domain.search.outcome import HeldFrom
from newsintel.errors import UnavailableError

MOST_HELD = 10_000
"""Maximum number of remembered persons who must wait for a source; about 2 MiB.

For a forgotten person the ledger is read again.
"""


class Allowance:
    """The starts of one source.

    This process always remembers its own starts, so it counts them even if Redis loses them.
    """

    def __init__(self, source: str, terms: SourceLimits, ledger: Ledger, count: Count) -> None:
        self._source = source
        self._terms = terms
        self._ledger = ledger
        self._count = count
        self._own = OwnStarts(terms)
        self._wait_until = Newest[str, datetime](MOST_HELD)

    async def reserve(
        self, decide: Callable[[Spent, float], Start | Refused], person: str | None = None
    ) -> Start | Refused:
        """Reserve a start, if `decide` allows one.

        For a source without pace and quota, Redis is not used.

        Args:
            decide: says when the call may start, given the starts so far and the time at which they
                were counted.
            person: the person for whom the call is made; None = nobody in particular.
        """
        if not self._terms.is_limited:
            return decide(Spent(), trio.current_time())

        person = person if self._terms.quota else None  # without a quota there is nothing to share

        def decide_on_all(spent: Spent, now_s: float) -> Start | Refused:
            return decide(spent | self._own.compute_spent(now_s, person), now_s)

        name, before, shared = (
            name_start(person, secrets.token_hex(8)),
            self._own.list_unshared(),
            True,
        )
        try:
            answer = await self._ledger.reserve(
                self._source, self._terms, name, before, decide_on_all
            )
            self._own.mark_shared(before)
        except UnavailableError:
            self._count("ledger_errors", source=self._source)
            shared = False
            answer = decide_on_all(Spent(), trio.current_time())
        self._remember_wait(person, answer)
        if isinstance(answer, Refused):
            return answer
        self._own.add(OwnStart(name, answer.at_s, shared))
        return evolve(answer, name=name)

    def must_wait(self, person: str, now: datetime) -> bool:
        """Return whether a person must wait while others need not, as far as this process knows."""
        return person in self._wait_until and now < self._wait_until[person]

    def _remember_wait(self, person: str | None, answer: Start | Refused) -> None:
        """Remember how long a person must wait for the source; at most MOST_HELD persons."""
        if person is not None:
            if isinstance(answer, Refused) and answer.held_back is HeldFrom.PERSON:
                self._wait_until[person] = answer.retry_at
            else:
                self._wait_until.pop(person, None)

    async def give_back(self, start: Start) -> None:
        """Undo a start whose call was never made.

        While Redis is unavailable, it may still count for other processes.
        """
        if not self._terms.is_limited:
            return
        self._own.remove(start.name)
        try:
            await self._ledger.give_back(self._source, start.name)
        except UnavailableError:
            self._count("ledger_errors", source=self._source)

    async def read_spent(self) -> Spent:
        """Return the starts that count at this moment."""
        own = self._own.compute_spent(trio.current_time())
        try:
            return (
                own | await self._ledger.read_spent(self._source, self._terms)
                if self._terms.is_limited
                else own
            )
        except UnavailableError:
            self._count("ledger_errors", source=self._source)
            return own


class States:
    """The states of the sources. Implements `ports.SourceStates`."""

    def __init__(self, sources: Mapping[str, tuple[Admission, Allowance]], now: WallClock) -> None:
        self._sources = sources
        self._now = now

    def __call__(self) -> Mapping[str, SourceState]:
        """Return the state of every enabled source by name, as this process knows it."""
        return {
            name: self._build_state(admission) for name, (admission, _) in self._sources.items()
        }

    def sources_held_from(self, person: str) -> frozenset[str]:
        """Return the sources for which a person must wait now, as far as this process knows."""
        now = self._now()
        return frozenset(
            name
            for name, (_, allowance) in self._sources.items()
            if allowance.must_wait(person, now)
        )

    async def refresh_quotas(self) -> None:
        """Read how much of the quotas other processes have used."""
        for admission, allowance in self._sources.values():
            admission.set_spent(await allowance.read_spent())

    def _build_state(self, admission: Admission) -> SourceState:
        paused = admission.find_pause(trio.current_time(), self._now())
        blocked, retry_at = (paused.status, paused.retry_at) if paused else (None, None)
        return SourceState(blocked, retry_at, admission.quota_left())
