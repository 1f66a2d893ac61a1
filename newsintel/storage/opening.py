"""Opens all stores: PostgreSQL, Redis, the bridge, and embedded servers where no URL is set."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import cache

from newsintel.config.settings import Settings
from newsintel.config.values import Secret
from newsintel.domain.archive.ports import ArchiveSearch, SpoolPlace
from newsintel.domain.operations.ports import StoreLoad
from newsintel.domain.ports import Count
from newsintel.domain.security.sealing import Sealer
from newsintel.runtime.clock import utc_now
from newsintel.storage.bridge import Bridge, open_bridge
from newsintel.storage.embedded.secret_key_file import load_or_create_keys
from newsintel.storage.embedded.servers import EmbeddedUrls, run_embedded_servers
from newsintel.storage.postgres import migrate as schema
from newsintel.storage.postgres.accounts.account_data import PostgresAccountData
from newsintel.storage.postgres.accounts.accounts import PostgresAccounts
from newsintel.storage.postgres.accounts.api_keys import PostgresKeys
from newsintel.storage.postgres.accounts.tokens import PostgresTokens
from newsintel.storage.postgres.alerts.deliveries import PostgresDeliveries
from newsintel.storage.postgres.alerts.matching import PostgresMatching
from newsintel.storage.postgres.alerts.saved_searches import PostgresSavedSearches
from newsintel.storage.postgres.archive.articles import PostgresArchive
from newsintel.storage.postgres.archive.bulk_files import PostgresBulkFiles
from newsintel.storage.postgres.archive.checks import PostgresChecks
from newsintel.storage.postgres.archive.dump import PostgresDump
from newsintel.storage.postgres.archive.indexing import PostgresIndexing
from newsintel.storage.postgres.archive.reader_articles import PostgresReaderArticles
from newsintel.storage.postgres.archive.replicated_search import ReplicatedSearch
from newsintel.storage.postgres.archive.search import PostgresSearch
from newsintel.storage.postgres.archive.stories import PostgresStories
from newsintel.storage.postgres.backups import Backups
from newsintel.storage.postgres.client_programs import DatabaseAccess
from newsintel.storage.postgres.feeds.feed_store import PostgresFeeds
from newsintel.storage.postgres.intelligence.likeness import PostgresLikeness
from newsintel.storage.postgres.intelligence.reading import PostgresReading
from newsintel.storage.postgres.intelligence.related import PostgresRelatedSearches
from newsintel.storage.postgres.intelligence.save_counts import PostgresSaveCounts
from newsintel.storage.postgres.intelligence.search_marks import PostgresSearchMarks
from newsintel.storage.postgres.intelligence.terms import PostgresTerms
from newsintel.storage.postgres.intelligence.trending import PostgresTrending
from newsintel.storage.postgres.personal.feedback import PostgresFeedback
from newsintel.storage.postgres.personal.history import PostgresHistory
from newsintel.storage.postgres.personal.not_same import PostgresNotSame
from newsintel.storage.postgres.personal.own_history import PostgresOwnHistory
from newsintel.storage.postgres.personal.preferences import PostgresPreferences
from newsintel.storage.postgres.personal.private_feeds import PostgresPrivateFeeds
from newsintel.storage.postgres.personal.read_marks import PostgresReadMarks
from newsintel.storage.postgres.personal.saved import PostgresSaved
from newsintel.storage.postgres.pool import Postgres, open_postgres
from newsintel.storage.redis.byte_cache import RedisBytes
from newsintel.storage.redis.counters import RedisCounter
from newsintel.storage.redis.harvests import RedisCache
from newsintel.storage.redis.latencies import RedisLatencies
from newsintel.storage.redis.ledger import RedisLedger
from newsintel.storage.redis.link import RedisLink, open_redis
from newsintel.storage.redis.repeats import RedisRepeats
from newsintel.storage.redis.sessions import RedisSessions
from newsintel.storage.redis.sign_in_attempts import RedisAttempts
from newsintel.storage.redis.spool import RedisSpool
from newsintel.storage.spool_folder import SpoolFolder, open_spool_folder
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


def run_own_servers(settings: Settings) -> AbstractAsyncContextManager[EmbeddedUrls]:
    """Run an embedded server for each store without a URL while the block runs.

    Raises:
        EmbeddedServerError: one of them did not start.
    """
    return run_embedded_servers(
        settings.data_dir, postgres=settings.database_url is None, redis=settings.redis_url is None
    )


@asynccontextmanager
async def open_stores(settings: Settings, count: Count) -> AsyncIterator[Stores]:
    """Open the stores.

    They connect at first use, so a server that is down at start is only an outage.

    Owns: the embedded servers, the bridge and both pools; each closes in bounded time.

    Raises:
        EmbeddedServerError: an embedded server did not start.
    """
    async with run_own_servers(settings) as own, open_bridge() as bridge:
        database = settings.database_url or Secret(own.postgres_url or "")
        cache_url = settings.redis_url or Secret(own.redis_url or "")
        async with (
            open_postgres(
                bridge, database, settings.database_password, settings.database_pool
            ) as postgres,
            open_redis(bridge, cache_url, settings.redis_password) as redis,
            open_spool_folder(settings.data_dir, settings.spool_max_bytes, count) as folder,
            _open_archive_search(bridge, settings, postgres) as archive_search,
        ):
            places = _spool_places(redis, folder, settings)
            migrating = bridge.add_lane("migrating", 1)
            owner = find_owner(settings, database)
            sealer = _make_sealer(settings)
            yield Stores(
                search=_search_stores(redis, settings, count),
                archive=_archive_stores(postgres, archive_search, places),
                accounts=_account_stores(postgres, redis, settings, count, sealer),
                personal=_personal_stores(postgres, redis),
                alerts=_alert_stores(postgres, sealer),
                intelligence=_intelligence_stores(postgres),
                limits=LimitStores(ledger=RedisLedger(redis), counter=RedisCounter(redis)),
                operations=_operation_stores(postgres, redis),
                migrate=lambda: schema.migrate(migrating, *owner, postgres),
                check_schema=lambda: schema.check_schema(postgres),
            )


@asynccontextmanager
async def open_backups(settings: Settings) -> AsyncIterator[Backups]:
    """Open the database of the role that owns the tables, for backups alone: Redis is not needed.

    Owns: the embedded PostgreSQL, if no URL is set, and a bridge.

    Raises:
        EmbeddedServerError: the embedded server did not start.
    """
    async with (
        run_embedded_servers(
            settings.data_dir, postgres=settings.database_url is None, redis=False
        ) as own,
        open_bridge() as bridge,
    ):
        url, password = find_owner(
            settings, settings.database_url or Secret(own.postgres_url or "")
        )
        own_server = url.reveal() == own.postgres_url
        yield Backups(bridge.add_lane("backup", 1), DatabaseAccess(url, password, own_server))


def find_owner(settings: Settings, database: Secret) -> tuple[Secret, Secret | None]:
    """Return the URL and the password of the role that may change the schema.

    Args:
        settings: they may name another role for migrations.
        database: the URL of the service's own role.
    """
    if settings.migrate_database_url:
        return settings.migrate_database_url, settings.migrate_database_password
    return database, settings.migrate_database_password or settings.database_password


def _search_stores(redis: RedisLink, settings: Settings, count: Count) -> SearchStores:
    keep_s = settings.cache_ttl_s + settings.cache_stale_s
    return SearchStores(
        harvests=RedisCache(redis, keep_s=keep_s, count=count), bytes_cache=RedisBytes(redis, count)
    )


def _spool_places(
    redis: RedisLink, folder: SpoolFolder, settings: Settings
) -> tuple[SpoolPlace, ...]:
    """Return the places of the spool. The embedded Redis keeps nothing on disk, so it is none."""
    if settings.redis_url is None:
        return (folder,)
    return (RedisSpool(redis, settings.spool_max_bytes), folder)


@asynccontextmanager
async def _open_archive_search(
    bridge: Bridge, settings: Settings, primary: Postgres
) -> AsyncIterator[ArchiveSearch]:
    """Open the search of the archive: on a replica, if there is one. Owns: the replica's pool."""
    async with AsyncExitStack() as pools:
        search: ArchiveSearch = PostgresSearch(primary)
        if url := settings.database_read_url:
            replica = open_postgres(
                bridge, url, settings.database_password, settings.database_pool, name="replica"
            )
            search = ReplicatedSearch(
                PostgresSearch(await pools.enter_async_context(replica)), search
            )
        yield search


