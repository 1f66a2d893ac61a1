"""The whole tree in one process: real channels and actors, stores in memory, scripted sources."""

import random
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import trio
from attrs import define, field
from structlog.contextvars import clear_contextvars
from structlog.testing import capture_logs

from newsintel import __version__, app
from newsintel.actors import janitor, persister
from newsintel.config.reading import read_settings
from newsintel.config.values import Secret
from newsintel.domain.accounts.model import Caller
from newsintel.domain.archive import recent_saves
from newsintel.domain.operations import emf
from newsintel.domain.operations.latencies import Latency
from newsintel.domain.operations.metrics import GAUGES
from newsintel.domain.operations.ports import StoreLoad
from newsintel.domain.paging import CURSOR_PURPOSE, Cursors, Position
from newsintel.domain.search.harvest import Via
from newsintel.domain.search.history import SearchSummary
from newsintel.domain.search.merging import GroupedHarvest
from newsintel.domain.search.outcome import Refusal, Status
from newsintel.domain.search.query import build_query
from newsintel.domain.security.keys import Signer
from newsintel.errors import FlightBugError, UnavailableError
from newsintel.outbound.sources import REGISTRY
from newsintel.runtime.edges import PERSISTER_INBOX
from newsintel.runtime.telemetry.logs import enter_context, request_context
from newsintel.runtime.telemetry.metrics import Metrics
from newsintel.storage.stores import (
    AccountStores,
    AlertStores,
    ArchiveStores,
    IntelligenceStores,
    LimitStores,
    OperationStores,
    PersonalStores,
    SearchStores,
    Stores,
)
from tests.actors.test_fetcher import PAGE, ScriptedUpstream
from tests.fakes.accounts import (
    MemoryAccounts,
    MemoryAttempts,
    MemoryKeys,
    MemorySessions,
    MemoryTokens,
)
from tests.fakes.alerts import MemoryDeliveries, MemoryMatching, MemorySavedSearches
from tests.fakes.backlogs import MemoryStories, MemoryTerms, MemoryTextIndex
from tests.fakes.basics import (
    Clock,
    MemoryArchive,
    MemoryBytes,
    MemoryCache,
    MemoryCounter,
    MemoryHistory,
    MemoryLatencies,
    MemoryLedger,
    MemorySearch,
    MemorySpool,
)
from tests.fakes.feeds import MemoryFeeds, ScriptedReader
from tests.fakes.likeness import MemoryLikeness, MemorySaveCounts
from tests.fakes.personal import (
    MemoryFeedback,
    MemoryNotSame,
    MemoryOwnHistory,
    MemoryPreferences,
    MemoryPrivateFeeds,
    MemoryRepeats,
    MemorySaved,
)
from tests.fakes.reader import MemoryReaderArticles, MemoryReadMarks
from tests.fakes.reading import MemoryReading
from tests.fakes.searches import MemoryRelatedSearches, MemorySearchMarks, MemoryTrending
from tests.fakes.upkeep import EmptyBulk, MemoryBulkFiles, MemoryChecks
from tests.make import search_record
from tests.samples import read_samples

ASKER = Caller("somebody")
SEARCHED = SearchSummary("climate", "k", 1, "climate", ())
ENVIRON = {
    "NEWSINTEL_NEWSAPI_KEY": "k",
    "NEWSINTEL_GUARDIAN_KEY": "k",
    "NEWSINTEL_GUARDIAN_PACE_S": "0",
    "NEWSINTEL_REDDIT_CLIENT_ID": "i",
    "NEWSINTEL_REDDIT_CLIENT_SECRET": "s",
    "NEWSINTEL_REDDIT_USER_AGENT": "test:newsintel:v1 (by /u/nobody)",
    "NEWSINTEL_REDDIT_PACE_S": "0",
    "NEWSINTEL_FEEDS": "https://feeds.example/1",
    "NEWSINTEL_HACKERNEWS_PACE_S": "0",
    "NEWSINTEL_GDELT_PACE_S": "0",
    "NEWSINTEL_SECRET_KEYS": "A" * 43,
}


