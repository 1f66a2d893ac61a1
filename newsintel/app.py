"""The composition root: it opens every long-lived channel, starts every actor by name, and ends them in order. Read it as the dataflow.

              flights                jobs ┌> fetcher(newsapi)  ┐ outcomes (one channel per flight,
HTTP, CLI ─> desk ───────> merger ────────┼> fetcher(guardian) ┼──────┐   a clone per source)
  ^           │ L1            ^           └> fetcher(reddit)   ┘      │
  │           │               └────────────────────────────────────────┘
  └── events of the flight (late joiners replay) <── merger: dedup + score, lands the harvest
                                                      ├─ to_cache ────> cache_writer ─> Redis
                                                      └─ to_persister > persister ────> PostgreSQL
HTTP ─ to_recorder ─> recorder ─> search_history <─ janitor, search_marks ─> trend_writer ─> trending
fetchers ─ tally ─> latency_writer ─> Redis          metrics ─> emf_writer ─> standard error
PostgreSQL: articles still to be read ─> indexer
            term_changes ─> term_counter ─> article_terms, saved_articles ─> save_counter ─ saves ─> merger

Shutdown walks the same way, by end-of-channel: whoever asks leaves, the flights land, the sinks drain, the stores close. A crash of any
actor cancels everything and ends the process: a service that lost a part of itself must not look alive.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

import trio
from attrs import frozen

from newsintel import __version__
from newsintel.actors import (
    cache_writer,
    emf_writer,
    fetcher,
    indexer,
    janitor,
    latency_writer,
    merger,
    persister,
    recorder,
    save_counter,
    term_counter,
    trend_writer,
)
from newsintel.config.settings import Settings
from newsintel.domain.bounds.room import Room
from newsintel.domain.operations import emf
from newsintel.domain.operations.ports import Phase
from newsintel.domain.operations.source_notice import source_notice
from newsintel.domain.search.harvest import Answer, CacheWrite
from newsintel.domain.search.history import SearchRecord
from newsintel.http.application import create_app
from newsintel.http.routes.health import watch_readiness
from newsintel.http.routes.metrics import MetricsListener
from newsintel.http.server import listener as server
from newsintel.http.services import Services
from newsintel.outbound.oauth.providers import open_providers
from newsintel.outbound.sources import REGISTRY
from newsintel.runtime.clock import utc_now
from newsintel.runtime.command_loop import signals_call
from newsintel.runtime.lifecycle import END_SLACK_S, Ending, settle_memory
from newsintel.runtime.search.claims import SharedCache
from newsintel.runtime.search.flight import FetchJob, Flight
from newsintel.runtime.startup import check_addresses, check_clock, serving_fields
from newsintel.runtime.stopping import Stopped, asked
from newsintel.runtime.telemetry import scraping
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.runtime.telemetry.metrics import Metrics
from newsintel.runtime.watchdog import STUCK_S, watched
from newsintel.storage.opening import open_stores
from newsintel.wiring import Core, Starts, open_source, services, starts

log = get_logger(__name__)

PERSISTER_INBOX = 64
"""Harvests accepted and not yet archived. Full: the merger counts a refusal."""
SINK_BYTES = 32 * 2**20
"""For the answers on their way to each of the two sinks: 64 of 250 articles each while PostgreSQL or Redis is away. Full: likewise."""
FLIGHTS_BYTES = 64 * 2**20
"""For what sources have brought to the searches in the air. Full: the source is `overloaded` in that answer."""
RECORDER_INBOX = 1_000
"""Searches answered and not yet recorded: about a second of hits. Full: HTTP counts a refusal."""
SINKS_SHARE = 0.4
"""The sinks' part of DRAIN_S (8 s of 20); HTTP has as much, flights in the air and closing the stores the rest."""


