"""The desk: memory, joining, and what it remembers."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from newsintel.config.values import Quota
from newsintel.domain.accounts.model import Access, Account, Caller
from newsintel.domain.search.freshness import Windows
from newsintel.domain.search.harvest import Origin, Via
from newsintel.domain.search.outcome import Asker, HeldFrom, Status
from newsintel.domain.search.renewals import EARLY_RENEWALS, MAX_RENEWALS
from newsintel.errors import OverloadedError, RateLimitedError, UnavailableError
from newsintel.runtime.limits.limiter import Limiter
from newsintel.runtime.search.desk import Desk
from newsintel.runtime.search.flight import Failed, Landed, StaleFound
from tests.fakes.basics import Clock, Counts, MemoryArchive, MemoryCounter
from tests.make import NOON, answer, article, at, landing, outcome, query

WINDOWS = Windows(ttl_s=300, revalidate_s=60, stale_s=3600, partial_s=30)
ASKER = Caller("somebody")
PARTIAL = (outcome("guardian"), outcome("reddit", Status.TIMEOUT))


class Room:
    """A desk, the flights it sends off, and the archive beside it."""

    def __init__(self, max_flights: int = 3, misses=None) -> None:
        to_merger, self.flights = trio.open_memory_channel(max_flights)
        self.archive = MemoryArchive()
        self.now = Clock()
        self.desk = Desk(
            to_merger,
            self.archive,
            windows=WINDOWS,
            max_flights=max_flights,
            search_deadline_s=1.5,
            misses=misses,
            held_from=lambda person: frozenset({"newsapi"} if person == "greedy" else ()),
            now=self.now,
        )

    async def land(self, *outcomes, asked=True):
        """Take the next flight and land it with these outcomes, fetched now."""
        flight = await self.flights.receive()
        outcomes = tuple(outcome(o.source, o.status, self.now()) for o in outcomes or (outcome(),))
        flight.append(Landed(answer(*outcomes, when=self.now(), asked=flight.query), asked=asked))
        return flight


async def searched(room, key="k", *outcomes, asked=True, asker=ASKER):
    """Search while the next flight lands."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: room.land(*outcomes, asked=asked))
        reply = await room.desk.search(query(key), asker)
    return reply


async def test_miss_then_hit(autojump_clock):
    """The first search flies; the next is answered from memory without a flight, with the same harvest."""
    room = Room()
    first = await searched(room)
    assert first.via is Via.MISS
    second = await room.desk.search(query(), ASKER)
    assert (second.via, second.answer) == (Via.HIT, first.answer)
    assert room.desk.flights == 0


async def test_equal_searches_share_a_flight(autojump_clock):
    """Of many equal searches the first flies and the others join it, whoever leaves meanwhile."""
    room, replies = Room(), []

    async def ask(patience_s):
        with trio.move_on_after(patience_s):
            replies.append(await room.desk.search(query(), ASKER))

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
    flight = room.desk.join(query("one"), signed_in=False)
    with pytest.raises(OverloadedError):
        room.desk.join(query("two"), signed_in=False)
    assert room.desk.join(query("one"), signed_in=False) is flight
    await room.land()
    room.desk.join(query("two"), signed_in=False)


async def test_past_ttl_answers_at_once_and_renews(autojump_clock):
    """In the revalidate window the old answer is served without waiting, and one flight renews it."""
    room = Room()
    await searched(room)
    await trio.sleep(310)
    for _ in range(3):
        assert (await room.desk.search(query(), ASKER)).via is Via.REVALIDATED
    assert room.desk.flights == 1
    flight = await room.land()
    assert flight.known is not None
    assert (await room.desk.search(query(), ASKER)).via is Via.HIT


async def test_past_revalidation_waits(autojump_clock):
    """An answer too old to serve is flown for, and handed to the flight as what is known."""
    room = Room()
    old = await searched(room)
    await trio.sleep(400)
    new = await searched(room)
    assert new.via is Via.MISS
    assert new.answer.harvest.fetched_at > old.answer.harvest.fetched_at


