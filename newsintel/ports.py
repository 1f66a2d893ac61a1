"""What actors and routes need of the outside world, as Protocols: adapters fulfil them, tests fulfil them in memory.

Every method is trio-flavoured. A method of `HarvestCache`, `Archive` or `History` raises `UnavailableError` (`BusyError` when no slot was
free) and nothing else that is foreseen; callers decide what an absent store costs.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from attrs import frozen

from newsintel.account_model import Caller
from newsintel.admission import Start, Turned
from newsintel.archive_model import ArchivePage, ArchiveQuery, Bar, Bucket, Facets, Hit, Position
from newsintel.latencies import Latency
from newsintel.model import (
    Answer,
    ArchivedArticle,
    Article,
    FlightEvent,
    Page,
    Pair,
    Query,
    Refusal,
    Reply,
    SearchRecord,
    Status,
)
from newsintel.quotas import Spent, Terms


class WallClock(Protocol):
    """Tells the time of day as aware UTC; deadlines use trio's clock instead."""

    def __call__(self) -> datetime:
        """The time now."""
        ...


class Count(Protocol):
    """Adds to one of the counters that `telemetry.COUNTERS` declares."""

    def __call__(self, name: str, amount: float = 1, **labels: str) -> None:
        """E.g. `count("cache_errors", operation="claim")`."""
        ...


class Observe(Protocol):
    """Adds a value to one of the histograms that `telemetry.HISTOGRAMS` declares."""

    def __call__(self, name: str, value: float, **labels: str) -> None:
        """E.g. `observe("fetch_seconds", 0.31, source="guardian", status="ok")`."""
        ...


class Upstream(Protocol):
    """One source, reached over the network."""

    async def fetch(self, query: Query) -> Page | Refusal:
        """Ask once. Bounded by the caller's cancel scope; every foreseen failure is a Refusal."""
        ...

    def ignored(self, query: Query) -> tuple[str, ...]:
        """The query's parameters that this source cannot apply."""
        ...

    async def keep_ready(self) -> None:
        """Upkeep outside any search (an app-only token, say), for as long as the service runs; returns at once if there is none."""
        ...


@frozen
class Claimed:
    """What claiming a key found: whether the claim is now ours, and what is kept under the key at that moment, however old."""

    held: bool
    answer: Answer | None


class HarvestCache(Protocol):
    """Redis, as the merger and the cache writer see it: harvests, each with its default merge."""

    async def store(self, answer: Answer, lock_token: str | None) -> None:
        """Keep an answer for CACHE_TTL_S + CACHE_STALE_S and release the lock, in one operation."""
        ...

    async def claim(self, key: str, token: str, ttl_s: float) -> Claimed:
        """Claim the fan-out of a key among processes, unless another holds it, and look what is kept. The claim lapses after `ttl_s`."""
        ...

    async def unlock(self, key: str, token: str) -> None:
        """Give the claim back if `token` still holds it."""
        ...

    async def forget(self, keys: Sequence[str]) -> None:
        """Keep the answers of these keys no longer."""
        ...


class Ledger(Protocol):
    """Redis, as the fetchers see it: the starts of every process's calls to each source. Times are trio's, in seconds.

    Raises UnavailableError; whether what was asked for was done is then not known.
    """

    async def reserve(
        self, source: str, terms: Terms, name: str, before: Mapping[str, float], decide: Callable[[Spent, float], Start | Turned]
    ) -> Start | Turned:
        """Enter a start, such that no process's start comes in between what was decided upon and the entry.

        Args:
            source: whose ledger.
            terms: tells which starts matter.
            name: of the start, unlike any other's.
            before: starts that could not be entered when they were made, by name; they are entered first.
            decide: says by what was spent, and the time at which that was so, when the start may be. Called once or more.
        """
        ...

    async def give_back(self, source: str, name: str) -> None:
        """Strike a start out whose call was never made."""
        ...

    async def spent(self, source: str, terms: Terms) -> Spent:
        """What is spent at this moment."""
        ...


class SharedCounter(Protocol):
    """Redis, as the limits on persons see it."""

    async def add(self, key: str, amount: int, ttl_s: int) -> int:
        """Add to a counter that is forgotten `ttl_s` seconds after the last addition; its new value. Raises UnavailableError."""
        ...


@frozen
class Kept:
    """Bytes that a cache kept, for how many seconds so far, and for how many in all."""

    data: bytes
    age_s: float
    ttl_s: int


class ByteCache(Protocol):
    """Redis, as routes see it that keep finished answers for a while. Raises UnavailableError, which is as good as a miss."""

    async def get(self, key: str) -> Kept | None:
        """What is kept under a key; None if there is nothing or it cannot be read."""
        ...

    async def put(self, key: str, data: bytes, ttl_s: int) -> None:
        """Keep bytes for `ttl_s` whole seconds."""
        ...

    async def forget(self, keys: Sequence[str]) -> None:
        """Keep nothing under these keys any longer."""
        ...


class LatencyStore(Protocol):
    """Redis, as the latency writer and the `deadlines` command see it. Nothing in it is older than eight days."""

    async def add(self, day: date, counts: Mapping[Latency, int]) -> None:
        """Add to the counts of a day; several processes may. Not to be tried again: whether a failed call counted is not known."""
        ...

    async def read(self, last: date) -> Mapping[Latency, int]:
        """The counts of a day and of the seven before it, added up."""
        ...


