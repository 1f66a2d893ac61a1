"""The desk: answers from memory, shared flights, renewals and limits."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from newsintel.config.values import Quota
from newsintel.domain.accounts.model import Access, Account, Caller
from newsintel.domain.search.freshness import Windows
from newsintel.domain.search.harvest import Origin, Via
from newsintel.domain.search.merging import GroupedHarvest
from newsintel.domain.search.outcome import FetchCaller, HeldFrom, Status
from newsintel.domain.search.renewals import EARLY_RENEWALS, MAX_RENEWALS
from newsintel.errors import OverloadedError, RateLimitedError, UnavailableError
from newsintel.runtime.limits.limiter import Limiter
from newsintel.runtime.search import desk as desk_module
from newsintel.runtime.search.desk import Desk
from newsintel.runtime.search.flight import Failed, Landed, SourceReported, StaleFound
from tests.fakes.basics import Clock, Counts, MemoryArchive, MemoryCache, MemoryCounter
from tests.make import NOON, answer, article, at, landing, outcome, query

WINDOWS = Windows(ttl_s=300, revalidate_s=60, stale_s=3600, partial_s=30)
ASKER = Caller("somebody")
PARTIAL = (outcome("guardian"), outcome("reddit", Status.TIMEOUT))


class Room:
    """A desk, the flights that it starts, and its archive."""

    def __init__(self, max_flights: int = 3, misses=None) -> None:
        to_merger, self.flights = trio.open_memory_channel(max_flights)
        self.archive = MemoryArchive()
        self.harvests = MemoryCache()
        self.now = Clock()
        self.desk = Desk(
            to_merger,
            self.archive,
            self.harvests,
            windows=WINDOWS,
            max_flights=max_flights,
            search_deadline_s=1.5,
            misses=misses,
            sources_held_from=lambda person: frozenset({"newsapi"} if person == "greedy" else ()),
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
    """The first search starts a flight.

    The next is answered from memory with the same answer, without a flight.
    """
    room = Room()
    first = await searched(room)
    assert first.via is Via.MISS
    second = await room.desk.search(query(), ASKER)
    assert (second.via, second.answer) == (Via.HIT, first.answer)
    assert room.desk.flights == 0


async def test_equal_searches_share_a_flight(autojump_clock):
    """The first search starts the flight, and the others join it, even if the first leaves."""
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


async def test_a_full_table_refuses_new_flights_but_not_joining():
    """A landing frees its place for another key."""
    room = Room(max_flights=1)
    flight = room.desk.join_flight(query("one"), signed_in=False)
    with pytest.raises(OverloadedError):
        room.desk.join_flight(query("two"), signed_in=False)
    assert room.desk.join_flight(query("one"), signed_in=False) is flight
    await room.land()
    room.desk.join_flight(query("two"), signed_in=False)


async def test_an_answer_past_its_ttl_is_served_and_renewed(autojump_clock):
    """In the revalidate window the old answer is served at once, and one flight renews it."""
    room = Room()
    await searched(room)
    await trio.sleep(310)
    for _ in range(3):
        assert (await room.desk.search(query(), ASKER)).via is Via.REVALIDATED
    assert room.desk.flights == 1
    flight = await room.land()
    assert flight.previous is not None
    assert (await room.desk.search(query(), ASKER)).via is Via.HIT


async def test_a_search_waits_if_the_answer_is_past_the_revalidate_window(autojump_clock):
    """The search waits for a flight and gets the new answer."""
    room = Room()
    old = await searched(room)
    await trio.sleep(400)
    new = await searched(room)
    assert new.via is Via.MISS
    assert new.answer.harvest.fetched_at > old.answer.harvest.fetched_at


async def test_an_old_answer_from_redis_is_served_and_kept_while_it_is_renewed(autojump_clock):
    """Later searches are answered from memory."""
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
    assert await room.desk.serve_while_renewing(query(), old.harvest.fetched_at, ASKER)
    assert room.desk.flights == 1


async def test_a_rendered_answer_may_be_served_while_it_is_renewed(autojump_clock):
    """Only if it is the desk's own answer, and only in the revalidate window.

    One flight renews it for all callers.
    """
    room = Room()
    fetched_at = (await searched(room)).answer.harvest.fetched_at

    async def renewing(asked="k", when=fetched_at):
        return await room.desk.serve_while_renewing(query(asked), when, ASKER)

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


async def test_renewals_leave_places_for_searches_that_wait(autojump_clock):
    """Of many stale answers two are renewed at once, five near the end of their window.

    The others are still served.
    """
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
    room.desk.join_flight(query("somebody waits"), signed_in=False)
    assert room.desk.flights == MAX_RENEWALS + 1


async def test_a_full_table_does_not_stop_stale_answers(autojump_clock):
    """Without a free place, an answer in its revalidate window is still served."""
    room = Room(max_flights=1)
    await searched(room, "one")
    await trio.sleep(310)
    room.desk.join_flight(query("two"), signed_in=False)
    assert (await room.desk.search(query("one"), ASKER)).via is Via.REVALIDATED


async def test_a_partial_answer_does_not_replace_a_complete_one(autojump_clock):
    """The partial refresh is not served while the complete answer can be.

    No other refresh is tried for a while.
    """
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


async def test_failures_are_not_kept(autojump_clock):
    """An answer without a successful source is never served again."""
    room = Room()
    await searched(room, "k", outcome("guardian", Status.TIMEOUT))
    await searched(room)
    assert (await room.desk.search(query(), ASKER)).via is Via.HIT


async def test_an_answer_found_in_redis_counts_as_a_hit(autojump_clock):
    """The flight asked no source."""
    assert (await searched(Room(), asked=False)).via is Via.HIT


async def test_a_failed_flight_frees_its_key(autojump_clock):
    """The next search starts a new flight."""
    room = Room()
    flight = room.desk.join_flight(query(), signed_in=False)
    flight.append(Failed(UnavailableError("gone")))
    assert room.desk.flights == 0
    assert room.desk.join_flight(query(), signed_in=False) is not flight


async def test_an_article_is_found_in_the_archive_or_in_memory(autojump_clock):
    """An article that is not archived yet is found in recent answers, also during an outage."""
    room = Room()
    reply = await searched(room)
    recent = reply.answer.harvest.articles[0].id
    assert (await room.desk.get_article(recent)).article.id == recent
    assert await room.desk.get_article("a_unknown") is None
    await room.archive.save_articles([(article("old"), room.now())], [])
    assert (await room.desk.get_article("a_old")).article.id == "a_old"
    room.archive.away = True
    assert (await room.desk.get_article(recent)).article.id == recent
    with pytest.raises(UnavailableError):
        await room.desk.get_article("a_old")


async def test_an_article_that_another_process_answered_with_is_found(autojump_clock):
    """Redis knows it until the archive has it; without Redis it is not known."""
    room = Room()
    other = answer(outcome("guardian"), asked=query("other"))
    await room.harvests.store(other, None)
    sent = other.harvest.articles[0].id
    found = await room.desk.get_article(sent)
    assert (found.article, found.fetched_at) == (other.harvest.articles[0], NOON)
    room.harvests.away = True
    assert await room.desk.get_article(sent) is None


async def test_a_frozen_archive_delays_an_article_by_a_moment(autojump_clock, monkeypatch):
    """Memory has the article after KNOWN_ARTICLE_S; an unknown one is unavailable in time."""
    room = Room()
    recent = (await searched(room)).answer.harvest.articles[0].id

    async def hang(_id):
        await trio.sleep_forever()

    monkeypatch.setattr(room.archive, "get_article", hang)
    began = trio.current_time()
    assert (await room.desk.get_article(recent)).article.id == recent
    assert trio.current_time() - began == desk_module.KNOWN_ARTICLE_S
    began = trio.current_time()
    with pytest.raises(UnavailableError):
        await room.desk.get_article("a_unknown")
    assert trio.current_time() - began == desk_module.ARTICLE_S


MEMBER = Caller(
    "u_member", account=Account(1, "u_member", "alice", "dev", NOON, NOON), access=Access.SESSION
)


def misses(room_counter, calls=1):
    """Return a limit on flights."""
    now = Clock()
    return Limiter("miss", Quota(calls, 86_400), room_counter, Counts(), lambda: now().timestamp())


async def test_a_flight_counts_for_its_starter_and_joining_is_free(autojump_clock):
    """Over the limit a new key is refused with the time to wait.

    Other persons have their own limit.
    """
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


async def test_concurrent_equal_searches_cost_one_permit(autojump_clock):
    """A caller without a permit joins the flight if it is running by then, as any caller may."""
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


async def test_a_flight_that_asked_no_source_costs_no_permit(autojump_clock):
    """Redis had the answer, so the permit is given back."""
    room = Room(misses=misses(MemoryCounter()))
    await searched(room, asked=False)
    assert (await searched(room, "two")).via is Via.MISS


async def test_over_the_limit_answers_in_memory_are_served(autojump_clock):
    """In the revalidate window they are not renewed; later they are marked as stale.

    A removed answer means a refusal.
    """
    room = Room(misses=misses(MemoryCounter()))
    await searched(room)
    await trio.sleep(310)
    assert (await room.desk.search(query(), ASKER)).via is Via.REVALIDATED
    assert room.desk.flights == 0
    await trio.sleep(1000)
    older = await room.desk.search(query(), ASKER)
    assert (older.via, older.answer.harvest.origin, room.desk.flights) == (
        Via.REVALIDATED,
        Origin.STALE,
        0,
    )
    await trio.sleep(4000)
    with pytest.raises(RateLimitedError):
        await room.desk.search(query(), ASKER)


async def test_an_unused_permit_is_given_back(autojump_clock):
    """The table was full, or another caller started the flight while the permit was fetched."""
    room = Room(max_flights=1, misses=misses(MemoryCounter()))
    flight = room.desk.join_flight(query("one"), signed_in=False)
    with pytest.raises(OverloadedError):
        await room.desk.search(query("two"), ASKER)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(room.land)
        assert (await landing(flight)).asked
    assert (await searched(room, "two")).via is Via.MISS


async def test_two_permits_for_one_key_share_a_flight(autojump_clock):
    """Fetching a permit takes a moment; the second permit is given back."""
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


async def test_a_flight_has_the_rights_of_its_starter(autojump_clock):
    """The flight of a signed-in caller may use the last part of a quota."""
    room = Room()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(room.desk.search, query("one"), MEMBER)
        nursery.start_soon(room.desk.search, query("two"), ASKER)
        assert {
            flight.query.key: flight.asker.signed_in
            for flight in (await room.land(), await room.land())
        } == {
            "one": True,
            "two": False,
        }


async def test_a_source_held_back_is_asked_for_a_signed_in_caller(autojump_clock):
    """Anonymous callers still get the answer in memory."""
    room = Room()
    held = outcome(
        "newsapi",
        Status.QUOTA_EXHAUSTED,
        room.now(),
        held_back=HeldFrom.ANONYMOUS,
        retry_at=at(250),
    )
    flight = room.desk.join_flight(query(), signed_in=False)
    await room.flights.receive()
    flight.append(
        Landed(
            answer(outcome("guardian", when=room.now()), held, when=room.now(), asked=query()),
            asked=True,
        )
    )
    assert (await room.desk.search(query(), ASKER)).via is Via.HIT
    assert (await searched(room, asker=MEMBER)).via is Via.MISS
    assert (await room.desk.search(query(), MEMBER)).via is Via.HIT


GREEDY = Caller("greedy")


def landed(room, held_from, *outcomes):
    """Return an answer fetched now, from which NewsAPI held back."""
    held = outcome(
        "newsapi", Status.QUOTA_EXHAUSTED, room.now(), held_back=held_from, retry_at=at(80_000)
    )
    answered = [outcome(name, when=room.now()) for name in outcomes or ("guardian",)]
    return Landed(answer(*answered, held, when=room.now(), asked=query()), asked=True)


async def test_a_source_held_back_from_one_person_is_asked_for_any_other(autojump_clock):
    """The first person still gets the answer in memory.

    The other's flight asks again, with the rights of that caller.
    """
    room = Room()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(room.desk.search, query(), GREEDY)
        flight = await room.flights.receive()
        assert flight.asker == FetchCaller("greedy", held=frozenset({"newsapi"}))
        flight.append(landed(room, HeldFrom.PERSON))
    assert (await room.desk.search(query(), GREEDY)).via is Via.HIT
    assert not await room.desk.serve_while_renewing(query(), room.now(), ASKER)
    reply = await searched(room, "k", outcome("guardian"), outcome("newsapi"))
    assert (reply.via, reply.answer.harvest.complete) == (Via.MISS, True)
    assert (await room.desk.search(query(), GREEDY)).answer is reply.answer


@pytest.mark.parametrize(
    ("held_from", "asker"),
    [(HeldFrom.PERSON, ASKER), (HeldFrom.ANONYMOUS, MEMBER)],
    ids=["another person", "somebody signed in"],
)
async def test_a_joiner_of_a_held_back_flight_gets_a_flight_of_their_own(
    autojump_clock, held_from, asker
):
    """Other requests of the starter are answered at once with the landed answer."""
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
    assert (own.asker.person, own.previous.harvest.outcomes[0].source) == (asker.person, "guardian")
    assert replies["joined"] is Via.MISS


async def test_a_held_back_renewal_does_not_stop_others_from_renewing(autojump_clock):
    """The complete answer stays, and the next caller starts a flight at once."""
    room = Room()
    await searched(room, "k", outcome("guardian"), outcome("newsapi"))
    await trio.sleep(310)
    for caller in (GREEDY, ASKER):
        assert (await room.desk.search(query(), caller)).via is Via.REVALIDATED
        flight = await room.flights.receive()
        assert flight.asker.person == caller.person
        flight.append(landed(room, HeldFrom.PERSON))


async def test_a_refresh_starts_from_the_previous_refresh(autojump_clock):
    """The previous refresh could not replace a complete answer.

    Its successful outcomes are not fetched again.
    """
    room = Room()
    await searched(room, "k", outcome("guardian"), outcome("reddit"))
    await trio.sleep(310)
    await room.desk.search(query(), ASKER)
    await room.land(*PARTIAL)
    await trio.sleep(31)
    await room.desk.search(query(), ASKER)
    flight = await room.flights.receive()
    assert [one.status for one in flight.previous.harvest.outcomes] == [Status.OK, Status.TIMEOUT]
    assert flight.serving.harvest.complete


async def test_a_search_that_was_begun_reports_each_source_once():
    """Also those that were sent before; a cancelled wait loses none, and cancels nobody else."""
    room = Room()
    first = await room.desk.begin_search(query(), ASKER)
    flight = await room.flights.receive()
    with trio.move_on_after(0) as left:
        await first.wait_for_step()
    assert left.cancelled_caught
    for name in ("guardian", "reddit"):
        flight.append(SourceReported(outcome(name), GroupedHarvest(answer().harvest)))
    joined = await room.desk.begin_search(query(), ASKER)
    for running in (first, joined):
        step = await running.wait_for_step()
        assert [report.outcome.source for report in step.reports] == ["guardian", "reddit"]
        assert step.reply is None
    flight.append(SourceReported(outcome("newsapi"), GroupedHarvest(answer().harvest)))
    flight.append(Landed(answer(when=room.now(), asked=flight.query), asked=True))
    for running, via in ((first, Via.MISS), (joined, Via.COLLAPSED)):
        step = await running.wait_for_step()
        assert [report.outcome.source for report in step.reports] == ["newsapi"]
        assert step.reply.via is via
    assert (await room.desk.begin_search(query(), ASKER)).via is Via.HIT


async def test_the_steps_of_a_joiner_go_on_with_a_flight_of_their_own(autojump_clock):
    """What the first flight could not ask for this caller is reported by the second."""
    room = Room()
    await room.desk.begin_search(query(), GREEDY)
    joined = await room.desk.begin_search(query(), ASKER)
    (await room.flights.receive()).append(landed(room, HeldFrom.PERSON))
    steps = []
    async with trio.open_nursery() as nursery:

        async def follow():
            steps.append(await joined.wait_for_step())

        nursery.start_soon(follow)
        own = await room.flights.receive()
        own.append(SourceReported(outcome("newsapi"), GroupedHarvest(answer().harvest)))
        await wait_all_tasks_blocked()
    assert [report.outcome.source for report in steps[0].reports] == ["newsapi"]
    own.append(Landed(answer(when=room.now(), asked=own.query), asked=True))
    assert (await joined.wait_for_step()).reply.via is Via.MISS


async def test_a_joiner_over_the_limit_gets_what_memory_has(autojump_clock):
    """No flight of their own may start, so the first flight's answer is served as an older one."""
    room = Room(misses=misses(MemoryCounter()))
    await searched(room, "their only one")
    await room.desk.begin_search(query(), GREEDY)
    joined = await room.desk.begin_search(query(), ASKER)
    (await room.flights.receive()).append(landed(room, HeldFrom.PERSON))
    step = await joined.wait_for_step()
    assert (step.reports, step.reply.via) == ((), Via.REVALIDATED)
    assert step.reply.answer.harvest.origin is Origin.STALE