async def test_what_another_process_left_is_given_and_remembered(autojump_clock):
    """It is answered with while the flight renews it, and later searches are answered from memory."""
    room = Room()
    old = answer(outcome(when=room.now()), when=room.now(), asked=query())
    await trio.sleep(310)
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def merger():
            flight = await room.flights.receive()
            flight.append(StaleFound(old))

        reply = await room.desk.search(query(), ASKER)
    assert (reply.via, reply.answer) == (Via.REVALIDATED, old)
    assert room.desk.flights == 1
    assert await room.desk.renewing(query(), old.harvest.fetched_at, ASKER)
    assert room.desk.flights == 1


async def test_whoever_holds_the_answer_in_memory_may_give_it_while_it_is_renewed(autojump_clock):
    """Only that very answer, only in the revalidate window, and with one flight for all who ask."""
    room = Room()
    fetched_at = (await searched(room)).answer.harvest.fetched_at

    async def renewing(asked="k", when=fetched_at):
        return await room.desk.renewing(query(asked), when, ASKER)

    assert not await renewing()
    assert room.desk.flights == 0
    await trio.sleep(310)
    assert not await renewing("other")
    assert not await renewing(when=at(-1))
    assert room.desk.flights == 0
    assert [await renewing() for _ in range(3)] == [True] * 3
    assert room.desk.flights == 1
    await room.land()
    assert not await renewing()
    await trio.sleep(400)
    assert not await renewing(when=at(310))


async def test_renewals_leave_room_for_those_who_wait(autojump_clock):
    """Of many stale answers two are renewed at once, five where they near the end of their window; the others are given all the same."""
    room = Room(max_flights=20)
    for number in range(9):
        await searched(room, str(number))

    async def ask_for_all():
        return {(await room.desk.search(query(str(number)), ASKER)).via for number in range(9)}

    await trio.sleep(310)
    assert await ask_for_all() == {Via.REVALIDATED}
    assert room.desk.flights == EARLY_RENEWALS
    await room.land()
    assert await ask_for_all() == {Via.REVALIDATED, Via.HIT}
    assert room.desk.flights == EARLY_RENEWALS
    await trio.sleep(30)
    await ask_for_all()
    assert room.desk.flights == MAX_RENEWALS
    room.desk.join(query("somebody waits"), signed_in=False)
    assert room.desk.flights == MAX_RENEWALS + 1


async def test_full_table_does_not_stop_revalidation(autojump_clock):
    """When no place is free, an answer in its revalidate window is still served."""
    room = Room(max_flights=1)
    await searched(room, "one")
    await trio.sleep(310)
    room.desk.join(query("two"), signed_in=False)
    assert (await room.desk.search(query("one"), ASKER)).via is Via.REVALIDATED


async def test_partial_does_not_replace_complete(autojump_clock):
    """A partial refresh of a complete answer still served is not remembered, and no other is tried for a while."""
    room = Room()
    first = await searched(room, "k", outcome("guardian"), outcome("reddit"))
    await trio.sleep(310)
    await room.desk.search(query(), ASKER)
    await room.land(*PARTIAL)
    assert (await room.desk.search(query(), ASKER)).answer == first.answer
    assert room.desk.flights == 0
    await trio.sleep(31)
    await room.desk.search(query(), ASKER)
    assert room.desk.flights == 1


async def test_failures_are_not_remembered(autojump_clock):
    """An answer that no source gave is never served again."""
    room = Room()
    await searched(room, "k", outcome("guardian", Status.TIMEOUT))
    await searched(room)
    assert (await room.desk.search(query(), ASKER)).via is Via.HIT


async def test_found_in_redis_counts_as_hit(autojump_clock):
    """A flight that asked no source was a hit of the shared cache."""
    assert (await searched(Room(), asked=False)).via is Via.HIT


async def test_failed_flight_is_forgotten(autojump_clock):
    """A flight that ended with an error frees its key for the next."""
    room = Room()
    flight = room.desk.join(query(), signed_in=False)
    flight.append(Failed(UnavailableError("gone")))
    assert room.desk.flights == 0
    assert room.desk.join(query(), signed_in=False) is not flight


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


MEMBER = Caller("u_member", account=Account(1, "u_member", "alice", "dev", NOON, NOON), access=Access.SESSION)


