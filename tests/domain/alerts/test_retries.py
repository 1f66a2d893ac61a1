"""The schedule of retries, beside that of the specification."""

import re
from itertools import accumulate

import pytest

from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.delivery_model import Attempt, DeliveryState, Outcome, Settlement
from newsintel.domain.alerts.retries import MAX_ATTEMPTS, plan_retry_s
from newsintel.domain.alerts.settling import FAILED, GONE, judge_attempt
from tests.domain.alerts.made import delivery
from tests.make import NOON, at

EXAMPLE = """
| Immediately | 00:00:00         |
| 5 seconds   | 00:00:05         |
| 5 minutes   | 00:05:05         |
| 30 minutes  | 00:35:05         |
| 2 hours     | 02:35:05         |
| 5 hours     | 07:35:05         |
| 10 hours    | 17:35:05         |
| 14 hours    | 31:35:05         |
| 20 hours    | 51:35:05         |
| 24 hours    | 75:35:05         |
"""
"""The table "Example retry schedule" of Standard Webhooks 1.0.0, word for word."""

REFUSED = Attempt(Outcome.REFUSED, 500, "HTTP 500")


def test_the_schedule_is_the_specifications():
    """Without jitter, which makes each pause at most a tenth longer."""
    wanted = [
        3600 * int(hours) + 60 * int(minutes) + int(seconds)
        for hours, minutes, seconds in re.findall(r"(\d+):(\d+):(\d+)", EXAMPLE)
    ]
    pauses = [plan_retry_s(attempts, 0, 0) for attempts in range(1, MAX_ATTEMPTS)]
    assert [0, *accumulate(pauses)] == wanted
    assert plan_retry_s(MAX_ATTEMPTS, 0, 0) is None
    for attempts, pause_s in enumerate(pauses, 1):
        assert plan_retry_s(attempts, 0, 1) == pytest.approx(1.1 * pause_s)


def test_retry_after_counts_if_it_is_later():
    """Up to a day."""
    assert plan_retry_s(1, 90, 0) == 90
    assert plan_retry_s(3, 90, 0) == 1800
    assert plan_retry_s(1, 10**9, 0) == 86400


def judge(attempt: Attempt, attempts: int = 0, **changes) -> Settlement:
    """What follows from an attempt."""
    return judge_attempt(delivery(attempts=attempts, **changes), attempt, NOON, 0)


def test_success_ends_a_delivery():
    """Nothing more is sent."""
    assert judge(Attempt(Outcome.DELIVERED, 204)) == Settlement(DeliveryState.DELIVERED)


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.TIMEOUT, Outcome.UNREACHABLE])
def test_failure_is_retried(outcome):
    """Whatever its reason, by the number of attempts."""
    assert judge(Attempt(outcome)) == Settlement(DeliveryState.PENDING, at(5))
    assert judge(Attempt(outcome), attempts=1) == Settlement(DeliveryState.PENDING, at(300))


def test_gone_disables_at_once():
    """The receiver wants no more."""
    assert judge(Attempt(Outcome.GONE, 410)) == Settlement(DeliveryState.FAILED, disable=GONE)


def test_the_last_failure_disables():
    """After 75 hours."""
    assert judge(REFUSED, attempts=8).state is DeliveryState.PENDING
    assert judge(REFUSED, attempts=9) == Settlement(DeliveryState.FAILED, disable=FAILED)


def test_a_test_is_tried_once():
    """And does not disable its channel, unless that is gone."""
    assert judge(REFUSED, is_test=True) == Settlement(DeliveryState.FAILED)
    assert judge(REFUSED, attempts=9, is_test=True) == Settlement(DeliveryState.FAILED)
    assert judge(Attempt(Outcome.GONE, 410), is_test=True).disable == GONE


def test_kinds_share_one_schedule():
    """There is one for all."""
    for kind in ChannelKind:
        assert judge(REFUSED, kind=kind).retry_at == at(5)
