"""The ports in memory.

They behave like the real ones without a server. Each can be set to be away.
"""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import trio
from attrs import frozen

from newsintel.domain.archive.model import ArchivePage, ArchiveQuery, Bar, Bucket, Facets, Hit
from newsintel.domain.archive.spooled import load_spooled
from newsintel.domain.bounds.slices import run_all
from newsintel.domain.limits.admission import Start
from newsintel.domain.limits.quotas import OwnStart, OwnStarts, person_of
from newsintel.domain.operations.latencies import Latency
from newsintel.domain.paging import Position
from newsintel.domain.ports import CachedBytes
from newsintel.domain.search.article import ArchivedArticle, Article, Pair
from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.history import SearchRecord
from newsintel.domain.search.ports import ClaimResult
from newsintel.errors import PoisonedBatchError, SpoolFullError, UnavailableError
from tests.make import NOON


class Clock:
    """A wall clock that follows trio's clock, so also the virtual one of a test."""

    def __init__(self) -> None:
        self._start_s = trio.current_time()

    def __call__(self) -> datetime:
        return NOON + timedelta(seconds=trio.current_time() - self._start_s)


class Counts(Counter):
    """A `ports.Count` that can be read, e.g. counts["cache_errors claim"]."""

    def __call__(self, name: str, amount: float = 1, **labels: str) -> None:
        self[" ".join([name, *labels.values()])] += amount


class Seen(dict):
    """A `ports.Observe` that can be read, e.g. seen["fetch_seconds guardian ok"], a list."""

    def __call__(self, name: str, value: float, **labels: str) -> None:
        self.setdefault(" ".join([name, *labels.values()]), []).append(value)


class MemoryLatencies:
    """A `ports.LatencyStore`."""

    def __init__(self) -> None:
        self.kept: dict[date, Counter[Latency]] = {}
        self.away = False

    async def add(self, day: date, counts: Mapping[Latency, int]) -> None:
        await trio.lowlevel.checkpoint()
        if self.away:
            raise UnavailableError("redis is away")
        self.kept.setdefault(day, Counter()).update(counts)

    async def read_totals(self, last: date) -> Mapping[Latency, int]:
        await trio.lowlevel.checkpoint()
        return sum(
            (counts for day, counts in self.kept.items() if 0 <= (last - day).days < 8), Counter()
        )


class MemoryCache:
    """A `ports.HarvestCache`."""

    def __init__(self) -> None:
        self.kept: dict[str, Answer] = {}
        self.locks: dict[str, str] = {}
        self.away = False

    def _check(self) -> None:
        if self.away:
            raise UnavailableError("redis is away")

    async def store(self, answer: Answer, lock_token: str | None) -> None:
        await trio.lowlevel.checkpoint()
        self._check()
        self.kept[answer.harvest.query.key] = answer
        self._release(answer.harvest.query.key, lock_token)

    async def claim(self, key: str, token: str, ttl_s: float) -> ClaimResult:
        await trio.lowlevel.checkpoint()
        self._check()
        return ClaimResult(self.locks.setdefault(key, token) == token, self.kept.get(key))

    async def find_article(self, article_id: str) -> ArchivedArticle | None:
        await trio.lowlevel.checkpoint()
        self._check()
        found = (answer.find_article(article_id) for answer in self.kept.values())
        return next((article for article in found if article is not None), None)

    async def delete_answers(self, keys: Sequence[str]) -> None:
        await trio.lowlevel.checkpoint()
        self._check()
        for key in keys:
            self.kept.pop(key, None)

    async def release_claim(self, key: str, token: str) -> None:
        await trio.lowlevel.checkpoint()
        self._check()
        self._release(key, token)

    def _release(self, key: str, token: str | None) -> None:
        if token is not None and self.locks.get(key) == token:
            del self.locks[key]


