# ruff: noqa: S608 - our own constants
"""Accounts, their keys and their tokens in a real PostgreSQL."""

from datetime import timedelta

import pytest
import trio
from attrs import evolve

from newsintel.config.values import Secret
from newsintel.domain.accounts.model import Access, ApiKey, Tokens
from newsintel.domain.security.keys import digest_secret
from newsintel.domain.security.sealing import Sealer
from newsintel.errors import UnknownKeyError
from newsintel.storage.postgres.accounts.accounts import PostgresAccounts
from newsintel.storage.postgres.accounts.api_keys import PostgresKeys
from newsintel.storage.postgres.accounts.tokens import PAGE_ROWS, PostgresTokens
from tests.make import account_id
from tests.storage.support import NOON

OLD, NEW = Secret("A" * 43), Secret("B" * 43)
KEY = ApiKey("", "a reader", Access.READ, NOON, None, None)
TOKENS = Tokens("planted-access", "planted-refresh", NOON)


@pytest.fixture
def accounts(postgres):
    """The accounts of an empty database."""
    return PostgresAccounts(postgres)


@pytest.fixture
def keys(postgres):
    """The API keys of that database."""
    return PostgresKeys(postgres)


@pytest.fixture
def tokens(postgres):
    """The tokens of that database, sealed with one key."""
    return PostgresTokens(postgres, lambda: Sealer([OLD]))


async def test_first_sign_in_makes_an_account_and_the_next_finds_it(accounts):
    """The name may have changed. The account stores the time of its last sign-in."""
    first = await accounts.sign_in("reddit", "abc", "alice", NOON)
    assert first.public_id.startswith("u_")
    assert len(first.public_id) == 22
    again = await accounts.sign_in("reddit", "abc", "Alice_2", NOON + timedelta(days=1))
    assert again == evolve(first, username="Alice_2", last_login_at=NOON + timedelta(days=1))
    assert await accounts.get_account(first.public_id) == again
    assert await accounts.get_account(account_id(1)) is None


async def test_same_subject_at_another_provider_is_another_account(accounts):
    """Two subjects of one provider are also two accounts, even with the same name."""
    found = [
        await accounts.sign_in(*who, "alice", NOON)
        for who in (("reddit", "1"), ("https://op.example", "1"), ("reddit", "2"))
    ]
    assert len({account.id for account in found}) == 3


async def test_account_is_found_by_its_identity(accounts):
    """The identity is provider and subject together. Before the first sign-in, nothing is found."""
    assert await accounts.find_by_identity("local", "reader") is None
    made = await accounts.sign_in("local", "reader", "reader", NOON)
    assert await accounts.find_by_identity("local", "reader") == made
    assert await accounts.find_by_identity("reddit", "reader") is None


async def test_concurrent_first_sign_ins_make_one_account(accounts, fetch):
    """The sign-ins may come from two tabs or two processes."""
    found = []

    async def sign_in():
        found.append(await accounts.sign_in("reddit", "abc", "alice", NOON))

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(sign_in)
    assert len({account.id for account in found}) == 1
    assert await fetch("SELECT count(*) FROM users") == [(1,)]


async def test_key_finds_its_account(accounts, keys, fetch):
    """Only a digest of the key is stored."""
    account = await accounts.sign_in("reddit", "abc", "alice", NOON)
    made = await keys.create(
        account.id, evolve(KEY, access=Access.WRITE), digest_secret("ni_secret"), 50
    )
    assert await accounts.find_key_holder(digest_secret("ni_secret"), NOON) == (
        account,
        Access.WRITE,
    )
    assert await accounts.find_key_holder(digest_secret("ni_other"), NOON) is None
    assert [one.public_id for one in await keys.list_of_user(account.id)] == [made.public_id]
    assert "ni_secret" not in str(await fetch("SELECT * FROM api_keys"))


async def test_key_is_invalid_when_expired_revoked_or_without_account(accounts, keys, execute):
    """Each of these takes effect at once."""
    account = await accounts.sign_in("reddit", "abc", "alice", NOON)
    await keys.create(
        account.id, evolve(KEY, expires_at=NOON + timedelta(hours=1)), digest_secret("one"), 50
    )
    other = await keys.create(account.id, KEY, digest_secret("two"), 50)
    assert await accounts.find_key_holder(digest_secret("one"), NOON + timedelta(minutes=59))
    assert await accounts.find_key_holder(digest_secret("one"), NOON + timedelta(hours=1)) is None
    assert await keys.revoke(account.id, other.public_id)
    assert await accounts.find_key_holder(digest_secret("two"), NOON) is None
    await execute("DELETE FROM users")
    assert await accounts.find_key_holder(digest_secret("one"), NOON) is None


async def test_asvs_30_only_the_owner_can_list_and_revoke_keys(accounts, keys):
    """Another account can neither see nor revoke them."""
    alice, bob = [await accounts.sign_in("reddit", name, name, NOON) for name in ("alice", "bob")]
    made = await keys.create(alice.id, KEY, digest_secret("one"), 50)
    assert await keys.list_of_user(bob.id) == ()
    assert not await keys.revoke(bob.id, made.public_id)
    assert await accounts.find_key_holder(digest_secret("one"), NOON)


