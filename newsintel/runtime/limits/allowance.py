"""One source's starts: counted together with every other process's, and by this process alone while Redis is away.

Redis away costs nothing but the sharing: it is counted, this process keeps within the terms by itself, and what it started meanwhile is
entered with the next start that Redis takes.
"""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime

import trio
from attrs import evolve

from newsintel.domain.bounds.newest import Newest
from newsintel.domain.limits.admission import Admission, Start, Turned
from newsintel.domain.limits.ports import Ledger, SourceState
from newsintel.domain.limits.quotas import OwnStart, OwnStarts, Spent, Terms, name_start
from newsintel.domain.ports import Count, WallClock
from newsintel.domain.search.outcome import HeldFrom
from newsintel.errors import UnavailableError

MOST_HELD = 10_000
"""Persons from whom a source holds back that are remembered, in about 2 MiB. A person who is forgotten costs a look at the ledger."""


class Allowance:
    """The starts of one source. Those of this process are remembered in any case: a Redis that loses them makes nobody forget his own."""

    def __init__(self, source: str, terms: Terms, ledger: Ledger, count: Count) -> None:
        self._source = source
        self._terms = terms
        self._ledger = ledger
        self._count = count
        self._own = OwnStarts(terms)
        self._held = Newest[str, datetime](MOST_HELD)

    async def reserve(self, decide: Callable[[Spent, float], Start | Turned], person: str | None = None) -> Start | Turned:
        """Take a start, or none. Asks Redis nothing for a source that has neither pace nor quota.

        Args:
            decide: says by what was spent, and the time at which that was so, when the call may start.
            person: for whom; None = nobody in particular.
        """
        if not self._terms.limited:
            return decide(Spent(), trio.current_time())

        person = person if self._terms.quota else None  # there is nothing to share

        def decide_on_all(spent: Spent, now_s: float) -> Start | Turned:
            return decide(spent | self._own.spent(now_s, person), now_s)

        name, before, shared = name_start(person, secrets.token_hex(8)), self._own.unshared(), True
        try:
            answer = await self._ledger.reserve(self._source, self._terms, name, before, decide_on_all)
            self._own.note_shared(before)
        except UnavailableError:
            self._count("ledger_errors", source=self._source)
            shared = False
            answer = decide_on_all(Spent(), trio.current_time())
        self._note(person, answer)
        if isinstance(answer, Turned):
            return answer
        self._own.add(OwnStart(name, answer.at_s, shared))
        return evolve(answer, name=name)

    def holds_back(self, person: str, now: datetime) -> bool:
        """Whether this process was told that a person must wait while others need not."""
        return person in self._held and now < self._held[person]

    def _note(self, person: str | None, answer: Start | Turned) -> None:
        """Remember for how long the source holds back from a person, the latest MOST_HELD of them."""
        if person is not None:
            if isinstance(answer, Turned) and answer.held_back is HeldFrom.PERSON:
                self._held[person] = answer.retry_at
            else:
                self._held.pop(person, None)

    async def give_back(self, start: Start) -> None:
        """Undo a start whose call was never made. With Redis away it may stay spent for the others."""
        if not self._terms.limited:
            return
        self._own.remove(start.name)
        try:
            await self._ledger.give_back(self._source, start.name)
        except UnavailableError:
            self._count("ledger_errors", source=self._source)

    async def spent(self) -> Spent:
        """What is spent at this moment."""
        own = self._own.spent(trio.current_time())
        try:
            return own | await self._ledger.spent(self._source, self._terms) if self._terms.limited else own
        except UnavailableError:
            self._count("ledger_errors", source=self._source)
            return own


class States:
    """How the sources stand (`ports.SourceStates`)."""

    def __init__(self, sources: Mapping[str, tuple[Admission, Allowance]], now: WallClock) -> None:
        self._sources = sources
        self._now = now

    def __call__(self) -> Mapping[str, SourceState]:
        """Every enabled source by name, as this process last knew it."""
        return {name: self._state(admission) for name, (admission, _) in self._sources.items()}

    def held_from(self, person: str) -> frozenset[str]:
        """The sources that hold back from a person now, as far as this process knows."""
        now = self._now()
        return frozenset(name for name, (_, allowance) in self._sources.items() if allowance.holds_back(person, now))

    async def look(self) -> None:
        """Learn what other processes have spent of the quotas."""
        for admission, allowance in self._sources.values():
            admission.learn(await allowance.spent())

    def _state(self, admission: Admission) -> SourceState:
        paused = admission.paused(trio.current_time(), self._now())
        blocked, retry_at = (paused.status, paused.retry_at) if paused else (None, None)
        return SourceState(blocked, retry_at, admission.quota_left())
