"""What all tests of the routes have in common."""

import pytest

from newsintel.runtime.limits import lookups


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A busy machine that stops for half a second is not taken for a store that is away."""
    monkeypatch.setattr(lookups, "LONGEST_S", 30.0)
