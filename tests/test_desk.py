"""The desk: memory, joining, and what it remembers."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from newsintel.desk import Desk
from newsintel.errors import OverloadedError, UnavailableError
from newsintel.freshness import Windows
from newsintel.model import Failed, Landed, Status, Via
from tests.fakes import Clock, MemoryArchive
from tests.make import answer, article, outcome, query

WINDOWS = Windows(ttl_s=300, revalidate_s=60, stale_s=3600, partial_s=30)
PARTIAL = (outcome("guardian"), outcome("reddit", Status.TIMEOUT))


class Room:
    """A desk, the flights it sends off, and the archive beside it."""

    def __init__(self, max_flights: int = 3) -> None:
        to_merger, self.flights = trio.open_memory_channel(max_flights)
        self.archive = MemoryArchive()
        self.now = Clock()
        self.desk = Desk(to_merger, self.archive, windows=WINDOWS, max_flights=max_flights, search_deadline_s=1.5, now=self.now)

    async def land(self, *outcomes, asked=True):
        """Take the next flight and land it with these outcomes, fetched now."""
        flight = await self.flights.receive()
        outcomes = tuple(outcome(o.source, o.status, self.now()) for o in outcomes or (outcome(),))
        flight.append(Landed(answer(*outcomes, when=self.now(), asked=flight.query), asked=asked))
        return flight


async def searched(room, key="k", *outcomes, asked=True):
    """Search while the next flight lands."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: room.land(*outcomes, asked=asked))
        reply = await room.desk.search(query(key))
    return reply


async def test_miss_then_hit(autojump_clock):
    """The first search flies; the next is answered from memory without a flight, with the same harvest."""
    room = Room()
    first = await searched(room)
    assert first.via is Via.MISS
    second = await room.desk.search(query())
    assert (second.via, second.answer) == (Via.HIT, first.answer)
    assert room.desk.flights == 0


async def test_equal_searches_share_a_flight(autojump_clock):
    """Of many equal searches the first flies and the others join it, whoever leaves meanwhile."""
    room, replies = Room(), []

    async def ask(patience_s):
        with trio.move_on_after(patience_s):
            replies.append(await room.desk.search(query()))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, 0.5)
        await wait_all_tasks_blocked()
        for _ in range(20):
            nursery.start_soon(ask, 5)
        await trio.sleep(1)
        assert room.desk.flights == 1
        await room.land()
    assert [reply.via for reply in replies] == [Via.COLLAPSED] * 20


async def test_full_table_refuses_flights_but_not_joining():
    """With every place taken a new key is refused and an old one joined; a landing frees the place."""
    room = Room(max_flights=1)
    flight = room.desk.join(query("one"))
    with pytest.raises(OverloadedError):
        room.desk.join(query("two"))
    assert room.desk.join(query("one")) is flight
    await room.land()
    room.desk.join(query("two"))


async def test_past_ttl_answers_at_once_and_renews(autojump_clock):
    """In the revalidate window the old answer is served without waiting, and one flight renews it."""
    room = Room()
    await searched(room)
    await trio.sleep(310)
    for _ in range(3):
        assert (await room.desk.search(query())).via is Via.REVALIDATED
    assert room.desk.flights == 1
    flight = await room.land()
    assert flight.known is not None
    assert (await room.desk.search(query())).via is Via.HIT


async def test_past_revalidation_waits(autojump_clock):
    """An answer too old to serve is flown for, and handed to the flight as what is known."""
    room = Room()
    old = await searched(room)
    await trio.sleep(400)
    new = await searched(room)
    assert new.via is Via.MISS
    assert new.answer.harvest.fetched_at > old.answer.harvest.fetched_at


async def test_full_table_does_not_stop_revalidation(autojump_clock):
    """When no place is free, an answer in its revalidate window is still served."""
    room = Room(max_flights=1)
    await searched(room, "one")
    await trio.sleep(310)
    room.desk.join(query("two"))
    assert (await room.desk.search(query("one"))).via is Via.REVALIDATED


async def test_partial_does_not_replace_complete(autojump_clock):
    """A partial refresh of a complete answer still served is not remembered, and no other is tried for a while."""
    room = Room()
    first = await searched(room, "k", outcome("guardian"), outcome("reddit"))
    await trio.sleep(310)
    await room.desk.search(query())
    await room.land(*PARTIAL)
    assert (await room.desk.search(query())).answer == first.answer
    assert room.desk.flights == 0
    await trio.sleep(31)
    await room.desk.search(query())
    assert room.desk.flights == 1


async def test_failures_are_not_remembered(autojump_clock):
    """An answer that no source gave is never served again."""
    room = Room()
    await searched(room, "k", outcome("guardian", Status.TIMEOUT))
    await searched(room)
    assert (await room.desk.search(query())).via is Via.HIT


async def test_found_in_redis_counts_as_hit(autojump_clock):
    """A flight that asked no source was a hit of the shared cache."""
    assert (await searched(Room(), asked=False)).via is Via.HIT


async def test_failed_flight_is_forgotten(autojump_clock):
    """A flight that ended with an error frees its key for the next."""
    room = Room()
    flight = room.desk.join(query())
    flight.append(Failed(UnavailableError("gone")))
    assert room.desk.flights == 0
    assert room.desk.join(query()) is not flight


async def test_article_from_archive_then_memory(autojump_clock):
    """The archive knows most; an article it does not have yet is found in recent answers, also while it is away."""
    room = Room()
    reply = await searched(room)
    recent = reply.answer.harvest.articles[0].id
    assert (await room.desk.article(recent)).article.id == recent
    assert await room.desk.article("a_unknown") is None
    await room.archive.save([(article("old"), room.now())], [])
    assert (await room.desk.article("a_old")).article.id == "a_old"
    room.archive.away = True
    assert (await room.desk.article(recent)).article.id == recent
    with pytest.raises(UnavailableError):
        await room.desk.article("a_old")
