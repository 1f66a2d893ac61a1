"""What the routes need of the rest of newsintel."""

from collections.abc import Awaitable, Callable, Mapping

from attrs import frozen

from newsintel.account_ports import Accounts, ApiKeys, Attempts, Links, Provider, Sessions
from newsintel.cursors import Cursors
from newsintel.http.callers import Persons
from newsintel.http.lookups import LookUps
from newsintel.http.recording import Recording
from newsintel.intelligence.marking import Marking
from newsintel.intelligence_ports import Kinship, Likeness, SearchMarks, Trending
from newsintel.limiter import Limiter
from newsintel.personal_ports import AccountData, Feedback, OwnHistory, SavedArticles
from newsintel.ports import ArchiveSearch, ByteCache, Count, Desk, HarvestCache, Health, SourceStates, WallClock
from newsintel.preference_cache import PreferenceCache
from newsintel.recommender import Recommender
from newsintel.settings import Settings


@frozen(kw_only=True)
class Services:
    """The ports and values that the composition root hands to the routes.

    Attributes:
        providers: by their names in our addresses, `reddit` and `oidc`; those that are not set up are not here.
        requests: RATE_LIMIT; None = off.
        misses: MISS_LIMIT, which the desk keeps to; None = off.
        exposition: every number now, in Prometheus' text format.
    """

    settings: Settings
    desk: Desk
    archive: ArchiveSearch
    bytes_cache: ByteCache
    harvests: HarvestCache
    cursors: Cursors
    persons: Persons
    recording: Recording
    preferences: PreferenceCache
    saved: SavedArticles
    feedback: Feedback
    own_history: OwnHistory
    account_data: AccountData
    marking: Marking
    search_marks: SearchMarks
    trending: Trending
    likeness: Likeness
    recommender: Recommender
    kinship: Kinship
    accounts: Accounts
    sessions: Sessions
    lookups: LookUps
    api_keys: ApiKeys
    attempts: Attempts
    links: Links
    providers: Mapping[str, Provider]
    requests: Limiter | None
    misses: Limiter | None
    count: Count
    exposition: Callable[[], Awaitable[bytes]]
    now: WallClock
    health: Health
    source_states: SourceStates
