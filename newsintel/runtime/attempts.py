"""Attempts to save in PostgreSQL, limited in time; none for a while after one has failed."""

from collections.abc import Awaitable, Callable
from math import inf

import trio

from newsintel.errors import UnavailableError
from newsintel.runtime.spool import Spool
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

SAVE_S = 0.5
"""Time for one attempt. A full piece of a batch takes up to 0.3 s, and in this time the inboxes
take what several hundred searches send.
"""
PROBE_S = 5.0
"""Pause after a failed attempt."""


class Attempts:
    """The attempts of one actor, which spools what is not saved.

    Args:
        spool: knows whether the service shuts down. Then no new answers come, so an attempt may
            take all the time that is left for saving.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._away_until = -inf

    async def save(self, operation: Callable[[], Awaitable[object]]) -> bool:
        """Run an operation, limited in time; return whether it succeeded.

        During the pause after a failure, and when the time for saving is over, return False at
        once.
        """
        now, urgent_from = trio.current_time(), self._spool.urgent_from
        if now < self._away_until or now >= urgent_from:
            return False
        limit_s = SAVE_S if urgent_from == inf else urgent_from - now
        reason = f"not saved within {limit_s:g} s"
        with trio.move_on_after(limit_s):
            try:
                await operation()
            except UnavailableError as error:
                reason = str(error)
            else:
                return True
        log.debug("archive_away", reason=reason, pause_s=PROBE_S)
        self._away_until = trio.current_time() + PROBE_S
        return False
