"""Spans: what each step of a request did, and when, for a tracing system.

The port of traces. `outbound/tracing` implements it with OpenTelemetry, which is optional, so no
other code may import that. Without it every span is NO_SPAN, whose methods do nothing.

A request's span is the current one of its task. Work that other tasks do for it carries its span in
the message. The part that begins a span ends it; a child may begin after its parent ended.

No attribute holds a query, a header or an address of a caller: in a span stands only what may stand
in the log.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from attrs import frozen

Attributes = Mapping[str, str | int | float | bool | Sequence[str] | None]
"""By name; None = there is no such attribute. Names with a prefix of our own are `newsintel.*`."""


class Span(Protocol):
    """One step. No method waits or raises."""

    @property
    def is_recording(self) -> bool:
        """Whether what it is told is kept: False if it is not sampled, or has ended."""
        ...

    def begin_child(self, name: str, *, calls_out: bool = False) -> "Span":
        """Begin a step of this one; `calls_out` = it asks another service."""
        ...

    def link(self, other: "Span") -> None:
        """Note that this step waits for one of another request."""
        ...

    def rename(self, name: str) -> None:
        """Change the name."""
        ...

    def set(self, attributes: Attributes) -> None:
        """Add attributes."""
        ...

    def fail(self, kind: str, detail: str | None = None) -> None:
        """Mark the step as failed: a word for the kind of error, one line for operators."""
        ...

    def end(self) -> None:
        """End the step now."""
        ...


class BeginRequest(Protocol):
    """Begins the span of a request that arrived."""

    def __call__(
        self, method: str, headers: Sequence[tuple[bytes, bytes]], ago_s: float = 0.0
    ) -> Span:
        """Begin it, as a part of the caller's trace if the headers name one.

        Args:
            method: its first name.
            headers: of the request, their names in small letters.
            ago_s: seconds since it began.
        """
        ...


@frozen
class _NoSpan:
    """A step that nobody traces."""

    is_recording: bool = False

    def begin_child(self, _name: str, *, calls_out: bool = False) -> Span:  # noqa: ARG002
        return self

    def link(self, other: Span) -> None: ...

    def rename(self, name: str) -> None: ...

    def set(self, attributes: Attributes) -> None: ...

    def fail(self, kind: str, detail: str | None = None) -> None: ...

    def end(self) -> None: ...


NO_SPAN: Span = _NoSpan()

_current: ContextVar[Span] = ContextVar("span", default=NO_SPAN)


def begin_no_request(
    method: str,  # noqa: ARG001
    headers: Sequence[tuple[bytes, bytes]],  # noqa: ARG001
    ago_s: float = 0.0,  # noqa: ARG001
) -> Span:
    """Trace no request."""
    return NO_SPAN


def current_span() -> Span:
    """Return the span of the current task."""
    return _current.get()


def enter_span(span: Span) -> None:
    """Make a span the current one of this task and of the tasks that it starts later."""
    _current.set(span)


@contextmanager
def trace_step(name: str, parent: Span | None = None) -> Iterator[Span]:
    """Trace the block as a step of `parent`, or of the current span.

    An exception fails it, and so does a cancel.
    """
    span = (parent or current_span()).begin_child(name)
    try:
        yield span
    except BaseException as error:
        span.fail(type(error).__name__)
        raise
    finally:
        span.end()
