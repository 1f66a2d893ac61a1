"""Stores of saved searches on a real PostgreSQL."""

import pytest

from newsintel.config.values import Secret
from newsintel.domain.security.sealing import Sealer
from newsintel.storage.postgres.alerts.matching import PostgresMatching
from newsintel.storage.postgres.alerts.saved_searches import PostgresSavedSearches
from newsintel.storage.postgres.archive.stories import PostgresStories
from tests.storage.postgres.alerts.watching import NOW, Newsroom

SEALER = Sealer([Secret("A" * 43)])


@pytest.fixture
def newsroom(postgres, archive, people):
    """An empty archive, in which the first person saves searches."""
    return Newsroom(
        archive,
        PostgresStories(postgres),
        PostgresSavedSearches(postgres, lambda: SEALER),
        PostgresMatching(postgres, lambda: NOW),
        people[0],
    )
