"""Everything that newsintel keeps, opened as one: embedded servers where no other is named, the bridge, PostgreSQL and Redis."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache

from attrs import frozen

from newsintel.config.settings import Settings
from newsintel.config.values import Secret
from newsintel.domain.accounts.ports import Accounts, ApiKeys, Attempts, Sessions, TokenStore
from newsintel.domain.archive.ports import Archive, ArchiveDump, ArchiveSearch, TextIndex
from newsintel.domain.intelligence.ports import Kinship, Likeness, Reading, SaveCounts, SearchMarks, TermCounts, Trending
from newsintel.domain.limits.ports import Ledger
from newsintel.domain.operations.ports import LatencyStore, StoreLoad
from newsintel.domain.personal.ports import AccountData, Feedback, History, OwnHistory, PreferenceStore, SavedArticles
from newsintel.domain.ports import ByteCache, Count, Repeats, SharedCounter
from newsintel.domain.search.ports import HarvestCache
from newsintel.domain.security.sealing import Sealer
from newsintel.errors import RefusedError, SchemaError, UnavailableError
from newsintel.runtime.clock import utc_now
from newsintel.storage.bridge import open_bridge
from newsintel.storage.embedded.secret_key_file import kept_keys
from newsintel.storage.embedded.servers import embedded_servers
from newsintel.storage.postgres import migrate as schema
from newsintel.storage.postgres.accounts.account_data import PostgresAccountData
from newsintel.storage.postgres.accounts.accounts import PostgresAccounts
from newsintel.storage.postgres.accounts.api_keys import PostgresKeys
from newsintel.storage.postgres.accounts.tokens import PostgresTokens
from newsintel.storage.postgres.archive.articles import PostgresArchive
from newsintel.storage.postgres.archive.dump import PostgresDump
from newsintel.storage.postgres.archive.indexing import PostgresIndexing
from newsintel.storage.postgres.archive.search import PostgresSearch
from newsintel.storage.postgres.intelligence.likeness import PostgresLikeness
from newsintel.storage.postgres.intelligence.reading import PostgresReading
from newsintel.storage.postgres.intelligence.related import PostgresKinship
from newsintel.storage.postgres.intelligence.save_counts import PostgresSaveCounts
from newsintel.storage.postgres.intelligence.search_marks import PostgresSearchMarks
from newsintel.storage.postgres.intelligence.terms import PostgresTerms
from newsintel.storage.postgres.intelligence.trending import PostgresTrending
from newsintel.storage.postgres.personal.feedback import PostgresFeedback
from newsintel.storage.postgres.personal.history import PostgresHistory
from newsintel.storage.postgres.personal.own_history import PostgresOwnHistory
from newsintel.storage.postgres.personal.preferences import PostgresPreferences
from newsintel.storage.postgres.personal.saved import PostgresSaved
from newsintel.storage.postgres.pool import open_postgres
from newsintel.storage.redis.byte_cache import RedisBytes
from newsintel.storage.redis.counters import RedisCounter
from newsintel.storage.redis.harvests import RedisCache
from newsintel.storage.redis.latencies import RedisLatencies
from newsintel.storage.redis.ledger import RedisLedger
from newsintel.storage.redis.link import open_redis
from newsintel.storage.redis.repeats import RedisRepeats
from newsintel.storage.redis.sessions import RedisSessions
from newsintel.storage.redis.sign_in_attempts import RedisAttempts


@frozen
class Stores:
    """The stores, ready for use. The last four return when the thing is done, and raise UnavailableError when it is not.

    Attributes:
        load: tells how busy the ways to them are; costs no call to either.
        migrate: brings the schema up to date, with the role that may.
        check_schema: raises SchemaError if the schema is missing or older than this version needs.
    """

    archive: Archive
    search: ArchiveSearch
    dump: ArchiveDump
    history: History
    preferences: PreferenceStore
    saved: SavedArticles
    feedback: Feedback
    own_history: OwnHistory
    account_data: AccountData
    search_marks: SearchMarks
    trending: Trending
    likeness: Likeness
    reading: Reading
    text_index: TextIndex
    terms: TermCounts
    save_counts: SaveCounts
    kinship: Kinship
    repeats: Repeats
    cache: HarvestCache
    bytes_cache: ByteCache
    accounts: Accounts
    sessions: Sessions
    api_keys: ApiKeys
    attempts: Attempts
    tokens: TokenStore
    ledger: Ledger
    counter: SharedCounter
    latencies: LatencyStore
    load: Callable[[], StoreLoad]
    postgres_ping: Callable[[], Awaitable[None]]
    redis_ping: Callable[[], Awaitable[None]]
    migrate: Callable[[], Awaitable[None]]
    check_schema: Callable[[], Awaitable[None]]

    async def prepare(self, *, production: bool) -> tuple[str, ...]:
        """Make them fit to serve: migrate in development, check the schema in production, and see whether Redis answers.

        Returns:
            The stores that are away, `postgresql` or `redis`; the service may start without them.

        Raises:
            RefusedError: a store turned us away for good.
            SchemaError: the schema is missing or too old.
        """
        steps = {"postgresql": self.check_schema if production else self.migrate, "redis": self.redis_ping}
        away = []
        for name, step in steps.items():
            try:
                await step()
            except (RefusedError, SchemaError):
                raise
            except UnavailableError:
                away.append(name)
        return tuple(away)


@asynccontextmanager
async def open_stores(settings: Settings, count: Count) -> AsyncIterator[Stores]:
    """Open the stores. Reaching an external server is left to first use, so that one that is away at start is only an outage.

    Owns: the embedded servers, the bridge, both pools; each closes in bounded time.

    Raises:
        EmbeddedServerError: a server of our own did not start.
    """
    embedded = embedded_servers(settings.data_dir, postgres=settings.database_url is None, redis=settings.redis_url is None)
    keep_s = settings.cache_ttl_s + settings.cache_stale_s
    async with embedded as own, open_bridge() as bridge:
        database = settings.database_url or Secret(own.postgres_url or "")
        cache_url = settings.redis_url or Secret(own.redis_url or "")
        async with (
            open_postgres(bridge, database, settings.database_password, settings.database_pool) as postgres,
            open_redis(bridge, cache_url, settings.redis_password) as redis,
        ):
            migrating = bridge.lane("migrating", 1)
            if settings.migrate_database_url:
                owner = (settings.migrate_database_url, settings.migrate_database_password)
            else:
                owner = (database, settings.migrate_database_password or settings.database_password)
            # At first need: a command that seals nothing makes no keys either.
            sealer = cache(lambda: Sealer(settings.secret_keys or kept_keys(settings.data_dir)))
            yield Stores(
                archive=PostgresArchive(postgres),
                search=PostgresSearch(postgres),
                dump=PostgresDump(postgres),
                history=PostgresHistory(postgres),
                preferences=PostgresPreferences(postgres),
                saved=PostgresSaved(postgres),
                feedback=PostgresFeedback(postgres),
                own_history=PostgresOwnHistory(postgres),
                account_data=PostgresAccountData(postgres),
                search_marks=PostgresSearchMarks(postgres),
                trending=PostgresTrending(postgres),
                likeness=PostgresLikeness(postgres, utc_now),
                reading=PostgresReading(postgres),
                text_index=PostgresIndexing(postgres),
                terms=PostgresTerms(postgres),
                save_counts=PostgresSaveCounts(postgres),
                kinship=PostgresKinship(postgres),
                repeats=RedisRepeats(redis),
                cache=RedisCache(redis, keep_s=keep_s, count=count),
                bytes_cache=RedisBytes(redis, count),
                accounts=PostgresAccounts(postgres),
                sessions=RedisSessions(redis, idle_s=settings.session_idle_s, max_s=settings.session_max_s, count=count, now=utc_now),
                api_keys=PostgresKeys(postgres),
                attempts=RedisAttempts(redis, count),
                tokens=PostgresTokens(postgres, sealer),
                ledger=RedisLedger(redis),
                counter=RedisCounter(redis),
                latencies=RedisLatencies(redis),
                load=lambda: StoreLoad({"PostgreSQL": postgres.slots_used, "Redis": redis.slots_used}, redis.breaker_open),
                postgres_ping=postgres.ping,
                redis_ping=redis.ping,
                migrate=lambda: schema.migrate(migrating, *owner, postgres),
                check_schema=lambda: schema.check_schema(postgres),
            )
