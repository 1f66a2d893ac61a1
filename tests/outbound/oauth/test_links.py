"""Tokens of providers are stored.

They are revoked and deleted when the account is deleted, or signs out everywhere.
"""

import pytest
import trio

from newsintel.domain.accounts.model import Tokens
from newsintel.errors import SignInUnavailableError, UnknownKeyError
from newsintel.outbound.oauth.links import UNLINK_S, AccountLinks
from tests.fakes.accounts import MemoryTokens, ScriptedProvider
from tests.make import NOON

TOKENS = Tokens("access", "refresh", NOON)


@pytest.fixture
async def provider():
    """A provider whose revocation takes a second."""
    return ScriptedProvider(takes_s=1)


@pytest.fixture
async def store():
    """The tokens of one account, and of another."""
    tokens = MemoryTokens()
    tokens.kept[7, "reddit"] = tokens.kept[8, "reddit"] = TOKENS
    return tokens


async def test_signing_in_again_replaces_the_tokens(store):
    """The newest tokens are the ones to revoke later."""
    await AccountLinks(store, {}).store_tokens(7, "reddit", newer := Tokens("newer", None, NOON))
    assert store.kept == {(7, "reddit"): newer, (8, "reddit"): TOKENS}


async def test_asvs_09_unlinking_revokes_and_forgets(autojump_clock, provider, store):
    """Only this account's tokens; an account without tokens needs no revocation."""
    links = AccountLinks(store, {"reddit": provider})
    await links.revoke_all_tokens(7)
    await links.revoke_all_tokens(7)
    assert (provider.revoked, store.kept) == ([TOKENS], {(8, "reddit"): TOKENS})


async def test_tokens_of_a_sign_in_during_the_revocation_stay(autojump_clock, provider, store):
    """They belong to a new session, and nothing has revoked them."""
    links, newer = AccountLinks(store, {"reddit": provider}), Tokens("newer", None, NOON)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(links.revoke_all_tokens, 7)
        await trio.sleep(provider.takes_s / 2)
        await links.store_tokens(7, "reddit", newer)
    assert provider.revoked == [TOKENS]
    assert store.kept[7, "reddit"] == newer


async def test_tokens_are_deleted_even_if_the_provider_is_unreachable(
    autojump_clock, provider, store
):
    """An outage of a provider must not keep the data of a person who leaves."""
    provider.raises = SignInUnavailableError("away")
    await AccountLinks(store, {"reddit": provider}).revoke_all_tokens(7)
    assert (7, "reddit") not in store.kept


async def test_tokens_that_no_key_decrypts_are_deleted(
    autojump_clock, provider, store, monkeypatch
):
    """They can no longer be revoked."""
    take = store.take

    async def sealed(*of):
        await take(*of)
        raise UnknownKeyError("key 1")

    monkeypatch.setattr(store, "take", sealed)
    await AccountLinks(store, {"reddit": provider}).revoke_all_tokens(7)
    assert (provider.revoked, (7, "reddit") in store.kept) == ([], False)


async def test_fault_39_a_caller_who_leaves_does_not_stop_the_revocation(
    autojump_clock, provider, store
):
    """Otherwise a closed connection would leave a token that works."""
    began = trio.current_time()
    with trio.move_on_after(0.5) as scope:
        await AccountLinks(store, {"reddit": provider}).revoke_all_tokens(7)
    assert scope.cancel_called
    assert trio.current_time() - began == provider.takes_s  # it went on to the provider's answer
    assert (provider.revoked, (7, "reddit") in store.kept) == ([TOKENS], False)


async def test_revocation_has_a_timeout_per_provider(autojump_clock, provider, store):
    """After the timeout, the next provider gets its request."""
    provider.takes_s, next_one = float("inf"), ScriptedProvider()
    store.kept[7, "other"] = TOKENS
    started_s = trio.current_time()
    await AccountLinks(store, {"reddit": provider, "other": next_one}).revoke_all_tokens(7)
    assert trio.current_time() - started_s == pytest.approx(UNLINK_S)
    assert next_one.revoked == [TOKENS]