@define
class World:
    """Everything outside the tree."""

    cache: MemoryCache = field(factory=MemoryCache)
    archive: MemoryArchive = field(factory=MemoryArchive)
    spool: MemorySpool = field(factory=MemorySpool)
    history: MemoryHistory = field(factory=MemoryHistory)
    preferences: MemoryPreferences = field(factory=MemoryPreferences)
    saved: MemorySaved = field(factory=MemorySaved)
    saved_searches: MemorySavedSearches = field(factory=MemorySavedSearches)
    matching: MemoryMatching = field(factory=MemoryMatching)
    deliveries: MemoryDeliveries = field(factory=MemoryDeliveries)
    own_history: MemoryOwnHistory = field(factory=MemoryOwnHistory)
    search_marks: MemorySearchMarks = field(factory=MemorySearchMarks)
    trending: MemoryTrending = field(factory=MemoryTrending)
    kinship: MemoryRelatedSearches = field(factory=MemoryRelatedSearches)
    likeness: MemoryLikeness = field(factory=MemoryLikeness)
    text_index: MemoryTextIndex = field(factory=MemoryTextIndex)
    stories: MemoryStories = field(factory=MemoryStories)
    feeds: MemoryFeeds = field(factory=MemoryFeeds)
    reader: ScriptedReader = field(factory=ScriptedReader)
    terms: MemoryTerms = field(factory=MemoryTerms)
    checks: MemoryChecks = field(factory=MemoryChecks)
    bulk_files: MemoryBulkFiles = field(factory=MemoryBulkFiles)
    bulk: EmptyBulk = field(factory=EmptyBulk)
    save_counts: MemorySaveCounts = field(factory=MemorySaveCounts)
    feedback: MemoryFeedback = field(factory=MemoryFeedback)
    reading: MemoryReading = field(init=False)
    repeats: MemoryRepeats = field(factory=MemoryRepeats)
    search: MemorySearch = field(factory=MemorySearch)
    bytes_cache: MemoryBytes = field(factory=MemoryBytes)
    accounts: MemoryAccounts = field(factory=MemoryAccounts)
    sessions: MemorySessions = field(factory=MemorySessions)
    api_keys: MemoryKeys = field(factory=lambda: MemoryKeys(MemoryAccounts()))
    attempts: MemoryAttempts = field(factory=MemoryAttempts)
    tokens: MemoryTokens = field(factory=MemoryTokens)
    ledger: MemoryLedger = field(factory=MemoryLedger)
    counter: MemoryCounter = field(factory=MemoryCounter)
    latencies: MemoryLatencies = field(factory=MemoryLatencies)
    upstreams: dict[str, ScriptedUpstream] = field(
        factory=lambda: {name: ScriptedUpstream() for name in REGISTRY}
    )
    closed: list[str] = field(factory=list)

    def __attrs_post_init__(self):
        self.reading = MemoryReading(self.saved, self.feedback, self.own_history, {})

    @property
    def stores(self):
        """The stores as the composition root receives them."""
        return Stores(
            search=SearchStores(harvests=self.cache, bytes_cache=self.bytes_cache),
            archive=ArchiveStores(
                articles=self.archive,
                search=self.search,
                dump=None,
                text_index=self.text_index,
                stories=self.stories,
                feeds=self.feeds,
                pruning=self.checks,
                checks=self.checks,
                bulk_files=self.bulk_files,
                reader=MemoryReaderArticles(),
                spool=(self.spool,),
            ),
            accounts=AccountStores(
                directory=self.accounts,
                sessions=self.sessions,
                api_keys=self.api_keys,
                attempts=self.attempts,
                tokens=self.tokens,
            ),
            personal=PersonalStores(
                preferences=self.preferences,
                saved=self.saved,
                feedback=self.feedback,
                history=self.history,
                own_history=self.own_history,
                repeats=self.repeats,
                feeds=MemoryPrivateFeeds(self.accounts),
                not_same=MemoryNotSame(),
                read_marks=MemoryReadMarks(self.saved),
                account_data=None,
            ),
            alerts=AlertStores(
                searches=self.saved_searches,
                matching=self.matching,
                deliveries=self.deliveries,
            ),
            intelligence=IntelligenceStores(
                search_marks=self.search_marks,
                trending=self.trending,
                related_searches=self.kinship,
                likeness=self.likeness,
                reading=self.reading,
                terms=self.terms,
                save_counts=self.save_counts,
            ),
            limits=LimitStores(ledger=self.ledger, counter=self.counter),
            operations=OperationStores(
                latencies=self.latencies,
                load=lambda: StoreLoad({"PostgreSQL": 2, "Redis": 0}, redis_breaker_open=True),
                ping_postgres=self.ping_postgres,
                ping_redis=self.ping_redis,
            ),
            migrate=self.ping_postgres,
            check_schema=self.ping_postgres,
        )

    async def ping_postgres(self):
        """Succeed."""

    async def ping_redis(self):
        """Fail: the service starts without Redis."""
        raise UnavailableError


