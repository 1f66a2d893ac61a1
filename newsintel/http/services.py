"""What the routes need of the rest of newsintel."""

from attrs import frozen

from newsintel.account_ports import Accounts, Sessions
from newsintel.cursors import Cursors
from newsintel.http.callers import Persons
from newsintel.http.recording import Recording
from newsintel.personal_ports import AccountData, OwnHistory, SavedArticles
from newsintel.ports import ArchiveSearch, ByteCache, Count, Desk, Health, SourceStates, WallClock
from newsintel.preference_cache import PreferenceCache
from newsintel.settings import Settings


@frozen(kw_only=True)
class Services:
    """The ports and values that the composition root hands to the routes."""

    settings: Settings
    desk: Desk
    archive: ArchiveSearch
    bytes_cache: ByteCache
    cursors: Cursors
    persons: Persons
    recording: Recording
    preferences: PreferenceCache
    saved: SavedArticles
    own_history: OwnHistory
    account_data: AccountData
    accounts: Accounts
    sessions: Sessions
    count: Count
    now: WallClock
    health: Health
    source_states: SourceStates
