"""Logs when a store starts to fail and when it recovers, not each call."""

import time

from newsintel.domain.operations.conditions import OutageTracker
from newsintel.errors import ArchiveTimeoutError, UnavailableError, WritesRefusedError
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)


class StoreLog:
    """The log of one store. It receives the outcome of every operation.

    Args:
        store: `postgresql`, `replica` (of PostgreSQL) or `redis`.
    """

    def __init__(self, store: str) -> None:
        self._store = store
        self._condition = OutageTracker()
        self._refuses_writes = False

    def note_failure(self, error: Exception) -> None:
        """Note that an operation failed. An error that the request itself caused is ignored."""
        self._refuses_writes |= isinstance(error, WritesRefusedError)
        outage = isinstance(error, UnavailableError) and not isinstance(error, ArchiveTimeoutError)
        if outage and self._condition.record_failure(str(error), time.monotonic()):
            log.warning("store_failing", store=self._store, reason=str(error))

    def note_success(self, *, wrote: bool = False) -> None:
        """Note that an operation succeeded.

        Args:
            wrote: whether it is certain that the store takes writes. A store that refused one goes
                on answering reads, which are no recovery.
        """
        if self._refuses_writes and not wrote:
            return
        self._refuses_writes = False
        if recovery := self._condition.record_success(time.monotonic()):
            log.info(
                "store_recovered",
                store=self._store,
                failures=recovery.failures,
                after_s=round(recovery.after_s, 1),
            )
