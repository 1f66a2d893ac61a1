"""Logs when a source begins to fail and when it recovers, and when its circuit opens and closes.

It does not log each call.
"""

from newsintel.domain.limits.admission import Admission
from newsintel.domain.operations.conditions import OutageTracker
from newsintel.domain.search.outcome import FetchOutcome, Status
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

_OURS = (Status.OVERLOADED, Status.DISABLED, Status.UNSUPPORTED)
"""Failures that are not caused by the source: by us, or by a query that it does not cover."""

_NOT_ASKED = (Status.RATE_LIMITED, Status.CIRCUIT_OPEN, Status.UNAUTHORIZED)
"""Statuses that are not logged if the source was not asked.

The reason is then its pace, or an earlier refusal, which was logged when it arrived. A used-up
quota is not among them, since it is logged here for the first time.
"""


class SourceLog:
    """The log of one source. It must get every outcome, in order."""

    def __init__(self, source: str, admission: Admission) -> None:
        self._source = source
        self._admission = admission
        self._condition = OutageTracker()
        self._circuit_open = False

    def log_change(self, outcome: FetchOutcome, now_s: float) -> None:
        """Log the change that an outcome causes, if any.

        Args:
            outcome: of one job; without a latency the source was not asked.
            now_s: trio's clock.
        """
        status, asked = outcome.status, outcome.latency_ms is not None
        if status.answered:
            if recovery := self._condition.record_success(now_s):
                log.info(
                    "source_recovered",
                    source=self._source,
                    failures=recovery.failures,
                    after_s=round(recovery.after_s, 1),
                )
        elif (
            status not in _OURS
            and (asked or status not in _NOT_ASKED)
            and not outcome.held_back
            and self._condition.record_failure(status, now_s)
        ):
            log.warning(
                "source_failing",
                source=self._source,
                status=status,
                reason=outcome.detail,
                http_status=outcome.http_status,
                retry_at=outcome.retry_at,
            )
        self._note_circuit(now_s)

    def _note_circuit(self, now_s: float) -> None:
        """Log that the circuit opened or closed.

        A circuit that opens again after a failed probe was not closed in between.
        """
        is_open = self._admission.is_circuit_open
        if is_open and not self._circuit_open:
            log.warning(
                "circuit_opened",
                source=self._source,
                for_s=round(self._admission.pause_left_s(now_s), 1),
            )
        elif self._circuit_open and not is_open:
            log.info("circuit_closed", source=self._source)
        self._circuit_open = is_open
