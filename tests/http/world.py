"""A small world for the tests of routes: desk, health and settings in memory."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import trio
from attrs import define, field, frozen

from newsintel.config.reading import read_settings
from newsintel.config.settings import Settings
from newsintel.config.values import Quota, Secret, SourceOptions, parse_secret
from newsintel.domain.accounts.model import Caller
from newsintel.domain.accounts.persons import Persons
from newsintel.domain.alerts.mail_tokens import PURPOSE as MAIL_TOKENS
from newsintel.domain.alerts.streams import FollowedStreams
from newsintel.domain.bounds.sized_cache import SizedCache
from newsintel.domain.intelligence.marks import SearchMarker
from newsintel.domain.limits.ports import SourceState
from newsintel.domain.operations.ports import Phase, StoreHealth
from newsintel.domain.paging import CURSOR_PURPOSE, Cursors
from newsintel.domain.reader.streams import FeedStreams
from newsintel.domain.search.article import ArchivedArticle, Article, Group, Member
from newsintel.domain.search.freshness import Windows
from newsintel.domain.search.harvest import (
    Answer,
    Harvest,
    Merge,
    Origin,
    Ranked,
    Reply,
    ScoreParts,
    Via,
)
from newsintel.domain.search.history import SearchRecord
from newsintel.domain.search.outcome import FetchCaller, FetchOutcome, Status
from newsintel.domain.search.query_model import Dedupe, Query
from newsintel.domain.security.keys import Signer
from newsintel.errors import BusyError
from newsintel.http.response.kept_answer import KEPT_BYTES
from newsintel.http.services import (
    AccountServices,
    AlertServices,
    IntelligenceServices,
    LimitServices,
    OperationServices,
    PersonalServices,
    ReaderServices,
    SearchServices,
    Services,
)
from newsintel.outbound.oauth.links import AccountLinks
from newsintel.runtime.intelligence.recommender import Recommender
from newsintel.runtime.intelligence.talked_about import TalkedAbout
from newsintel.runtime.limits.limiter import Limiter
from newsintel.runtime.limits.lookups import LookUps
from newsintel.runtime.make_once import MakeOnce
from newsintel.runtime.personal.preference_cache import PreferenceCache
from newsintel.runtime.personal.recording import Recording
from newsintel.runtime.search.flight import Flight, FlightEvent, Landed
from newsintel.runtime.search.ports import FlightEvents
from newsintel.runtime.search.running import RunningSearch
from newsintel.runtime.telemetry import scraping
from newsintel.runtime.telemetry.metrics import Metrics
from tests.fakes.accounts import (
    MemoryAccounts,
    MemoryAttempts,
    MemoryKeys,
    MemorySessions,
    MemoryTokens,
    ScriptedProvider,
)
from tests.fakes.alerts import MemoryDeliveries, MemorySavedSearches
from tests.fakes.basics import MemoryBytes, MemoryCache, MemorySearch
from tests.fakes.feeds import MemoryFeeds
from tests.fakes.likeness import MemoryLikeness
from tests.fakes.personal import (
    MemoryAccountData,
    MemoryFeedback,
    MemoryNotSame,
    MemoryOwnHistory,
    MemoryPreferences,
    MemoryPrivateFeeds,
    MemorySaved,
)
from tests.fakes.reader import MemoryReaderArticles, MemoryReadMarks
from tests.fakes.reading import MemoryReading
from tests.fakes.searches import MemoryRelatedSearches, MemorySearchMarks, MemoryTrending

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

SOURCES = (
    SourceOptions("newsapi", "https://newsapi.test", 0, Quota(100, 86400), {"KEY": parse_secret}),
    SourceOptions("guardian", "https://guardian.test", 1.0, None, {"KEY": parse_secret}),
)


def settings(**environ: str) -> Settings:
    """Return settings with two sources, of which the Guardian has a key."""
    return read_settings(
        SOURCES,
        {"NEWSINTEL_GUARDIAN_KEY": "guardian-key", "NEWSINTEL_DATA_DIR": "/nowhere"} | environ,
    )


def article(number: int) -> Article:
    """Return the article with this number; its id follows from the number."""
    digits = "".join("abcdefghij"[int(digit)] for digit in str(number))
    url = f"https://example.org/{number}"
    return Article(
        f"a_{digits:a>20}",
        "guardian",
        url,
        url,
        url,
        f"Title {number}",
        "The Guardian",
        NOW - timedelta(hours=number),
    )


def outcome(status: Status = Status.OK, source: str = "guardian", **more: Any) -> FetchOutcome:
    """Return an outcome of now."""
    return FetchOutcome(source, status, **({"fetched_at": NOW, "latency_ms": 312.4} | more))


def answer(query: Query, *outcomes: FetchOutcome, articles: int = 3, **more: Any) -> Answer:
    """Return an answer fetched now, with this number of articles."""
    found = tuple(article(number) for number in range(1, articles + 1))
    harvest_of = {"fetched_at": NOW} | {
        name: more.pop(name) for name in ("fetched_at", "origin") if name in more
    }
    outcomes = outcomes or (
        outcome(Status.DISABLED, "newsapi", latency_ms=None),
        outcome(articles=found, returned=articles),
    )
    ranked = tuple(
        Ranked(Group((Member(one),), one), ScoreParts(0.3, 0.1, 0.05, 0.05, 0.0, 0.0))
        for one in found
    )
    return Answer(
        Harvest(query, outcomes=outcomes, **harvest_of), Merge(Dedupe.NORMAL, ranked), **more
    )


@frozen
class Flown:
    """A flight that has landed."""

    landed: Answer

    async def wait_for_events(self, seen: int) -> Sequence[FlightEvent]:
        """Return its one event."""
        await trio.lowlevel.checkpoint()
        return [Landed(self.landed, asked=True)][seen:]


@define
class Desk:
    """A desk that answers every query with what the test arranged."""

    via: Via = Via.MISS
    made_by: Any = answer
    raises: BaseException | None = None
    open: trio.Event | None = None
    flight: Flight | None = None
    renews: bool = False
    renewed: list[tuple[Query, datetime, Caller]] = field(factory=list)
    asked: list[Query] = field(factory=list)
    arrived: trio.Event = field(factory=trio.Event)
    left: trio.Event = field(factory=trio.Event)
    flights: int = 0
    archived: dict[str, ArchivedArticle] = field(factory=dict)

    async def search(self, query: Query, asker: Caller) -> Reply:
        """Return the arranged answer."""
        self.asked.append(query)
        self.arrived.set()
        await trio.lowlevel.checkpoint()
        if self.raises:
            raise self.raises
        if self.open is not None:
            try:
                await self.open.wait()
            except trio.Cancelled:
                self.left.set()
                raise
        return Reply(self.made_by(query), self.via)

    async def begin_search(self, query: Query, asker: Caller) -> Reply | RunningSearch:
        """Return a search that waits for `flight`; without one, the arranged answer."""
        if self.flight is None:
            return await self.search(query, asker)
        self.asked.append(query)
        self.arrived.set()
        await trio.lowlevel.checkpoint()

        async def join_again() -> Flight | Reply:
            raise AssertionError("this caller gets what the flight brings")

        return RunningSearch(
            self.flight, collapsed=False, build_asker=FetchCaller, join_again=join_again
        )

    async def serve_while_renewing(self, query: Query, fetched_at: datetime, asker: Caller) -> bool:
        """Note the request and return whether the desk renews."""
        await trio.lowlevel.checkpoint()
        self.renewed.append((query, fetched_at, asker))
        return self.renews

    def join_flight(self, query: Query, *, signed_in: bool) -> FlightEvents:
        """Return a flight that has landed already."""
        return Flown(self.made_by(query))

    async def get_article(self, article_id: str) -> ArchivedArticle | None:
        """Return one of `archived`."""
        await trio.lowlevel.checkpoint()
        if self.raises:
            raise self.raises
        return self.archived.get(article_id)


@define
class Health:
    """Health as the test arranged it. Each check of the stores is counted."""

    life: Phase = Phase.SERVING
    found: StoreHealth | None = StoreHealth(postgresql=True, redis=True)
    pings: int = 0
    silent: Sequence[str] = ()

    def get_phase(self) -> Phase:
        """Return the arranged phase."""
        return self.life

    def get_stores(self) -> StoreHealth | None:
        """Return the arranged state of the stores."""
        return self.found

    def list_silent_actors(self) -> Sequence[str]:
        """Return the arranged actors."""
        return self.silent

    async def check_stores(self) -> None:
        """Count a check; it changes nothing."""
        self.pings += 1
        await trio.lowlevel.checkpoint()


@define
class States:
    """The states of the sources as the test arranged them."""

    known: dict[str, SourceState]
    looked: int = 0

    def __call__(self) -> dict[str, SourceState]:
        """Return the arranged states."""
        return self.known

    async def refresh_quotas(self) -> None:
        """Count a look at the calls of other processes."""
        self.looked += 1
        await trio.lowlevel.checkpoint()


@define
class World:
    """Everything that the routes need."""

    settings: Settings = field(factory=settings)
    desk: Desk = field(factory=Desk)
    archive: MemorySearch = field(factory=MemorySearch)
    public_feeds: MemoryFeeds = field(factory=MemoryFeeds)
    bytes_cache: MemoryBytes = field(factory=MemoryBytes)
    likeness: MemoryLikeness = field(factory=MemoryLikeness)
    accounts: MemoryAccounts = field(factory=MemoryAccounts)
    sessions: MemorySessions = field(factory=MemorySessions)
    attempts: MemoryAttempts = field(factory=MemoryAttempts)
    tokens: MemoryTokens = field(factory=MemoryTokens)
    provider: ScriptedProvider = field(factory=ScriptedProvider)
    api_keys: MemoryKeys = field(init=False)
    feeds: MemoryPrivateFeeds = field(init=False)
    lookups: LookUps = field(init=False)
    reading: MemoryReading = field(init=False)
    reader_articles: MemoryReaderArticles = field(factory=MemoryReaderArticles)
    read_marks: MemoryReadMarks = field(init=False)
    health: Health = field(factory=Health)
    states: dict[str, SourceState] = field(factory=dict)
    requests: Limiter | None = None
    misses: Limiter | None = None
    now: datetime = NOW
    metrics: Metrics = field(factory=Metrics)
    preferences: MemoryPreferences = field(factory=MemoryPreferences)
    saved: MemorySaved = field(factory=MemorySaved)
    saved_searches: MemorySavedSearches = field(factory=MemorySavedSearches)
    deliveries: MemoryDeliveries = field(factory=MemoryDeliveries)
    feedback: MemoryFeedback = field(factory=MemoryFeedback)
    not_same: MemoryNotSame = field(factory=MemoryNotSame)
    own_history: MemoryOwnHistory = field(factory=MemoryOwnHistory)
    harvests: MemoryCache = field(factory=MemoryCache)
    marking: SearchMarker = field(factory=lambda: SearchMarker([Secret("A" * 43)]))
    search_marks: MemorySearchMarks = field(factory=MemorySearchMarks)
    trending: MemoryTrending = field(factory=MemoryTrending)
    kinship: MemoryRelatedSearches = field(factory=MemoryRelatedSearches)
    inbox: tuple[trio.MemorySendChannel[SearchRecord], trio.MemoryReceiveChannel[SearchRecord]] = (
        field(factory=lambda: trio.open_memory_channel[SearchRecord](2))
    )

    def __attrs_post_init__(self) -> None:
        self.api_keys = MemoryKeys(self.accounts)
        self.feeds = MemoryPrivateFeeds(self.accounts)
        self.lookups = LookUps(3, self.metrics.count)
        self.read_marks = MemoryReadMarks(self.saved)
        self.reading = MemoryReading(
            self.saved, self.feedback, self.own_history, self.desk.archived
        )

    @property
    def services(self) -> Services:
        """The services that `create_app` takes."""
        preferences = PreferenceCache(self.preferences)
        talked = TalkedAbout(
            self.trending, self.archive, self.reading, self.likeness, self.settings.trending_floor
        )
        return Services(
            settings=self.settings,
            now=lambda: self.now,
            count=self.metrics.count,
            cursors=Cursors(Signer([Secret("A" * 43)], CURSOR_PURPOSE)),
            search=SearchServices(
                desk=self.desk,
                windows=Windows.from_settings(self.settings),
                harvests=self.harvests,
                bytes_cache=self.bytes_cache,
                answers=MakeOnce(own_failures=BusyError),
                kept=SizedCache(KEPT_BYTES),
            ),
            archive=self.archive,
            feeds=self.public_feeds,
            accounts=AccountServices(
                directory=self.accounts,
                persons=Persons([Secret("A" * 43)]),
                sessions=self.sessions,
                api_keys=self.api_keys,
                attempts=self.attempts,
                links=AccountLinks(self.tokens, {"reddit": self.provider}),
                providers={"reddit": self.provider},
            ),
            personal=PersonalServices(
                preferences=preferences,
                saved=self.saved,
                feedback=self.feedback,
                feeds=self.feeds,
                not_same=self.not_same,
                own_history=self.own_history,
                recording=Recording(self.inbox[0], [Secret("A" * 43)], self.metrics.count),
                account_data=MemoryAccountData(
                    self.accounts,
                    self.preferences,
                    self.saved,
                    self.feedback,
                    self.own_history,
                    self.feeds,
                    self.not_same,
                    self.read_marks,
                ),
            ),
            alerts=AlertServices(
                searches=self.saved_searches,
                deliveries=self.deliveries,
                mail_signer=Signer([Secret("A" * 43)], MAIL_TOKENS),
            ),
            reader=ReaderServices(
                streams=FollowedStreams(FeedStreams(self.feeds), self.saved_searches),
                articles=self.reader_articles,
                marks=self.read_marks,
            ),
            intelligence=IntelligenceServices(
                marking=self.marking,
                search_marks=self.search_marks,
                trending=self.trending,
                kinship=self.kinship,
                likeness=self.likeness,
                recommender=Recommender(
                    self.reading,
                    self.likeness,
                    talked,
                    preferences.get_preferences,
                    lambda: self.now,
                ),
            ),
            limits=LimitServices(
                requests=self.requests,
                misses=self.misses,
                lookups=self.lookups,
                source_states=States(self.states),
            ),
            operations=OperationServices(
                health=self.health, exposition=partial(scraping.format_exposition, self.metrics)
            ),
        )


def stale(query: Query, *refused: Status) -> Answer:
    """Return an hour-old answer that replaces a refresh which failed in these ways."""
    old = NOW - timedelta(hours=1)
    return answer(
        query,
        outcome(fetched_at=old),
        fetched_at=old,
        origin=Origin.STALE,
        refused=tuple(
            outcome(status, source)
            for status, source in zip(refused, ("guardian", "newsapi"), strict=False)
        ),
    )