@pytest.fixture
def world(monkeypatch):
    """Replace everything outside the tree."""
    made = World()

    @asynccontextmanager
    async def open_stores(*_):
        yield made.stores
        made.closed.append("stores")

    @asynccontextmanager
    async def open_source(source, *_, **__):
        yield made.upstreams[source.options.name]
        made.closed.append(source.options.name)

    monkeypatch.setattr(app, "open_stores", open_stores)

    @asynccontextmanager
    async def open_feed_client(*_, **__):
        yield made.reader

    @asynccontextmanager
    async def open_bulk_source(_):
        yield made.bulk

    monkeypatch.setattr(app, "open_source", open_source)
    monkeypatch.setattr(app, "open_bulk_source", open_bulk_source)
    monkeypatch.setattr(app, "open_feed_client", open_feed_client)
    return made


def settings(**environ):
    """Settings with all sources, without pace."""
    return read_settings([source.options for source in REGISTRY.values()], ENVIRON | environ)


def asked(text="climate"):
    """A query to all sources."""
    return build_query(text, sources=tuple(REGISTRY))


async def test_a_search_reaches_sources_caches_archive_and_history(world, autojump_clock):
    """A search lands with all sources; then memory serves it again.

    It reaches Redis, PostgreSQL and the history.
    """
    async with app.open_pipeline(settings()) as services:
        first = await services.search.desk.search(asked(), ASKER)
        assert first.via is Via.MISS
        assert [o.status for o in first.answer.harvest.outcomes] == [Status.OK] * len(REGISTRY)
        assert (await services.search.desk.search(asked(), ASKER)).via is Via.HIT
        services.personal.recording.offer(ASKER, SEARCHED, app.utc_now())
    assert set(world.cache.kept) == {asked().key}
    assert world.archive.kept
    assert world.history.kept
    assert world.closed == [*reversed(REGISTRY), "stores"]
    assert all(upstream.upkeep_ended for upstream in world.upstreams.values())


async def test_routes_get_the_archive_and_cursors(world, autojump_clock):
    """Routes get the given archive and cache.

    SECRET_KEYS sign a cursor, so every process reads it.
    """
    async with app.open_pipeline(settings()) as services:
        assert (services.archive, services.search.bytes_cache) == (world.search, world.bytes_cache)
        cursor = services.cursors.write(Position((1,)), "q")
    assert Cursors(Signer([Secret("A" * 43)], CURSOR_PURPOSE)).read(cursor, "q") == Position((1,))


async def test_without_secret_keys_they_are_made_and_kept(world, autojump_clock, tmp_path):
    """In development they are kept in DATA_DIR: a cursor stays valid after a restart."""
    known = settings(NEWSINTEL_SECRET_KEYS="", NEWSINTEL_DATA_DIR=str(tmp_path / "data"))
    async with app.open_pipeline(known) as services:
        cursor = services.cursors.write(Position((1,)), "q")
    async with app.open_pipeline(known) as services:
        assert services.cursors.read(cursor, "q") == Position((1,))


async def test_work_for_a_request_carries_its_id(world, autojump_clock, monkeypatch):
    """Actors log a search and its calls under the id of the request that caused them."""
    carried = []

    async def fetch(_query):
        carried.append(dict(request_context()))
        return PAGE

    def merge(*_):
        carried.append(dict(request_context()))
        raise KeyError("bug")

    for upstream in world.upstreams.values():
        monkeypatch.setattr(upstream, "fetch", fetch)
    async with app.open_pipeline(settings()) as services:
        for request_id in ("one", "two"):
            enter_context({"request_id": request_id})
            await services.search.desk.search(asked(request_id), ASKER)
        monkeypatch.setattr(GroupedHarvest, "rank", merge)
        with pytest.raises(FlightBugError):
            await services.search.desk.search(asked("three"), ASKER)
        clear_contextvars()
        with pytest.raises(FlightBugError):
            await services.search.desk.search(asked("four"), ASKER)
    assert [context.get("request_id") for context in carried] == [
        *["one"] * len(REGISTRY),
        *["two"] * len(REGISTRY),
        *["two"] * (len(REGISTRY) + 1),
        *[None] * (len(REGISTRY) + 1),
    ]


