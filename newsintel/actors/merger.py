"""The merger: takes flights in, has the sources fetched, merges what they send, lands each flight.

In: flights from the desk. Out: jobs to the fetchers; landed harvests to the cache writer and the persister. One task per flight, so that a
slow one holds up nobody. No waiter ever waits for a sink: a full one is passed over and the refusal counted.
"""

import secrets
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import TypeVar

import trio
from attrs import define, evolve, field

from newsintel.domain.archive.ports import ArchiveSearch
from newsintel.domain.archive.query import instead_of
from newsintel.domain.bounds.room import Room
from newsintel.domain.ports import Count, WallClock
from newsintel.domain.search.freshness import Freshness, Windows
from newsintel.domain.search.harvest import Answer, CacheWrite, Origin
from newsintel.domain.search.merging import merging
from newsintel.domain.search.outcome import FetchOutcome, Status
from newsintel.domain.search.popularity import Saves
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.search.sizes import answer_bytes
from newsintel.errors import FlightBugError, InvalidParameterError, UnavailableError
from newsintel.runtime.edges import Rooms
from newsintel.runtime.search.claims import Claim, SharedCache
from newsintel.runtime.search.flight import Failed, FetchJob, Flight, Landed, StaleFound
from newsintel.runtime.search.gathering import Gathering
from newsintel.runtime.telemetry.logs import enter_context, get_logger
from newsintel.runtime.turns import in_turns

log = get_logger(__name__)

T = TypeVar("T")

LANDING_MARGIN_S = 0.01
"""Jobs end this much ahead of their flight, so that a source's own report of its timeout arrives before the landing."""
ARCHIVE_LIMIT = 100
"""Articles that stand in for sources that failed: the largest page of an answer. There is more in GET /archive."""


