"""Writes that refer to a row that another process deletes at this moment."""

from functools import partial

import pytest
import trio

from newsintel.config.values import Secret
from newsintel.domain.accounts.model import Tokens
from newsintel.domain.personal.model import Dismissal, PutResult
from newsintel.domain.security.sealing import Sealer
from newsintel.errors import AccountGoneError
from newsintel.storage.postgres.accounts.account_data import PostgresAccountData
from newsintel.storage.postgres.accounts.tokens import PostgresTokens
from newsintel.storage.postgres.personal.preferences import PostgresPreferences
from tests.storage.support import NOON, article


async def test_write_for_a_deleted_account_is_account_gone(postgres, saved, feedback, people):
    """For every kind of write, the error says that the account is gone.

    It does not say that the value is invalid.
    """
    preferences, tokens = (
        PostgresPreferences(postgres),
        PostgresTokens(postgres, lambda: Sealer([Secret("A" * 43)])),
    )
    alice = people[0]
    writes = {
        "preference": partial(preferences.put, alice, "theme", 1, NOON),
        "save": partial(
            saved.put, alice, article("one"), NOON, notes=None, keep_notes=True, at=NOON
        ),
        "opened": partial(feedback.record_opened, alice, article("one"), NOON, NOON),
        "dismissed": partial(
            feedback.record_dismissed, alice, article("one"), NOON, NOON, Dismissal.HIDE
        ),
        "tokens": partial(tokens.put, alice, "reddit", Tokens("access", "refresh", NOON)),
    }
    await PostgresAccountData(postgres).delete(alice)
    for name, write in writes.items():
        with pytest.raises(AccountGoneError):
            print(name, await write())  # noqa: T201


async def test_article_deleted_while_it_is_saved_is_archived_again(
    saved, archive, people, holding, somebody_waits
):
    """The save found the article, and then it was pruned.

    The save adds it to the archive again, like a new article.
    """
    await archive.save_articles([(article("one"), NOON)], [])
    done = []

    async def saving():
        done.append(
            await saved.put(people[0], article("one"), NOON, notes=None, keep_notes=True, at=NOON)
        )

    async with trio.open_nursery() as nursery, holding("DELETE FROM articles"):
        nursery.start_soon(saving)
        await somebody_waits()
    assert done[0][1] is PutResult.NEW
    assert len((await saved.list_page(people[0], None, 2, None)).saves) == 1
