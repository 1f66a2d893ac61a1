"""The merger: receives flights, sends jobs to fetchers, merges their outcomes, lands each flight.

In: flights from the desk. Out: jobs to the fetchers; landed harvests to the cache writer and the
persister. Each flight has its own task, so a slow flight delays no other. No waiter waits for a
sink: if its inbox is full, the harvest is not sent to it, and the refusal is counted.
"""

import math
import secrets
from collections.abc import Mapping
from contextlib import ExitStack, suppress

import trio
from attrs import define, evolve, field

from newsintel.domain.archive.ports import ArchiveSearch
from newsintel.domain.archive.query import build_fallback_query
from newsintel.domain.ports import Count, WallClock
from newsintel.domain.search.article import Article
from newsintel.domain.search.freshness import Freshness, Windows
from newsintel.domain.search.harvest import Answer, ArchiveWrite, CacheWrite, Origin
from newsintel.domain.search.merging import merge_in_slices
from newsintel.domain.search.outcome import FetchOutcome, Status
from newsintel.domain.search.popularity import SaveCounter
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.tracing import enter_span, trace_step
from newsintel.errors import FlightBugError, InvalidParameterError, UnavailableError
from newsintel.runtime.edges import Rooms
from newsintel.runtime.heartbeats import at_work
from newsintel.runtime.losses import LossLog
from newsintel.runtime.offering import offer
from newsintel.runtime.search.claims import Claim, SharedCache
from newsintel.runtime.search.flight import Failed, FetchJob, Flight, Landed, StaleFound
from newsintel.runtime.search.gathering import Gathering
from newsintel.runtime.telemetry.logs import enter_context, get_logger
from newsintel.runtime.turns import run_in_turns

log = get_logger(__name__)

LANDING_MARGIN_S = 0.01
"""Jobs end this long before their flight: the fetcher's own report of a timeout arrives in time."""
STAND_IN_S = 0.25
"""How long the archive may take when it stands in for the sources: the caller has waited for the
whole deadline already. Where no source is enabled, only its own limit holds."""
ARCHIVE_LIMIT = 100
"""Articles from the archive when all sources failed: the largest page. GET /archive has more."""


