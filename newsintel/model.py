"""The values that travel through newsintel, in the order they flow: query, article, outcome, merge, harvest, answer.

All are frozen. Times are aware UTC; a field that counts seconds or milliseconds says so in its name.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from newsintel.errors import NewsIntelError


class Sort(StrEnum):
    """The order asked for; also sent upstream, so it is part of a harvest's key."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    POPULAR = "popular"


class Dedupe(StrEnum):
    """How alike two titles must be to count as one story. A view: it never costs an upstream call."""

    NORMAL = "normal"
    STRICT = "strict"
    OFF = "off"


@frozen
class Term:
    """A word, or a phrase of several words in a row, as the person typed it: in NFC, unquoted, in its own case.

    Attributes:
        phrase: a function word that was quoted is one too: "it".
    """

    text: str
    phrase: bool = False


@frozen
class Clause:
    """One alternative of a query: every `wanted` term and none of the `unwanted`. `wanted` is never empty."""

    wanted: tuple[Term, ...]
    unwanted: tuple[Term, ...] = ()


@frozen
class Query:
    """What changes a fetch. Built by `query.build` alone, which also computes `key`.

    Attributes:
        text: q as typed, in NFC, trimmed and with folded spaces; 1 to 256 code points.
        clauses: the same as alternatives (OR) of clauses (AND).
        sources: every source selected, in founder order, those without a key included.
        start: first moment wanted, inclusive, or None.
        end: last moment wanted, inclusive, or None.
        language: two lower-case letters, or None.
        key: 32 hex digits; equal for queries that fetch the same, in whatever case their words are.
    """

    text: str
    clauses: tuple[Clause, ...]
    sources: tuple[str, ...]
    start: datetime | None
    end: datetime | None
    language: str | None
    sort: Sort
    key: str


@frozen
class Engagement:
    """What readers did, as a source counts it."""

    points: int
    comments: int


@frozen
class Article:
    """One article, post or video, normalised by its source's adapter. All text is plain text.

    Attributes:
        id: `a_` and the first 20 lower-case base32 characters of SHA-256(canonical_url); the public id.
        source: the adapter's name, e.g. `guardian`.
        external_id: the source's own identity of the item (for NewsAPI, which has none, the URL it gave).
        url: the address to open: http or https, at most 2048 characters.
        canonical_url: the identity: one address for all spellings of the same page.
        publisher: the outlet, e.g. `The Guardian`, `BBC News`, `r/worldnews`.
        published_at_estimated: True where the source gave no usable date and the time of the fetch stands in.
    """

    id: str
    source: str
    external_id: str
    url: str
    canonical_url: str
    title: str
    publisher: str
    published_at: datetime
    published_at_estimated: bool = False
    description: str | None = None
    content: str | None = None
    author: str | None = None
    section: str | None = None
    image_url: str | None = None
    language: str | None = None
    engagement: Engagement | None = None


class Status(StrEnum):
    """How one source did in one search. Every value but OK, EMPTY and DISABLED is a failure."""

    OK = "ok"
    EMPTY = "empty"
    TIMEOUT = "timeout"
    OVERLOADED = "overloaded"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    UNAUTHORIZED = "unauthorized"
    UNSUPPORTED = "unsupported"
    """The plan does not cover this query: asking again brings the same, another query is welcome."""
    BAD_PAYLOAD = "bad_payload"
    UNREACHABLE = "unreachable"
    CIRCUIT_OPEN = "circuit_open"
    DISABLED = "disabled"

    @property
    def answered(self) -> bool:
        """True if the source gave its answer, be it an empty one."""
        return self in (Status.OK, Status.EMPTY)

    @property
    def failed(self) -> bool:
        """True if the source was to be asked and gave no answer."""
        return not self.answered and self is not Status.DISABLED


@frozen
class Page:
    """A source's usable reply.

    Attributes:
        returned: rows in the payload, before any was refused.
        dropped: how many rows were refused, by reason, e.g. `{"removed": 2}`.
        pause_s: seconds for which the source asked to be left alone although it answered; 0 = not at all.
        bug: the first exception that reading a row raised, for the log; each such row counts as dropped, `bug`.
    """

    articles: tuple[Article, ...]
    returned: int
    dropped: Mapping[str, int] = field(factory=dict)
    http_status: int | None = None
    pause_s: float = 0.0
    bug: Exception | None = None


