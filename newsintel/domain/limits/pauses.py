"""Limits the pause that a source or sign-in provider may ask for."""

MIN_PAUSE_S, MAX_PAUSE_S = 1.0, 3600.0
"""Bounds of any Retry-After. The minimum prevents a busy loop. With the maximum, a mistyped value
cannot silence a source for a day (reliability list, fault 5; GitHub's rule for API clients)."""


def clamp_pause(asked_s: float) -> float:
    """Return the requested seconds within the bounds."""
    return min(max(asked_s, MIN_PAUSE_S), MAX_PAUSE_S)
