"""The poller: politely reads what is due, and forgets nothing that it has not passed on."""

from datetime import timedelta
from itertools import pairwise

import pytest
import trio
from structlog.testing import capture_logs

from newsintel.actors import poller
from newsintel.actors.poller import IDLE_S, POLL_S, RELOAD_S, SLOTS, Poller
from newsintel.domain.bounds.room import ByteBudget
from newsintel.domain.feeds.model import Origin, PollStatus, Subscription, Validators
from newsintel.domain.feeds.ports import FeedContent, FeedRefusal, FeedReply
from newsintel.domain.feeds.schedule import PollBounds
from newsintel.domain.search.outcome import SourcePage
from newsintel.errors import FeedListError, PoisonedBatchError
from tests.fakes.basics import Clock, Counts
from tests.fakes.feeds import FixedList, MemoryFeeds, ScriptedReader
from tests.make import NOON, article

A, B, C = "https://a.example/1", "https://a.example/2", "https://c.example/1"
TAGS = Validators('"v"')


def news(*names, **more):
    """A feed's reply with these articles."""
    page = SourcePage(tuple(article(name, source="feeds") for name in names), len(names), **more)
    return FeedReply(FeedContent(page), {}, TAGS)


UNCHANGED = FeedReply(None, {}, TAGS)


class World:
    """A poller with all that is around it."""

    def __init__(self, *feeds, room_bytes=10**6, inbox=100, **replies) -> None:
        self.store = MemoryFeeds()
        self.reader = ScriptedReader(**replies)
        self.listed = FixedList(feeds)
        self.counts = Counts()
        self.room = ByteBudget(room_bytes)
        self.send, self.receive = trio.open_memory_channel(inbox)

    async def run(self, time_s) -> None:
        """Poll for a time, and then be cancelled."""
        actor = Poller(
            self.send.clone(),
            room=self.room,
            store=self.store,
            reader=self.reader,
            listed=self.listed,
            bounds=PollBounds(900, 86400),
            count=self.counts,
            now=Clock(),
        )
        with trio.move_on_after(time_s) as scope:
            await actor.run()
        assert scope.cancelled_caught

    def delivered(self):
        """The ids of the articles that the persister was given."""
        found = []
        while self.receive.statistics().current_buffer_used:
            answer = self.receive.receive_nowait().answer
            found.append([one.id for one in answer.harvest.articles])
        return found


def status(world, address):
    """What came of the last poll of a feed."""
    return world.store.rows[address]["result"].status


async def test_articles_go_to_the_persister_and_then_the_state_is_stored(autojump_clock):
    """As one answer for each feed."""
    world = World(A, C, **{A: news("1", "2"), C: UNCHANGED})
    await world.run(60)
    assert world.delivered() == [["a_1", "a_2"]]
    assert world.store.rows[A]["validators"] == TAGS
    assert (status(world, A), status(world, C)) == (PollStatus.OK, PollStatus.UNCHANGED)
    assert world.counts["polled_feeds ok"] == world.counts["polled_feeds unchanged"] == 1
    assert world.room.reserved_bytes > 0


async def test_one_host_is_asked_once_at_a_time_with_a_pause(autojump_clock):
    """Other hosts do not wait for it. The reader checks that a host has one poll at a time."""
    feeds = [f"https://a.example/{number}" for number in range(10)]
    world = World(*feeds, C, **{feeds[0]: 20.0})
    await world.run(120)
    asked = dict(world.reader.asked)
    assert set(asked) == {*feeds, C}
    times = sorted(asked[one] for one in feeds)
    assert min(later - earlier for earlier, later in pairwise(times)) >= 1
    assert asked[C] < 2 * IDLE_S


async def test_many_hosts_are_asked_at_once_up_to_a_bound(autojump_clock):
    """The slots are all used, and no more."""
    feeds = [f"https://h{number}.example/" for number in range(3 * SLOTS)]
    world = World(*feeds, **dict.fromkeys(feeds, 10.0))
    await world.run(60)
    assert world.reader.most_at_once == SLOTS
    assert len(world.reader.asked) == len(feeds)


