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

Shutdown walks the same way, by end-of-channel: whoever asks leaves, the flights land, the sinks drain, the stores close. A crash of any
actor cancels everything and ends the process: a service that lost a part of itself must not look alive.
"""

import logging
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import trio

from newsintel import __version__, emf, gauges
from newsintel.actors import cache_writer, emf_writer, fetcher, janitor, latency_writer, merger, persister, recorder, trend_writer
from newsintel.admission import Admission
from newsintel.allowance import Allowance, States
from newsintel.codec import dump_answer, load_answer
from newsintel.cursors import PURPOSE as CURSORS
from newsintel.cursors import Cursors
from newsintel.desk import Desk
from newsintel.flight import FetchJob, Flight
from newsintel.freshness import Windows
from newsintel.http import server
from newsintel.http.application import create_app
from newsintel.http.callers import Persons
from newsintel.http.metrics import MetricsListener
from newsintel.http.recording import Recording
from newsintel.http.services import Services
from newsintel.intelligence.marking import Marking
from newsintel.keys import Signer
from newsintel.latencies import Tally
from newsintel.lifecycle import Lifecycle, heed_signals, settle_memory
from newsintel.limiter import limiter
from newsintel.model import Answer, CacheWrite, SearchRecord
from newsintel.oauth.app_token import open_app_token
from newsintel.oauth.links import AccountLinks
from newsintel.oauth.providers import open_providers
from newsintel.ports import Phase, Upstream
from newsintel.preference_cache import PreferenceCache
from newsintel.quotas import Terms
from newsintel.settings import Settings, SourceSettings
from newsintel.shared_cache import SharedCache
from newsintel.sources import REGISTRY
from newsintel.sources.source import Source
from newsintel.storage.keyfile import kept_keys
from newsintel.storage.stores import open_stores
from newsintel.telemetry import Metrics
from newsintel.upstream import open_upstream

log = logging.getLogger(__name__)

PERSISTER_INBOX = 64
"""Harvests accepted and not yet archived: at 250 articles each about 30 MiB while PostgreSQL is away. Full: the merger counts a refusal."""
RECORDER_INBOX = 1_000
"""Searches answered and not yet recorded: about a second of hits. Full: HTTP counts a refusal."""
SINKS_SHARE = 0.4
"""The sinks' part of DRAIN_S (8 s of 20); HTTP has as much, flights in the air and closing the stores the rest."""


