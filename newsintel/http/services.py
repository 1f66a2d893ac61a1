"""What the routes need of the rest of newsintel, by context."""

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
from newsintel.domain.search.freshness import Windows
from newsintel.domain.search.ports import HarvestCache
from newsintel.runtime.intelligence.recommender import Recommender
from newsintel.runtime.limits.limiter import Limiter
from newsintel.runtime.limits.lookups import LookUps
from newsintel.runtime.make_once import MakeOnce
from newsintel.runtime.personal.preference_cache import PreferenceCache
from newsintel.runtime.personal.recording import Recording
from newsintel.runtime.search.ports import Desk

MadeAnswer = tuple[bytes, int]
"""A finished body, and for how many seconds it may be kept."""


@frozen(kw_only=True)
class SearchServices:
    """Searches, and the answers that are kept.

    Attributes:
        answers: those that are being made, by their keys in `bytes_cache`.
    """

    desk: Desk
    windows: Windows
    harvests: HarvestCache
    bytes_cache: ByteCache
    answers: MakeOnce[str, MadeAnswer]


@frozen(kw_only=True)
class AccountServices:
    """Who is asking, and how people sign in.

    Attributes:
        directory: the accounts themselves.
        providers: by their names in our addresses, `reddit` and `oidc`; those that are not set up are not here.
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
    """What people keep here."""

    preferences: PreferenceCache
    saved: SavedArticles
    feedback: Feedback
    own_history: OwnHistory
    recording: Recording
    account_data: AccountData


@frozen(kw_only=True)
class IntelligenceServices:
    """What is made of what people search for and read."""

    marking: Marking
    search_marks: SearchMarks
    trending: Trending
    kinship: Kinship
    likeness: Likeness
    recommender: Recommender


@frozen(kw_only=True)
class LimitServices:
    """How much may be asked, of us and of the sources.

    Attributes:
        requests: RATE_LIMIT; None = off.
        misses: MISS_LIMIT, which the desk keeps to; None = off.
        lookups: bounds how often the stores are asked whose a credential is.
    """

    requests: Limiter | None
    misses: Limiter | None
    lookups: LookUps
    source_states: SourceStates


@frozen(kw_only=True)
class OperationServices:
    """What operators look at.

    Attributes:
        exposition: every number now, in Prometheus' text format.
    """

    health: Health
    exposition: Callable[[], Awaitable[bytes]]


@frozen(kw_only=True)
class Services:
    """The ports and values that the composition root hands to the routes: what all contexts use, and what each has of its own."""

    settings: Settings
    now: WallClock
    count: Count
    cursors: Cursors
    search: SearchServices
    archive: ArchiveSearch
    accounts: AccountServices
    personal: PersonalServices
    intelligence: IntelligenceServices
    limits: LimitServices
    operations: OperationServices