def misses(room_counter, calls=1):
    """A limit on flights, and the clock it runs by."""
    now = Clock()
    return Limiter("miss", Quota(calls, 86_400), room_counter, Counts(), lambda: now().timestamp())


async def test_a_flight_costs_its_starter_and_joining_is_free(autojump_clock):
    """Past the limit a new key is refused with the time to wait; others have their own."""
    room = Room(misses=misses(MemoryCounter()))
    await searched(room)
    assert (await room.desk.search(query(), ASKER)).via is Via.HIT
    with pytest.raises(RateLimitedError) as caught:
        await room.desk.search(query("two"), ASKER)
    assert caught.value.retry_after_s == 43_200
    async with trio.open_nursery() as nursery:
        nursery.start_soon(room.desk.search, query("three"), Caller("another"))
        await wait_all_tasks_blocked()
        nursery.start_soon(room.desk.search, query("three"), ASKER)
        await wait_all_tasks_blocked()
        await room.land()


async def test_equal_searches_at_once_cost_one_flight(autojump_clock):
    """Whoever finds the limit spent when the flight is in the air by then joins it, as everybody may."""
    room, replies = Room(misses=misses(MemoryCounter())), []

    async def ask():
        replies.append((await room.desk.search(query(), ASKER)).via)

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(ask)
        await wait_all_tasks_blocked()
        await room.land()
    assert len(replies) == 20
    with pytest.raises(RateLimitedError):
        await room.desk.search(query("two"), ASKER)


async def test_a_flight_that_asked_nobody_costs_nothing(autojump_clock):
    """Redis had it: the permit is there for the next."""
    room = Room(misses=misses(MemoryCounter()))
    await searched(room, asked=False)
    assert (await searched(room, "two")).via is Via.MISS


async def test_over_the_limit_what_memory_holds_is_served(autojump_clock):
    """In the revalidate window without renewal, later marked as stale; what is gone is refused."""
    room = Room(misses=misses(MemoryCounter()))
    await searched(room)
    await trio.sleep(310)
    assert (await room.desk.search(query(), ASKER)).via is Via.REVALIDATED
    assert room.desk.flights == 0
    await trio.sleep(1000)
    older = await room.desk.search(query(), ASKER)
    assert (older.via, older.answer.harvest.origin, room.desk.flights) == (Via.REVALIDATED, Origin.STALE, 0)
    await trio.sleep(4000)
    with pytest.raises(RateLimitedError):
        await room.desk.search(query(), ASKER)


async def test_a_permit_that_found_no_place_or_no_need_is_given_back(autojump_clock):
    """A full table, or a flight that somebody started while the permit was fetched."""
    room = Room(max_flights=1, misses=misses(MemoryCounter()))
    flight = room.desk.join(query("one"), signed_in=False)
    with pytest.raises(OverloadedError):
        await room.desk.search(query("two"), ASKER)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(room.land)
        assert (await landing(flight)).asked
    assert (await searched(room, "two")).via is Via.MISS


async def test_two_who_pay_for_one_key_at_once_share_a_flight(autojump_clock):
    """Fetching a permit takes a moment; one key still has one flight, and the second permit is given back."""
    limit = misses(MemoryCounter(), 2)
    room = Room(misses=limit)
    async with trio.open_nursery() as nursery:
        for person in ("one", "two"):
            nursery.start_soon(room.desk.search, query(), Caller(person))
        await wait_all_tasks_blocked()
        assert room.desk.flights == 1
        await room.land()
    left = [(await limit.take(person)).remaining for person in ("one", "two")]
    assert sorted(left) == [0, 1]


async def test_whoever_starts_a_flight_lends_it_his_standing(autojump_clock):
    """A flight of a caller who is signed in may have the last of a quota."""
    room = Room()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(room.desk.search, query("one"), MEMBER)
        nursery.start_soon(room.desk.search, query("two"), ASKER)
        assert {flight.query.key: flight.asker.signed_in for flight in (await room.land(), await room.land())} == {
            "one": True,
            "two": False,
        }