@define(eq=False)
class Merger:
    """Serves flights.

    Owns: its inbox, and the send ends to the fetchers and both sinks. It closes the send ends after
    its last flight.

    Attributes:
        rooms: the memory limits. Without room, a source's outcome becomes `overloaded`; an answer
            is not sent to the sink, and the refusal is counted.
        shared: Redis, shared by the flights of several processes.
        search: the archive, which answers when every source failed.
        every_source: the names of all sources, enabled or not.
        windows: how long answers may be served.
        saves: how many people saved each article.
        losses: logs the articles of answers that the persister's full inbox refused.
    """

    _inbox: trio.MemoryReceiveChannel[Flight]
    _jobs: Mapping[str, trio.MemorySendChannel[FetchJob]]
    _to_cache: trio.MemorySendChannel[CacheWrite]
    _to_persister: trio.MemorySendChannel[ArchiveWrite]
    _rooms: Rooms = field(kw_only=True)
    _shared: SharedCache = field(kw_only=True)
    _search: ArchiveSearch = field(kw_only=True)
    _every_source: tuple[str, ...] = field(kw_only=True)
    _windows: Windows = field(kw_only=True)
    _saves: SaveCounter = field(kw_only=True)
    _losses: LossLog = field(kw_only=True)
    _count: Count = field(kw_only=True)
    _now: WallClock = field(kw_only=True)

    async def run(self) -> None:
        """Serve until the inbox ends and the last flight has landed."""
        with ExitStack() as owned:
            for to_fetcher in self._jobs.values():
                owned.enter_context(to_fetcher)
            owned.enter_context(self._to_cache)
            owned.enter_context(self._to_persister)
            async with trio.open_nursery() as flights:
                with self._inbox:
                    async for flight in self._inbox:
                        flights.start_soon(
                            self._run_flight, flight, name=f"flight {flight.query.key}"
                        )
            self._losses.flush()

    async def _run_flight(self, flight: Flight) -> None:
        """Run one flight to its end. A bug in it fails only its own waiters."""
        enter_context(flight.context)
        enter_span(flight.span)
        try:
            with at_work():
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
        """Land with the first of these that can answer.

        In order: Redis, another process's fan-out, our own fan-out, the stale copy, the archive.
        """
        async with self._shared.claim(
            flight.query.key,
            flight.previous,
            flight.deadline,
            meanwhile=lambda older: flight.append(StaleFound(older)),
            asker=flight.asker,
        ) as claim:
            cached = claim.answer
            if cached and self._shared.judge(claim) is Freshness.FRESH:
                flight.append(Landed(cached, asked=False))
                return
            with Gathering(flight, self._rooms.flights, self._saves, self._now) as gathering:
                kept = (
                    self._windows.outcomes_to_keep(cached.harvest, self._now(), flight.asker)
                    if cached
                    else ()
                )
                await self._fan_out(flight, gathering, kept)
                with trace_step("rank"):
                    answer = await run_in_turns(gathering.found.rank())
                if answer.harvest.cacheable:
                    flight.append(Landed(answer, asked=True))
                    self._offer_to_sinks(flight, answer, claim)
                else:
                    flight.append(Landed(await self._find_substitute(answer, cached), asked=True))

    async def _fan_out(
        self, flight: Flight, gathering: Gathering, kept: tuple[FetchOutcome, ...]
    ) -> None:
        """Ask every source without an outcome; gather outcomes until the flight's deadline."""
        for outcome in kept:
            await gathering.report(outcome)
        for name in gathering.list_missing_sources():
            if name not in self._jobs:
                await gathering.report(FetchOutcome(name, Status.DISABLED, self._now()))
        asked = gathering.list_missing_sources()
        if not asked:
            return
        send, receive = trio.open_memory_channel[FetchOutcome](len(asked))
        with receive:
            with send:
                for name in asked:
                    deadline = flight.deadline - LANDING_MARGIN_S
                    job = FetchJob(
                        flight.query,
                        flight.began,
                        deadline,
                        send.clone(),
                        flight.asker,
                        flight.context,
                        flight.span,
                    )
                    try:
                        self._jobs[name].send_nowait(job)
                    except (trio.WouldBlock, trio.BrokenResourceError):
                        job.outbox.close()
                        self._count("refusals", inbox=f"fetcher {name}")
                        await gathering.report(FetchOutcome(name, Status.OVERLOADED, self._now()))
            while (arrived := await _receive_outcome(receive, flight.deadline)) is not None:
                await gathering.receive(arrived)
        for name in gathering.list_missing_sources():
            detail = "no reply before the search's deadline"
            await gathering.report(FetchOutcome(name, Status.TIMEOUT, self._now(), detail=detail))

    async def _find_substitute(self, failed: Answer, cached: Answer | None) -> Answer:
        """Return what to serve if no source answered: a stale harvest, the archive, or the failure.

        Raises:
            UnavailableError: no source is enabled, and the archive did not answer.
        """
        outcomes = failed.harvest.outcomes
        if (
            cached
            and not failed.harvest.complete
            and self._windows.get_freshness(cached.harvest, self._now()) is not Freshness.GONE
        ):
            return evolve(
                cached, harvest=evolve(cached.harvest, origin=Origin.STALE), refused=outcomes
            )
        articles: tuple[Article, ...] = ()
        asked = build_fallback_query(failed.harvest.query, self._every_source)
        with trio.move_on_after(math.inf if failed.harvest.complete else STAND_IN_S):
            try:
                with trace_step("archive search"):
                    page = await self._search.search(asked, ARCHIVE_LIMIT, None)
                articles = tuple(hit.article for hit in page.hits)
            except InvalidParameterError:
                pass  # the archive does not index words that are this common
            except UnavailableError:
                if failed.harvest.complete:
                    raise
        if not articles and not failed.harvest.complete:
            return failed
        saves = self._saves.select(article.id for article in articles)
        harvest = evolve(failed.harvest, origin=Origin.ARCHIVE, archived=articles, saves=saves)
        merging = merge_in_slices(
            harvest.query, harvest.articles, Dedupe.NORMAL, harvest.fetched_at, harvest.saves
        )
        return Answer(harvest, await run_in_turns(merging))

    def _offer_to_sinks(self, flight: Flight, answer: Answer, claim: Claim) -> None:
        """Offer a landed answer to both sinks without waiting; skip a sink that has no room."""
        size_bytes = answer.size_bytes
        write = ArchiveWrite(answer, flight.span)
        if offer(self._to_persister, write, self._rooms.to_persister, size_bytes):
            self._losses.note_success()
        else:
            self._count("refusals", inbox="persister")
            articles = sum(len(outcome.articles) for outcome in answer.harvest.outcomes)
            self._losses.note_loss(articles, "the persister's inbox is full")
        if any(
            old and self._windows.must_keep_old(old.harvest, answer.harvest, self._now())
            for old in (claim.answer, flight.serving)
        ):
            return
        cached = CacheWrite(answer, claim.token, flight.span)
        if not offer(self._to_cache, cached, self._rooms.to_cache, size_bytes):
            self._count("refusals", inbox="cache_writer")
        else:
            claim.token = None  # the cache writer releases the claim, together with its write


async def _receive_outcome(
    outcomes: trio.MemoryReceiveChannel[FetchOutcome], deadline: float
) -> FetchOutcome | None:
    """Return the next outcome; None at the channel's end or at the deadline.

    An outcome that has already arrived is returned even after the deadline.
    """
    try:
        return outcomes.receive_nowait()
    except trio.EndOfChannel:
        return None
    except trio.WouldBlock:
        pass
    with trio.move_on_at(deadline), suppress(trio.EndOfChannel):
        return await outcomes.receive()
    return None
