"""Flights and the callers that wait for them."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from newsintel.domain.search.merging import GroupedHarvest
from newsintel.domain.tracing import enter_span
from newsintel.errors import FlightBugError
from newsintel.runtime.search.flight import (
    Failed,
    Flight,
    Landed,
    SourceReported,
    StaleFound,
)
from tests.fakes.spans import RecordedSpan
from tests.make import answer, outcome, query, wait_for_answer


def flight(ends=None):
    """Return a flight that notes its answers and its end in `ends`."""
    return Flight(
        query(), 10.0, on_answer=lambda _, ended: ends.append(ended) if ends is not None else None
    )


def reported():
    """Return the event of a source."""
    return SourceReported(outcome(), GroupedHarvest(answer().harvest))


async def test_a_late_joiner_reads_all_events():
    """It reads them from the first one on."""
    subject = flight()
    subject.append(reported())
    subject.append(Landed(answer(), asked=True))
    assert [type(event) for event in await subject.wait_for_events(0)] == [SourceReported, Landed]
    assert [type(event) for event in await subject.wait_for_events(1)] == [Landed]
    assert (await wait_for_answer(subject)).answer == answer()


async def test_every_waiter_wakes_and_a_cancelled_one_disturbs_no_other(autojump_clock):
    """Of three waiters one leaves before the landing; the others get the answer."""
    subject, got = flight(), []

    async def wait(patience_s):
        with trio.move_on_after(patience_s):
            got.append((await wait_for_answer(subject)).answer)

    async with trio.open_nursery() as nursery:
        for patience_s in (1, 5, 5):
            nursery.start_soon(wait, patience_s)
        await trio.sleep(2)
        subject.append(reported())
        await wait_all_tasks_blocked()
        subject.append(Landed(answer(), asked=True))
    assert got == [answer(), answer()]


async def test_an_older_answer_is_available_before_the_end():
    """A caller that joins after a source has reported gets it too.

    Once the flight has ended, only its end counts.
    """
    subject = flight()
    subject.append(StaleFound(answer()))
    subject.append(reported())
    assert await wait_for_answer(subject) == StaleFound(answer())
    subject.append(Landed(answer(), asked=True))
    assert await wait_for_answer(subject) == Landed(answer(), asked=True)


async def test_the_end_is_reported_before_waiters_wake():
    """The desk forgets the flight in the same step that publishes its end."""
    ends = []
    subject = flight(ends)
    subject.append(reported())
    assert not subject.ended
    assert ends == []
    subject.append(Landed(answer(), asked=True))
    assert subject.ended
    assert ends == [Landed(answer(), asked=True)]


async def test_an_older_answer_is_reported_once_for_all_waiters():
    """It is reported in the step that publishes it; a source's event is no answer."""
    told = []
    subject = flight(told)
    subject.append(StaleFound(answer()))
    assert told == [StaleFound(answer())]
    subject.append(reported())
    assert not subject.ended
    assert told == [StaleFound(answer())]


async def test_failure_is_raised_in_every_waiter():
    """Each waiter raises an exception of its own; the original is its cause."""
    ends = []
    subject = flight(ends)
    subject.append(Failed(FlightBugError("incident")))
    raised = []
    for _ in range(2):
        with pytest.raises(FlightBugError, match="incident") as caught:
            await wait_for_answer(subject)
        raised.append(caught.value)
    assert raised[0] is not raised[1]
    assert [type(end) for end in ends] == [Failed]


async def test_a_flight_is_a_step_of_the_request_that_started_it():
    """It ends with the last event, and says what was found."""
    request = RecordedSpan("request")
    enter_span(request)
    subject = flight()
    (step,) = request.children
    assert step is subject.span
    subject.append(reported())
    assert step.is_recording
    subject.append(Landed(answer(), asked=True))
    assert not step.is_recording
    assert step.attributes["newsintel.complete"]
    assert step.attributes["newsintel.articles"] == len(answer().harvest.articles)


async def test_a_failed_flight_is_a_failed_step():
    """By the name of the error."""
    enter_span(RecordedSpan("request"))
    subject = flight()
    subject.append(Failed(FlightBugError("1")))
    assert (subject.span.failure, subject.span.is_recording) == ("FlightBugError", False)
