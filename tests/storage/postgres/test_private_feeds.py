"""Private feeds in a real PostgreSQL."""

import pytest
import trio
from attrs import evolve

from newsintel.domain.personal.model import FeedList, OwnedFeed, PrivateFeed
from newsintel.domain.security.keys import digest_secret
from newsintel.errors import AccountGoneError
from newsintel.storage.postgres.accounts.account_data import PostgresAccountData
from newsintel.storage.postgres.accounts.accounts import PostgresAccounts
from newsintel.storage.postgres.personal.private_feeds import PostgresPrivateFeeds
from tests.storage.support import NOON

FEED = PrivateFeed("", "my reader", FeedList.ARCHIVE, "title:flood", NOON)


@pytest.fixture
def feeds(postgres):
    """The feeds of an empty database."""
    return PostgresPrivateFeeds(postgres)


@pytest.fixture
async def alice(postgres):
    """An account."""
    return await PostgresAccounts(postgres).sign_in("reddit", "abc", "alice", NOON)


async def test_feed_is_found_by_its_digest_alone(feeds, alice, fetch):
    """Only a digest is stored; every value comes back as it went in."""
    made = await feeds.create(alice.id, FEED, digest_secret("secret-token"), 20)
    assert made == evolve(FEED, public_id=made.public_id)
    assert made.public_id.startswith("f_")
    assert len(made.public_id) == 22
    found = await feeds.find(digest_secret("secret-token"))
    assert found == OwnedFeed(alice.id, alice.public_id, made)
    assert await feeds.find(digest_secret("other")) is None
    assert "secret-token" not in str(await fetch("SELECT * FROM private_feeds"))


async def test_feeds_are_listed_newest_first_and_end_at_once(feeds, alice):
    """A feed without a query is of everything."""
    saved = PrivateFeed("", "saves", FeedList.SAVED, None, NOON)
    first = await feeds.create(alice.id, FEED, digest_secret("1"), 20)
    second = await feeds.create(alice.id, saved, digest_secret("2"), 20)
    assert await feeds.list_of_user(alice.id) == (second, first)
    assert not await feeds.revoke(alice.id + 1, first.public_id)
    assert await feeds.revoke(alice.id, first.public_id)
    assert not await feeds.revoke(alice.id, first.public_id)
    assert await feeds.find(digest_secret("1")) is None
    assert await feeds.list_of_user(alice.id) == (second,)


async def test_requests_at_once_cannot_exceed_the_maximum(feeds, alice, fetch):
    """The last place is taken once."""
    results = []

    async def create(number):
        results.append(await feeds.create(alice.id, FEED, digest_secret(str(number)), 2))

    async with trio.open_nursery() as nursery:
        for number in range(4):
            nursery.start_soon(create, number)
    assert results.count(None) == 2
    assert await fetch("SELECT count(*) FROM private_feeds") == [(2,)]


async def test_feeds_end_with_their_account(feeds, alice, postgres):
    """A feed that would be made afterwards has no owner."""
    await feeds.create(alice.id, FEED, digest_secret("1"), 20)
    await PostgresAccountData(postgres).delete(alice.id)
    assert await feeds.find(digest_secret("1")) is None
    with pytest.raises(AccountGoneError):
        await feeds.create(alice.id, FEED, digest_secret("2"), 20)