async def test_a_feed_is_not_asked_sooner_than_its_pause(autojump_clock):
    """Fifteen minutes for a feed that says nothing."""
    world = World(A, **{A: UNCHANGED})
    await world.run(4 * 3600)
    times = [at for _, at in world.reader.asked]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert 13 <= len(times) <= 17
    assert min(gaps) >= 900
    assert max(gaps) <= 990 + 2 * IDLE_S


async def test_without_room_nothing_is_remembered_and_the_feed_is_read_again(autojump_clock):
    """The server then does not say that it is unchanged."""
    world = World(A, room_bytes=10, **{A: news("1")})
    await world.run(50)
    assert status(world, A) is PollStatus.POSTPONED
    assert world.store.rows[A]["validators"] == Validators()
    assert world.counts["refusals persister"] == 1
    world = World(A, inbox=0, **{A: news("1")})
    await world.run(50)
    assert status(world, A) is PollStatus.POSTPONED
    assert world.room.reserved_bytes == 0


async def test_a_feed_without_usable_articles_is_no_failure(autojump_clock):
    """What was dropped is counted."""
    world = World(A, **{A: news(dropped={"bad_url": 3})})
    await world.run(50)
    assert status(world, A) is PollStatus.OK
    assert world.counts["dropped_articles feeds bad_url"] == 3
    assert world.delivered() == []


async def test_a_drip_ends_after_its_time(autojump_clock):
    """A server may send a byte now and then."""
    world = World(A, **{A: 10_000.0})
    await world.run(POLL_S + 2 * IDLE_S)
    assert status(world, A) is PollStatus.TIMEOUT
    assert world.store.rows[A]["result"].reason == "no complete reply within 30 s"


async def test_failures_are_logged_when_they_begin_and_when_they_end(autojump_clock):
    """Not at each poll."""
    failed = FeedRefusal(PollStatus.HTTP_ERROR, "HTTP 500")
    moved = FeedReply(None, {}, TAGS, "https://new.example/1")
    world = World(A, **{A: [failed, failed, moved], "https://new.example/1": UNCHANGED})
    with capture_logs() as logs:
        await world.run(6 * 3600)
    told = [line["event"] for line in logs]
    assert told[:4] == ["feeds_listed", "feed_failing", "feed_answers_again", "feed_moved"]
    assert world.reader.asked[-1][0] == "https://new.example/1"
    assert world.store.rows[A]["feed"].address == A


async def test_the_log_hides_queries(autojump_clock):
    """They may hold secrets, as those of private feeds do."""
    secret = "https://a.example/private?user=7&token=planted"
    moved = FeedReply(None, {}, TAGS, f"{secret}2")
    replies = {secret: [FeedRefusal(PollStatus.HTTP_ERROR, "HTTP 500"), TypeError("bug"), moved]}
    replies[f"{secret}2"] = FeedRefusal(PollStatus.GONE, "HTTP 410")
    world = World(secret, **replies)
    with capture_logs() as logs:
        await world.run(24 * 3600)
    told = {line["event"]: line for line in logs}
    assert {"feed_failing", "poll_bug", "feed_moved", "feed_gone"} <= told.keys()
    assert "planted" not in str(logs)
    assert told["feed_moved"]["feed"] == "https://a.example/private?***"


async def test_a_feed_that_is_gone_is_not_asked_again(autojump_clock):
    """410 retires it."""
    world = World(A, **{A: FeedRefusal(PollStatus.GONE, "HTTP 410")})
    with capture_logs() as logs:
        await world.run(6 * 3600)
    assert len(world.reader.asked) == 1
    assert "feed_gone" in [line["event"] for line in logs]


async def test_a_bug_in_one_feed_fails_only_its_poll(autojump_clock):
    """The log has it, also if it was in one row."""
    world = World(A, C, **{A: TypeError("planted"), C: news("1", bug=ValueError("row"))})
    with capture_logs() as logs:
        await world.run(50)
    assert (status(world, A), status(world, C)) == (PollStatus.NOT_A_FEED, PollStatus.OK)
    bugs = [line for line in logs if line["event"] == "poll_bug"]
    assert {line["feed"] for line in bugs} == {A, C}


