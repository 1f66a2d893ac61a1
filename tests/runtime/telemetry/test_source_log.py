"""What the log says about a source: changes of its state, not every call."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from newsintel.domain.limits.admission import Admission, Start
from newsintel.domain.limits.quotas import SourceLimits
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from newsintel.runtime.telemetry.source_log import SourceLog
from tests.make import NOON, outcome


class Source:
    """A source whose calls end as the test says, five seconds apart."""

    def __init__(self):
        self.admission = Admission(SourceLimits(0.0, None))
        self.log = SourceLog("guardian", self.admission)
        self.now_s = 100.0

    def call(self, status, *, asked=True, **more):
        """Make one call."""
        self.now_s += 5
        if asked:
            reply = SourcePage((), 0, {}) if status.answered else Refusal(status, "why")
            self.admission.record_reply(Start(self.now_s), reply, self.now_s, 0.0)
        found = {
            "latency_ms": 5.0 if asked else None,
            "detail": None if status.answered else "why",
        } | more
        self.log.log_change(outcome(status=status, **found), self.now_s)


def told(*statuses, **more):
    """Return level and event of each line after calls with these outcomes."""
    source = Source()
    with capture_logs() as logs:
        for status in statuses:
            source.call(status, **more)
    return [(line["log_level"], line["event"]) for line in logs]


def test_an_outage_is_logged_at_its_start_and_end():
    """The log has the first failure, the opening of the circuit and the first success."""
    assert told(Status.OK, *[Status.UNREACHABLE] * 8, Status.OK, Status.EMPTY) == [
        ("warning", "source_failing"),
        ("warning", "circuit_opened"),
        ("info", "source_recovered"),
        ("info", "circuit_closed"),
    ]


def test_a_query_that_the_source_does_not_cover_is_no_failure():
    """Such as one for news that are older than the plan gives. The source answers all others."""
    assert told(Status.OK, Status.UNSUPPORTED, Status.OK) == []
    assert told(Status.TIMEOUT, Status.UNSUPPORTED, Status.OK) == [
        ("warning", "source_failing"),
        ("info", "source_recovered"),
    ]


@pytest.mark.parametrize(
    "status",
    [
        Status.UNAUTHORIZED,
        Status.RATE_LIMITED,
        Status.QUOTA_EXHAUSTED,
        Status.TIMEOUT,
        Status.BAD_PAYLOAD,
    ],
)
def test_every_refusal_is_logged_once(status):
    """The line has status, reason, HTTP status and the time of the next attempt."""
    retry_at = NOON + timedelta(minutes=5)
    source = Source()
    with capture_logs() as logs:
        for _ in range(2):
            source.call(status, http_status=403, retry_at=retry_at)
    assert logs[0] == {
        "event": "source_failing",
        "log_level": "warning",
        "source": "guardian",
        "status": status,
        "reason": "why",
        "http_status": 403,
        "retry_at": retry_at,
    }
    assert len(logs) == 1


def test_recovery_says_what_the_outage_cost():
    """The line has the number of failures and the seconds since the first one."""
    source = Source()
    with capture_logs() as logs:
        for status in (Status.TIMEOUT, Status.TIMEOUT, Status.OK):
            source.call(status)
    assert logs[-1] == {
        "event": "source_recovered",
        "log_level": "info",
        "source": "guardian",
        "failures": 2,
        "after_s": 10.0,
    }


@pytest.mark.parametrize(
    "status",
    [
        Status.CIRCUIT_OPEN,
        Status.RATE_LIMITED,
        Status.UNAUTHORIZED,
        Status.OVERLOADED,
        Status.DISABLED,
    ],
)
def test_refusals_of_our_own_are_not_logged(status):
    """They are its pace, a pause that was logged at its start, and a lack of room here."""
    assert told(status, status, asked=False) == []


def test_a_spent_quota_is_logged_without_a_call():
    """Our own count finds it before the source reports it.

    A quota that is held back for signed-in callers is not an outage.
    """
    assert told(Status.QUOTA_EXHAUSTED, asked=False) == [("warning", "source_failing")]
    assert told(Status.QUOTA_EXHAUSTED, asked=False, held_back=True) == []