async def test_starts_without_a_store_and_says_so(world, autojump_clock):
    """The log names a store that does not answer at start, and searches work."""
    with capture_logs() as logs:
        async with app.open_pipeline(settings()) as services:
            assert (await services.search.desk.search(asked(), ASKER)).answer.harvest.complete
    assert [line["store"] for line in logs if line["event"] == "starting_without"] == ["redis"]


async def test_shutdown_waits_for_flights_and_sinks(world, autojump_clock):
    """If the caller leaves, the flight still lands.

    Its harvest is archived before the stores close.
    """
    world.upstreams["reddit"].script = [0.9]
    async with app.open_pipeline(settings()) as services:
        services.search.desk.join_flight(asked(), signed_in=False)
    assert world.archive.kept
    assert set(world.cache.kept) == {asked().key}


async def test_old_searches_are_deleted_while_the_service_runs(world, autojump_clock):
    """The janitor deletes by HISTORY_RETENTION_D from the first minute on.

    It does not delay shutdown.
    """
    today = app.utc_now()
    world.history.kept = [
        search_record(query="old", searched_at=today - timedelta(days=8)),
        search_record(query="young", searched_at=today - timedelta(days=6)),
    ]
    async with app.open_pipeline(settings(NEWSINTEL_HISTORY_RETENTION_D="7")):
        await trio.sleep(janitor.FIRST_S)
        began = trio.current_time()
    assert [search.query for search in world.history.kept] == ["young"]
    assert trio.current_time() == began


async def hang(*_):
    """Answer nothing, like a frozen store."""
    await trio.sleep_forever()


async def test_frozen_archive_delays_shutdown_only_for_its_share(world, autojump_clock):
    """The sinks try to save for SAVING_SHARE of DRAIN_S, and spool what is left."""
    world.archive.save_articles = hang
    async with app.open_pipeline(settings(NEWSINTEL_DRAIN_S="10")) as services:
        await services.search.desk.search(asked(), ASKER)
        began = trio.current_time()
    assert trio.current_time() - began == pytest.approx(app.SAVING_SHARE * 10)
    assert world.spool.read_articles() == ["a_one"]  # of all sources


async def test_slow_archive_delays_shutdown_only_for_its_share(world, autojump_clock, monkeypatch):
    """PostgreSQL takes 0.4 s for each of 30 batches. Six are saved in time, the others spooled."""
    save = world.archive.save_articles

    async def save_slowly(articles, pairs):
        await trio.sleep(0.4)
        return await save(articles, pairs)

    world.archive.save_articles = save_slowly
    monkeypatch.setattr(persister, "BATCH_ROWS", 1)
    monkeypatch.setattr(recent_saves, "KEEP_S", 0)  # all searches find the same article
    async with app.open_pipeline(settings(NEWSINTEL_DRAIN_S="10")) as services:
        async with trio.open_nursery() as nursery:
            for number in range(30):
                query = asked(f"climate {number}")
                nursery.start_soon(services.search.desk.search, query, ASKER)
        began = trio.current_time()
    assert trio.current_time() - began == pytest.approx(app.SAVING_SHARE * 10)
    assert len(world.archive.calls) + len(world.spool.kept) >= 30
    assert world.spool.kept


async def test_stuck_spool_delays_shutdown_only_for_its_share(world, autojump_clock):
    """If the spool does not answer either, the sinks are cancelled. The last try has its limit."""
    world.archive.save_articles = world.spool.add = hang
    metrics = Metrics()
    async with app.open_pipeline(settings(NEWSINTEL_DRAIN_S="10"), metrics) as services:
        await services.search.desk.search(asked(), ASKER)
        began = trio.current_time()
    allowed = app.SINKS_SHARE * 10 + persister.LAST_SPOOL_S
    assert trio.current_time() - began == pytest.approx(allowed)
    assert metrics.registry.get_sample_value("newsintel_lost_articles_total") == 1