@define(eq=False)
class Merger:
    """Serves flights.

    Owns: its inbox, one job end per enabled source, and the ends to both sinks, which it closes after its last flight.

    Attributes:
        rooms: what finds no room here is passed over: a source's outcome is `overloaded` then, an answer is not handed on, and counted.
        shared: Redis, as the flights of several processes share it.
        search: the archive, for what stands in when every source failed.
        every_source: the names of those that exist, enabled or not.
        windows: how long answers may be given.
        saves: how many people saved what.
    """

    _inbox: trio.MemoryReceiveChannel[Flight]
    _jobs: Mapping[str, trio.MemorySendChannel[FetchJob]]
    _to_cache: trio.MemorySendChannel[CacheWrite]
    _to_persister: trio.MemorySendChannel[Answer]
    _rooms: Rooms = field(kw_only=True)
    _shared: SharedCache = field(kw_only=True)
    _search: ArchiveSearch = field(kw_only=True)
    _every_source: tuple[str, ...] = field(kw_only=True)
    _windows: Windows = field(kw_only=True)
    _saves: Saves = field(kw_only=True)
    _count: Count = field(kw_only=True)
    _now: WallClock = field(kw_only=True)

    async def run(self) -> None:
        """Serve until the desk's end closes and the last flight has landed."""
        with ExitStack() as owned:
            for to_fetcher in self._jobs.values():
                owned.enter_context(to_fetcher)
            owned.enter_context(self._to_cache)
            owned.enter_context(self._to_persister)
            async with trio.open_nursery() as flights:
                with self._inbox:
                    async for flight in self._inbox:
                        flights.start_soon(self._fly, flight, name=f"flight {flight.query.key}")

    async def _fly(self, flight: Flight) -> None:
        """Bring one flight to its end. A bug in it costs its own waiters an answer, and nobody else anything."""
        enter_context(flight.context)
        try:
            await self._resolve(flight)
        except UnavailableError as error:
            flight.append(Failed(error))
        except Exception:
            incident_id = secrets.token_hex(8)
            log.exception("flight_bug", incident_id=incident_id)
            self._count("flight_bugs")
            if not flight.ended:
                flight.append(Failed(FlightBugError(incident_id)))

    async def _resolve(self, flight: Flight) -> None:
        """Redis, then another process's fan-out, then our own, then the stale copy, then the archive: the first that can answer does."""
        async with self._shared.claim(
            flight.query.key,
            flight.known,
            flight.deadline,
            meanwhile=lambda older: flight.append(StaleFound(older)),
            asker=flight.asker,
        ) as claim:
            cached = claim.answer
            if cached and self._shared.judge(claim) is Freshness.FRESH:
                flight.append(Landed(cached, asked=False))
                return
            with Gathering(flight, self._rooms.flights, self._saves, self._now) as gathering:
                kept = self._windows.kept(cached.harvest, self._now(), flight.asker) if cached else ()
                await self._fan_out(flight, gathering, kept)
                answer = await in_turns(gathering.found.ranking())
                if answer.harvest.cacheable:
                    flight.append(Landed(answer, asked=True))
                    self._hand_on(flight, answer, claim)
                else:
                    flight.append(Landed(await self._instead(answer, cached), asked=True))

    async def _fan_out(self, flight: Flight, gathering: Gathering, kept: tuple[FetchOutcome, ...]) -> None:
        """Ask every source that has no outcome yet, and gather until all have sent one or the flight's deadline has come."""
        for outcome in kept:
            await gathering.report(outcome)
        for name in gathering.missing():
            if name not in self._jobs:
                await gathering.report(FetchOutcome(name, Status.DISABLED, self._now()))
        asked = gathering.missing()
        if not asked:
            return
        send, receive = trio.open_memory_channel[FetchOutcome](len(asked))
        with receive:
            with send:
                for name in asked:
                    deadline = flight.deadline - LANDING_MARGIN_S
                    job = FetchJob(flight.query, flight.began, deadline, send.clone(), flight.asker, flight.context)
                    try:
                        self._jobs[name].send_nowait(job)
                    except (trio.WouldBlock, trio.BrokenResourceError):
                        job.outbox.close()
                        self._count("refusals", inbox=f"fetcher {name}")
                        await gathering.report(FetchOutcome(name, Status.OVERLOADED, self._now()))
            while (arrived := await _next(receive, flight.deadline)) is not None:
                await gathering.receive(arrived)
        for name in gathering.missing():
            await gathering.report(FetchOutcome(name, Status.TIMEOUT, self._now(), detail="nothing came before the search's deadline"))

    async def _instead(self, failed: Answer, cached: Answer | None) -> Answer:
        """What answers when no source did: an older harvest, else the archive, else the failure itself.

        Raises:
            UnavailableError: no source is enabled, and the archive did not answer either.
        """
        outcomes = failed.harvest.outcomes
        if cached and not failed.harvest.complete and self._windows.judge(cached.harvest, self._now()) is not Freshness.GONE:
            return evolve(cached, harvest=evolve(cached.harvest, origin=Origin.STALE), refused=outcomes)
        try:
            page = await self._search.search(instead_of(failed.harvest.query, self._every_source), ARCHIVE_LIMIT, None)
            articles = tuple(hit.article for hit in page.hits)
        except InvalidParameterError:
            articles = ()  # of words too common to be indexed the archive knows nothing
        except UnavailableError:
            if failed.harvest.complete:
                raise
            return failed
        if not articles and not failed.harvest.complete:
            return failed
        saves = self._saves.of(article.id for article in articles)
        harvest = evolve(failed.harvest, origin=Origin.ARCHIVE, archived=articles, saves=saves)
        return Answer(harvest, await in_turns(merging(harvest.query, harvest.articles, Dedupe.NORMAL, harvest.fetched_at, harvest.saves)))

    def _hand_on(self, flight: Flight, answer: Answer, claim: Claim) -> None:
        """Offer a landed answer to both sinks. Nobody waits for this; a sink that has no room is passed over."""
        size_bytes = answer_bytes(answer)
        if not _offer(self._to_persister, answer, self._rooms.to_persister, size_bytes):
            self._count("refusals", inbox="persister")
        if any(old and self._windows.outranks(old.harvest, answer.harvest, self._now()) for old in (claim.answer, flight.standing)):
            return
        if not _offer(self._to_cache, CacheWrite(answer, claim.token), self._rooms.to_cache, size_bytes):
            self._count("refusals", inbox="cache_writer")
        else:
            claim.token = None  # the cache writer's to give back, in the same operation as its write


async def _next(outcomes: trio.MemoryReceiveChannel[FetchOutcome], deadline: float) -> FetchOutcome | None:
    """The next outcome; None if there are no more, or the deadline comes first. What has come about is taken even if it is late."""
    try:
        return outcomes.receive_nowait()
    except trio.EndOfChannel:
        return None
    except trio.WouldBlock:
        pass
    with trio.move_on_at(deadline), suppress(trio.EndOfChannel):
        return await outcomes.receive()
    return None


def _offer(inbox: trio.MemorySendChannel[T], message: T, room: Room, size_bytes: int) -> bool:
    """Put a message into an inbox that has room for it in number and in bytes."""
    if not room.take(size_bytes):
        return False
    try:
        inbox.send_nowait(message)
    except (trio.WouldBlock, trio.BrokenResourceError):
        room.give_back(size_bytes)
        return False
    return True
