"""The desk: where routes and commands search. It runs in its caller's task; it is not an actor."""

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
from newsintel.domain.search.outcome import FetchCaller
from newsintel.domain.search.ports import HarvestCache
from newsintel.domain.search.query_model import Query
from newsintel.domain.search.renewals import Renewals
from newsintel.domain.tracing import current_span
from newsintel.errors import OverloadedError, RateLimitedError, UnavailableError
from newsintel.runtime.limits.limiter import Limiter
from newsintel.runtime.search.answer_cache import AnswerCache, CachedAnswer
from newsintel.runtime.search.flight import Failed, Flight, Landed, StaleFound
from newsintel.runtime.search.running import RunningSearch

ARTICLE_S, KNOWN_ARTICLE_S = 1.5, 0.25
"""How long the archive may take for one article; and if a recent answer has it. A working archive
takes milliseconds."""


@define(eq=False)
class Desk:
    """Answers from memory, else from a flight; a key never has two running flights in this process.

    To hold this, nothing awaits between the look-up of a key's flight and the entry of a new one.

    Owns: nothing that needs closing. The composition root owns `to_merger`; its capacity is
    `max_flights`, so a flight that may start always fits.

    Attributes:
        windows: how long answers may be served.
        max_flights: maximum of running flights; if it is reached, a new flight is refused. A search
            can always join a running flight.
        search_deadline_s: seconds from a flight's start to its landing.
        misses: limits how many flights a person may start; None = no limit.
        sources_held_from: returns the sources that hold back from a person now, as far as this
            process knows.
    """

    _to_merger: trio.MemorySendChannel[Flight]
    _archive: Archive
    _harvests: HarvestCache
    _windows: Windows = field(kw_only=True)
    _max_flights: int = field(kw_only=True)
    _search_deadline_s: float = field(kw_only=True)
    _misses: Limiter | None = field(kw_only=True)
    _sources_held_from: Callable[[str], frozenset[str]] = field(kw_only=True)
    _now: WallClock = field(kw_only=True)
    _answers: AnswerCache = field(init=False, factory=AnswerCache)
    _flights: dict[str, Flight] = field(init=False, factory=dict)
    _renewals: Renewals = field(
        init=False,
        default=Factory(lambda desk: Renewals(desk._windows), takes_self=True),  # noqa: SLF001 - its own
    )

    async def search(self, query: Query, asker: Caller) -> Reply:
        """Answer a query from memory, from a running flight, or from a new flight.

        A new flight counts against the asker's limit of misses; joining a running flight is free.

        Raises:
            OverloadedError: a new flight was needed, and `max_flights` are running.
            RateLimitedError: a new flight was needed, the asker's limit of misses is used up, and
                memory holds nothing usable.
            FlightBugError: a bug ended the flight.
            UnavailableError: no source is enabled, and the archive did not answer.
        """
        begun = await self.begin_search(query, asker)
        if isinstance(begun, Reply):
            return begun
        while (reply := (await begun.wait_for_step()).reply) is None:
            pass
        return reply

    async def begin_search(self, query: Query, asker: Caller) -> Reply | RunningSearch:
        """Do the same as `search`, but without waiting for the flight.

        Returns:
            The reply from memory, or the search that waits for its flight.

        Raises:
            OverloadedError, RateLimitedError: as for `search`.
        """
        if reply := await self._answer_from_memory(query, asker):
            return reply
        collapsed = query.key in self._flights
        join = partial(self._join_or_find_stale, query, asker)
        joined = await join()
        if isinstance(joined, Reply):
            return joined
        return RunningSearch(
            joined,
            collapsed=collapsed,
            build_asker=partial(self._build_asker, asker),
            join_again=join,
        )

    async def serve_while_renewing(self, query: Query, fetched_at: datetime, asker: Caller) -> bool:
        """Return whether an answer that the caller has may be served now, while a flight renews it.

        True if memory holds the answer fetched at this time, and it is in its revalidate window.
        This also starts the flight, if one may start. On False, `search` has a better answer.
        """
        kept = self._answers.get(query.key)
        if kept is None or kept.answer.harvest.fetched_at != fetched_at:
            return False
        reply = await self._answer_from_memory(query, asker)
        return reply is not None and reply.via is Via.REVALIDATED

    def join_flight(self, query: Query, *, signed_in: bool) -> Flight:
        """Return the running flight of a query, else start one that counts against no limit.

        Raises:
            OverloadedError: a new flight was needed, and `max_flights` are running.
        """
        return self._join_or_start(query, FetchCaller(signed_in=signed_in), None)

    async def get_article(self, article_id: str) -> ArchivedArticle | None:
        """Return an article by its public id, from the archive or else from recent answers.

        The archive comes first because it knows most about the article. The recent answers are
        those in memory, and those that any process stored in Redis.

        Raises:
            UnavailableError: the archive did not answer, and no recent answer has the article.
        """
        recent = self._answers.find_article(article_id)
        failure: UnavailableError | None = None
        patience_s = ARTICLE_S if recent is None else KNOWN_ARTICLE_S
        with trio.move_on_after(patience_s) as patience:
            try:
                if found := await self._archive.get_article(article_id):
                    return found
            except UnavailableError as error:
                failure = error
        if recent := recent or await self._find_in_redis(article_id):
            return recent
        if patience.cancelled_caught:
            raise UnavailableError("the archive did not answer in time")
        if failure:
            raise failure
        return None

    @property
    def flights(self) -> int:
        """The number of running flights."""
        return len(self._flights)

    async def _find_in_redis(self, article_id: str) -> ArchivedArticle | None:
        """Return an article that another process has just answered with, if Redis says so."""
        try:
            return await self._harvests.find_article(article_id)
        except UnavailableError:
            return None

    async def _join_or_find_stale(self, query: Query, asker: Caller) -> Flight | Reply:
        """Join or start a flight; if the asker may start none, return a stale answer of memory."""
        try:
            return await self._join_or_charge(query, asker)
        except RateLimitedError:
            if older := self._find_stale_answer(query):
                return Reply(older, Via.REVALIDATED)
            raise

    async def _join_or_charge(self, query: Query, asker: Caller) -> Flight:
        """Return the running flight of a query, else start one that counts against the asker."""
        if flight := self._find_flight(query):
            return flight
        try:
            permit = await self._misses.take(asker.person) if self._misses else None
        except RateLimitedError:
            if flight := self._find_flight(query):  # another caller has started one meanwhile
                return flight
            raise
        return self._join_or_start(query, self._build_asker(asker), permit)

    def _join_or_start(self, query: Query, asker: FetchCaller, permit: Lease | None) -> Flight:
        """Join or start a flight.

        An unused permit is given back: here if no flight was started, at the flight's landing if no
        source was asked.
        """
        flight = self._find_flight(query)
        if flight is None and len(self._flights) < self._max_flights:
            kept = self._answers.get(query.key)
            flight = Flight(
                query,
                trio.current_time() + self._search_deadline_s,
                known=(kept.renewal or kept.answer) if kept else None,
                standing=kept.answer if kept else None,
                asker=asker,
                on_answer=partial(self._on_event, permit),
            )
            self._to_merger.send_nowait(flight)
            self._flights[query.key] = flight
        elif permit:
            permit.give_back()
        if flight is None:
            raise OverloadedError(f"{self._max_flights} searches are running")
        return flight

    def _find_flight(self, query: Query) -> Flight | None:
        """Return the running flight of a query, and link the caller's span to it."""
        flight = self._flights.get(query.key)
        if flight is not None:
            current_span().link(flight.span)
        return flight

    async def _answer_from_memory(self, query: Query, asker: Caller) -> Reply | None:
        kept = self._answers.get(query.key)
        if kept is None:
            return None
        now = self._now()
        freshness = self._windows.get_freshness(kept.answer.harvest, now, self._build_asker(asker))
        if freshness is Freshness.FRESH:
            return Reply(kept.answer, Via.HIT)
        if freshness is not Freshness.REVALIDATE:
            return None
        await self._renew(query, kept, now, asker)
        return Reply(kept.answer, Via.REVALIDATED)

    async def _renew(self, query: Query, kept: CachedAnswer, now: datetime, asker: Caller) -> None:
        """Start a flight that renews an answer, unless its last renewal just brought less.

        The renewal waits if many others run or `max_flights` are running: searches without an
        answer in memory need the places more. It also waits if the asker's limit is used up.
        """
        if (
            (kept.quiet_until and now < kept.quiet_until)
            or query.key in self._flights
            or not self._renewals.begin(kept.answer.harvest, now)
        ):
            return
        try:
            with suppress(OverloadedError, RateLimitedError):
                await self._join_or_charge(query, asker)
        finally:
            if query.key not in self._flights:
                self._renewals.end(query.key)

    def _build_asker(self, caller: Caller) -> FetchCaller:
        return FetchCaller(caller.person, caller.signed_in, self._sources_held_from(caller.person))

    def _find_stale_answer(self, query: Query) -> Answer | None:
        """Return memory's answer marked as stale, for an asker who may start no flight."""
        kept = self._answers.get(query.key)
        if (
            kept is None
            or self._windows.get_freshness(kept.answer.harvest, self._now()) is Freshness.GONE
        ):
            return None
        return evolve(kept.answer, harvest=evolve(kept.answer.harvest, origin=Origin.STALE))

    def _on_event(
        self, permit: Lease | None, flight: Flight, event: StaleFound | Landed | Failed
    ) -> None:
        """Keep a flight's answer, once for all its waiters; end the flight on its last event."""
        if isinstance(event, StaleFound):
            self._remember(event.answer)
        else:
            self._end_flight(permit, flight, event)

    def _end_flight(self, permit: Lease | None, flight: Flight, end: Landed | Failed) -> None:
        """End a flight and remember its answer if it may answer later callers."""
        del self._flights[flight.query.key]
        self._renewals.end(flight.query.key)
        if isinstance(end, Failed):
            return
        if permit and not end.asked:
            permit.give_back()
        if end.answer.harvest.cacheable:
            self._remember(end.answer)

    def _remember(self, answer: Answer) -> None:
        """Keep an answer in memory; if the one there outranks it, keep both."""
        kept = self._answers.get(answer.harvest.query.key)
        if kept and self._windows.must_keep_old(kept.answer.harvest, answer.harvest, self._now()):
            quiet_until = self._now() + timedelta(seconds=self._windows.partial_s)
            # A personal answer does not change the time: the next asker may get more.
            self._answers.put_with_renewal(
                kept, answer, kept.quiet_until if answer.personal else quiet_until
            )
        else:
            self._answers.put(answer)
