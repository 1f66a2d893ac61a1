"""What the log says of a source, and that it does not say it with each call."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from newsintel.domain.limits.admission import Admission, Start
from newsintel.domain.limits.quotas import Terms
from newsintel.domain.search.outcome import Page, Refusal, Status
from newsintel.runtime.telemetry.source_log import SourceLog
from tests.make import NOON, outcome


class Source:
    """A source whose calls end as told, five seconds after each other."""

    def __init__(self):
        self.admission = Admission(Terms(0.0, None))
        self.log = SourceLog("guardian", self.admission)
        self.now_s = 100.0

    def call(self, status, *, asked=True, **more):
        """One call."""
        self.now_s += 5
        if asked:
            reply = Page((), 0, {}) if status.answered else Refusal(status, "why")
            self.admission.note(Start(self.now_s), reply, self.now_s, 0.0)
        found = {"latency_ms": 5.0 if asked else None, "detail": None if status.answered else "why"} | more
        self.log.note(outcome(status=status, **found), self.now_s)


def told(*statuses, **more):
    """The events of calls that ended so, with their levels."""
    source = Source()
    with capture_logs() as logs:
        for status in statuses:
            source.call(status, **more)
    return [(line["log_level"], line["event"]) for line in logs]


def test_outage_and_its_end():
    """The first failure, the opening of the circuit after three, the first success; not each call."""
    assert told(Status.OK, *[Status.UNREACHABLE] * 8, Status.OK, Status.EMPTY) == [
        ("warning", "source_failing"),
        ("warning", "circuit_opened"),
        ("info", "source_recovered"),
        ("info", "circuit_closed"),
    ]


@pytest.mark.parametrize("status", [Status.UNAUTHORIZED, Status.RATE_LIMITED, Status.QUOTA_EXHAUSTED, Status.TIMEOUT, Status.BAD_PAYLOAD])
def test_every_refusal_is_told_once(status):
    """With what an operator needs: status, reason, HTTP status, and until when the source is left alone."""
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


def test_recovery_says_what_it_cost():
    """Failures, and seconds since the first."""
    source = Source()
    with capture_logs() as logs:
        for status in (Status.TIMEOUT, Status.TIMEOUT, Status.OK):
            source.call(status)
    assert logs[-1] == {"event": "source_recovered", "log_level": "info", "source": "guardian", "failures": 2, "after_s": 10.0}


@pytest.mark.parametrize("status", [Status.CIRCUIT_OPEN, Status.RATE_LIMITED, Status.UNAUTHORIZED, Status.OVERLOADED, Status.DISABLED])
def test_what_is_no_fault_of_the_source_is_not_told(status):
    """Its pace, a pause that was told when it began, our own want of room."""
    assert told(status, status, asked=False) == []


def test_spent_quota_is_told_though_nobody_asked():
    """Our own count says so, before the source would; what is held back for signed-in callers is no outage."""
    assert told(Status.QUOTA_EXHAUSTED, asked=False) == [("warning", "source_failing")]
    assert told(Status.QUOTA_EXHAUSTED, asked=False, held_back=True) == []
