"""Fixtures for the tests of personal data."""

import pytest

from newsintel.storage.postgres.accounts.accounts import PostgresAccounts
from newsintel.storage.postgres.personal.feedback import PostgresFeedback
from newsintel.storage.postgres.personal.saved import PostgresSaved
from tests.storage.support import NOON


@pytest.fixture
async def people(postgres):
    """The internal ids of two people."""
    accounts = PostgresAccounts(postgres)
    return [(await accounts.sign_in("dev", name, name, NOON)).id for name in ("alice", "bob")]


@pytest.fixture
def saved(postgres):
    """Saved articles in their own database."""
    return PostgresSaved(postgres)


@pytest.fixture
def feedback(postgres):
    """Opened and dismissed articles in their own database."""
    return PostgresFeedback(postgres)