@frozen
class Edges:
    """Every long-lived channel, by its send end and its inbox, and the room in memory for what is on its way."""

    to_merger: trio.MemorySendChannel[Flight]
    flights: trio.MemoryReceiveChannel[Flight]
    to_fetchers: Mapping[str, trio.MemorySendChannel[FetchJob]]
    jobs: Mapping[str, trio.MemoryReceiveChannel[FetchJob]]
    to_cache: trio.MemorySendChannel[CacheWrite]
    cache_writes: trio.MemoryReceiveChannel[CacheWrite]
    to_persister: trio.MemorySendChannel[Answer]
    answers: trio.MemoryReceiveChannel[Answer]
    to_recorder: trio.MemorySendChannel[SearchRecord]
    searches: trio.MemoryReceiveChannel[SearchRecord]
    rooms: merger.Rooms

    @classmethod
    def open(cls, settings: Settings) -> "Edges":
        """Open them all; each has one owner, who closes it."""
        jobs = {name: trio.open_memory_channel[FetchJob](settings.max_flights) for name in settings.enabled_sources}
        return cls(
            *trio.open_memory_channel[Flight](settings.max_flights),
            {name: to_fetcher for name, (to_fetcher, _) in jobs.items()},
            {name: inbox for name, (_, inbox) in jobs.items()},
            *trio.open_memory_channel[CacheWrite](settings.max_flights),
            *trio.open_memory_channel[Answer](PERSISTER_INBOX),
            *trio.open_memory_channel[SearchRecord](RECORDER_INBOX),
            merger.Rooms(flights=Room(FLIGHTS_BYTES), to_cache=Room(SINK_BYTES), to_persister=Room(SINK_BYTES)),
        )

    @property
    def inboxes(self) -> Mapping[str, trio.MemoryReceiveChannel[object]]:
        """Each actor's inbox, for the gauges."""
        sinks = {"cache_writer": self.cache_writes, "persister": self.answers, "recorder": self.searches}
        return {"merger": self.flights, **sinks, **{f"fetcher {name}": inbox for name, inbox in self.jobs.items()}}


@asynccontextmanager
async def open_pipeline(settings: Settings, metrics: Metrics | None = None) -> AsyncIterator[Services]:
    """Everything but HTTP. Nesting, outermost first: embedded servers, bridge and stores > sinks > fetchers and merger > the caller.

    Args:
        settings: everything it may know of its environment.
        metrics: where it counts; its own if None.

    Raises:
        NewsIntelError: the stores cannot be run with (wrong credentials, older schema).
        ExceptionGroup: of an actor's bug, or of what the caller raised.
    """
    metrics = metrics or Metrics()
    edges = Edges.open(settings)
    async with open_stores(settings, metrics.count) as stores, open_providers(settings, utc_now) as providers:
        for away in await stores.prepare(production=settings.production):
            log.warning("starting_without", store=away)
        core = Core.of(settings, metrics, stores, utc_now)
        doors = starts(core)
        async with sinks(core, edges), upkeep(core), fetchers(core, edges, doors), merging(core, edges):
            with edges.to_merger, edges.to_recorder:
                yield services(core, doors, providers, to_merger=edges.to_merger, to_recorder=edges.to_recorder, inboxes=edges.inboxes)


@asynccontextmanager
async def sinks(core: Core, edges: Edges) -> AsyncIterator[None]:
    """Those who keep what was found. They end when nobody can send them more, and have SINKS_SHARE of DRAIN_S for what is left."""
    stores, rooms, count = core.stores, edges.rooms, core.count
    personal, marks = stores.personal, stores.intelligence.search_marks
    async with trio.open_nursery() as nursery:
        start = nursery.start_soon
        write = partial(cache_writer.run, edges.cache_writes, room=rooms.to_cache, cache=stores.search.harvests)
        start(partial(write, count=count), name="cache_writer")
        persist = partial(persister.run, edges.answers, room=rooms.to_persister, archive=stores.archive.articles)
        start(partial(persist, count=count), name="persister")
        record = partial(recorder.run, edges.searches, history=personal.history, repeats=personal.repeats, count=count, now=core.now)
        start(partial(record, marking=core.marking, marks=marks), name="recorder")
        yield
        nursery.cancel_scope.deadline = trio.current_time() + SINKS_SHARE * core.settings.drain_s


