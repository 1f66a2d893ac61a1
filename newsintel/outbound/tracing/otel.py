"""Spans by OpenTelemetry's SDK, sent by OTLP over HTTP.

The SDK's thread sends ended spans in batches. Its queue holds OTEL_BSP_MAX_QUEUE_SIZE of them, by
default 2,048, and drops the oldest when it is full, so a collector that is away delays nothing. The
provider is our own and not the global one, so no library adds spans of its own.
"""

import os
import time
import uuid
from collections.abc import Sequence

from attrs import frozen
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import get_global_textmap
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context
from opentelemetry.util.types import AnyValue

from newsintel import __version__
from newsintel.config.settings import Settings
from newsintel.domain import tracing
from newsintel.outbound.tracing.answers import BoundedSession
from newsintel.outbound.tracing.reporting import Reporting
from newsintel.runtime.telemetry.logs import redact

MAX_CONTEXT_CHARS = 512
"""Of all lines of one header that names a caller's trace: as much of tracestate as must be kept
(W3C Trace Context, 3.3.1.5). The propagators read some of them in quadratic time, before any limit
of requests, and the spans that wait hold them.
"""

UNUSED_HEADERS = frozenset({"baggage"})
"""Headers of the propagators from which no span gets anything."""


@frozen(eq=False)
class OtelSpan:
    """A span of the SDK. Texts pass the redactor, as those of the log do."""

    tracer: Tracer
    span: Span

    @property
    def is_recording(self) -> bool:
        return self.span.is_recording()

    def begin_child(self, name: str, *, calls_out: bool = False) -> "OtelSpan":
        kind = SpanKind.CLIENT if calls_out else SpanKind.INTERNAL
        parent = set_span_in_context(self.span, Context())
        return OtelSpan(self.tracer, self.tracer.start_span(name, parent, kind))

    def link(self, other: tracing.Span) -> None:
        if isinstance(other, OtelSpan):
            self.span.add_link(other.span.get_span_context())

    def rename(self, name: str) -> None:
        self.span.update_name(name)

    def set(self, attributes: tracing.Attributes) -> None:
        if self.span.is_recording():
            self.span.set_attributes(
                {
                    name: redact(value) if isinstance(value, str) else value
                    for name, value in attributes.items()
                    if value is not None
                }
            )

    def fail(self, kind: str, detail: str | None = None) -> None:
        self.set({ERROR_TYPE: kind})
        self.span.set_status(StatusCode.ERROR, None if detail is None else redact(detail))

    def end(self) -> None:
        self.span.end()


class Exporting:
    """Begins the spans of requests, and sends all spans from a thread of the SDK's.

    Raises:
        ValueError: a variable is invalid; the message is of the SDK.
    """

    def __init__(self, settings: Settings) -> None:
        self._propagator = get_global_textmap()
        self._headers = {name.encode() for name in self._propagator.fields - UNUSED_HEADERS}
        self._reporting = Reporting(OTLPSpanExporter(session=BoundedSession()))
        self._provider = TracerProvider(
            resource=_describe_process(settings), shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(self._reporting))
        self._tracer = self._provider.get_tracer("newsintel", __version__)
        self._reporting.take_messages()

    def begin_request(
        self, method: str, headers: Sequence[tuple[bytes, bytes]], ago_s: float = 0.0
    ) -> OtelSpan:
        """Begin the span of a request, as `BeginRequest` says."""
        carrier: dict[str, list[str]] = {}
        for name, value in headers:
            if name in self._headers:
                carrier.setdefault(name.decode(), []).append(value.decode("latin-1"))
        carrier = {
            name: values
            for name, values in carrier.items()
            if sum(map(len, values)) <= MAX_CONTEXT_CHARS
        }
        if len(carrier.get("traceparent", ())) > 1:  # ambiguous, so none of them counts
            carrier = {}
        parent = self._propagator.extract(carrier, Context())
        start = time.time_ns() - round(ago_s * 1e9) if ago_s else None
        span = self._tracer.start_span(method, parent, SpanKind.SERVER, start_time=start)
        return OtelSpan(self._tracer, span)

    def flush(self) -> None:
        """Send what has ended; then accept no further span. Waits, for up to 30 s."""
        self._provider.shutdown()

    def stop(self) -> None:
        """Interrupt what is being sent, and send no more."""
        self._reporting.stop()


def _describe_process(settings: Settings) -> Resource:
    """Return what all spans say of this process. The variables of the environment win."""
    ours: dict[str, AnyValue] = {
        "service.name": "newsintel",
        "service.version": __version__,
        "service.instance.id": str(uuid.uuid4()),
        "deployment.environment.name": settings.env,
        "process.pid": os.getpid(),
    }
    given = OTELResourceDetector().detect().attributes
    return Resource.create({name: value for name, value in ours.items() if name not in given})
