"""For how long a source or sign-in provider is left alone that asks for it."""

MIN_PAUSE_S, MAX_PAUSE_S = 1.0, 3600.0
"""What we make of any Retry-After: never a busy loop, and no typing error of theirs silences a source for a day (reliability list, fault 5;
GitHub's rule for API clients)."""


def clamp_pause(asked_s: float) -> float:
    """The seconds that are kept to of those that were asked for."""
    return min(max(asked_s, MIN_PAUSE_S), MAX_PAUSE_S)
