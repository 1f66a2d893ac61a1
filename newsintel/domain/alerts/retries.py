"""When a failed delivery is tried again (Standard Webhooks 1.0.0, "Deliverability…").

All channels follow the schedule that the specification gives for webhooks.
"""

RETRY_DELAYS_S = (
    5.0,
    5 * 60.0,
    30 * 60.0,
    2 * 3600.0,
    5 * 3600.0,
    10 * 3600.0,
    14 * 3600.0,
    20 * 3600.0,
    24 * 3600.0,
)
"""The pauses after each failed attempt: the tenth and last attempt is 75 h 35 min after the first.
"""

MAX_ATTEMPTS = len(RETRY_DELAYS_S) + 1

JITTER = 0.1
"""A pause is made up to a tenth longer, so that deliveries which failed together do not come
together again."""

MAX_ASKED_S = 24 * 3600.0
"""A receiver's Retry-After counts up to the longest pause of the schedule."""


def plan_retry_s(attempts: int, asked_s: float, luck: float) -> float | None:
    """Return the seconds until a delivery that failed is tried again; None = never.

    Args:
        attempts: those that failed, at least 1.
        asked_s: from Retry-After; 0 = none.
        luck: random, from 0 to 1.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    wanted_s = max(RETRY_DELAYS_S[attempts - 1], min(asked_s, MAX_ASKED_S))
    return wanted_s * (1 + JITTER * luck)