def _archive_stores(
    postgres: Postgres, search: ArchiveSearch, spool: tuple[SpoolPlace, ...]
) -> ArchiveStores:
    checks = PostgresChecks(postgres)
    return ArchiveStores(
        articles=PostgresArchive(postgres),
        search=search,
        dump=PostgresDump(postgres),
        text_index=PostgresIndexing(postgres),
        stories=PostgresStories(postgres),
        feeds=PostgresFeeds(postgres),
        pruning=checks,
        checks=checks,
        bulk_files=PostgresBulkFiles(postgres),
        reader=PostgresReaderArticles(postgres),
        spool=spool,
    )


def _make_sealer(settings: Settings) -> Callable[[], Sealer]:
    """Return what returns the sealer.

    It is created at first use: a command that seals nothing creates no keys.
    """
    return cache(lambda: Sealer(settings.secret_keys or load_or_create_keys(settings.data_dir)))


def _account_stores(
    postgres: Postgres,
    redis: RedisLink,
    settings: Settings,
    count: Count,
    sealer: Callable[[], Sealer],
) -> AccountStores:
    return AccountStores(
        directory=PostgresAccounts(postgres),
        sessions=RedisSessions(
            redis,
            idle_s=settings.session_idle_s,
            max_s=settings.session_max_s,
            count=count,
            now=utc_now,
        ),
        api_keys=PostgresKeys(postgres),
        attempts=RedisAttempts(redis, count),
        tokens=PostgresTokens(postgres, sealer),
    )