def utc_now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


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
    metrics, tally, windows = metrics or Metrics(), Tally(), Windows.of(settings)
    count = metrics.count
    secret_keys = settings.secret_keys or kept_keys(settings.data_dir)
    marking = Marking(secret_keys)
    enabled = {name: source for name, source in settings.source.items() if source.enabled}
    terms = {name: Terms(source.pace_s, source.quota) for name, source in enabled.items()}

    to_merger, flights = trio.open_memory_channel[Flight](settings.max_flights)
    to_cache, cache_writes = trio.open_memory_channel[CacheWrite](settings.max_flights)
    to_persister, answers = trio.open_memory_channel[Answer](PERSISTER_INBOX)
    to_recorder, searches = trio.open_memory_channel[SearchRecord](RECORDER_INBOX)
    jobs = {name: trio.open_memory_channel[FetchJob](settings.max_flights) for name in enabled}
    to_fetchers = {name: to_fetcher for name, (to_fetcher, _) in jobs.items()}
    inboxes = {"merger": flights, "cache_writer": cache_writes, "persister": answers, "recorder": searches}
    inboxes |= {f"fetcher {name}": inbox for name, (_, inbox) in jobs.items()}

    async with open_stores(settings, count, dump_answer, load_answer) as stores, AsyncExitStack() as clients:
        for away in await stores.prepare(production=settings.production):
            log.warning("starting without %s: it cannot be reached", away)
        providers = await clients.enter_async_context(open_providers(settings, utc_now))
        shared = SharedCache(stores.cache, windows, count, utc_now)
        starts = {name: (Admission(terms[name]), Allowance(name, terms[name], stores.ledger, count)) for name in enabled}
        requests = limiter("search", settings.rate_limit, stores.counter, count, time.time)
        misses = limiter("miss", settings.miss_limit, stores.counter, count, time.time)

        async with trio.open_nursery() as sinks, trio.open_nursery() as upkeep:
            start = sinks.start_soon
            start(partial(cache_writer.run, cache_writes, cache=stores.cache, count=count), name="cache_writer")
            start(partial(persister.run, answers, archive=stores.archive, count=count), name="persister")
            record = partial(
                recorder.run,
                searches,
                history=stores.history,
                repeats=stores.repeats,
                marking=marking,
                marks=stores.search_marks,
                count=count,
                now=utc_now,
            )
            start(record, name="recorder")
            keep = timedelta(days=settings.history_retention_d)
            upkeep.start_soon(partial(janitor.run, history=stores.history, keep=keep, count=count, now=utc_now), name="janitor")
            trends = partial(trend_writer.run, marks=stores.search_marks, trending=stores.trending, floor=settings.trending_floor)
            upkeep.start_soon(partial(trends, count=count, now=utc_now), name="trend_writer")
            latencies = partial(latency_writer.run, tally=tally, store=stores.latencies, count=count, now=utc_now)
            upkeep.start_soon(latencies, name="latency_writer")

            async with trio.open_nursery() as sources:
                for name, source in enabled.items():
                    client = await clients.enter_async_context(open_source(REGISTRY[name], source))
                    fetch = partial(
                        fetcher.run,
                        jobs[name][1],
                        source=name,
                        upstream=client,
                        admission=starts[name][0],
                        allowance=starts[name][1],
                        deadline_s=source.deadline_s,
                        longest_keep_s=windows.ttl_s + windows.stale_s,
                        count=count,
                        observe=metrics.observe,
                        tally=tally,
                        now=utc_now,
                    )
                    sources.start_soon(fetch, name=f"fetcher({name})")
                merge = partial(
                    merger.run,
                    flights,
                    to_fetchers,
                    to_cache,
                    to_persister,
                    shared=shared,
                    search=stores.search,
                    every_source=tuple(settings.source),
                    windows=windows,
                    count=count,
                    now=utc_now,
                )
                sources.start_soon(merge, name="merger")

                with to_merger, to_recorder:
                    desk = Desk(
                        to_merger,
                        stores.archive,
                        windows=windows,
                        max_flights=settings.max_flights,
                        search_deadline_s=settings.search_deadline_s,
                        misses=misses,
                        now=utc_now,
                    )
                    states = States(starts, utc_now)
                    gauges.watch(
                        metrics,
                        commit=settings.commit,
                        inboxes=inboxes,
                        flights=lambda: desk.flights,
                        states=states,
                        load=stores.load,
                    )
                    yield Services(
                        settings=settings,
                        desk=desk,
                        archive=stores.search,
                        bytes_cache=stores.bytes_cache,
                        harvests=stores.cache,
                        cursors=Cursors(Signer(secret_keys, CURSORS)),
                        persons=Persons(secret_keys),
                        recording=Recording(to_recorder, secret_keys, count),
                        preferences=PreferenceCache(stores.preferences),
                        saved=stores.saved,
                        own_history=stores.own_history,
                        account_data=stores.account_data,
                        marking=marking,
                        search_marks=stores.search_marks,
                        trending=stores.trending,
                        kinship=stores.kinship,
                        accounts=stores.accounts,
                        sessions=stores.sessions,
                        api_keys=stores.api_keys,
                        attempts=stores.attempts,
                        links=AccountLinks(stores.tokens, stores.locks, providers.issuers, utc_now),
                        providers=providers.by_name,
                        requests=requests,
                        misses=misses,
                        count=count,
                        exposition=metrics.exposition,
                        now=utc_now,
                        health=Lifecycle(stores.postgres_ping, stores.redis_ping),
                        source_states=states,
                    )
            upkeep.cancel_scope.cancel()  # it has no inbox that could end
            sinks.cancel_scope.deadline = trio.current_time() + SINKS_SHARE * settings.drain_s


async def serve(settings: Settings, on_ready: Callable[[str], None] = lambda _: None) -> None:
    """The pipeline and HTTP, until SIGTERM or SIGINT; then an orderly end within DRAIN_S.

    Args:
        settings: everything it may know of its environment.
        on_ready: called with the URL once requests are accepted.
    """
    for name in settings.unknown:
        log.warning("%s is set, and is no setting of newsintel", name)
    shutdown = trio.Event()
    metrics = Metrics()
    async with trio.open_nursery() as process:
        await process.start(heed_signals, shutdown, process.cancel_scope.cancel, settings.drain_s)
        async with reporting(settings, metrics), open_pipeline(settings, metrics) as services, trio.open_nursery() as http:
            listen = partial(server.serve, settings=settings, shutdown=shutdown, observe=metrics.observe)
            urls = await http.start(listen, create_app(services))
            if settings.metrics_bind:
                await http.start(partial(listen, MetricsListener(metrics.exposition), bind=settings.metrics_bind))
            services.health.enter(Phase.SERVING)
            settle_memory()
            on_ready(urls[0])
            await shutdown.wait()
            services.health.enter(Phase.DRAINING)
        process.cancel_scope.cancel()


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
                read=metrics.samples,
                write=sys.stderr.write,
                now=utc_now,
            )
            nursery.start_soon(report, name="emf_writer")
        yield
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def open_source(source: Source, settings: SourceSettings) -> AsyncIterator[Upstream]:
    """A source's client, with an app-only token beside it if the source uses one."""
    async with AsyncExitStack() as stack:
        token = await stack.enter_async_context(open_app_token(settings)) if source.uses_token else None
        yield await stack.enter_async_context(open_upstream(source, settings, token=token, now=utc_now))