async def test_last_use_is_written_once_a_minute(accounts, keys):
    """Listing the keys is not a use."""
    account = await accounts.sign_in("reddit", "abc", "alice", NOON)
    await keys.create(account.id, KEY, digest_secret("one"), 50)

    async def used():
        return (await keys.list_of_user(account.id))[0].last_used_at

    assert await used() is None
    for seconds, noted in ((0, 0), (59, 0), (60, 60), (100, 60)):
        await accounts.find_key_holder(digest_secret("one"), NOON + timedelta(seconds=seconds))
        assert await used() == NOON + timedelta(seconds=noted)


async def test_fault_25_key_works_on_a_read_only_server(
    accounts, keys, postgres, execute, database_url
):
    """If the last use cannot be written, the request still succeeds."""
    account = await accounts.sign_in("reddit", "abc", "alice", NOON)
    await keys.create(account.id, KEY, digest_secret("one"), 50)
    name = database_url.rpartition("/")[2].partition("?")[0]
    await execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")

    async def reconnect(connection):
        await connection.execute("SET default_transaction_read_only = on")

    for _ in range(4):
        await postgres.run(reconnect)
    assert await accounts.find_key_holder(digest_secret("one"), NOON) == (account, Access.READ)


async def test_concurrent_requests_do_not_exceed_the_limit_of_keys(accounts, keys):
    """Four requests ask for two places."""
    account = await accounts.sign_in("reddit", "abc", "alice", NOON)
    made = []

    async def make(number):
        made.append(await keys.create(account.id, KEY, digest_secret(str(number)), 2))

    async with trio.open_nursery() as nursery:
        for number in range(4):
            nursery.start_soon(make, number)
    assert len([key for key in made if key]) == 2
    assert await keys.create(99, KEY, digest_secret("nobody"), 50) is None


async def test_asvs_08_tokens_are_stored_encrypted(accounts, tokens, fetch):
    """They are read back unchanged; newer tokens replace older ones."""
    account = await accounts.sign_in("reddit", "abc", "alice", NOON)
    await tokens.put(account.id, "reddit", evolve(TOKENS, access_token="earlier"))
    await tokens.put(account.id, "reddit", TOKENS)
    assert "planted" not in str(await fetch("SELECT * FROM provider_tokens"))
    assert await tokens.take(account.id, "oidc") is None
    assert await tokens.take(account.id, "reddit") == TOKENS
    assert await tokens.take(account.id, "reddit") is None


async def test_asvs_08_token_of_another_account_is_refused(accounts, tokens, execute):
    """Even a person with write access to the table cannot swap tokens."""
    for name in ("alice", "bob"):
        account = await accounts.sign_in("reddit", name, name, NOON)
        await tokens.put(account.id, "reddit", evolve(TOKENS, access_token=name))
    others = "FROM provider_tokens AS other WHERE other.user_id = 1"
    await execute(f"UPDATE provider_tokens AS one SET access_token = other.access_token {others}")
    with pytest.raises(ValueError, match="another account"):
        await tokens.take(2, "reddit")


async def test_asvs_08_key_rotation_reseals_every_token(accounts, tokens, postgres):
    """It works in pages and needs no sign-in.

    A second run finds nothing to do, and the old key can be removed.
    """
    for number in range(4):
        account = await accounts.sign_in("reddit", str(number), "x", NOON)
        await tokens.put(
            account.id, "reddit", evolve(TOKENS, refresh_token=None if number else "r")
        )
    both, new = (
        PostgresTokens(postgres, lambda: Sealer([NEW, OLD])),
        PostgresTokens(postgres, lambda: Sealer([NEW])),
    )
    with pytest.raises(UnknownKeyError):
        await new.take(3, "reddit")
    assert await both.take(4, "reddit") == evolve(TOKENS, refresh_token=None)
    assert (await both.reseal_all(), await both.reseal_all()) == (2, 0)
    assert await new.take(1, "reddit") == evolve(TOKENS, refresh_token="r")
    assert PAGE_ROWS > 3


async def test_asvs_08_unknown_key_is_reported_after_all_others_are_resealed(
    accounts, tokens, postgres
):
    """One lost key does not prevent the rotation of the other tokens."""
    lost = PostgresTokens(postgres, lambda: Sealer([Secret("C" * 43)]))
    for number, store in enumerate((lost, tokens), start=1):
        account = await accounts.sign_in("reddit", str(number), "x", NOON)
        await store.put(account.id, "reddit", TOKENS)
    both = PostgresTokens(postgres, lambda: Sealer([NEW, OLD]))
    with pytest.raises(UnknownKeyError, match="put that key back"):
        await both.reseal_all()
    assert await PostgresTokens(postgres, lambda: Sealer([NEW])).take(2, "reddit") == TOKENS