@frozen
class Refusal:
    """A source's unusable reply, or none at all.

    Attributes:
        status: one of the failures.
        detail: one line for operators; never holds a key, a token or a URL with one.
        pause_s: seconds for which to leave the source alone as it asked; None = it did not say.
        query_fault: what was asked is at fault, so this says nothing about the next query.
    """

    status: Status
    detail: str
    http_status: int | None = None
    pause_s: float | None = None
    query_fault: bool = False


class HeldFrom(StrEnum):
    """From whom a source's quota was held back when somebody asked; an outcome that says so binds nobody else."""

    STRANGERS = "strangers"
    """From all who are not signed in: the rest is for those who are."""
    PERSON = "person"
    """From the person who asked: nobody has more calls than are left for all others."""


@frozen
class FetchOutcome:
    """What one source contributed to one harvest: exactly one per source asked, on the flight's channel.

    Attributes:
        latency_ms: from the job's arrival to its outcome, waiting for slot and pace included; None if it was not tried.
        retry_at: no sooner than this is it worth asking again.
        ignored: parameters of the query that this source could not apply.
        detail: one line for operators, None on success.
        fetched_at: when the outcome came about.
        keep_s: how long it is to stay fresh at least, so that the source's quota lasts.
        held_back: it was not asked because its quota was held back from the person who asked.
    """

    source: str
    status: Status
    fetched_at: datetime
    articles: tuple[Article, ...] = ()
    returned: int = 0
    dropped: Mapping[str, int] = field(factory=dict)
    latency_ms: float | None = None
    http_status: int | None = None
    retry_at: datetime | None = None
    ignored: tuple[str, ...] = ()
    detail: str | None = None
    keep_s: float = 0.0
    held_back: HeldFrom | None = None


@frozen
class Asker:
    """For whom sources are asked.

    Attributes:
        person: whose share of a quota it counts against; None = nobody's, as of a command.
        signed_in: whether the last of a quota may be had.
        held: the sources that, as far as this process knows, hold back from this very person now.
    """

    person: str | None = None
    signed_in: bool = False
    held: frozenset[str] = frozenset()

    def bound_by(self, outcome: FetchOutcome) -> bool:
        """False for an outcome that was held back from somebody else: for this asker the source may be asked."""
        if outcome.held_back is HeldFrom.PERSON:
            return outcome.source in self.held
        return outcome.held_back is None or not self.signed_in


ANYBODY = Asker()
"""Somebody who is not signed in; nothing else is known."""


class Rule(StrEnum):
    """Why two articles count as one."""

    URL = "url"
    TITLE = "title"
    NEAR_TITLE = "near_title"


@frozen
class Member:
    """An article of a group, and what tied it to the group's founder.

    Attributes:
        rule: None on the founder itself.
        similarity: of the titles, 0..1; None on the founder itself.
    """

    article: Article
    rule: Rule | None = None
    similarity: float | None = None


@frozen
class Group:
    """Articles that count as one story. `members` is in founder order, the founder first; `leader` is the one shown."""

    members: tuple[Member, ...]
    leader: Article

    @property
    def founder(self) -> Article:
        """The member that the others were compared with."""
        return self.members[0].article


@frozen
class ScoreParts:
    """The parts of a relevance score; their sum is the score. See `scoring` for ranges and formulas."""

    title: float
    description: float
    recency: float
    corroboration: float
    engagement: float

    @property
    def total(self) -> float:
        """The score, 0..1."""
        return self.title + self.description + self.recency + self.corroboration + self.engagement


@frozen
class Ranked:
    """A group in its place in the order, with the parts of its leader's score and how popular it is, 0..1 (see `popularity`)."""

    group: Group
    parts: ScoreParts
    popularity: float = 0.0


@frozen
class Merge:
    """Every group of a harvest under one dedupe mode, best first."""

    mode: Dedupe
    ranked: tuple[Ranked, ...]


class Origin(StrEnum):
    """Where an answer's articles come from."""

    LIVE = "live"
    STALE = "stale"
    ARCHIVE = "archive"