class Archive(Protocol):
    """PostgreSQL, as the persister and the desk see it."""

    async def save(self, articles: Sequence[tuple[Article, datetime]], pairs: Sequence[Pair]) -> int:
        """Upsert articles with the time each was fetched, then pairs between archived articles; idempotent.

        Returns:
            How many articles the archive had never seen.

        Raises:
            PoisonedBatchError: the content of a row was refused; nothing of the call was kept.
        """
        ...

    async def bury(self, article: Article, reason: str) -> None:
        """Keep an article that can never be saved where an operator can find it, with the reason."""
        ...

    async def article(self, article_id: str) -> ArchivedArticle | None:
        """One article by its public id."""
        ...


class ArchiveDump(Protocol):
    """PostgreSQL, as an export sees it."""

    async def page(self, after: str | None, limit: int) -> tuple[Hit, ...]:
        """The articles archived next after one (None: from the first), in the order in which they came; () after the last."""
        ...


class TextIndex(Protocol):
    """PostgreSQL, as the indexer sees it."""

    async def read_some(self) -> int:
        """Read the words of some articles of which they are still to be read, the latest first; how many that were."""
        ...


class ArchiveSearch(Protocol):
    """PostgreSQL, as the archive's routes and the merger see it.

    Each method also raises `ArchiveTimeoutError` when a query takes longer than it may.
    """

    async def search(self, query: ArchiveQuery, limit: int, after: Position | None) -> ArchivePage:
        """Up to `limit` matches after a position, in the query's order."""
        ...

    async def timeline(self, query: ArchiveQuery, bucket: Bucket) -> tuple[Bar, ...]:
        """Matches per bucket, from the first wanted moment (or match) to the last, empty buckets included.

        Raises:
            InvalidParameterError: it would be more than 1,000 buckets; names `bucket`.
        """
        ...

    async def facets(self, query: ArchiveQuery) -> Facets:
        """The commonest sources and publishers among the newest 10,000 matches or somewhat more; among all if there are fewer."""
        ...

    async def held(self, sources: Sequence[str]) -> frozenset[str]:
        """Those of some sources of which there are articles."""
        ...


class History(Protocol):
    """The search history, as the recorder and the janitor see it."""

    async def record(self, searches: Sequence[SearchRecord]) -> None:
        """Append searches."""
        ...

    async def prune(self, before: datetime) -> int:
        """Delete the searches made before a moment, in short transactions; two at once share the work.

        Returns:
            How many it deleted. What it had deleted when it raised stays deleted.
        """
        ...


class Joined(Protocol):
    """A flight, as its waiters see it: late joiners replay, a leaver disturbs nothing."""

    async def after(self, seen: int) -> Sequence[FlightEvent]:
        """The events from index `seen` on; waits until there is at least one."""
        ...


class Desk(Protocol):
    """Where routes and commands ask."""

    async def search(self, query: Query, asker: Caller) -> Reply:
        """Answer a query: from memory, from a flight in the air, or from a new one.

        Raises:
            OverloadedError: a new flight was needed and every place is taken.
            RateLimitedError: a new flight was needed, and the asker has had as many as a person may.
            FlightBugError: a bug ended the flight.
        """
        ...

    async def renewing(self, query: Query, fetched_at: datetime, asker: Caller) -> bool:
        """Whether the answer fetched then is the one in memory, and may be given while it is renewed."""
        ...

    def join(self, query: Query, *, signed_in: bool) -> Joined:
        """The flight of a query, started at nobody's cost if none is in the air. Raises OverloadedError."""
        ...

    async def article(self, article_id: str) -> ArchivedArticle | None:
        """One article by its public id: from recent answers, else from the archive. Raises UnavailableError."""
        ...


@frozen
class SourceState:
    """How one source stands at this moment, as its fetcher knows it.

    Attributes:
        blocked: why it would not be asked now; None = it would be.
        retry_at: when it will be asked again, if it is blocked and that is known.
        quota_left: calls left in its quota's window; None = it has no quota.
    """

    blocked: Status | None = None
    retry_at: datetime | None = None
    quota_left: int | None = None


class SourceStates(Protocol):
    """Tells how the sources stand; costs no call to any of them."""

    def __call__(self) -> Mapping[str, SourceState]:
        """Every enabled source by name, as this process last knew it."""
        ...

    async def look(self) -> None:
        """Learn what other processes have spent of the quotas; with Redis away nothing is learned."""
        ...


class Phase(StrEnum):
    """Where the service is in its life."""

    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"


@frozen
class Stores:
    """Whether each store answers."""

    postgresql: bool
    redis: bool


@frozen
class StoreLoad:
    """How busy the ways to the stores are.

    Attributes:
        slots_used: operations that run now, by store.
        redis_breaker_open: whether Redis is left alone because it has not been answering.
    """

    slots_used: Mapping[str, int]
    redis_breaker_open: bool


class Health(Protocol):
    """What the health routes ask of the composition root."""

    def alive(self) -> bool:
        """True while every loop of the service lives. Touches no store."""
        ...

    def phase(self) -> Phase:
        """Where the service is in its life."""
        ...

    def enter(self, phase: Phase) -> None:
        """Go on to the next phase; the composition root alone calls this."""
        ...

    async def stores(self) -> Stores:
        """Ask each store for a sign of life, within the store's own time limit; a store that fails is False, never an exception."""
        ...
