"""The composition root: it starts every actor by name and ends them in order, as this dataflow.

              flights                jobs ┌> fetcher(newsapi)  ┐ outcomes (one channel per flight,
HTTP, CLI ─> desk ───────> merger ────────┼> fetcher(guardian) ┼──────┐   a clone per source)
  ^           │ L1            ^           └> fetcher(reddit)   ┘      │
  │           │               └────────────────────────────────────────┘
  └── events of the flight (late joiners replay) <── merger: dedup + score, lands the harvest
                                                      ├─ to_cache ────> cache_writer ─> Redis
                                                      └─ to_persister > persister ────> PostgreSQL
HTTP ─ to_recorder ─> recorder ─> search_history <─ janitor, search_marks ─> trend_writer
feeds ─> poller ─ to_persister > persister; PostgreSQL: feeds, leased by host <─> poller
PostgreSQL: alert_queue ─> matcher ─> alert_deliveries ─> deliverer ─> webhooks, ntfy, mail, …
persister, recorder ─ what PostgreSQL does not take ─> spool ─> drainer ─> PostgreSQL
fetchers ─ tally ─> latency_writer ─> Redis          metrics ─> emf_writer ─> standard error
PostgreSQL: articles still to be read ─> indexer        story_queue ─> grouper
            term_changes ─> term_counter    saved_articles ─> save_counter ─ saves ─> merger
GDELT's files ─> gdelt_reader ─> PostgreSQL     article_checks ─> fetchers ─> PostgreSQL

A shutdown takes the same path, by end-of-channel: callers leave, flights land, sinks drain, stores
close. If an actor crashes, everything is cancelled and the process ends: a service that lost a part
must not look healthy.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

import trio

from newsintel.actors import (
    cache_writer,
    drainer,
    gdelt_reader,
    grouper,
    indexer,
    janitor,
    latency_writer,
    matcher,
    persister,
    recorder,
    save_counter,
    term_counter,
    trend_writer,
)
from newsintel.config.settings import Settings
from newsintel.domain.search.stories.vocabulary import load_lists
from newsintel.http.services import Services
from newsintel.outbound.feed_client import open_feed_client
from newsintel.outbound.oauth.providers import open_providers
from newsintel.outbound.sources import REGISTRY, feeds
from newsintel.runtime.clock import utc_now
from newsintel.runtime.edges import Edges
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.runtime.telemetry.metrics import Metrics
from newsintel.runtime.telemetry.task_tree import log_on_request
from newsintel.storage.opening import open_stores
from newsintel.wiring.actors import (
    make_emf_writer,
    make_fetcher,
    make_merger,
    make_poller,
    open_deliverer,
)
from newsintel.wiring.core import Core, Starts, make_starts
from newsintel.wiring.services import make_services
from newsintel.wiring.sources import open_bulk_source, open_source

log = get_logger(__name__)

SINKS_SHARE = 0.4
"""The sinks' share of DRAIN_S: 8 s of 20. HTTP has the same; flights and stores have the rest."""
SAVING_SHARE = 0.25
"""The part of that in which they save in PostgreSQL, 5 s; then they spool what is left."""


@asynccontextmanager
async def open_pipeline(
    settings: Settings, metrics: Metrics | None = None, *, polls: bool = False
) -> AsyncIterator[Services]:
    """Run all but HTTP. Outermost first: stores, sinks, clock actors, fetchers and merger, caller.

    `metrics` counts what the actors do; None = new metrics. With `polls`, feeds are read and alerts
    are sent: a command ends too soon for it.

    Raises:
        NewsIntelError: the stores are not usable (wrong credentials, older schema).
        ExceptionGroup: holds an actor's bug, or what the caller raised.
    """
    metrics = metrics or Metrics()
    load_lists()
    edges = Edges.open(settings)
    async with (
        open_stores(settings, metrics.count) as stores,
        open_providers(settings, utc_now) as providers,
    ):
        for away in await stores.prepare(production=settings.production):
            log.warning("starting_without", store=away)
        core = Core.of(settings, metrics, stores, utc_now)
        doors = make_starts(core)
        async with (
            run_sinks(core, edges),
            run_upkeep(core),
            run_polling(core, edges, polls=polls),
            run_alerting(core, polls=polls),
            run_searching(core, edges, doors),
        ):
            with edges.to_merger, edges.to_recorder:
                yield make_services(core, doors, providers, edges)
            # Few answers come from here on, so an attempt to save may take longer. When the last
            # one has come, `run_sinks` sets the final time.
            core.spool.urgent_from = trio.current_time() + SAVING_SHARE * settings.drain_s