def _personal_stores(postgres: Postgres, redis: RedisLink) -> PersonalStores:
    return PersonalStores(
        preferences=PostgresPreferences(postgres),
        saved=PostgresSaved(postgres),
        feedback=PostgresFeedback(postgres),
        feeds=PostgresPrivateFeeds(postgres),
        not_same=PostgresNotSame(postgres),
        read_marks=PostgresReadMarks(postgres),
        history=PostgresHistory(postgres),
        own_history=PostgresOwnHistory(postgres),
        repeats=RedisRepeats(redis),
        account_data=PostgresAccountData(postgres),
    )


def _alert_stores(postgres: Postgres, sealer: Callable[[], Sealer]) -> AlertStores:
    return AlertStores(
        searches=PostgresSavedSearches(postgres, sealer),
        matching=PostgresMatching(postgres, utc_now),
        deliveries=PostgresDeliveries(postgres, sealer),
    )


def _intelligence_stores(postgres: Postgres) -> IntelligenceStores:
    return IntelligenceStores(
        search_marks=PostgresSearchMarks(postgres),
        trending=PostgresTrending(postgres),
        related_searches=PostgresRelatedSearches(postgres),
        likeness=PostgresLikeness(postgres, utc_now),
        reading=PostgresReading(postgres),
        terms=PostgresTerms(postgres),
        save_counts=PostgresSaveCounts(postgres),
    )


def _operation_stores(postgres: Postgres, redis: RedisLink) -> OperationStores:
    return OperationStores(
        latencies=RedisLatencies(redis),
        load=lambda: StoreLoad(
            {"PostgreSQL": postgres.slots_used, "Redis": redis.slots_used}, redis.breaker_open
        ),
        ping_postgres=postgres.ping,
        ping_redis=redis.ping,
    )
