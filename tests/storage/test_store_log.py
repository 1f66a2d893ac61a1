"""The log of a store: an outage and its end, not each operation."""

import pytest
from structlog.testing import capture_logs

from newsintel.errors import (
    ArchiveTimeoutError,
    BusyError,
    PoisonedBatchError,
    SchemaError,
    StoreRefusedError,
    UnavailableError,
    WritesRefusedError,
)
from newsintel.storage.store_log import StoreLog


def test_outage_is_logged_once_per_reason_and_at_its_end():
    """A hundred operations fail for each of two reasons."""
    log = StoreLog("redis")
    with capture_logs() as logs:
        log.note_success()
        for _ in range(100):
            log.note_failure(UnavailableError("Redis is unavailable (ConnectionError)"))
            log.note_failure(UnavailableError("Redis is unavailable (TimeoutError)"))
        log.note_success()
        log.note_success()
    assert [(line["log_level"], line["event"], line["store"]) for line in logs] == [
        ("warning", "store_failing", "redis"),
        ("warning", "store_failing", "redis"),
        ("info", "store_recovered", "redis"),
    ]
    assert logs[0]["reason"] == "Redis is unavailable (ConnectionError)"
    assert logs[-1]["failures"] == 200


def test_a_read_does_not_end_an_outage_of_writes():
    """A replica answers reads for hours. Only what is certain to write tells that it is over."""
    log = StoreLog("postgresql")
    with capture_logs() as logs:
        for _ in range(3):
            log.note_failure(WritesRefusedError("read-only"))
            log.note_success()
        assert [line["event"] for line in logs] == ["store_failing"]
        log.note_success(wrote=True)
        log.note_failure(UnavailableError("gone"))
        log.note_success()
    assert [line["event"] for line in logs[1:]] == [
        "store_recovered",
        "store_failing",
        "store_recovered",
    ]
    assert logs[1]["failures"] == 3


@pytest.mark.parametrize(
    "error",
    [
        StoreRefusedError("password"),
        SchemaError("older"),
        BusyError("full"),
        UnavailableError("gone"),
    ],
)
def test_unavailable_store_is_logged_as_an_outage(error):
    """Each of these errors keeps the service from its data."""
    with capture_logs() as logs:
        StoreLog("postgresql").note_failure(error)
    assert [line["reason"] for line in logs] == [str(error)]


@pytest.mark.parametrize(
    "error", [ArchiveTimeoutError("slow"), PoisonedBatchError("bad"), ValueError("x")]
)
def test_error_of_the_caller_is_not_an_outage(error):
    """Such errors are slow queries, refused rows and bugs."""
    with capture_logs() as logs:
        StoreLog("postgresql").note_failure(error)
    assert logs == []
