"""When an outage is reported.

Its begin and its end are reported; a flapping service costs one or two log lines a minute.
"""

from newsintel.domain.operations.conditions import MIN_LOG_INTERVAL_S, OutageTracker, Recovery


def test_an_outage_is_reported_once():
    """The first failure of each kind is reported.

    The recovery is reported with the number of failures and the duration.
    """
    condition = OutageTracker()
    assert [condition.record_failure("timeout", now) for now in (10, 11, 12)] == [
        True,
        False,
        False,
    ]
    assert [condition.record_failure("refused", now) for now in (13, 14)] == [True, False]
    assert condition.record_success(30) == Recovery(failures=5, after_s=20)
    assert condition.record_success(31) is None


def test_success_without_a_failure_is_not_reported():
    """Only a recovery is reported."""
    assert OutageTracker().record_success(0) is None


def test_flapping_is_reported_once_a_minute():
    """Every other call fails for ten minutes.

    A failure is reported at most once in MIN_LOG_INTERVAL_S. A recovery is reported only if its
    failure was.
    """
    condition, told = OutageTracker(), []
    for second in range(0, 600, 2):
        if condition.record_failure("timeout", second):
            told.append("failing")
        if condition.record_success(second + 1):
            told.append("recovered")
    assert told == ["failing", "recovered"] * 10


def test_an_outage_soon_after_another_is_reported_late():
    """Its first failure after MIN_LOG_INTERVAL_S is reported."""
    condition = OutageTracker()
    assert condition.record_failure("timeout", 0)
    assert condition.record_success(1)
    assert [
        condition.record_failure("timeout", now)
        for now in (2, 30, MIN_LOG_INTERVAL_S - 1, MIN_LOG_INTERVAL_S, MIN_LOG_INTERVAL_S + 1)
    ] == [False, False, False, True, False]
    assert condition.record_success(100) == Recovery(failures=5, after_s=98)


def test_another_kind_of_failure_is_reported_at_once():
    """It may have another cause."""
    condition = OutageTracker()
    assert condition.record_failure("timeout", 0)
    assert condition.record_success(1)
    assert condition.record_failure("refused", 2)
