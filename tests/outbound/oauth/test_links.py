"""Tokens at providers: kept, and revoked and forgotten when the account signs out everywhere or is deleted."""

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
    """A provider that takes a second."""
    return ScriptedProvider(takes_s=1)


@pytest.fixture
async def store():
    """An account's tokens, and another's."""
    tokens = MemoryTokens()
    tokens.kept[7, "reddit"] = tokens.kept[8, "reddit"] = TOKENS
    return tokens


async def test_signing_in_again_replaces_the_tokens(store):
    """The newest are the ones to revoke one day."""
    await AccountLinks(store, {}).link(7, "reddit", newer := Tokens("newer", None, NOON))
    assert store.kept == {(7, "reddit"): newer, (8, "reddit"): TOKENS}


async def test_asvs_09_unlinking_revokes_and_forgets(autojump_clock, provider, store):
    """One account's alone; an account without tokens is left alone."""
    links = AccountLinks(store, {"reddit": provider})
    await links.unlink(7)
    await links.unlink(7)
    assert (provider.revoked, store.kept) == ([TOKENS], {(8, "reddit"): TOKENS})


async def test_what_a_provider_that_is_away_did_not_revoke_is_forgotten(autojump_clock, provider, store):
    """People who leave are not kept because somebody else is away."""
    provider.raises = SignInUnavailableError("away")
    await AccountLinks(store, {"reddit": provider}).unlink(7)
    assert (7, "reddit") not in store.kept


async def test_tokens_that_no_key_opens_are_forgotten(autojump_clock, provider, store, monkeypatch):
    """Nobody can revoke them any more."""

    async def sealed(*_):
        raise UnknownKeyError("key 1")

    monkeypatch.setattr(store, "get", sealed)
    await AccountLinks(store, {"reddit": provider}).unlink(7)
    assert (provider.revoked, (7, "reddit") in store.kept) == ([], False)


async def test_fault_39_a_caller_who_leaves_does_not_stop_the_revocation(autojump_clock, provider, store):
    """A browser that closes the connection would leave a token that works."""
    with trio.move_on_after(0.5) as scope:
        await AccountLinks(store, {"reddit": provider}).unlink(7)
    assert scope.cancel_called
    assert (provider.revoked, (7, "reddit") in store.kept) == ([TOKENS], False)


async def test_a_provider_that_never_answers_holds_nobody_up_for_ever(autojump_clock, provider, store):
    """The bound is a provider's, so that the next one has its turn."""
    provider.takes_s, next_one = float("inf"), ScriptedProvider()
    store.kept[7, "other"] = TOKENS
    started_s = trio.current_time()
    await AccountLinks(store, {"reddit": provider, "other": next_one}).unlink(7)
    assert trio.current_time() - started_s == pytest.approx(UNLINK_S)
    assert next_one.revoked == [TOKENS]
