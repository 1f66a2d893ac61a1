"""What several tests of what belongs to people begin with."""

import pytest

from newsintel.storage.postgres.accounts.accounts import PostgresAccounts
from newsintel.storage.postgres.personal.feedback import PostgresFeedback
from newsintel.storage.postgres.personal.saved import PostgresSaved
from tests.storage.support import NOON


@pytest.fixture
async def people(postgres):
    """The inner ids of two people."""
    accounts = PostgresAccounts(postgres)
    return [(await accounts.sign_in("dev", name, name, NOON)).id for name in ("alice", "bob")]


@pytest.fixture
def saved(postgres):
    """What people saved, on a database of its own."""
    return PostgresSaved(postgres)


@pytest.fixture
def feedback(postgres):
    """What people opened and dismissed, on a database of its own."""
    return PostgresFeedback(postgres)
