"""How many people saved an article, on a real PostgreSQL.

People count, not requests, and nothing under the floor is shown.
"""

import pytest

from newsintel.storage.postgres.accounts.accounts import PostgresAccounts
from newsintel.storage.postgres.intelligence.save_counts import PostgresSaveCounts
from newsintel.storage.postgres.personal.saved import PostgresSaved
from tests.storage.support import NOON, article


@pytest.fixture
async def saved_by(postgres):
    """A number of people save the article with this name, each twice."""
    accounts, saved = PostgresAccounts(postgres), PostgresSaved(postgres)

    async def run(name, people):
        for number in range(people):
            user = await accounts.sign_in("dev", f"person {number}", "x", NOON)
            for _ in range(2):
                await saved.put(user.id, article(name), NOON, notes=None, keep_notes=True, at=NOON)

    return run


async def test_saves_under_the_floor_are_not_shown(postgres, saved_by):
    """The saves of one or two people stay hidden. Saving twice is one save."""
    for name, people in (("one", 1), ("two", 2), ("three", 3), ("five", 5)):
        await saved_by(name, people)
    counts = PostgresSaveCounts(postgres)
    assert await counts.count_saves(3, 100) == {article("three").id: 3, article("five").id: 5}
    assert await counts.count_saves(3, 1) == {article("five").id: 5}
