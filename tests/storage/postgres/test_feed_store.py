"""Feeds in a real PostgreSQL: several processes share them and never poll one host at once."""

import random
import string
from datetime import timedelta

import pytest
import trio
from attrs import evolve

from newsintel.domain.feeds.model import (
    Origin,
    PollResult,
    PollStatus,
    Subscription,
    Validators,
)
from newsintel.domain.text.request_urls import MAX_ADDRESS, to_ascii_url
from newsintel.storage.postgres.feeds.feed_store import PostgresFeeds
from tests.storage.support import NOON

A1, A2, B = "https://a.example/1", "https://a.example/2", "https://b.example/1"
FULL = Subscription(A1, "The A", "en", "GB", "Free to read", state_media=True, title="A: all")
HOUR = timedelta(hours=1)


def after(seconds):
    """A time after NOON."""
    return NOON + timedelta(seconds=seconds)


def result(next_s=900, host_s=1, **changes):
    """A poll that went well."""
    values = {"status": PollStatus.OK, "reason": None}
    return PollResult(next_at=after(next_s), host_free_at=after(host_s), **(values | changes))


@pytest.fixture
def feeds(postgres):
    """The feeds of an empty database."""
    return PostgresFeeds(postgres)


async def add(feeds, *addresses, origin=Origin.SETTING):
    """Add feeds of which only the addresses are known."""
    return await feeds.add_feeds([Subscription(one) for one in addresses], origin, NOON)


async def addresses(feeds):
    """The addresses of all feeds that are read."""
    return [one.subscription.address for one in await feeds.list_feeds()]


async def test_what_a_list_says_of_a_feed_comes_back(feeds):
    """And a feed that nobody has polled waits."""
    assert await feeds.add_feeds([FULL, FULL, Subscription(B)], Origin.SETTING, NOON) == 2
    first, second = await feeds.list_feeds()
    assert first.subscription == FULL
    assert (first.origin, first.url, first.status) == (Origin.SETTING, A1, PollStatus.WAITING)
    assert (first.polled_at, first.next_at, first.items) == (None, NOON, None)
    assert second.subscription == Subscription(B)
    assert await feeds.add_feeds([], Origin.SETTING, NOON) == 0


async def test_the_longest_address_is_stored(feeds):
    """Its bytes fit into PostgreSQL's index, also if they cannot be compressed."""
    path = random.Random(1).choices(string.ascii_letters + string.digits, k=MAX_ADDRESS)
    longest = ("https://x.example/" + "".join(path))[:MAX_ADDRESS]
    assert to_ascii_url(longest) == longest
    await add(feeds, longest)
    assert await addresses(feeds) == [longest]


async def test_a_known_feed_keeps_its_state(feeds):
    """A later list may say more of it, and never less."""
    await add(feeds, A1)
    leased = await feeds.lease_feed(NOON, NOON + HOUR)
    await feeds.settle(leased, result(items=7), NOON)
    assert await feeds.add_feeds([FULL], Origin.COMMAND, NOON + HOUR) == 0
    assert await add(feeds, A1) == 0
    (found,) = await feeds.list_feeds()
    assert found.subscription == FULL
    assert (found.items, found.origin, found.next_at) == (7, Origin.COMMAND, after(900))


async def test_a_removed_feed_comes_back_by_a_command_only(feeds):
    """The list that FEEDS names may still have it."""
    await add(feeds, A1, B)
    assert await feeds.remove_feed(A1)
    assert not await feeds.remove_feed(A1)
    assert not await feeds.remove_feed("https://other.example/")
    await add(feeds, A1)
    assert await addresses(feeds) == [B]
    leased = await feeds.lease_feed(NOON, NOON + HOUR)
    assert leased.subscription.address == B
    await add(feeds, A1, origin=Origin.COMMAND)
    assert await addresses(feeds) == [A1, B]
    assert (await feeds.lease_feed(NOON, NOON + HOUR)).subscription.address == A1


async def test_feeds_that_the_setting_has_no_longer_go(feeds):
    """Those that a command added stay."""
    await add(feeds, A1, A2)
    await add(feeds, B, origin=Origin.COMMAND)
    assert await feeds.keep_configured([A2]) == 1
    assert await addresses(feeds) == [A2, B]
    assert await feeds.keep_configured([]) == 1


async def test_a_lease_is_of_a_host(feeds):
    """Until it is settled or over, nobody gets another feed of the host."""
    await add(feeds, A1, A2, B)
    first = await feeds.lease_feed(NOON, after(120))
    second = await feeds.lease_feed(NOON, after(120))
    assert {first.subscription.address, second.subscription.address} == {A1, B}
    assert await feeds.lease_feed(after(119), after(300)) is None
    assert await feeds.settle(first, result(host_s=5), NOON)
    assert await feeds.lease_feed(after(4), after(300)) is None
    assert (await feeds.lease_feed(after(5), after(300))).subscription.address == A2