async def test_while_the_database_is_away_nothing_is_polled(autojump_clock):
    """The failures are counted; afterwards it goes on."""
    world = World(A, **{A: UNCHANGED})
    world.store.away = True
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.run, 3600)
        await trio.sleep(600)
        assert world.reader.asked == []
        assert world.counts["poll_failures"] > 5
        world.store.away = False
        await trio.sleep(2 * RELOAD_S)
        assert len(world.reader.asked) == 1
        world.store.away = True
        await trio.sleep(600)
        counted = world.counts["poll_failures"]
        assert counted > 50


async def test_a_state_that_cannot_be_stored_leaves_the_lease_to_end(autojump_clock, monkeypatch):
    """Then the feed is polled again; its articles are saved twice, which is harmless."""
    monkeypatch.setattr(poller, "LEASE_S", 40.0)
    world = World(A, **{A: news("1")})
    settle = world.store.settle

    async def fail_once(*args):
        world.store.away = True
        try:
            return await settle(*args)
        finally:
            world.store.away = False
            world.store.settle = settle

    world.store.settle = fail_once
    await world.run(60)
    assert len(world.delivered()) == 2
    assert world.reader.asked[1][1] - world.reader.asked[0][1] >= 40
    assert world.counts["poll_failures"]


async def test_a_lost_lease_stores_nothing(autojump_clock):
    """Another process has the host now."""
    world = World(A, **{A: 5.0})
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.run, 20)
        await trio.sleep(3)
        world.store.hosts["a.example"] = (NOON + timedelta(days=1), "other")
    assert world.store.results == []


async def test_the_list_is_taken_over_first(autojump_clock):
    """Feeds that it has no longer are removed; those of commands and removed ones stay so."""
    world = World(A, Subscription(C, language="de"))
    await world.store.add_feeds([Subscription("https://old.example/")], Origin.SETTING, NOON)
    await world.store.add_feeds([Subscription(B)], Origin.COMMAND, NOON)
    await world.store.remove_feed(C)
    await world.run(1)
    assert set(world.store.rows) == {A, B, C}
    assert C not in {url for url, _ in world.reader.asked}


async def test_a_list_that_cannot_be_read_is_read_again(autojump_clock):
    """Until then nothing is polled; the log says why."""
    world = World()
    world.listed = FixedList(FeedListError("HTTP 500"), FeedListError("HTTP 500"), [A])
    with capture_logs() as logs:
        await world.run(3 * RELOAD_S)
    assert [line["event"] for line in logs][:3] == [
        "feed_list_failed",
        "feed_list_failed",
        "feeds_listed",
    ]
    assert [url for url, _ in world.reader.asked] == [A]


async def test_a_list_that_postgresql_refuses_is_read_again(autojump_clock):
    """The service goes on; the log says why."""
    world = World()
    world.listed = FixedList(PoisonedBatchError("PostgreSQL refused the content"), [A])
    with capture_logs() as logs:
        await world.run(2 * RELOAD_S)
    assert [line["event"] for line in logs][:2] == ["feed_list_failed", "feeds_listed"]
    assert logs[0]["reason"] == "PostgreSQL refused the content"
    assert [url for url, _ in world.reader.asked] == [A]


async def test_two_pollers_share_the_work_and_never_poll_twice(autojump_clock):
    """Each host has one poll at a time and its pause, over both."""
    feeds = [f"https://h{number % 20}.example/{number}" for number in range(200)]
    world = World(*feeds, **dict.fromkeys(feeds, UNCHANGED))
    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(world.run, 600)
    asked = [url for url, _ in world.reader.asked]
    assert sorted(asked) == sorted(feeds)


async def test_its_end_closes_its_way_to_the_persister(autojump_clock):
    """So the persister can end."""
    world = World()
    await world.run(1)
    world.send.close()
    with pytest.raises(trio.EndOfChannel):
        await world.receive.receive()
