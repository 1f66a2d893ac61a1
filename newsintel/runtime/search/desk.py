"""The desk: where routes and commands ask. An object in its caller's task, not an actor."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import trio
from attrs import Factory, define, evolve, field

from newsintel.domain.accounts.model import Caller
from newsintel.domain.archive.ports import Archive
from newsintel.domain.limits.leases import Lease
from newsintel.domain.ports import WallClock
from newsintel.domain.search.article import ArchivedArticle
from newsintel.domain.search.freshness import Freshness, Windows
from newsintel.domain.search.harvest import Answer, Origin, Reply, Via
from newsintel.domain.search.outcome import Asker
from newsintel.domain.search.query_model import Query
from newsintel.domain.search.renewals import Renewals
from newsintel.errors import OverloadedError, RateLimitedError, UnavailableError
from newsintel.runtime.limits.limiter import Limiter
from newsintel.runtime.search.answer_cache import AnswerCache, Remembered
from newsintel.runtime.search.flight import Failed, Flight, Landed, StaleFound, answered


@define(eq=False)
class Desk:
    """Answers from memory, else puts the question on a flight; one key never has two flights in this process.

    Between looking a key's flight up and entering one nothing awaits.

    Owns: nothing that needs closing. `to_merger` is the composition root's; its capacity is `max_flights`, so that a flight for which
    there is a place always fits.

    Attributes:
        windows: how long answers may be given.
        max_flights: flights in the air at once; past that a new one is refused, joining never.
        search_deadline_s: seconds from joining to landing.
        misses: how many flights a person may have started; None = any number.
        held_from: the sources that hold back from a person now, as far as this process knows.
    """

    _to_merger: trio.MemorySendChannel[Flight]
    _archive: Archive
    _windows: Windows = field(kw_only=True)
    _max_flights: int = field(kw_only=True)
    _search_deadline_s: float = field(kw_only=True)
    _misses: Limiter | None = field(kw_only=True)
    _held_from: Callable[[str], frozenset[str]] = field(kw_only=True)
    _now: WallClock = field(kw_only=True)
    _answers: AnswerCache = field(init=False, factory=AnswerCache)
    _flights: dict[str, Flight] = field(init=False, factory=dict)
    _renewals: Renewals = field(init=False, default=Factory(lambda desk: Renewals(desk._windows), takes_self=True))  # noqa: SLF001 - its own

    async def search(self, query: Query, asker: Caller) -> Reply:
        """Answer a query: from memory, from a flight in the air, or from a new one.

        A new flight costs the asker one of the calls that a person may have reach an upstream; joining one is free.

        Raises:
            OverloadedError: a new flight was needed and every place is taken.
            RateLimitedError: a new flight was needed, the asker has had as many as a person may, and memory holds nothing usable.
            FlightBugError: a bug ended the flight.
        """
        if reply := await self._from_memory(query, asker):
            return reply
        collapsed = query.key in self._flights
        try:
            found = await answered(await self._fly(query, asker))
            if collapsed and isinstance(found, Landed) and not all(map(self._asker(asker).bound_by, found.answer.harvest.outcomes)):
                # It was somebody else's flight, from whom a source held back that may be asked for this one.
                found, collapsed = await answered(await self._fly(query, asker)), False
        except RateLimitedError:
            if older := self._usable(query):
                return Reply(older, Via.REVALIDATED)
            raise
        if isinstance(found, StaleFound):
            return Reply(found.answer, Via.REVALIDATED)
        if not found.asked:
            return Reply(found.answer, Via.HIT)
        return Reply(found.answer, Via.COLLAPSED if collapsed else Via.MISS)

    async def renewing(self, query: Query, fetched_at: datetime, asker: Caller) -> bool:
        """Whether the answer that was fetched then may be given at once, and is renewed meanwhile: it is the one that memory holds.

        For whoever has that answer in another form; on False `search` has a better one.
        """
        kept = self._answers.get(query.key)
        if kept is None or kept.answer.harvest.fetched_at != fetched_at:
            return False
        reply = await self._from_memory(query, asker)
        return reply is not None and reply.via is Via.REVALIDATED

    def join(self, query: Query, *, signed_in: bool) -> Flight:
        """The flight of a query, started at nobody's cost if none is in the air.

        Raises:
            OverloadedError: none was in the air and every place is taken.
        """
        return self._join(query, Asker(signed_in=signed_in), None)

    async def article(self, article_id: str) -> ArchivedArticle | None:
        """One article by its public id: from the archive, which knows most of it, else from recent answers.

        Raises:
            UnavailableError: the archive did not answer and no recent answer has the article.
        """
        try:
            return await self._archive.article(article_id) or self._answers.article(article_id)
        except UnavailableError:
            if recent := self._answers.article(article_id):
                return recent
            raise

    @property
    def flights(self) -> int:
        """Flights in the air."""
        return len(self._flights)

    async def _fly(self, query: Query, asker: Caller) -> Flight:
        """The flight of a query, started at the asker's cost if none is in the air."""
        if flight := self._flights.get(query.key):
            return flight
        try:
            permit = await self._misses.take(asker.person) if self._misses else None
        except RateLimitedError:
            if flight := self._flights.get(query.key):  # somebody else's, since we looked: joining is free
                return flight
            raise
        return self._join(query, self._asker(asker), permit)

    def _join(self, query: Query, asker: Asker, permit: Lease | None) -> Flight:
        """Join or start a flight. A permit that was not needed is given back, here or when it turns out that no source was asked."""
        flight = self._flights.get(query.key)
        if flight is None and len(self._flights) < self._max_flights:
            kept = self._answers.get(query.key)
            flight = Flight(
                query,
                trio.current_time() + self._search_deadline_s,
                known=(kept.renewal or kept.answer) if kept else None,
                standing=kept.answer if kept else None,
                asker=asker,
                on_answer=partial(self._heed, permit),
            )
            self._to_merger.send_nowait(flight)
            self._flights[query.key] = flight
        elif permit:
            permit.give_back()
        if flight is None:
            raise OverloadedError(f"{self._max_flights} searches are in the air")
        return flight

    async def _from_memory(self, query: Query, asker: Caller) -> Reply | None:
        kept = self._answers.get(query.key)
        if kept is None:
            return None
        now = self._now()
        freshness = self._windows.judge(kept.answer.harvest, now, self._asker(asker))
        if freshness is Freshness.FRESH:
            return Reply(kept.answer, Via.HIT)
        if freshness is not Freshness.REVALIDATE:
            return None
        await self._renew(query, kept, now, asker)
        return Reply(kept.answer, Via.REVALIDATED)

    async def _renew(self, query: Query, kept: Remembered, now: datetime, asker: Caller) -> None:
        """Start a flight for what is kept, unless the last one brought less.

        Renewing can wait if many others are being renewed or every place is taken, which a search that nothing in memory answers needs
        more; or if it is not paid for.
        """
        if (
            (kept.quiet_until and now < kept.quiet_until)
            or query.key in self._flights
            or not self._renewals.begin(kept.answer.harvest, now)
        ):
            return
        try:
            with suppress(OverloadedError, RateLimitedError):
                await self._fly(query, asker)
        finally:
            if query.key not in self._flights:
                self._renewals.end(query.key)

    def _asker(self, caller: Caller) -> Asker:
        return Asker(caller.person, caller.signed_in, self._held_from(caller.person))

    def _usable(self, query: Query) -> Answer | None:
        """What memory holds, marked as stale, for an asker who may have nothing newer fetched."""
        kept = self._answers.get(query.key)
        if kept is None or self._windows.judge(kept.answer.harvest, self._now()) is Freshness.GONE:
            return None
        return evolve(kept.answer, harvest=evolve(kept.answer.harvest, origin=Origin.STALE))

    def _heed(self, permit: Lease | None, flight: Flight, event: StaleFound | Landed | Failed) -> None:
        """Remember what a flight found, once for all who wait for it; at its end, end it."""
        if isinstance(event, StaleFound):
            self._remember(event.answer)
        else:
            self._land(permit, flight, event)

    def _land(self, permit: Lease | None, flight: Flight, end: Landed | Failed) -> None:
        """End a flight: remember its answer unless that would put less in the place of more."""
        del self._flights[flight.query.key]
        self._renewals.end(flight.query.key)
        if isinstance(end, Failed):
            return
        if permit and not end.asked:
            permit.give_back()
        if end.answer.harvest.cacheable:
            self._remember(end.answer)

    def _remember(self, answer: Answer) -> None:
        """Keep an answer in memory; beside the one there if that is to be kept."""
        kept = self._answers.get(answer.harvest.query.key)
        if kept and self._windows.outranks(kept.answer.harvest, answer.harvest, self._now()):
            quiet_until = self._now() + timedelta(seconds=self._windows.partial_s)
            # A person's own answer leaves the time as it is: the next to ask may get more.
            self._answers.put_beside(kept, answer, kept.quiet_until if answer.personal else quiet_until)
        else:
            self._answers.put(answer)
