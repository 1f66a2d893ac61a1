"""Writes that refer to what somebody else deletes at this moment."""

from functools import partial

import pytest
import trio

from newsintel.config.values import Secret
from newsintel.domain.accounts.model import Tokens
from newsintel.domain.personal.model import Dismissal, Put
from newsintel.domain.security.sealing import Sealer
from newsintel.errors import AccountGoneError
from newsintel.storage.postgres.accounts.account_data import PostgresAccountData
from newsintel.storage.postgres.accounts.tokens import PostgresTokens
from newsintel.storage.postgres.personal.preferences import PostgresPreferences
from tests.storage.support import NOON, article


async def test_nothing_is_kept_for_an_account_that_is_gone(postgres, saved, feedback, people):
    """Whatever it is, the answer says that the account is gone, not that the value is none."""
    preferences, tokens = PostgresPreferences(postgres), PostgresTokens(postgres, lambda: Sealer([Secret("A" * 43)]))
    alice = people[0]
    writes = {
        "preference": partial(preferences.put, alice, "theme", 1, NOON),
        "save": partial(saved.put, alice, article("one"), NOON, notes=None, keep_notes=True, at=NOON),
        "opened": partial(feedback.open, alice, article("one"), NOON, NOON),
        "dismissed": partial(feedback.dismiss, alice, article("one"), NOON, NOON, Dismissal.HIDE),
        "tokens": partial(tokens.put, alice, "reddit", Tokens("access", "refresh", NOON)),
    }
    await PostgresAccountData(postgres).delete(alice)
    for name, write in writes.items():
        with pytest.raises(AccountGoneError):
            print(name, await write())  # noqa: T201


async def test_an_article_that_goes_while_it_is_saved_is_archived_again(saved, archive, people, holding, somebody_waits):
    """It was found, and is pruned before its save is kept: it goes back into the archive, like one that was never there."""
    await archive.save([(article("one"), NOON)], [])
    done = []

    async def saving():
        done.append(await saved.put(people[0], article("one"), NOON, notes=None, keep_notes=True, at=NOON))

    async with trio.open_nursery() as nursery, holding("DELETE FROM articles"):
        nursery.start_soon(saving)
        await somebody_waits()
    assert done[0][1] is Put.NEW
    assert len((await saved.page(people[0], None, 2, None)).saves) == 1