async def test_what_was_spooled_is_saved_when_the_archive_is_back(world, autojump_clock):
    """The drainer runs in the pipeline. A search of the history comes back too."""
    world.archive.away = world.history.away = True
    async with app.open_pipeline(settings()) as services:
        await services.search.desk.search(asked(), ASKER)
        services.personal.recording.offer(ASKER, SEARCHED, app.utc_now())
        await trio.sleep(5)
        assert len(world.spool.kept) == 2
        world.archive.away = world.history.away = False
        await trio.sleep(5)
        assert world.spool.kept == world.spool.taken == []
    assert set(world.archive.kept) == {"a_one"}
    assert len(world.history.kept) == 1


async def test_crash_of_an_actor_ends_everything(world, autojump_clock):
    """A bug in an actor's own loop surfaces, cancels the caller, and leaves nothing running."""

    async def broken(_searches):
        raise TypeError("a bug")

    world.history.record_searches = broken
    with pytest.RaisesGroup(pytest.RaisesExc(TypeError, match="a bug"), flatten_subgroups=True):
        async with app.open_pipeline(settings()) as services:
            services.personal.recording.offer(ASKER, SEARCHED, app.utc_now())
            await trio.sleep_forever()
    assert "stores" not in world.closed or world.closed


async def test_source_states_tell_blocks_and_quotas(world, autojump_clock):
    """A source's state is known without a request to the source."""
    world.upstreams["guardian"].script = [Refusal(Status.RATE_LIMITED, "slow down", pause_s=60)]
    async with app.open_pipeline(settings()) as services:
        await services.search.desk.search(asked(), ASKER)
        states = services.limits.source_states()
    assert states["guardian"].blocked is Status.RATE_LIMITED
    assert states["guardian"].retry_at is not None
    assert states["newsapi"].blocked is None
    assert states["newsapi"].quota_left == 99
    assert states["reddit"].quota_left is None


@pytest.mark.slow
@pytest.mark.parametrize("well_before", [0, 1, 3])
async def test_a_source_that_fails_for_an_hour_costs_the_others_nothing(
    world, autojump_clock, monkeypatch, well_before
):
    """One source answers 401 from the first call on, or from a later refresh on.

    The others are asked once per TTL, as if it did not fail.
    """
    monkeypatch.setattr(app, "utc_now", Clock())
    world.upstreams["reddit"].script = [0.05] * well_before + [
        Refusal(Status.UNAUTHORIZED, "key")
    ] * 100
    async with app.open_pipeline(
        settings(NEWSINTEL_CACHE_TTL_S="300", NEWSINTEL_MISS_LIMIT="off")
    ) as services:
        for _ in range(360):
            await services.search.desk.search(asked(), ASKER)
            await trio.sleep(10)
    calls = {name: len(upstream.asked_at) for name, upstream in world.upstreams.items()}
    assert calls["newsapi"] == calls["guardian"] == 12
    assert calls["reddit"] < 12 + well_before