class MemoryLedger:
    """A `ports.Ledger` on trio's clock.

    A test can read its starts, and add some as another process would.
    """

    def __init__(self) -> None:
        self.starts: dict[str, dict[str, float]] = {}
        self.away = False

    async def reserve(self, source, terms, name, before, decide):
        await self._answer()
        kept = self.starts.setdefault(source, {})
        kept |= before
        answer = decide(self._spent(source, terms, person_of(name)), trio.current_time())
        if isinstance(answer, Start):
            kept[name] = answer.at_s
        return answer

    async def give_back(self, source, name):
        await self._answer()
        self.starts.get(source, {}).pop(name, None)

    async def read_spent(self, source, terms):
        await self._answer()
        return self._spent(source, terms)

    def _spent(self, source, terms, person=None):
        own = OwnStarts(terms)
        for name, at_s in self.starts.get(source, {}).items():
            own.add(OwnStart(name, at_s, shared=True))
        return own.compute_spent(trio.current_time(), person)

    async def _answer(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.away:
            raise UnavailableError("redis is away")


class MemoryCounter:
    """A `ports.SharedCounter` whose counts never expire."""

    def __init__(self) -> None:
        self.kept: Counter[str] = Counter()
        self.trips = 0
        self.away = False

    async def add(self, key: str, amount: int, ttl_s: int) -> int:
        await trio.lowlevel.checkpoint()
        if self.away:
            raise UnavailableError("redis is away")
        self.trips += 1
        self.kept[key] += amount
        return self.kept[key]


class MemoryBytes:
    """A `ports.ByteCache` whose entries age by trio's clock."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[bytes, float, int]] = {}
        self.away = False

    async def get(self, key: str) -> CachedBytes | None:
        await self._answer()
        data, since_s, ttl_s = self.kept.get(key, (b"", 0.0, 0))
        age_s = trio.current_time() - since_s
        return CachedBytes(data, age_s, ttl_s) if age_s < ttl_s else None

    async def put(self, key: str, data: bytes, ttl_s: int) -> None:
        await self._answer()
        self.kept[key] = (data, trio.current_time(), ttl_s)

    async def delete_keys(self, keys: Sequence[str]) -> None:
        await self._answer()
        for key in keys:
            self.kept.pop(key, None)

    async def _answer(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.away:
            raise UnavailableError("redis is away")


class MemorySearch:
    """A `ports.ArchiveSearch` with the same articles for every query.

    `asked` has the arguments of every call. Positions are numbers.
    """

    def __init__(self, hits: Sequence[Hit] = (), bars: Sequence[Bar] = ()) -> None:
        self.hits = tuple(hits)
        self.bars = tuple(bars)
        self.asked: list[tuple[object, ...]] = []
        self.raises: Exception | None = None
        self.counted_newest: int | None = None

    async def search(self, query: ArchiveQuery, limit: int, after: Position | None) -> ArchivePage:
        await self._answer(query, limit, after)
        start = after.keys[0] if after else 0
        rest = self.hits[start:]
        return ArchivePage(rest[:limit], Position((start + limit,)) if len(rest) > limit else None)

    async def count_timeline(self, query: ArchiveQuery, bucket: Bucket) -> tuple[Bar, ...]:
        await self._answer(query, bucket)
        return self.bars

    async def count_facets(self, query: ArchiveQuery) -> Facets:
        await self._answer(query)
        sources = Counter(hit.article.source for hit in self.hits)
        publishers = Counter(hit.article.publisher for hit in self.hits)
        return Facets(
            tuple(sources.most_common(20)), tuple(publishers.most_common(20)), self.counted_newest
        )

    async def find_archived_sources(self, sources: Sequence[str]) -> frozenset[str]:
        await trio.lowlevel.checkpoint()
        return frozenset(sources) & {hit.article.source for hit in self.hits}

    async def _answer(self, *asked: object) -> None:
        await trio.lowlevel.checkpoint()
        self.asked.append(asked)
        if self.raises:
            raise self.raises


class MemoryArchive:
    """A `ports.Archive`. It refuses a whole call that has an article named in `poisoned`."""

    def __init__(self) -> None:
        self.kept: dict[str, ArchivedArticle] = {}
        self.pairs: list[Pair] = []
        self.buried: dict[str, str] = {}
        self.calls: list[int] = []
        self.poisoned: set[str] = set()
        self.failures: deque[Exception] = deque()
        self.away = False

    async def _answer(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.failures:
            raise self.failures.popleft()
        if self.away:
            raise UnavailableError("postgresql is away")

    async def save_articles(
        self, articles: Sequence[tuple[Article, datetime]], pairs: Sequence[Pair]
    ) -> int:
        await self._answer()
        self.calls.append(len(articles))
        if bad := [article.id for article, _ in articles if article.id in self.poisoned]:
            raise PoisonedBatchError(f"refused {bad}")
        before = len(self.kept)
        for article, fetched_at in articles:
            self.kept[article.id] = ArchivedArticle(article, fetched_at, fetched_at, article.id)
        self.pairs += pairs
        return len(self.kept) - before

    async def store_dead_letter(self, article: Article, reason: str) -> None:
        await self._answer()
        self.buried[article.id] = reason

    async def get_article(self, article_id: str) -> ArchivedArticle | None:
        await self._answer()
        return self.kept.get(article_id)


@frozen
class MemoryEntry:
    """A `ports.SpoolEntry`."""

    data: bytes
    _place: "MemorySpool"

    async def remove(self) -> None:
        self._place.check()
        self._place.taken.remove(self.data)
        self._place.size_bytes -= len(self.data)

    async def give_back(self) -> None:
        self._place.check()
        self._place.taken.remove(self.data)
        self._place.kept.insert(0, self.data)

    async def set_aside(self) -> None:
        self._place.taken.remove(self.data)
        self._place.aside.append(self.data)


class MemorySpool:
    """A `ports.SpoolPlace`."""

    def __init__(self, name: str = "redis", max_bytes: int = 2**20) -> None:
        self.name = name
        self.max_bytes = max_bytes
        self.size_bytes = 0
        self.kept: list[bytes] = []
        self.taken: list[bytes] = []
        self.aside: list[bytes] = []
        self.away = False

    def check(self) -> None:
        """Raise if the place is away."""
        if self.away:
            raise UnavailableError("the place is away")

    async def add(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        self.check()
        if self.size_bytes + len(data) > self.max_bytes:
            raise SpoolFullError("no room")
        self.kept.append(data)
        self.size_bytes += len(data)

    async def take(self) -> MemoryEntry | None:
        await trio.lowlevel.checkpoint()
        self.check()
        if not self.kept:
            return None
        self.taken.append(self.kept.pop(0))
        return MemoryEntry(self.taken[-1], self)

    def read_articles(self) -> list[str]:
        """The ids of the articles that wait."""
        entries = [run_all(load_spooled(data)) for data in self.kept]
        return [article.id for entry in entries for article, _ in entry.rows]


class MemoryHistory:
    """A `ports.History`."""

    def __init__(self) -> None:
        self.kept: list[SearchRecord] = []
        self.away = False

    async def record_searches(self, searches: Sequence[SearchRecord]) -> None:
        await trio.lowlevel.checkpoint()
        if self.away:
            raise UnavailableError("postgresql is away")
        self.kept += searches

    async def prune_searches(self, before: datetime) -> int:
        await trio.lowlevel.checkpoint()
        if self.away:
            raise UnavailableError("postgresql is away")
        young = [search for search in self.kept if search.searched_at >= before]
        pruned, self.kept = len(self.kept) - len(young), young
        return pruned
