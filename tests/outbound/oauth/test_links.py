"""Tokens at providers: refreshed once however many need them, and forgotten when they are honoured no more."""

from datetime import timedelta

import pytest
import trio

from newsintel.domain.accounts.model import Tokens
from newsintel.errors import NotLinkedError, SignInUnavailableError, UnavailableError
from newsintel.outbound.oauth.links import AccountLinks
from tests.fakes.accounts import MemoryLocks, MemoryTokens, ScriptedProvider
from tests.fakes.basics import Clock


@pytest.fixture
async def clock(autojump_clock):
    """A wall clock on virtual time."""
    return Clock()


@pytest.fixture
async def provider(clock):
    """A provider that takes a second."""
    return ScriptedProvider(takes_s=1, now=clock)


@pytest.fixture
async def store(clock):
    """An account's tokens, which have just expired."""
    tokens = MemoryTokens()
    tokens.kept[7, "reddit"] = Tokens("old", "refresh", clock())
    return tokens


async def gather(count, links):
    """What each of many gets that ask at the same moment, from one of several processes."""
    got = []

    async def ask(link):
        try:
            got.append(await link.access_token(7, "reddit"))
        except (NotLinkedError, SignInUnavailableError) as error:
            got.append(type(error))

    async with trio.open_nursery() as nursery:
        for number in range(count):
            nursery.start_soon(ask, links[number % len(links)])
    return got


async def test_fault_39_twenty_at_once_cost_one_refresh(clock, provider, store):
    """In three processes, which share nothing but the stores."""
    locks = MemoryLocks()
    links = [AccountLinks(store, locks, {"reddit": provider}, clock) for _ in range(3)]
    assert await gather(20, links) == ["access-fresh-1"] * 20
    assert len(provider.refreshed) == 1
    assert store.kept[7, "reddit"].refresh_token == "refresh-fresh-1"
    assert locks.held == {}


async def test_a_token_that_is_good_costs_nothing(clock, provider, store):
    """It is renewed a minute before it expires."""
    links = AccountLinks(store, MemoryLocks(), {"reddit": provider}, clock)
    store.kept[7, "reddit"] = Tokens("good", "refresh", clock() + timedelta(seconds=61))
    assert await links.access_token(7, "reddit") == "good"
    assert provider.refreshed == []
    await trio.sleep(2)
    assert await links.access_token(7, "reddit") == "access-fresh-1"


async def test_asvs_09_what_is_honoured_no_more_is_unlinked_and_told(clock, provider, store):
    """Twenty learn it from one question, or from the row that is gone."""
    provider.raises = NotLinkedError("no longer honoured")
    links = AccountLinks(store, MemoryLocks(), {"reddit": provider}, clock)
    assert await gather(20, [links]) == [NotLinkedError] * 20
    assert (len(provider.refreshed), store.kept) == (1, {})


async def test_a_provider_that_is_away_unlinks_nobody(clock, provider, store):
    """It may come back."""
    provider.raises = SignInUnavailableError("away")
    links = AccountLinks(store, MemoryLocks(), {"reddit": provider}, clock)
    assert await gather(1, [links]) == [SignInUnavailableError]
    assert (7, "reddit") in store.kept
    provider.raises = None
    assert await links.access_token(7, "reddit") == "access-fresh-2"


async def test_a_caller_who_leaves_does_not_spoil_the_refresh(clock, provider, store):
    """A spent refresh token whose successor nobody kept would sign the person out."""
    links = AccountLinks(store, MemoryLocks(), {"reddit": provider}, clock)
    with trio.move_on_after(0.5) as scope:
        await links.access_token(7, "reddit")
    assert scope.cancelled_caught
    assert store.kept[7, "reddit"].access_token == "access-fresh-1"
    assert await links.access_token(7, "reddit") == "access-fresh-1"


async def test_a_holder_that_died_holds_nobody_up_for_ever(clock, provider, store, monkeypatch):
    """Its claim lapses; whoever cannot wait for that is put off."""
    locks = MemoryLocks()
    locks.held["link:7:reddit"] = "of the dead"
    links = AccountLinks(store, locks, {"reddit": provider}, clock)
    started_s = trio.current_time()
    with monkeypatch.context() as impatient:
        impatient.setattr("newsintel.outbound.oauth.links.CLAIM_S", 0.5)
        assert await gather(2, [links]) == [SignInUnavailableError] * 2
    assert 0.5 <= trio.current_time() - started_s < 2
    locks.held.clear()
    assert await links.access_token(7, "reddit") == "access-fresh-1"


async def test_a_claim_that_cannot_be_given_back_lapses(clock, provider, store):
    """Redis going away meanwhile takes nothing from the result."""
    locks = MemoryLocks()

    async def away(_key, _token):
        raise UnavailableError("redis is away")

    locks.unlock = away
    assert await AccountLinks(store, locks, {"reddit": provider}, clock).access_token(7, "reddit") == "access-fresh-1"


async def test_asvs_09_unlinking_revokes_and_forgets(clock, provider, store):
    """And an account without tokens is left alone."""
    links = AccountLinks(store, MemoryLocks(), {"reddit": provider}, clock)
    tokens = store.kept[7, "reddit"]
    await links.unlink(7)
    await links.unlink(7)
    assert (provider.revoked, store.kept) == ([tokens], {})
    with pytest.raises(NotLinkedError, match="Sign in again"):
        await links.access_token(7, "reddit")


async def test_fault_39_whoever_claims_late_reads_the_token_again(clock, provider, store):
    """It was expired when looked at, and refreshed by another before the claim was had."""

    class LateLocks(MemoryLocks):
        asked = 0

        async def lock(self, key, token, ttl_s):
            LateLocks.asked += 1
            await trio.sleep(0.5 * (LateLocks.asked - 1))
            return await super().lock(key, token, ttl_s)

    assert await gather(2, [AccountLinks(store, LateLocks(), {"reddit": provider}, clock)]) == ["access-fresh-1"] * 2
    assert len(provider.refreshed) == 1