@pytest.mark.slow
async def test_a_hot_query_is_asked_for_less_often_as_a_quota_runs_down(
    world, autojump_clock, monkeypatch
):
    """One search repeats for a day: the source with a quota keeps a quarter of it.

    The others are refreshed as usual.
    """
    monkeypatch.setattr(app, "utc_now", Clock())
    async with app.open_pipeline(
        settings(NEWSINTEL_MISS_LIMIT="off", NEWSINTEL_GUARDIAN_QUOTA="off")
    ) as services:
        for _ in range(86_400 // 50):
            await services.search.desk.search(asked(), ASKER)
            await trio.sleep(50)
        await services.limits.source_states.refresh_quotas()
        assert services.limits.source_states()["newsapi"].quota_left > 25
    assert 31 < len(world.upstreams["newsapi"].asked_at) < 75
    assert len(world.upstreams["guardian"].asked_at) > 200


async def test_latencies_are_stored_at_shutdown(world, autojump_clock):
    """The last latencies are recorded before the stores close, even after a short life."""
    world.upstreams["reddit"].script = [0.3]
    async with app.open_pipeline(settings()) as services:
        await services.search.desk.search(asked(), ASKER)
    (counts,) = world.latencies.kept.values()
    assert counts[Latency("reddit", Status.OK, 300)] == 1
    assert {latency.source for latency in counts} == set(REGISTRY)


async def test_every_gauge_is_read_off_the_running_service(world, autojump_clock):
    """Each declared gauge has a value, and the value comes from the running service."""
    world.upstreams["guardian"].script = [Refusal(Status.RATE_LIMITED, "slow down", pause_s=60)]
    metrics = Metrics()
    async with app.open_pipeline(settings(NEWSINTEL_COMMIT="abc"), metrics) as services:
        await services.search.desk.search(asked(), ASKER)
        services.search.desk.join_flight(asked("something else"), signed_in=False)
        read = {
            (name, *(value for _, value in labels)): value
            for (name, labels), value in read_samples(metrics).items()
        }
        assert b"newsintel_flights 1.0" in await services.operations.exposition()
    of_the_server = {"connections", "requests_waiting"}
    assert {f"newsintel_{name}" for name in GAUGES.keys() - of_the_server} <= {
        key[0] for key in read
    }
    assert read["newsintel_flights",] == 1
    assert read["newsintel_queue_depth", "merger"] == 0
    assert read["newsintel_queue_room", "persister"] == PERSISTER_INBOX
    assert read["newsintel_source_ready", "guardian"] == 0
    assert read["newsintel_source_blocked", "rate_limited", "guardian"] == 1
    assert read["newsintel_quota_left", "newsapi"] == 99
    assert read["newsintel_store_slots_used", "PostgreSQL"] == 2
    assert read["newsintel_redis_breaker_open",] == 1
    assert read["newsintel_build_info", "abc", __version__] == 1
    assert read["newsintel_fetch_seconds_count", "newsapi", "ok"] == 1


@pytest.mark.parametrize(("form", "lines"), [("emf", 1), ("json", 0)])
async def test_log_format_emf_writes_metrics_of_the_whole_life(world, autojump_clock, form, lines):
    """A short life ends with one line that includes the last work of the sinks.

    Every name in it is in the list that operators get.
    """
    metrics, known = Metrics(), settings(NEWSINTEL_LOG_FORMAT=form)
    with capture_logs() as logs:
        async with app.run_reporting(known, metrics), app.open_pipeline(known, metrics) as services:
            await services.search.desk.search(asked(), ASKER)
    written = [line for line in logs if "_aws" in line]
    assert len(written) == lines
    for document in written:
        names = {
            metric["Name"]
            for directive in document["_aws"]["CloudWatchMetrics"]
            for metric in directive["Metrics"]
        }
        assert names <= set(emf.build_metrics(REGISTRY))
        assert (document["env"], document["archived_articles"], document["outcomes"]) == (
            "development",
            1,
            len(REGISTRY),
        )
        assert {
            f"queue_depth_{name}"
            for name in (*emf.INBOXES, *(f"fetcher_{name}" for name in REGISTRY))
        } <= names
        assert {f"slots_used_{store.lower()}" for store in emf.STORES} <= names


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200))
async def test_tree_unwinds_when_cancelled_at_any_moment(world, autojump_clock, seed):
    """Cancelled at a random moment during searches, the tree ends: no hang, no other error.

    No claim and no store stays open.
    """
    chance = random.Random(seed)
    for upstream in world.upstreams.values():
        upstream.script = [
            chance.choice([0.01, 0.1, 0.5, 5, Refusal(Status.UNREACHABLE, "down")])
            for _ in range(30)
        ]

    async def ask(services, text):
        await trio.sleep(chance.uniform(0, 1))
        with trio.move_on_after(chance.uniform(0, 2)):
            await services.search.desk.search(asked(text), ASKER)

    with trio.move_on_after(chance.uniform(0, 3)), trio.fail_after(60):
        async with app.open_pipeline(settings()) as services, trio.open_nursery() as callers:
            for number in range(20):
                callers.start_soon(ask, services, f"query {number % 7}")
    assert all(
        not upstream.asked_at or upstream.upkeep_ended for upstream in world.upstreams.values()
    )
