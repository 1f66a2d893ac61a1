"""Fixtures that all tests of the routes share."""

import pytest

from newsintel.runtime.limits import lookups


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Raise the look-up timeout, so that a busy machine does not look like a store that is down."""
    monkeypatch.setattr(lookups, "LONGEST_S", 30.0)
