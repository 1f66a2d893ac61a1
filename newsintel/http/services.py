"""What the routes use of the rest of newsintel, by context."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from attrs import field, frozen

from newsintel.config.settings import Settings
from newsintel.domain.accounts.persons import Persons
from newsintel.domain.accounts.ports import Accounts, ApiKeys, Attempts, Links, Provider, Sessions
from newsintel.domain.alerts.delivery_ports import Deliveries
from newsintel.domain.alerts.ports import SavedSearches
from newsintel.domain.archive.ports import ArchiveSearch
from newsintel.domain.bounds.sized_cache import SizedCache
from newsintel.domain.feeds.ports import FeedStore
from newsintel.domain.intelligence.marks import SearchMarker
from newsintel.domain.intelligence.ports import Likeness, RelatedSearches, SearchMarks, Trending
from newsintel.domain.limits.ports import SourceStates
from newsintel.domain.operations.ports import Health
from newsintel.domain.paging import Cursors
from newsintel.domain.personal.ports import (
    AccountData,
    Feedback,
    NotSame,
    OwnHistory,
    PrivateFeeds,
    SavedArticles,
)
from newsintel.domain.ports import ByteCache, Count, WallClock
from newsintel.domain.reader.ports import ReaderArticles, ReadMarks, Streams
from newsintel.domain.search.freshness import Windows
from newsintel.domain.search.ports import HarvestCache
from newsintel.domain.security.keys import Signer
from newsintel.runtime.intelligence.recommender import Recommender
from newsintel.runtime.limits.limiter import Limiter
from newsintel.runtime.limits.lookups import LookUps
from newsintel.runtime.make_once import MakeOnce
from newsintel.runtime.personal.preference_cache import PreferenceCache
from newsintel.runtime.personal.recording import Recording
from newsintel.runtime.search.ports import Desk

MadeAnswer = tuple[bytes, int]
"""A finished body, and the number of seconds for which it may be kept."""


@frozen(kw_only=True)
class SearchServices:
    """Searches and cached answers.

    Attributes:
        answers: the answers that are being made, by their keys in `bytes_cache`.
        packing: the bodies for `kept` that are being compressed.
        kept: the answers of the last seconds (`response.kept_answer`), which the hit path sends, by
            path and query string.
    """

    desk: Desk
    windows: Windows
    harvests: HarvestCache
    bytes_cache: ByteCache
    answers: MakeOnce[str, MadeAnswer]
    kept: SizedCache[tuple[str, bytes], Any]
    packing: MakeOnce[bytes, bytes] = field(factory=MakeOnce)


@frozen(kw_only=True)
class AccountServices:
    """Identity and sign-in.

    Attributes:
        directory: the accounts themselves.
        providers: the configured providers, by their names in our URLs, `reddit` and `oidc`.
    """

    directory: Accounts
    persons: Persons
    sessions: Sessions
    api_keys: ApiKeys
    attempts: Attempts
    links: Links
    providers: Mapping[str, Provider]


@frozen(kw_only=True)
class PersonalServices:
    """What signed-in people store."""

    preferences: PreferenceCache
    saved: SavedArticles
    feedback: Feedback
    feeds: PrivateFeeds
    not_same: NotSame
    own_history: OwnHistory
    recording: Recording
    account_data: AccountData


@frozen(kw_only=True)
class AlertServices:
    """Saved searches, and the alerts that they send.

    Attributes:
        mail_signer: signs the links in mails, which work without sign-in.
    """

    searches: SavedSearches
    deliveries: Deliveries
    mail_signer: Signer


@frozen(kw_only=True)
class ReaderServices:
    """What feed readers show.

    Attributes:
        streams: what a person follows.
        marks: which articles a person has read.
    """

    streams: Streams
    articles: ReaderArticles
    marks: ReadMarks


@frozen(kw_only=True)
class IntelligenceServices:
    """What newsintel derives from what people search for and read."""

    marking: SearchMarker
    search_marks: SearchMarks
    trending: Trending
    kinship: RelatedSearches
    likeness: Likeness
    recommender: Recommender


@frozen(kw_only=True)
class LimitServices:
    """Limits of requests to us and of calls to sources.

    Attributes:
        requests: RATE_LIMIT; None = off.
        misses: MISS_LIMIT, which the desk applies; None = off.
        lookups: limits how often the stores are asked for the owner of a credential.
    """

    requests: Limiter | None
    misses: Limiter | None
    lookups: LookUps
    source_states: SourceStates


@frozen(kw_only=True)
class OperationServices:
    """What operators monitor.

    Attributes:
        exposition: returns all current metrics in Prometheus' text format.
    """

    health: Health
    exposition: Callable[[], Awaitable[bytes]]


@frozen(kw_only=True)
class Services:
    """What the composition root gives to the routes: common values, then the ports by context."""

    settings: Settings
    now: WallClock
    count: Count
    cursors: Cursors
    search: SearchServices
    archive: ArchiveSearch
    feeds: FeedStore
    accounts: AccountServices
    personal: PersonalServices
    alerts: AlertServices
    reader: ReaderServices
    intelligence: IntelligenceServices
    limits: LimitServices
    operations: OperationServices
