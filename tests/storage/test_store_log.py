"""What the log says of a store: the outage and its end, not each operation."""

import pytest
from structlog.testing import capture_logs

from newsintel.errors import ArchiveTimeoutError, BusyError, PoisonedBatchError, RefusedError, SchemaError, UnavailableError
from newsintel.storage.store_log import StoreLog


def test_outage_and_its_end():
    """A hundred operations fail: one line for each reason, one at the end."""
    log = StoreLog("redis")
    with capture_logs() as logs:
        log.worked()
        for _ in range(100):
            log.failed(UnavailableError("Redis is unavailable (ConnectionError)"))
            log.failed(UnavailableError("Redis is unavailable (TimeoutError)"))
        log.worked()
        log.worked()
    assert [(line["log_level"], line["event"], line["store"]) for line in logs] == [
        ("warning", "store_failing", "redis"),
        ("warning", "store_failing", "redis"),
        ("info", "store_recovered", "redis"),
    ]
    assert logs[0]["reason"] == "Redis is unavailable (ConnectionError)"
    assert logs[-1]["failures"] == 200


@pytest.mark.parametrize("error", [RefusedError("password"), SchemaError("older"), BusyError("full"), UnavailableError("gone")])
def test_what_counts_as_an_outage(error):
    """Whatever keeps the service from its data."""
    with capture_logs() as logs:
        StoreLog("postgresql").failed(error)
    assert [line["reason"] for line in logs] == [str(error)]


@pytest.mark.parametrize("error", [ArchiveTimeoutError("slow"), PoisonedBatchError("bad"), ValueError("x")])
def test_what_the_caller_asked_for_is_no_outage(error):
    """A query that takes too long, a row that is refused."""
    with capture_logs() as logs:
        StoreLog("postgresql").failed(error)
    assert logs == []