@asynccontextmanager
async def upkeep(core: Core) -> AsyncIterator[None]:
    """Those who work by the clock: they have no inbox that could end, and are cancelled when nobody asks any more."""
    stores, count, floor = core.stores, core.count, core.settings.trending_floor
    intelligence, latencies = stores.intelligence, stores.operations.latencies
    async with trio.open_nursery() as nursery:
        start = nursery.start_soon
        keep = timedelta(days=core.settings.history_retention_d)
        start(partial(janitor.run, history=stores.personal.history, keep=keep, count=count, now=core.now), name="janitor")
        start(partial(latency_writer.run, tally=core.tally, store=latencies, count=count, now=core.now), name="latency_writer")
        trends = partial(trend_writer.run, marks=intelligence.search_marks, trending=intelligence.trending, floor=floor)
        start(partial(trends, count=count, now=core.now), name="trend_writer")
        start(partial(indexer.run, index=stores.archive.text_index, count=count), name="indexer")
        start(partial(term_counter.run, terms=intelligence.terms, count=count), name="term_counter")
        saves = partial(save_counter.run, counts=intelligence.save_counts, saves=core.saves, floor=floor)
        start(partial(saves, count=count), name="save_counter")
        yield
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def fetchers(core: Core, edges: Edges, doors: Starts) -> AsyncIterator[None]:
    """One for each source that is enabled; they end when the merger has closed their inboxes."""
    async with AsyncExitStack() as clients, trio.open_nursery() as nursery:
        for name, (admission, allowance) in doors.items():
            source = core.settings.source[name]
            fetch = fetcher.Fetcher(
                edges.jobs[name],
                source=name,
                upstream=await clients.enter_async_context(open_source(REGISTRY[name], source, core.now)),
                admission=admission,
                allowance=allowance,
                deadline_s=source.deadline_s,
                longest_keep_s=core.windows.ttl_s + core.windows.stale_s,
                count=core.count,
                observe=core.metrics.observe,
                tally=core.tally,
                now=core.now,
            )
            nursery.start_soon(fetch.run, name=f"fetcher({name})")
        yield


@asynccontextmanager
async def merging(core: Core, edges: Edges) -> AsyncIterator[None]:
    """The merger; it ends when the desk's end is closed and its flights have landed."""
    async with trio.open_nursery() as nursery:
        merge = merger.Merger(
            edges.flights,
            edges.to_fetchers,
            edges.to_cache,
            edges.to_persister,
            rooms=edges.rooms,
            shared=SharedCache(core.stores.search.harvests, core.windows, core.count, core.now),
            search=core.stores.archive.search,
            every_source=tuple(core.settings.source),
            windows=core.windows,
            saves=core.saves,
            count=core.count,
            now=core.now,
        )
        nursery.start_soon(merge.run, name="merger")
        yield


async def serve(settings: Settings, on_ready: Callable[[str], None] = lambda _: None, *, stuck_s: float = STUCK_S) -> None:
    """The pipeline and HTTP, until a signal (`stopping.SIGNALS`); then an orderly end within DRAIN_S.

    Args:
        settings: everything it may know of its environment.
        on_ready: called with the URL once requests are accepted.
        stuck_s: how long the loop may stand still once it serves, before the process is ended.

    Raises:
        Stopped: a signal came before it served, or a second one did not wait for the orderly end.
    """
    log.info("starting", version=__version__, commit=settings.commit, env=settings.env)
    if notice := source_notice(settings):
        log.warning("source_notice", notice=notice)
    check_clock(utc_now())
    await check_addresses(settings)
    metrics = Metrics()
    with trio.CancelScope() as process, ExitStack() as watching:
        ending = Ending(process.cancel, settings.drain_s)
        with signals_call(ending.begin, ending.insist, settings.drain_s + END_SLACK_S):
            async with reporting(settings, metrics), open_pipeline(settings, metrics) as services, trio.open_nursery() as http:
                listen = partial(server.serve, settings=settings, shutdown=ending.begun, metrics=metrics)
                urls, metrics_urls = await http.start(listen, create_app(services)), []
                if settings.metrics_bind:
                    metrics_urls = await http.start(
                        partial(listen, MetricsListener(partial(scraping.exposition, metrics)), bind=settings.metrics_bind)
                    )
                services.operations.health.enter(Phase.SERVING)
                http.start_soon(watch_readiness, services, ending.begun, name="readiness")
                settle_memory()
                watching.enter_context(watched(stuck_s))
                ending.in_order = True
                log.info("serving", **serving_fields(settings, urls, metrics_urls))
                on_ready(urls[0])
                await ending.begun.wait()
                services.operations.health.enter(Phase.DRAINING)
    if (signal := asked()) is not None and not ending.in_order:
        raise Stopped(signal)
    log.info("stopped")


@asynccontextmanager
async def reporting(settings: Settings, metrics: Metrics) -> AsyncIterator[None]:
    """The EMF writer, if LOG_FORMAT asks for it; round the whole pipeline, so that its last line has what the sinks counted at the end."""
    async with trio.open_nursery() as nursery:
        if settings.log_format == "emf":
            labels = {emf.DIMENSION: settings.env, "version": __version__, "commit": settings.commit}
            report = partial(
                emf_writer.run,
                table=emf.table(settings.enabled_sources),
                labels=labels,
                read=partial(scraping.samples, metrics),
                now=utc_now,
            )
            nursery.start_soon(report, name="emf_writer")
        yield
        nursery.cancel_scope.cancel()