@asynccontextmanager
async def run_sinks(core: Core, edges: Edges) -> AsyncIterator[None]:
    """Run the sinks until no sender is left. A shutdown gives them SINKS_SHARE of DRAIN_S.

    They save in the first part of it, SAVING_SHARE, and spool the rest in the second.
    """
    stores, rooms, count = core.stores, edges.rooms, core.count
    personal, marks = stores.personal, stores.intelligence.search_marks
    cache = partial(cache_writer.run, edges.cache_writes, cache=stores.search.harvests)
    persist = partial(persister.run, edges.answers, archive=stores.archive.articles)
    persist = partial(persist, spool=core.spool)
    record = partial(recorder.run, edges.searches, marks=marks, marking=core.marking, now=core.now)
    record = partial(record, history=personal.history, repeats=personal.repeats)
    record = partial(record, spool=core.spool)
    actors = {
        "cache_writer": partial(cache, room=rooms.to_cache, count=count),
        "persister": partial(persist, room=rooms.to_persister, count=count),
        "recorder": partial(record, count=count),
    }
    async with trio.open_nursery() as nursery:
        for name, run in actors.items():
            nursery.start_soon(core.heartbeats.watch, name, run, name=name)
        yield
        now, drain_s = trio.current_time(), core.settings.drain_s
        core.spool.urgent_from = now + SAVING_SHARE * drain_s
        nursery.cancel_scope.deadline = now + SINKS_SHARE * drain_s


@asynccontextmanager
async def run_upkeep(core: Core) -> AsyncIterator[None]:
    """Run the actors that work by the clock: without an inbox, cancelled when the pipeline ends."""
    stores, ours, count, now = core.stores, core.stores.intelligence, core.count, core.now
    keep, floor = timedelta(days=core.settings.history_retention_d), core.settings.trending_floor
    clean = partial(janitor.run, history=stores.personal.history, keep=keep)
    clean = partial(clean, articles=stores.archive.pruning, keep_articles=core.article_ages)
    clean = partial(clean, deliveries=stores.alerts.deliveries, matching=stores.alerts.matching)
    measure = partial(latency_writer.run, tally=core.tally, store=stores.operations.latencies)
    trends = partial(trend_writer.run, marks=ours.search_marks, trending=ours.trending, floor=floor)
    saves = partial(save_counter.run, counts=ours.save_counts, saves=core.saves, floor=floor)
    drain = partial(drainer.run, spool=core.spool, archive=stores.archive.articles)
    actors = {
        "drainer": partial(drain, history=stores.personal.history, count=count),
        "janitor": partial(clean, count=count, now=now),
        "latency_writer": partial(measure, count=count, now=now),
        "trend_writer": partial(trends, count=count, now=now),
        "indexer": partial(indexer.run, index=stores.archive.text_index, count=count),
        "grouper": partial(grouper.run, stories=stores.archive.stories, count=count),
        "matcher": partial(matcher.run, matching=stores.alerts.matching, count=count),
        "term_counter": partial(term_counter.run, terms=ours.terms, count=count),
        "save_counter": partial(saves, count=count),
    }
    async with AsyncExitStack() as clients, trio.open_nursery() as nursery:
        if source := await clients.enter_async_context(open_bulk_source(core)):
            read = partial(gdelt_reader.run, source=source, files=stores.archive.bulk_files)
            read = partial(read, archive=stores.archive.articles, count=count, now=now)
            actors["gdelt_reader"] = read
        for name, run in actors.items():
            nursery.start_soon(core.heartbeats.watch, name, run, name=name)
        yield
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def run_polling(core: Core, edges: Edges, *, polls: bool) -> AsyncIterator[None]:
    """Run the poller while the block runs, if feeds are read."""
    settings = core.settings
    if not polls or feeds.SOURCE.options.name not in settings.enabled_sources:
        yield
        return
    client = open_feed_client(settings.public_url, private=settings.private_addresses, now=core.now)
    async with client as reader, trio.open_nursery() as nursery:
        poller = make_poller(core, edges, reader)
        nursery.start_soon(core.heartbeats.watch, "poller", poller.run, name="poller")
        yield
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def run_alerting(core: Core, *, polls: bool) -> AsyncIterator[None]:
    """Run the deliverer while the block runs, if alerts are sent.

    What it was sending when it is cancelled is sent again later, with the same id.
    """
    if not polls:
        yield
        return
    async with open_deliverer(core) as deliverer, trio.open_nursery() as nursery:
        nursery.start_soon(core.heartbeats.watch, "deliverer", deliverer.run, name="deliverer")
        yield
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def run_searching(core: Core, edges: Edges, doors: Starts) -> AsyncIterator[None]:
    """Run the merger, and a fetcher for each enabled source.

    The merger ends after the last flight and closes the fetchers' inboxes.
    """
    async with AsyncExitStack() as clients, trio.open_nursery() as nursery:
        for name in doors:
            source = open_source(
                REGISTRY[name], core.settings.source[name], core.stores.archive, core.now
            )
            upstream = await clients.enter_async_context(source)
            fetcher = make_fetcher(core, edges, name, upstream, doors)
            title = f"fetcher({name})"
            nursery.start_soon(core.heartbeats.watch, title, fetcher.run, name=title)
        merger = make_merger(core, edges)
        nursery.start_soon(core.heartbeats.watch, "merger", merger.run, name="merger")
        yield


@asynccontextmanager
async def run_reporting(settings: Settings, metrics: Metrics) -> AsyncIterator[None]:
    """Log the tasks on request, and run the EMF writer if LOG_FORMAT is `emf`.

    It encloses the whole pipeline, so its last line includes what the sinks counted at the end.
    """
    async with trio.open_nursery() as nursery:
        nursery.start_soon(log_on_request, name="task_tree")
        if settings.log_format == "emf":
            nursery.start_soon(make_emf_writer(settings, metrics), name="emf_writer")
        yield
        nursery.cancel_scope.cancel()
