"""Two processes poll the feeds of one real PostgreSQL for hours of virtual time."""

import gc
import tracemalloc
from collections import Counter, defaultdict
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import trio

from newsintel.actors import poller
from newsintel.actors.poller import LEASE_S, SLOTS, Poller
from newsintel.config.values import Secret
from newsintel.domain.bounds.room import ByteBudget
from newsintel.domain.feeds.judging import PACE_S
from newsintel.domain.feeds.schedule import PollBounds
from newsintel.storage.postgres.feeds.feed_store import PostgresFeeds
from newsintel.storage.postgres.pool import open_postgres
from tests.fakes.basics import Clock, Counts
from tests.fakes.feeds import FixedList
from tests.fakes.strict_origin import (
    MAX_AGE_S,
    RETRY_AFTER_S,
    StrictOrigin,
    limits,
    read_notes,
)
from tests.storage.virtual_time import pass_time

HOURS = 6
IDLE_S = 20.0
ROUNDING_S = 0.00001
"""Notes and PostgreSQL have microseconds."""
REFERENCE_BYTES = 8
"""The least that anything can keep of a poll: a reference in a list."""


def make_feeds(number, hosts):
    """Addresses of feeds, spread over the hosts."""
    return [f"https://h{one % hosts}.example/{one}" for one in range(number)]


class World:
    """Processes on one database, and what the publishers noted of them.

    Args:
        notes: the open file of the publishers.
        processes: where the processes run.
        feeds: the addresses that each of them has in its list.
    """

    def __init__(self, bridge, database_url, notes, processes, feeds) -> None:
        self._bridge = bridge
        self._url = Secret(database_url)
        self._notes = notes
        self._processes = processes
        self._feeds = feeds

    async def start(self, name, *, take_s=0.3, ahead_s=0.0):
        """Start a process, whose clock may be ahead; return the scope that ends it."""
        clock = Clock()
        return await self._processes.start(
            self._poll,
            StrictOrigin(name, self._notes, take_s),
            lambda: clock() + timedelta(seconds=ahead_s),
        )

    async def _poll(self, reader, now, task_status) -> None:
        send, receive = trio.open_memory_channel(100)
        room = ByteBudget(10**6)
        with trio.CancelScope() as life:
            async with (
                open_postgres(self._bridge, self._url, None, 4) as postgres,
                trio.open_nursery() as nursery,
            ):
                nursery.start_soon(take_articles, receive, room)
                task_status.started(life)
                await Poller(
                    send,
                    room=room,
                    store=PostgresFeeds(postgres),
                    reader=reader,
                    listed=FixedList(self._feeds),
                    bounds=PollBounds(900, 86400),
                    count=Counts(),
                    now=now,
                ).run()

    def read_notes(self):
        """All requests so far."""
        self._notes.flush()
        return read_notes(Path(self._notes.name))


async def take_articles(receive, room):
    """Take what the persister would, and keep nothing."""
    async for write in receive:
        room.release(write.answer.size_bytes)


@pytest.fixture
def living(mock_clock, bridge, database_url, tmp_path, monkeypatch):
    """Opens a world in which time passes; leaving it ends all of its processes.

    They look for due feeds less often than a service, or most of the test would be that.
    """
    monkeypatch.setattr(poller, "IDLE_S", IDLE_S)

    @asynccontextmanager
    async def live(feeds):
        with (tmp_path / "notes").open("w") as notes:
            async with trio.open_nursery() as upkeep:
                upkeep.start_soon(pass_time, mock_clock, bridge)
                async with trio.open_nursery() as processes:
                    yield World(bridge, database_url, notes, processes, feeds)
                    processes.cancel_scope.cancel()
                upkeep.cancel_scope.cancel()

    return live


def find_pauses(notes, key):
    """The pauses between an answer and the next request, for each value of a key."""
    ordered = defaultdict(list)
    for note in notes:
        ordered[key(note)].append(note)
    for several in ordered.values():
        for before, after in pairwise(several):
            yield before, after, after.asked_s - (before.done_s or before.asked_s)


