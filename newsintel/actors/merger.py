"""The merger: takes flights in, has the sources fetched, merges what they send, lands each flight.

In: flights from the desk. Out: jobs to the fetchers; landed harvests to the cache writer and the persister. One task per flight, so that a
slow one holds up nobody. No waiter ever waits for a sink: a full one is passed over and the refusal counted.
"""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import Self, TypeVar

import trio
from attrs import evolve, frozen

from newsintel.domain.archive.ports import ArchiveSearch
from newsintel.domain.archive.query import instead_of
from newsintel.domain.bounds.room import Room
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.ports import Count, WallClock
from newsintel.domain.search.article import Group
from newsintel.domain.search.dedup import Grouping
from newsintel.domain.search.freshness import Freshness, Windows
from newsintel.domain.search.harvest import Answer, CacheWrite, Harvest, Origin
from newsintel.domain.search.merging import Grouped, merging
from newsintel.domain.search.outcome import FetchOutcome, Status
from newsintel.domain.search.popularity import Saves
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.search.sizes import answer_bytes, outcome_bytes
from newsintel.errors import FlightBugError, InvalidParameterError, UnavailableError
from newsintel.runtime.search.claims import Claim, SharedCache
from newsintel.runtime.search.flight import Failed, FetchJob, Flight, Landed, SourceReported, StaleFound
from newsintel.runtime.telemetry.logs import enter_context, get_logger
from newsintel.runtime.turns import in_turns

log = get_logger(__name__)

T = TypeVar("T")

LANDING_MARGIN_S = 0.01
"""Jobs end this much ahead of their flight, so that a source's own report of its timeout arrives before the landing."""
ARCHIVE_LIMIT = 100
"""Articles that stand in for sources that failed: the largest page of an answer. There is more in GET /archive."""


@frozen
class Rooms:
    """Room in memory for what is on its way, by where it is."""

    flights: Room
    to_cache: Room
    to_persister: Room


@frozen
class _World:
    """What a flight's task may reach: the merger's channel ends and ports."""

    jobs: Mapping[str, trio.MemorySendChannel[FetchJob]]
    to_cache: trio.MemorySendChannel[CacheWrite]
    to_persister: trio.MemorySendChannel[Answer]
    rooms: Rooms
    shared: SharedCache
    search: ArchiveSearch
    every_source: tuple[str, ...]
    windows: Windows
    saves: Saves
    count: Count
    now: WallClock


async def run(
    inbox: trio.MemoryReceiveChannel[Flight],
    jobs: Mapping[str, trio.MemorySendChannel[FetchJob]],
    to_cache: trio.MemorySendChannel[CacheWrite],
    to_persister: trio.MemorySendChannel[Answer],
    *,
    rooms: Rooms,
    shared: SharedCache,
    search: ArchiveSearch,
    every_source: tuple[str, ...],
    windows: Windows,
    saves: Saves,
    count: Count,
    now: WallClock,
) -> None:
    """Serve flights until the desk's end closes and the last flight has landed. `every_source` names those that exist, enabled or not.

    What finds no room in memory is passed over: a source's outcome is `overloaded` then, an answer is not handed on, and counted.

    Owns: its inbox, one job end per enabled source, and the ends to both sinks, which it closes after its last flight.
    """
    world = _World(jobs, to_cache, to_persister, rooms, shared, search, every_source, windows, saves, count, now)
    with ExitStack() as owned:
        for to_fetcher in jobs.values():
            owned.enter_context(to_fetcher)
        owned.enter_context(to_cache)
        owned.enter_context(to_persister)
        async with trio.open_nursery() as flights:
            with inbox:
                async for flight in inbox:
                    flights.start_soon(_fly, flight, world, name=f"flight {flight.query.key}")


async def _fly(flight: Flight, world: _World) -> None:
    """Bring one flight to its end. A bug in it costs its own waiters an answer, and nobody else anything."""
    enter_context(flight.context)
    try:
        await _resolve(flight, world)
    except UnavailableError as error:
        flight.append(Failed(error))
    except Exception:
        incident_id = secrets.token_hex(8)
        log.exception("flight_bug", incident_id=incident_id)
        world.count("flight_bugs")
        if not flight.ended:
            flight.append(Failed(FlightBugError(incident_id)))


async def _resolve(flight: Flight, world: _World) -> None:
    """Redis, then another process's fan-out, then our own, then the stale copy, then the archive: the first that can answer does."""
    async with world.shared.claim(
        flight.query.key,
        flight.known,
        flight.deadline,
        meanwhile=lambda older: flight.append(StaleFound(older)),
        asker=flight.asker,
    ) as claim:
        cached = claim.answer
        if cached and world.shared.judge(claim) is Freshness.FRESH:
            flight.append(Landed(cached, asked=False))
            return
        with _Gathering(flight, world) as gathering:
            kept = world.windows.kept(cached.harvest, world.now(), flight.asker) if cached else ()
            await _fan_out(flight, gathering, kept, world)
            answer = await in_turns(gathering.found.ranking())
            if answer.harvest.cacheable:
                flight.append(Landed(answer, asked=True))
                _hand_on(flight, answer, claim, world)
            else:
                flight.append(Landed(await _instead(answer, cached, world), asked=True))


