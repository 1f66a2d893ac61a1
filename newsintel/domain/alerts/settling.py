"""What follows from an attempt to deliver: done, again later, or the end of a channel. Pure."""

from datetime import datetime, timedelta

from newsintel.domain.alerts.delivery_model import (
    Attempt,
    ClaimedDelivery,
    DeliveryState,
    Outcome,
    Settlement,
)
from newsintel.domain.alerts.retries import plan_retry_s

GONE = "The receiver answered that it wants no more alerts."
FAILED = "All attempts of a delivery failed, over three days."


def judge_attempt(
    delivery: ClaimedDelivery, attempt: Attempt, now: datetime, luck: float
) -> Settlement:
    """Return what follows from an attempt.

    A test is tried once: its person waits for the result.

    Args:
        delivery: as it was claimed.
        attempt: what came of it.
        now: the time after it.
        luck: random, from 0 to 1, for the jitter of retries.
    """
    if attempt.outcome is Outcome.DELIVERED:
        return Settlement(DeliveryState.DELIVERED)
    if attempt.outcome is Outcome.GONE:
        return Settlement(DeliveryState.FAILED, disable=GONE)
    if delivery.is_test:
        return Settlement(DeliveryState.FAILED)
    pause_s = plan_retry_s(delivery.attempts + 1, attempt.asked_s, luck)
    if pause_s is None:
        return Settlement(DeliveryState.FAILED, disable=FAILED)
    return Settlement(DeliveryState.PENDING, retry_at=now + timedelta(seconds=pause_s))
