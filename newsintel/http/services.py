"""What the routes need of the rest of newsintel."""

from collections.abc import Callable

import trio
from attrs import frozen

from newsintel.cursors import Cursors
from newsintel.http.callers import Persons
from newsintel.limiter import Limiter
from newsintel.model import SearchRecord
from newsintel.ports import ArchiveSearch, ByteCache, Count, Desk, Health, SourceStates, WallClock
from newsintel.settings import Settings


@frozen(kw_only=True)
class Services:
    """The ports and values that the composition root hands to the routes.

    Attributes:
        requests: RATE_LIMIT; None = off.
        misses: MISS_LIMIT, which the desk keeps to; None = off.
        exposition: every number now, in Prometheus' text format.
        to_recorder: the recorder's inbox; the routes only ever `send_nowait`, and whoever built this closes it.
    """

    settings: Settings
    desk: Desk
    archive: ArchiveSearch
    bytes_cache: ByteCache
    cursors: Cursors
    persons: Persons
    requests: Limiter | None
    misses: Limiter | None
    to_recorder: trio.MemorySendChannel[SearchRecord]
    count: Count
    exposition: Callable[[], bytes]
    now: WallClock
    health: Health
    source_states: SourceStates