async def test_what_was_held_back_is_fetched_for_a_caller_who_is_signed_in(autojump_clock):
    """Others go on with what memory holds."""
    room = Room()
    held = outcome("newsapi", Status.QUOTA_EXHAUSTED, room.now(), held_back=HeldFrom.STRANGERS, retry_at=at(250))
    flight = room.desk.join(query(), signed_in=False)
    await room.flights.receive()
    flight.append(Landed(answer(outcome("guardian", when=room.now()), held, when=room.now(), asked=query()), asked=True))
    assert (await room.desk.search(query(), ASKER)).via is Via.HIT
    assert (await searched(room, asker=MEMBER)).via is Via.MISS
    assert (await room.desk.search(query(), MEMBER)).via is Via.HIT


GREEDY = Caller("greedy")


def landed(room, held_from, *outcomes):
    """An answer fetched now in which NewsAPI held back."""
    held = outcome("newsapi", Status.QUOTA_EXHAUSTED, room.now(), held_back=held_from, retry_at=at(80_000))
    answered = [outcome(name, when=room.now()) for name in outcomes or ("guardian",)]
    return Landed(answer(*answered, held, when=room.now(), asked=query()), asked=True)


async def test_what_was_held_back_from_one_person_is_fetched_for_any_other(autojump_clock):
    """Who had too much goes on with what memory holds; the next one's flight asks again, with that one's own standing."""
    room = Room()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(room.desk.search, query(), GREEDY)
        flight = await room.flights.receive()
        assert flight.asker == Asker("greedy", held=frozenset({"newsapi"}))
        flight.append(landed(room, HeldFrom.PERSON))
    assert (await room.desk.search(query(), GREEDY)).via is Via.HIT
    assert not await room.desk.renewing(query(), room.now(), ASKER)
    reply = await searched(room, "k", outcome("guardian"), outcome("newsapi"))
    assert (reply.via, reply.answer.harvest.complete) == (Via.MISS, True)
    assert (await room.desk.search(query(), GREEDY)).answer is reply.answer


@pytest.mark.parametrize(
    ("held_from", "asker"), [(HeldFrom.PERSON, ASKER), (HeldFrom.STRANGERS, MEMBER)], ids=["another person", "somebody signed in"]
)
async def test_who_joined_a_flight_that_was_held_back_from_its_starter_has_one_of_their_own(autojump_clock, held_from, asker):
    """The starter's own other requests are bound by it, and answered at once."""
    room, replies = Room(), {}

    async def ask(name, caller):
        replies[name] = (await room.desk.search(query(), caller)).via

    async with trio.open_nursery() as nursery:
        for name, caller in (("first", GREEDY), ("second", GREEDY), ("joined", asker)):
            nursery.start_soon(ask, name, caller)
            await wait_all_tasks_blocked()
        assert room.desk.flights == 1
        flight = await room.flights.receive()
        flight.append(landed(room, held_from))
        await wait_all_tasks_blocked()
        assert replies == {"first": Via.MISS, "second": Via.COLLAPSED}
        own = await room.land(outcome("guardian"), outcome("newsapi"))
    assert (own.asker.person, own.known.harvest.outcomes[0].source) == (asker.person, "guardian")
    assert replies["joined"] is Via.MISS


async def test_a_renewal_that_was_held_back_keeps_nobody_else_from_renewing(autojump_clock):
    """A complete answer stays in its place, and the next to ask starts a flight at once."""
    room = Room()
    await searched(room, "k", outcome("guardian"), outcome("newsapi"))
    await trio.sleep(310)
    for caller in (GREEDY, ASKER):
        assert (await room.desk.search(query(), caller)).via is Via.REVALIDATED
        flight = await room.flights.receive()
        assert flight.asker.person == caller.person
        flight.append(landed(room, HeldFrom.PERSON))


async def test_a_refresh_goes_on_from_the_last_one(autojump_clock):
    """What a refresh brought that could not take a complete answer's place need not be fetched again."""
    room = Room()
    await searched(room, "k", outcome("guardian"), outcome("reddit"))
    await trio.sleep(310)
    await room.desk.search(query(), ASKER)
    await room.land(*PARTIAL)
    await trio.sleep(31)
    await room.desk.search(query(), ASKER)
    flight = await room.flights.receive()
    assert [one.status for one in flight.known.harvest.outcomes] == [Status.OK, Status.TIMEOUT]
    assert flight.standing.harvest.complete