def measure_bytes():
    """What Python's objects hold."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def check_pauses(notes, ahead_s=0.0):
    """Check that no host was asked twice at once, and none sooner than it wanted."""
    for before, after, pause_s in find_pauses(notes, lambda note: note.host):
        least_s = RETRY_AFTER_S if before.status == "limited" else PACE_S
        assert pause_s >= least_s - ahead_s - ROUNDING_S, (before, after)
    for before, after, pause_s in find_pauses(notes, lambda note: note.url):
        assert pause_s >= MAX_AGE_S - ahead_s - ROUNDING_S, (before, after)


@pytest.mark.slow
async def test_two_thousand_feeds_keep_every_pause(living, mock_clock):
    """Each feed is read once an hour by either of two processes, and each host has its pause.

    At the end nothing is under way: a pause is an hour and up to a tenth.
    """
    feeds = make_feeds(2_000, hosts=100)
    async with living(feeds) as world:
        for name in ("one", "two"):
            await world.start(name)
        await trio.sleep(3 * 3600)
        notes = world.read_notes()
    assert Counter(note.url for note in notes) == dict.fromkeys(feeds, 3)
    assert min(Counter(note.process for note in notes).values()) > len(notes) / 4
    assert Counter(note.status for note in notes)["limited"] == sum(map(limits, feeds)) > 10
    check_pauses(notes)


@pytest.mark.slow
async def test_memory_is_the_same_after_hours(living, mock_clock):
    """In the first two hours everything happens once, new items and an unchanged feed.

    At both measurements nothing is under way. The bound is one reference for each poll: 64 kB;
    measured with 500 feeds, the full hours differ by 30 kB, up and down.
    """
    feeds, sizes = make_feeds(2_000, hosts=100), []
    tracemalloc.start()
    try:
        async with living(feeds) as world:
            began = trio.current_time()
            for name in ("one", "two"):
                await world.start(name)
            for hour in (2, HOURS):
                await trio.sleep_until(began + hour * 3600)
                sizes.append(measure_bytes())
            assert len(world.read_notes()) == HOURS * len(feeds)
    finally:
        tracemalloc.stop()
    assert sizes[1] - sizes[0] < (HOURS - 2) * len(feeds) * REFERENCE_BYTES


@pytest.mark.slow
async def test_what_a_dead_process_was_reading_is_read_after_its_lease(living, mock_clock):
    """The other process leaves those hosts alone until then, and reads everything else."""
    feeds = make_feeds(64, hosts=32)
    async with living(feeds) as world:
        first = await world.start("first", take_s=20)
        await world.start("second", take_s=20)
        await trio.sleep(30)
        first.cancel()
        await trio.sleep(MAX_AGE_S - 60)
        notes = world.read_notes()
    cut = {note.url: note for note in notes if note.done_s is None}
    assert len(cut) == SLOTS
    assert {note.process for note in cut.values()} == {"first"}
    assert Counter(note.url for note in notes) == {url: 1 + (url in cut) for url in feeds}
    for before, after, pause_s in find_pauses(notes, lambda note: note.host):
        if before.done_s is None:
            assert (after.url, after.process) == (before.url, "second")
            assert LEASE_S - ROUNDING_S <= pause_s <= LEASE_S + 20 + IDLE_S
        else:
            assert pause_s >= PACE_S - ROUNDING_S


@pytest.mark.slow
async def test_a_clock_that_is_ahead_shortens_pauses_by_as_much(living, mock_clock):
    """Never by more, and no host is asked twice at once: a lease is longer."""
    feeds = make_feeds(100, hosts=2)
    async with living(feeds) as world:
        await world.start("right")
        await world.start("ahead", ahead_s=0.8)
        await trio.sleep(2 * 3600)
        notes = world.read_notes()
    assert {note.process for note in notes} == {"right", "ahead"}
    check_pauses(notes, ahead_s=0.8)
    assert any(pause_s < PACE_S for *_, pause_s in find_pauses(notes, lambda note: note.host))
