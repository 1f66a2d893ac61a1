"""Everything that newsintel keeps, by context."""

from collections.abc import Awaitable, Callable

from attrs import frozen

from newsintel.domain.accounts.ports import Accounts, ApiKeys, Attempts, Sessions, TokenStore
from newsintel.domain.archive.ports import Archive, ArchiveDump, ArchiveSearch, TextIndex
from newsintel.domain.intelligence.ports import Kinship, Likeness, Reading, SaveCounts, SearchMarks, TermCounts, Trending
from newsintel.domain.limits.ports import Ledger
from newsintel.domain.operations.ports import LatencyStore, StoreLoad
from newsintel.domain.personal.ports import AccountData, Feedback, History, OwnHistory, PreferenceStore, SavedArticles
from newsintel.domain.ports import ByteCache, Repeats, SharedCounter
from newsintel.domain.search.ports import HarvestCache
from newsintel.errors import RefusedError, SchemaError, UnavailableError


@frozen(kw_only=True)
class SearchStores:
    """The answers that are kept."""

    harvests: HarvestCache
    bytes_cache: ByteCache


@frozen(kw_only=True)
class ArchiveStores:
    """The archive: `articles` writes it."""

    articles: Archive
    search: ArchiveSearch
    dump: ArchiveDump
    text_index: TextIndex


@frozen(kw_only=True)
class AccountStores:
    """Accounts: `directory` has the accounts themselves."""

    directory: Accounts
    sessions: Sessions
    api_keys: ApiKeys
    attempts: Attempts
    tokens: TokenStore


@frozen(kw_only=True)
class PersonalStores:
    """What people keep here."""

    preferences: PreferenceStore
    saved: SavedArticles
    feedback: Feedback
    history: History
    own_history: OwnHistory
    repeats: Repeats
    account_data: AccountData


@frozen(kw_only=True)
class IntelligenceStores:
    """What is made of what people search for and read."""

    search_marks: SearchMarks
    trending: Trending
    kinship: Kinship
    likeness: Likeness
    reading: Reading
    terms: TermCounts
    save_counts: SaveCounts


@frozen(kw_only=True)
class LimitStores:
    """What all processes count together."""

    ledger: Ledger
    counter: SharedCounter


@frozen(kw_only=True)
class OperationStores:
    """What operators look at.

    Attributes:
        load: tells how busy the ways to the stores are; costs no call to either.
        ping_postgres: returns if PostgreSQL answers, else raises UnavailableError.
        ping_redis: the same of Redis.
    """

    latencies: LatencyStore
    load: Callable[[], StoreLoad]
    ping_postgres: Callable[[], Awaitable[None]]
    ping_redis: Callable[[], Awaitable[None]]


@frozen(kw_only=True)
class Stores:
    """The stores, ready for use.

    Attributes:
        migrate: brings the schema up to date, with the role that may; raises UnavailableError if it could not.
        check_schema: raises SchemaError if the schema is missing or older than this version needs.
    """

    search: SearchStores
    archive: ArchiveStores
    accounts: AccountStores
    personal: PersonalStores
    intelligence: IntelligenceStores
    limits: LimitStores
    operations: OperationStores
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
        steps = {"postgresql": self.check_schema if production else self.migrate, "redis": self.operations.ping_redis}
        away = []
        for name, step in steps.items():
            try:
                await step()
            except (RefusedError, SchemaError):
                raise
            except UnavailableError:
                away.append(name)
        return tuple(away)
