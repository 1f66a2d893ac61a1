"""What the routes need of the rest of newsintel."""

from collections.abc import Awaitable, Callable, Mapping

from attrs import frozen

from newsintel.config.settings import Settings
from newsintel.domain.accounts.persons import Persons
from newsintel.domain.accounts.ports import Accounts, ApiKeys, Attempts, Links, Provider, Sessions
from newsintel.domain.archive.ports import ArchiveSearch
from newsintel.domain.intelligence.marks import Marking
from newsintel.domain.intelligence.ports import Kinship, Likeness, SearchMarks, Trending
from newsintel.domain.limits.ports import SourceStates
from newsintel.domain.operations.ports import Health
from newsintel.domain.paging import Cursors
from newsintel.domain.personal.ports import AccountData, Feedback, OwnHistory, SavedArticles
from newsintel.domain.ports import ByteCache, Count, WallClock
from newsintel.domain.search.ports import HarvestCache
from newsintel.runtime.intelligence.recommender import Recommender
from newsintel.runtime.limits.limiter import Limiter
from newsintel.runtime.limits.lookups import LookUps
from newsintel.runtime.personal.preference_cache import PreferenceCache
from newsintel.runtime.personal.recording import Recording
from newsintel.runtime.search.ports import Desk


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
