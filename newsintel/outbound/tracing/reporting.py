"""Logs when sending spans begins to fail and when it works again, not each attempt."""

import logging
import time
from collections.abc import Sequence

from attrs import define, field
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from newsintel.domain.operations.conditions import OutageTracker
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

EXPORTER_LOG = "opentelemetry.exporter"
"""The logger that says why spans could not be sent."""


class _Messages(logging.Handler):
    """Keeps the first message of a batch, which has the cause."""

    first: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        self.first = self.first or record.getMessage()


@define(eq=False)
class Reporting(SpanExporter):
    """Logs when sending begins to fail and when it works again, in the thread that sends."""

    _exporter: SpanExporter
    _condition: OutageTracker = field(init=False, factory=OutageTracker)
    _messages: _Messages = field(init=False, factory=_Messages)

    def take_messages(self) -> None:
        """Take over what the exporter logs, until `stop`."""
        own = logging.getLogger(EXPORTER_LOG)
        own.propagate = False  # otherwise each attempt is logged
        own.addHandler(self._messages)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self._messages.first = None
        result, now_s = self._exporter.export(spans), time.monotonic()
        if result is not SpanExportResult.SUCCESS:
            if self._condition.record_failure("export", now_s):
                log.warning("traces_failing", spans=len(spans), reason=self._messages.first)
        elif recovery := self._condition.record_success(now_s):
            log.info(
                "traces_recovered", failures=recovery.failures, after_s=round(recovery.after_s, 1)
            )
        return result

    def stop(self) -> None:
        """Interrupt the exporter, and give its logger back."""
        self._exporter.shutdown()
        own = logging.getLogger(EXPORTER_LOG)
        own.removeHandler(self._messages)
        own.propagate = True
