"""The port of traces, and steps that nobody traces."""

import pytest
import trio

from newsintel.domain.tracing import (
    NO_SPAN,
    begin_no_request,
    current_span,
    enter_span,
    trace_step,
)
from tests.fakes.spans import RecordedSpan


def test_without_traces_nothing_is_kept():
    """Every step of an untraced request is the same object."""
    span = begin_no_request("GET", [])
    assert span.begin_child("search", calls_out=True) is span is NO_SPAN
    assert span.link(span) is span.rename("x") is span.set({"a": 1}) is None
    assert span.fail("x", "y") is span.end() is None
    assert not span.is_recording
    assert current_span() is NO_SPAN


async def test_a_step_is_a_child_of_the_current_span():
    """Or of the span that is given. It ends with the block."""
    request, other = RecordedSpan("request"), RecordedSpan("other")
    enter_span(request)
    with trace_step("one") as step:
        assert step.is_recording
        assert current_span() is request
    with trace_step("two", other):
        pass
    assert [child.name for child in request.children] == ["one"]
    assert [child.name for child in other.children] == ["two"]
    assert not step.is_recording


async def test_an_exception_fails_the_step():
    """It goes on, and the step ends."""
    request = RecordedSpan("request")
    with pytest.raises(KeyError), trace_step("one", request):
        raise KeyError
    (step,) = request.children
    assert step.failure == "KeyError"
    assert not step.is_recording


async def test_a_cancelled_step_is_marked(autojump_clock):
    """Something was too slow for a limit."""
    request = RecordedSpan("request")
    with trio.move_on_after(1), trace_step("one", request):
        await trio.sleep_forever()
    (step,) = request.children
    assert (step.failure, step.is_recording) == ("Cancelled", False)