@pytest.mark.parametrize("killed", [True, False])
async def test_a_clock_that_was_ahead_delays_nothing_once_it_is_right(feeds, killed):
    """Its feeds and hosts would wait until that time comes. One that is gone stays so."""
    year = timedelta(days=365)
    await add(feeds, A1)
    leased = await feeds.lease_feed(NOON + year, NOON + year + HOUR / 30)
    if not killed:
        polled = result(next_s=year.total_seconds() + 900, host_s=year.total_seconds() + 1)
        assert await feeds.settle(leased, polled, NOON + year)
    await feeds.add_feeds([Subscription(B)], Origin.SETTING, NOON + year)
    found = [await feeds.lease_feed(NOON, after(120)) for _ in range(3)]
    by_address = {one.subscription.address: one for one in found if one is not None}
    assert (by_address.keys(), found[2]) == ({A1, B}, None)
    gone = evolve(result(status=PollStatus.GONE), next_at=None)
    assert await feeds.settle(by_address[A1], gone, NOON + year)
    assert (await feeds.lease_feed(after(120), after(240))).subscription.address == B
    assert await feeds.lease_feed(after(120), after(240)) is None


async def test_the_feed_that_is_due_longest_comes_first(feeds):
    """A feed that is not due does not come."""
    await add(feeds, A1)
    await feeds.add_feeds([Subscription(B)], Origin.SETTING, after(-60))
    assert (await feeds.lease_feed(NOON, after(120))).subscription.address == B
    assert (await feeds.lease_feed(NOON, after(120))).subscription.address == A1
    assert await feeds.lease_feed(NOON, after(120)) is None


async def test_everything_that_a_poll_found_is_kept(feeds):
    """Validators byte for byte, as Latin-1; what a poll does not say stays as it was."""
    await add(feeds, A1)
    tags = Validators("W/\"caf\xe9 'x'\"", "Sat, 14 Mar 2026 11:00:00 GMT", "d" * 64)
    found = result(
        validators=tags,
        title="T",
        items=3,
        rhythm_s=1800.5,
        newest_at=after(-60),
        url="https://moved.example:8443/x",
        host_s=0,
    )
    leased = await feeds.lease_feed(NOON, after(120))
    assert await feeds.settle(leased, found, NOON)
    again = await feeds.lease_feed(after(900), after(2000))
    assert (again.validators, again.rhythm_s, again.newest_at) == (tags, 1800.5, after(-60))
    assert (again.url, again.subscription.address) == ("https://moved.example:8443/x", A1)
    failed = result(status=PollStatus.HTTP_ERROR, reason="HTTP 500", failures=1, next_s=5000)
    assert await feeds.settle(again, failed, after(901))
    (state,) = await feeds.list_feeds()
    assert (state.status, state.reason) == (PollStatus.HTTP_ERROR, "HTTP 500")
    assert (state.answered_at, state.polled_at) == (NOON, after(901))
    assert (state.items, state.newest_at, state.subscription.title) == (3, after(-60), "T")
    last = await feeds.lease_feed(after(5000), after(6000))
    assert (last.validators, last.failures) == (tags, 1)
    cleared = result(validators=Validators("", "", "e"), newest_at=after(-600), next_s=6000)
    assert await feeds.settle(last, cleared, after(5001))
    (state,) = await feeds.list_feeds()
    assert state.newest_at == after(-60)
    assert (await feeds.lease_feed(after(6000), after(7000))).validators.etag == ""


async def test_a_lease_that_is_over_stores_nothing(feeds):
    """Another process has polled the host meanwhile."""
    await add(feeds, A1)
    late = await feeds.lease_feed(NOON, after(60))
    other = await feeds.lease_feed(after(60), after(120))
    assert other.subscription == late.subscription
    assert not await feeds.settle(late, result(items=1), after(61))
    assert await feeds.settle(other, result(items=2), after(62))
    assert not await feeds.settle(other, result(items=3), after(63))
    (state,) = await feeds.list_feeds()
    assert state.items == 2


async def test_a_feed_that_is_gone_is_never_due(feeds):
    """It stays in the list, with its reason."""
    await add(feeds, A1)
    gone = PollResult(PollStatus.GONE, "HTTP 410", None, after(1), 1)
    await feeds.settle(await feeds.lease_feed(NOON, after(60)), gone, NOON)
    assert await feeds.lease_feed(NOON + 10_000 * HOUR, NOON + 10_001 * HOUR) is None
    (state,) = await feeds.list_feeds()
    assert (state.status, state.next_at) == (PollStatus.GONE, None)


async def test_when_the_feeds_are_read(feeds):
    """When one has answered, or all were tried; not before there is any."""
    assert not await feeds.is_read()
    await add(feeds, A1, B)
    assert not await feeds.is_read()
    failed = result(status=PollStatus.TIMEOUT)
    await feeds.settle(await feeds.lease_feed(NOON, after(60)), failed, NOON)
    assert not await feeds.is_read()
    await feeds.settle(await feeds.lease_feed(NOON, after(60)), failed, NOON)
    assert await feeds.is_read()


async def test_many_processes_at_once_get_each_feed_once(feeds):
    """No two hold one host at the same time."""
    await add(feeds, *(f"https://h{number % 10}.example/{number}" for number in range(60)))
    held: set[str] = set()
    polled: list[str] = []

    async def work():
        while len(polled) < 60:
            leased = await feeds.lease_feed(NOON, after(60))
            if leased is None:
                await trio.sleep(0.01)
                continue
            host = leased.url.split("/")[2]
            assert host not in held
            held.add(host)
            await trio.lowlevel.checkpoint()
            held.remove(host)
            polled.append(leased.url)
            assert await feeds.settle(leased, result(host_s=0), NOON)

    async with trio.open_nursery() as nursery:
        for _ in range(6):
            nursery.start_soon(work)
    assert len(polled) == len(set(polled)) == 60
