"""An outage is told when it begins and when it ends; a flapping thing costs a line or two a minute."""

from newsintel.domain.operations.conditions import QUIET_S, Condition, Recovery


def test_outage_is_told_once():
    """The first failure of each kind, and the end with what it cost."""
    condition = Condition()
    assert [condition.failed("timeout", now) for now in (10, 11, 12)] == [True, False, False]
    assert [condition.failed("refused", now) for now in (13, 14)] == [True, False]
    assert condition.worked(30) == Recovery(failures=5, after_s=20)
    assert condition.worked(31) is None


def test_what_always_works_is_not_told():
    """There is nothing to tell."""
    assert Condition().worked(0) is None


def test_flapping_is_told_once_a_minute():
    """Every other call fails for ten minutes: each failure is told at most once in QUIET_S, and each recovery only if its failure was."""
    condition, told = Condition(), []
    for second in range(0, 600, 2):
        if condition.failed("timeout", second):
            told.append("failing")
        if condition.worked(second + 1):
            told.append("recovered")
    assert told == ["failing", "recovered"] * 10


def test_outage_soon_after_another_is_told_late_and_not_never():
    """It is told with its first failure after QUIET_S."""
    condition = Condition()
    assert condition.failed("timeout", 0)
    assert condition.worked(1)
    assert [condition.failed("timeout", now) for now in (2, 30, QUIET_S - 1, QUIET_S, QUIET_S + 1)] == [False, False, False, True, False]
    assert condition.worked(100) == Recovery(failures=5, after_s=98)


def test_another_kind_is_told_at_once():
    """An outage of another kind may have another cause."""
    condition = Condition()
    assert condition.failed("timeout", 0)
    assert condition.worked(1)
    assert condition.failed("refused", 2)