@frozen
class Harvest:
    """One fan-out's whole result: the unit that is cached, archived and viewed.

    Attributes:
        fetched_at: when it landed; the `now` of its scores, and its identity among harvests of the same key.
        outcomes: one per selected source, in founder order.
        origin: LIVE, or ARCHIVE when `archived` stands in for sources that all failed.
        archived: articles from the archive, only with origin ARCHIVE.
        saves: how many people had saved an article when it landed, by public id; of those that too few had saved, nothing.
    """

    query: Query
    fetched_at: datetime
    outcomes: tuple[FetchOutcome, ...]
    origin: Origin = Origin.LIVE
    archived: tuple[Article, ...] = ()
    saves: Mapping[str, int] = field(factory=dict)

    @property
    def articles(self) -> tuple[Article, ...]:
        """Every article, in founder order: SOURCES order, then upstream position."""
        return self.archived + tuple(article for outcome in self.outcomes for article in outcome.articles)

    @property
    def complete(self) -> bool:
        """True if no selected, enabled source failed."""
        return not any(outcome.status.failed for outcome in self.outcomes)

    @property
    def answered(self) -> bool:
        """True if at least one source answered, or none was enabled to be asked."""
        return self.complete or any(outcome.status.answered for outcome in self.outcomes)

    @property
    def cacheable(self) -> bool:
        """True if it may answer later callers: sources answered it, not the archive, and not nobody."""
        return self.origin is Origin.LIVE and any(outcome.status.answered for outcome in self.outcomes)

    @property
    def fresh_since(self) -> datetime:
        """The moment from which its freshness counts: its oldest good outcome (a repair does not renew the others)."""
        return min((outcome.fetched_at for outcome in self.outcomes if outcome.status.answered), default=self.fetched_at)


@frozen
class Answer:
    """What a flight lands with: a harvest and its default merge.

    Attributes:
        merge: the harvest's articles under Dedupe.NORMAL.
        refused: with origin STALE, the outcomes of the refresh that failed; they are what is reported of the sources.
    """

    harvest: Harvest
    merge: Merge
    refused: tuple[FetchOutcome, ...] = ()

    @property
    def personal(self) -> bool:
        """True if a source held back from the person who asked: others may get more, so no shared cache may keep it."""
        return any(outcome.held_back is HeldFrom.PERSON for outcome in (*self.harvest.outcomes, *self.refused))


class Via(StrEnum):
    """How an answer reached this caller."""

    HIT = "hit"
    REVALIDATED = "revalidated"
    """Served at once although past its TTL, while a flight renews it or because the asker may have none started."""
    MISS = "miss"
    COLLAPSED = "collapsed"
    """By a flight that was already in the air."""


@frozen
class Reply:
    """An answer, and how it reached this caller."""

    answer: Answer
    via: Via


@frozen
class SourceReported:
    """A flight's event: one source has given its outcome. `merge` is over all outcomes so far."""

    outcome: FetchOutcome
    merge: Merge


@frozen
class StaleFound:
    """A flight's event, at most one: an older answer, from another process, that is given at once while this flight renews it."""

    answer: Answer


@frozen
class Landed:
    """A flight's last event: the answer. `asked` tells whether any source was asked for it."""

    answer: Answer
    asked: bool


@frozen
class Failed:
    """A flight's last event: it could not land. Every waiter raises the error."""

    error: NewsIntelError


FlightEvent = SourceReported | StaleFound | Landed | Failed


@frozen
class ArchivedArticle:
    """An article as the archive has it.

    Attributes:
        leader_id: public id of the article this one is listed under as a duplicate; its own id if it stands alone.
    """

    article: Article
    first_seen_at: datetime
    fetched_at: datetime
    leader_id: str


@frozen
class Pair:
    """Two articles that one merge put into one group: the member and its founder, by public id."""

    member_id: str
    founder_id: str
    rule: Rule
    similarity: float


@frozen
class CacheWrite:
    """An answer to keep in Redis, and the claim on its key to give back with it (None where there is none)."""

    answer: Answer
    lock_token: str | None


REPEAT_S = 60.0
"""The same person and query within it is the same search to the history (contract)."""


@frozen
class Searched:
    """What of an answered search goes into the history and the counts, whoever asked.

    Attributes:
        query: its text as the person typed it.
        key: of the harvest that answered.
        results_count: stories found, over all pages.
        form: its normal form; None if it is too long to be counted.
        articles: ids of the first articles found, a few.
    """

    query: str
    key: str
    results_count: int
    form: str | None
    articles: tuple[str, ...]


@frozen
class SearchRecord:
    """One search answered, for the history and the counts; it lives between HTTP and the recorder, in memory alone.

    Attributes:
        user_id: the account's, inside the process; None for an anonymous caller, of whom nothing is kept.
        person: `Caller.person`; never kept with a search, only counted (`intelligence.marking`).
        repeat_key: 32 hex digits, the same for the same person and query, which say nothing of either; by it processes tell a
            repetition, and it is not kept with the search.
    """

    query: str
    key: str
    results_count: int
    searched_at: datetime
    user_id: int | None
    person: str
    repeat_key: str
    form: str | None
    articles: tuple[str, ...]
