"""How evidence fades with age: by halves, the exponential prior of Li and Croft, Time-based language models (CIKM 2003)."""

from datetime import datetime, timedelta
from math import exp2


def faded(since: datetime, now: datetime, half_life: timedelta) -> float:
    """What is left of 1 at `now`: 2^(-age / half-life). A date after `now` counts as now."""
    return exp2(-(max(now - since, timedelta(0)) / half_life))