class _Gathering:
    """What a flight's sources have sent so far, in founder order and grouped after each: arrival order leaves no trace.

    Groups are ranked when somebody reads them, at the landing at the latest. An outcome without articles changes no group: at the deadline
    of a source that hangs, every flight that waits for it lands in the same instant. What comes last in founder order is put to the groups
    that are there.

    Owns: the room in memory for what sources brought, given back at its exit.

    Attributes:
        found: everything so far.
    """

    def __init__(self, flight: Flight, world: _World) -> None:
        self._flight = flight
        self._room = world.rooms.flights
        self._taken_bytes = 0
        self._now = world.now
        self._saves = world.saves
        self._outcomes: dict[str, FetchOutcome] = {}
        self._grouping = Grouping(Dedupe.NORMAL)
        self.found = Grouped(Harvest(flight.query, world.now(), ()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._room.give_back(self._taken_bytes)

    async def receive(self, outcome: FetchOutcome) -> None:
        """Report what a source just brought; without its articles if there is no room for them."""
        size_bytes = outcome_bytes(outcome)
        if self._room.take(size_bytes):
            self._taken_bytes += size_bytes
        else:
            outcome = evolve(outcome, status=Status.OVERLOADED, articles=(), detail="no room in memory for what it brought")
        await self.report(outcome)

    async def report(self, outcome: FetchOutcome) -> None:
        """Take one source's outcome and publish it. Others run meanwhile, but no other report of this flight."""
        self._outcomes[outcome.source] = outcome
        in_order = tuple(self._outcomes[name] for name in self._flight.query.sources if name in self._outcomes)
        saves = self._saves.of(article.id for each in in_order for article in each.articles)
        harvest = Harvest(self._flight.query, self._now(), in_order, saves=saves)
        self.found = Grouped(harvest, await in_turns(self._grouped(outcome, in_order)))
        self._flight.append(SourceReported(outcome, self.found))

    def _grouped(self, outcome: FetchOutcome, in_order: Sequence[FetchOutcome]) -> Sliced[tuple[Group, ...]]:
        if not outcome.articles or in_order[-1] is outcome:
            return self._grouping.add(outcome.articles)
        self._grouping = Grouping(Dedupe.NORMAL)
        return self._grouping.add(article for each in in_order for article in each.articles)

    def missing(self) -> tuple[str, ...]:
        """Asked minus answered."""
        return tuple(name for name in self._flight.query.sources if name not in self._outcomes)


async def _fan_out(flight: Flight, gathering: _Gathering, kept: tuple[FetchOutcome, ...], world: _World) -> None:
    """Ask every source that has no outcome yet, and gather until all have sent one or the flight's deadline has come."""
    for outcome in kept:
        await gathering.report(outcome)
    for name in gathering.missing():
        if name not in world.jobs:
            await gathering.report(FetchOutcome(name, Status.DISABLED, world.now()))
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
                    world.jobs[name].send_nowait(job)
                except (trio.WouldBlock, trio.BrokenResourceError):
                    job.outbox.close()
                    world.count("refusals", inbox=f"fetcher {name}")
                    await gathering.report(FetchOutcome(name, Status.OVERLOADED, world.now()))
        while (arrived := await _next(receive, flight.deadline)) is not None:
            await gathering.receive(arrived)
    for name in gathering.missing():
        await gathering.report(FetchOutcome(name, Status.TIMEOUT, world.now(), detail="nothing came before the search's deadline"))


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


async def _instead(failed: Answer, cached: Answer | None, world: _World) -> Answer:
    """What answers when no source did: an older harvest, else the archive, else the failure itself.

    Raises:
        UnavailableError: no source is enabled, and the archive did not answer either.
    """
    outcomes = failed.harvest.outcomes
    if cached and not failed.harvest.complete and world.windows.judge(cached.harvest, world.now()) is not Freshness.GONE:
        return evolve(cached, harvest=evolve(cached.harvest, origin=Origin.STALE), refused=outcomes)
    try:
        page = await world.search.search(instead_of(failed.harvest.query, world.every_source), ARCHIVE_LIMIT, None)
        articles = tuple(hit.article for hit in page.hits)
    except InvalidParameterError:
        articles = ()  # of words too common to be indexed the archive knows nothing
    except UnavailableError:
        if failed.harvest.complete:
            raise
        return failed
    if not articles and not failed.harvest.complete:
        return failed
    saves = world.saves.of(article.id for article in articles)
    harvest = evolve(failed.harvest, origin=Origin.ARCHIVE, archived=articles, saves=saves)
    return Answer(harvest, await in_turns(merging(harvest.query, harvest.articles, Dedupe.NORMAL, harvest.fetched_at, harvest.saves)))


def _hand_on(flight: Flight, answer: Answer, claim: Claim, world: _World) -> None:
    """Offer a landed answer to both sinks. Nobody waits for this; a sink that has no room is passed over."""
    size_bytes = answer_bytes(answer)
    if not _offer(world.to_persister, answer, world.rooms.to_persister, size_bytes):
        world.count("refusals", inbox="persister")
    if any(old and world.windows.outranks(old.harvest, answer.harvest, world.now()) for old in (claim.answer, flight.standing)):
        return
    if not _offer(world.to_cache, CacheWrite(answer, claim.token), world.rooms.to_cache, size_bytes):
        world.count("refusals", inbox="cache_writer")
    else:
        claim.token = None  # the cache writer's to give back, in the same operation as its write


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
