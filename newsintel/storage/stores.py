"""The stores of newsintel, grouped by context."""

from collections.abc import Awaitable, Callable

from attrs import frozen

from newsintel.domain.accounts.ports import Accounts, ApiKeys, Attempts, Sessions, TokenStore
from newsintel.domain.alerts.delivery_ports import Deliveries
from newsintel.domain.alerts.ports import AlertMatching, SavedSearches
from newsintel.domain.archive.bulk import BulkFiles
from newsintel.domain.archive.ports import (
    Archive,
    ArchiveDump,
    ArchiveSearch,
    ArticleChecks,
    ArticlePruning,
    SpoolPlace,
    StoryGroups,
    TextIndex,
)
from newsintel.domain.feeds.ports import FeedStore
from newsintel.domain.intelligence.ports import (
    Likeness,
    Reading,
    RelatedSearches,
    SaveCounts,
    SearchMarks,
    TermCounts,
    Trending,
)
from newsintel.domain.limits.ports import Ledger
from newsintel.domain.operations.ports import LatencyStore, StoreLoad
from newsintel.domain.personal.ports import (
    AccountData,
    Feedback,
    History,
    NotSame,
    OwnHistory,
    PreferenceStore,
    PrivateFeeds,
    SavedArticles,
)
from newsintel.domain.ports import ByteCache, Repeats, SharedCounter
from newsintel.domain.reader.ports import ReaderArticles, ReadMarks
from newsintel.domain.search.ports import HarvestCache
from newsintel.errors import SchemaError, StoreRefusedError, UnavailableError


@frozen(kw_only=True)
class SearchStores:
    """The caches of search answers."""

    harvests: HarvestCache
    bytes_cache: ByteCache


@frozen(kw_only=True)
class ArchiveStores:
    """The archive; `articles` is what writes to it.

    Attributes:
        feeds: the feeds that are polled.
        reader: the articles, for feed readers.
        spool: where entries wait while PostgreSQL is away, in the order in which places are tried.
    """

    articles: Archive
    search: ArchiveSearch
    dump: ArchiveDump
    text_index: TextIndex
    stories: StoryGroups
    feeds: FeedStore
    pruning: ArticlePruning
    checks: ArticleChecks
    bulk_files: BulkFiles
    reader: ReaderArticles
    spool: tuple[SpoolPlace, ...]


@frozen(kw_only=True)
class AccountStores:
    """Accounts; `directory` holds the accounts themselves."""

    directory: Accounts
    sessions: Sessions
    api_keys: ApiKeys
    attempts: Attempts
    tokens: TokenStore


@frozen(kw_only=True)
class PersonalStores:
    """What signed-in people store."""

    preferences: PreferenceStore
    saved: SavedArticles
    feedback: Feedback
    feeds: PrivateFeeds
    not_same: NotSame
    read_marks: ReadMarks
    history: History
    own_history: OwnHistory
    repeats: Repeats
    account_data: AccountData


@frozen(kw_only=True)
class AlertStores:
    """Saved searches, and the alerts that they send."""

    searches: SavedSearches
    matching: AlertMatching
    deliveries: Deliveries


@frozen(kw_only=True)
class IntelligenceStores:
    """What newsintel derives from what people search for and read."""

    search_marks: SearchMarks
    trending: Trending
    related_searches: RelatedSearches
    likeness: Likeness
    reading: Reading
    terms: TermCounts
    save_counts: SaveCounts


@frozen(kw_only=True)
class LimitStores:
    """Counts that all processes share."""

    ledger: Ledger
    counter: SharedCounter


@frozen(kw_only=True)
class OperationStores:
    """What operators monitor.

    Attributes:
        load: returns how busy the connections to the stores are, without a call to a store.
        ping_postgres: returns if PostgreSQL takes writes, else raises UnavailableError.
        ping_redis: returns if Redis takes writes, else raises UnavailableError.
    """

    latencies: LatencyStore
    load: Callable[[], StoreLoad]
    ping_postgres: Callable[[], Awaitable[None]]
    ping_redis: Callable[[], Awaitable[None]]


@frozen(kw_only=True)
class Stores:
    """The stores, ready for use.

    Attributes:
        migrate: brings the schema up to date, with the role that may change it; raises
            UnavailableError if it fails.
        check_schema: raises SchemaError if the schema is missing or older than this version needs.
    """

    search: SearchStores
    archive: ArchiveStores
    accounts: AccountStores
    personal: PersonalStores
    alerts: AlertStores
    intelligence: IntelligenceStores
    limits: LimitStores
    operations: OperationStores
    migrate: Callable[[], Awaitable[None]]
    check_schema: Callable[[], Awaitable[None]]

    async def prepare(self, *, production: bool) -> tuple[str, ...]:
        """Prepare the stores: migrate in development, check the schema in production, ping Redis.

        Returns:
            The unavailable stores, `postgresql` or `redis`; the service may start without them.

        Raises:
            StoreRefusedError: a store refuses this service; a retry cannot succeed.
            SchemaError: the schema is missing or too old.
        """
        steps = {
            "postgresql": self.check_schema if production else self.migrate,
            "redis": self.operations.ping_redis,
        }
        away = []
        for name, step in steps.items():
            try:
                await step()
            except (StoreRefusedError, SchemaError):
                raise
            except UnavailableError:
                away.append(name)
        return tuple(away)
