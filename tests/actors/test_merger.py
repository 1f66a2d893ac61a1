"""The merger: how a flight resolves, and what each failure costs."""

from functools import partial
from itertools import permutations

import pytest
import trio
from structlog.testing import capture_logs
from trio.testing import wait_all_tasks_blocked

from newsintel.actors import merger
from newsintel.domain.archive.model import Hit
from newsintel.domain.bounds.room import Room
from newsintel.domain.bounds.slices import whole
from newsintel.domain.search import merging
from newsintel.domain.search.freshness import Windows
from newsintel.domain.search.harvest import Origin
from newsintel.domain.search.merging import merge
from newsintel.domain.search.outcome import Status
from newsintel.domain.search.popularity import Saves
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.search.sizes import answer_bytes, outcome_bytes
from newsintel.errors import FlightBugError, InvalidParameterError, UnavailableError
from newsintel.runtime.edges import Rooms
from newsintel.runtime.search.claims import SharedCache
from newsintel.runtime.search.flight import Flight, Landed, SourceReported, StaleFound, answered
from tests.fakes.basics import Clock, Counts, MemoryCache, MemorySearch
from tests.make import answer, article, landing, outcome, query
from tests.whole import merged_as

WINDOWS = Windows(ttl_s=300, revalidate_s=60, stale_s=3600, partial_s=30)
SOURCES = ("newsapi", "guardian", "reddit")
DEADLINE_S = 1.5
STORIES = ("Waters rise in the valley", "Parliament votes on the budget", "A comet passes by tonight")


class Rig:
    """A running merger; the test plays the desk, the fetchers and the sinks."""

    def __init__(self, sources=SOURCES, job_room=8, sink_room=8, room_bytes=2**20):
        self.rooms = Rooms(Room(room_bytes), Room(room_bytes), Room(room_bytes))
        self.now, self.counts = Clock(), Counts()
        self.cache, self.search, self.saves = MemoryCache(), MemorySearch(), Saves()
        self.to_merger, self._flights = trio.open_memory_channel(8)
        channels = {name: trio.open_memory_channel(job_room) for name in sources}
        self._to_jobs = {name: send for name, (send, _) in channels.items()}
        self.jobs = {name: receive for name, (_, receive) in channels.items()}
        self._to_cache, self.cache_writes = trio.open_memory_channel(sink_room)
        self._to_persister, self.answers = trio.open_memory_channel(sink_room)

    async def run(self):
        """The actor."""
        shared = SharedCache(self.cache, WINDOWS, self.counts, self.now)
        ends = (self._flights, self._to_jobs, self._to_cache, self._to_persister)
        ports = {"rooms": self.rooms, "shared": shared, "search": self.search, "saves": self.saves, "count": self.counts, "now": self.now}
        await merger.Merger(*ends, every_source=SOURCES, windows=WINDOWS, **ports).run()

    def fly(self, key="k", known=None, sources=SOURCES):
        """Send a flight off."""
        flight = Flight(query(key, sources), trio.current_time() + DEADLINE_S, known=known, on_answer=lambda *_: None)
        self.to_merger.send_nowait(flight)
        return flight

    async def serve(self, name, status=Status.OK, after_s=0.1, **changes):
        """Play one source's fetcher for one job."""
        job = await self.jobs[name].receive()
        with job:
            await trio.sleep(after_s)
            job.outbox.send_nowait(outcome(name, status, self.now(), **changes))

    async def no_job(self, name):
        """True if nothing is asked of a source."""
        await wait_all_tasks_blocked()
        try:
            self.jobs[name].receive_nowait()
        except trio.WouldBlock:
            return True
        return False


@pytest.fixture
async def rig(nursery):
    """A running merger with room in every inbox."""
    subject = Rig()
    nursery.start_soon(subject.run)
    return subject


async def test_lands_with_every_source_in_founder_order(rig, nursery, autojump_clock):
    """Outcomes arriving in any order make one harvest in founder order, published step by step, then handed to both sinks."""
    flight = rig.fly()
    for name, after_s in (("newsapi", 0.3), ("guardian", 0.1), ("reddit", 0.2)):
        nursery.start_soon(lambda name=name, after_s=after_s: rig.serve(name, after_s=after_s))
    landed = await landing(flight)
    events = await flight.after(0)
    assert [event.outcome.source for event in events if isinstance(event, SourceReported)] == ["guardian", "reddit", "newsapi"]
    assert [o.source for o in landed.answer.harvest.outcomes] == list(SOURCES)
    assert landed.asked
    assert (await rig.answers.receive()) == landed.answer
    assert (await rig.cache_writes.receive()).answer == landed.answer


@pytest.mark.parametrize("arriving", list(permutations(SOURCES)), ids="-".join)
async def test_whoever_comes_first_the_merge_is_the_same(rig, nursery, autojump_clock, arriving):
    """Of the same story in every source, and of each of them alone; also each merge that is published on the way."""
    flight = rig.fly()
    for place, name in enumerate(arriving):
        found = tuple(article(f"{name}{n}", source=name, title=title) for n, title in enumerate(STORIES))
        own = article(name, source=name, title=f"{name} alone")
        nursery.start_soon(partial(rig.serve, name, after_s=0.1 * (place + 1), articles=(*found, own)))
    landed = (await landing(flight)).answer
    harvest = landed.harvest
    assert landed.merge == merge(harvest.query, harvest.articles, Dedupe.NORMAL, harvest.fetched_at)
    assert len(landed.merge.ranked) == 6
    sizes = [len(whole(event.found.ranking()).merge.ranked) for event in await flight.after(0) if isinstance(event, SourceReported)]
    assert sizes == [4, 5, 6]


async def test_stories_are_ranked_once_and_for_those_who_read_them(rig, nursery, autojump_clock, monkeypatch):
    """At the landing, however many sources have answered before; an event ranks when it is read."""
    ranked, rank = [], merging.rank
    monkeypatch.setattr(merging, "rank", lambda groups, *rest: ranked.append(len(groups)) or rank(groups, *rest))
    flight = rig.fly()
    for place, name in enumerate(SOURCES):
        found = (article(name, source=name, title=STORIES[place]),)
        nursery.start_soon(partial(rig.serve, name, after_s=0.1 * (place + 1), articles=found))
    landed = await landing(flight)
    assert ranked == [3]
    *_, last, _ = await flight.after(0)
    assert whole(last.found.ranking()) == landed.answer
    assert ranked == [3, 3]


async def test_a_harvest_holds_the_saves_that_were_known_when_it_landed(rig, nursery, autojump_clock):
    """What people saved counts from the landing on, for every view of it and whoever reads it; later saves do not change it."""
    rig.saves.replace({"a_reddit1": 30, "a_elsewhere": 99})
    flight = rig.fly()
    for name in SOURCES:
        nursery.start_soon(rig.serve, name)
    landed = await landing(flight)
    rig.saves.replace({"a_reddit1": 60})
    assert landed.answer.harvest.saves == {"a_reddit1": 30}
    assert {one.group.leader.id: one.popularity > 0 for one in landed.answer.merge.ranked}["a_reddit1"]
    again = {one.group.leader.id: one.popularity for one in merged_as(landed.answer, Dedupe.OFF).ranked}
    assert again == {one.group.leader.id: one.popularity for one in landed.answer.merge.ranked}


async def test_late_source_delays_nothing(rig, nursery, autojump_clock):
    """A source that sends nothing is a timeout at the flight's deadline; the others' articles land then."""
    began = trio.current_time()
    flight = rig.fly()
    for name in ("newsapi", "guardian"):
        nursery.start_soon(rig.serve, name)
    job = await rig.jobs["reddit"].receive()
    landed = await landing(flight)
    assert trio.current_time() - began == pytest.approx(DEADLINE_S)
    assert job.deadline < flight.deadline
    assert [o.status for o in landed.answer.harvest.outcomes] == [Status.OK, Status.OK, Status.TIMEOUT]
    with pytest.raises(trio.BrokenResourceError):
        job.outbox.send_nowait(outcome("reddit"))


async def test_fetcher_gone_without_an_outcome(rig, nursery, autojump_clock):
    """A job closed without an outcome does not hold the flight up: missing is asked minus answered."""
    flight = rig.fly()
    for name in ("newsapi", "guardian"):
        nursery.start_soon(rig.serve, name)
    (await rig.jobs["reddit"].receive()).outbox.close()
    began = trio.current_time()
    landed = await landing(flight)
    assert trio.current_time() - began < DEADLINE_S / 2
    assert landed.answer.harvest.outcomes[2].status is Status.TIMEOUT


async def test_full_fetcher_inbox_is_overloaded_at_once(nursery, autojump_clock):
    """A fetcher with no room costs its own outcome and no time."""
    rig = Rig(job_room=0)
    nursery.start_soon(rig.run)
    landed = await landing(rig.fly())
    assert {o.status for o in landed.answer.harvest.outcomes} == {Status.OVERLOADED}
    assert trio.current_time() < 0.1
    assert rig.counts["refusals fetcher reddit"] == 1


async def test_dead_fetcher_is_overloaded(rig, nursery, autojump_clock):
    """A fetcher whose inbox is closed counts as having no room."""
    rig.jobs["reddit"].close()
    for name in ("newsapi", "guardian"):
        nursery.start_soon(rig.serve, name)
    landed = await landing(rig.fly())
    assert landed.answer.harvest.outcomes[2].status is Status.OVERLOADED


async def test_disabled_source_is_not_asked(rig, nursery, autojump_clock):
    """A source without a fetcher is reported as disabled, and the harvest is complete without it."""
    flight = rig.fly(sources=("guardian", "gdelt"))
    nursery.start_soon(rig.serve, "guardian")
    landed = await landing(flight)
    assert [o.status for o in landed.answer.harvest.outcomes] == [Status.OK, Status.DISABLED]
    assert landed.answer.harvest.complete


async def test_fresh_in_redis_asks_nobody(rig, autojump_clock):
    """A fresh harvest in Redis lands as it is."""
    kept = answer(when=rig.now(), asked=query())
    rig.cache.kept["k"] = kept
    landed = await landing(rig.fly())
    assert not landed.asked
    assert landed.answer == kept
    assert all([await rig.no_job(name) for name in SOURCES])
    assert rig.cache.locks == {}


async def test_partial_in_redis_asks_only_the_failed(rig, nursery, autojump_clock):
    """A partial harvest keeps its good outcomes; past CACHE_PARTIAL_S only the failed source is asked."""
    good = [outcome(name, when=rig.now()) for name in ("newsapi", "guardian")]
    rig.cache.kept["k"] = answer(*good, outcome("reddit", Status.TIMEOUT, rig.now()), when=rig.now(), asked=query())
    await trio.sleep(40)
    nursery.start_soon(rig.serve, "reddit")
    landed = await landing(rig.fly())
    assert landed.answer.harvest.outcomes[:2] == tuple(good)
    assert landed.answer.harvest.complete
    assert await rig.no_job("newsapi")
    assert await rig.no_job("guardian")


async def test_memory_stands_in_for_redis_away(rig, nursery, autojump_clock):
    """With Redis away a flight starts from what the desk's memory holds, and costs nothing more."""
    rig.cache.away = True
    good = [outcome(name, when=rig.now()) for name in ("newsapi", "guardian")]
    known = answer(*good, outcome("reddit", Status.TIMEOUT, rig.now()), when=rig.now(), asked=query())
    await trio.sleep(40)
    nursery.start_soon(rig.serve, "reddit")
    landed = await landing(rig.fly(known=known))
    assert landed.answer.harvest.complete
    assert rig.counts["cache_errors claim"] == 1


async def test_waits_for_another_process(rig, autojump_clock):
    """While another process holds the key, its harvest is waited for and nobody is asked."""
    rig.cache.locks["k"] = "theirs"
    flight = rig.fly()
    await trio.sleep(0.3)
    await rig.cache.store(answer(when=rig.now(), asked=query()), "theirs")
    assert not (await landing(flight)).asked
    assert await rig.no_job("guardian")


async def test_fetches_anyway_when_the_other_process_is_slow(rig, nursery, autojump_clock):
    """The wait is bounded by three quarters of the deadline; then this process asks, and leaves the other's claim alone."""
    rig.cache.locks["k"] = "theirs"
    flight = rig.fly()
    for name in SOURCES:
        nursery.start_soon(rig.serve, name)
    landed = await landing(flight)
    assert landed.asked
    assert landed.answer.harvest.complete
    assert (await rig.cache_writes.receive()).lock_token is None
    assert rig.cache.locks == {"k": "theirs"}


async def test_takes_over_from_a_process_that_gave_up(rig, nursery, autojump_clock):
    """When the other process gives its claim back without a harvest, this one claims the key and asks."""
    rig.cache.locks["k"] = "theirs"
    flight = rig.fly()
    await trio.sleep(0.1)
    await rig.cache.unlock("k", "theirs")
    for name in SOURCES:
        nursery.start_soon(rig.serve, name)
    assert (await landing(flight)).asked
    assert (await rig.cache_writes.receive()).lock_token == rig.cache.locks["k"]


async def test_redis_lost_during_the_flight(rig, nursery, autojump_clock):
    """With Redis gone by the landing the answer still lands; the claim that cannot be given back is counted and lapses."""
    flight = rig.fly()
    await wait_all_tasks_blocked()
    rig.cache.away = True
    assert not (await all_fail(rig, nursery, flight)).answer.harvest.answered
    await wait_all_tasks_blocked()
    assert rig.counts["cache_errors unlock"] == 1


async def test_what_another_process_left_is_given_while_it_is_renewed(rig, nursery, autojump_clock):
    """In the revalidate window Redis's answer is published before any source has answered, once, and the flight goes on to its own."""
    old = rig.cache.kept["k"] = answer(outcome("guardian", when=rig.now()), when=rig.now(), asked=query())
    await trio.sleep(310)
    flight = rig.fly()
    for name in SOURCES:
        nursery.start_soon(rig.serve, name)
    began = trio.current_time()
    assert await answered(flight) == StaleFound(old)
    assert trio.current_time() == began
    assert (await landing(flight)).answer.harvest.fetched_at > old.harvest.fetched_at
    assert [type(event) for event in await flight.after(0)].count(StaleFound) == 1


async def test_it_is_given_while_another_process_renews_it(rig, autojump_clock):
    """The wait for whoever holds the claim is the flight's, not its waiters'; and no source is asked."""
    old = rig.cache.kept["k"] = answer(outcome("guardian", when=rig.now()), when=rig.now(), asked=query())
    rig.cache.locks["k"] = "theirs"
    await trio.sleep(310)
    flight = rig.fly()
    began = trio.current_time()
    assert await answered(flight) == StaleFound(old)
    assert trio.current_time() == began
    await trio.sleep(0.3)
    await rig.cache.store(answer(when=rig.now(), asked=query()), "theirs")
    assert not (await landing(flight)).asked
    assert [type(event) for event in await flight.after(0)] == [StaleFound, Landed]
    assert await rig.no_job("guardian")


@pytest.mark.parametrize("age_s", [299, 361])
async def test_what_is_fresh_or_too_old_is_not_given_meanwhile(rig, nursery, autojump_clock, age_s):
    """Fresh it is the answer; past the window it only stands in for a failure."""
    rig.cache.kept["k"] = answer(outcome("guardian", when=rig.now()), when=rig.now(), asked=query())
    await trio.sleep(age_s)
    for name in SOURCES:
        nursery.start_soon(rig.serve, name)
    flight = rig.fly()
    assert (await landing(flight)).asked is (age_s > 300)
    assert StaleFound not in [type(event) for event in await flight.after(0)]
    nursery.cancel_scope.cancel()


async def all_fail(rig, nursery, flight):
    """Let every source fail, and wait for the flight."""
    for name in SOURCES:
        nursery.start_soon(rig.serve, name, Status.UNREACHABLE)
    return await landing(flight)


async def test_all_failed_serves_stale(rig, nursery, autojump_clock):
    """With every source failed, an older harvest answers, marked stale, beside what failed now; the claim is given back."""
    old = answer(outcome("guardian", when=rig.now()), when=rig.now(), asked=query())
    rig.cache.kept["k"] = old
    await trio.sleep(400)
    flight = rig.fly()
    landed = await all_fail(rig, nursery, flight)
    assert landed.answer.harvest.origin is Origin.STALE
    assert landed.answer.harvest.articles == old.harvest.articles
    assert [o.status for o in landed.answer.refused] == [Status.UNREACHABLE] * 3
    assert not [event for event in await flight.after(0) if isinstance(event, StaleFound)]
    await wait_all_tasks_blocked()
    assert rig.cache.locks == {}
    assert rig.cache.kept["k"] == old


async def test_all_failed_and_stale_gone_asks_the_archive(rig, nursery, autojump_clock):
    """Past the stale window the archive answers, marked incomplete."""
    rig.cache.kept["k"] = answer(outcome("guardian", when=rig.now()), when=rig.now(), asked=query())
    rig.search.hits = (Hit(article("old"), rig.now(), rig.now()),)
    await trio.sleep(4000)
    found = (await all_fail(rig, nursery, rig.fly())).answer
    assert (found.harvest.origin, found.harvest.complete) == (Origin.ARCHIVE, False)
    assert [ranked.group.leader.id for ranked in found.merge.ranked] == ["a_old"]


@pytest.mark.parametrize("away", [True, False])
async def test_all_failed_and_nothing_else(rig, nursery, autojump_clock, away):
    """With an archive that has nothing or is away, the failure itself is the answer, and no sink hears of it."""
    rig.search.raises = UnavailableError("postgresql is away") if away else None
    answer = (await all_fail(rig, nursery, rig.fly())).answer
    assert not answer.harvest.answered
    await wait_all_tasks_blocked()
    assert rig.cache_writes.statistics().current_buffer_used == 0
    assert rig.answers.statistics().current_buffer_used == 0
    assert rig.cache.locks == {}


async def test_no_source_enabled_answers_from_the_archive(nursery, autojump_clock):
    """Without any enabled source the archive is the whole answer, even an empty one."""
    rig = Rig(sources=())
    nursery.start_soon(rig.run)
    answer = (await landing(rig.fly())).answer
    assert (answer.harvest.origin, answer.harvest.complete, answer.harvest.answered) == (Origin.ARCHIVE, True, True)
    rig.search.raises = InvalidParameterError("q", "only_stop_words", "too common")
    assert (await landing(rig.fly("the"))).answer.harvest.origin is Origin.ARCHIVE
    rig.search.raises = UnavailableError("postgresql is away")
    with pytest.raises(UnavailableError):
        await landing(rig.fly("other"))


async def test_partial_refresh_leaves_a_complete_harvest_in_redis(rig, nursery, autojump_clock):
    """A partial result goes to the archive, but does not replace a complete harvest that is still served."""
    rig.cache.kept["k"] = answer(*(outcome(name, when=rig.now()) for name in SOURCES), when=rig.now(), asked=query())
    await trio.sleep(310)
    flight = rig.fly()
    nursery.start_soon(rig.serve, "newsapi")
    nursery.start_soon(rig.serve, "guardian")
    nursery.start_soon(rig.serve, "reddit", Status.UNREACHABLE)
    await landing(flight)
    await wait_all_tasks_blocked()
    assert rig.answers.statistics().current_buffer_used == 1
    assert rig.cache_writes.statistics().current_buffer_used == 0
    assert rig.cache.locks == {}


@pytest.mark.parametrize("closed", [True, False])
async def test_sinks_without_room_are_passed_over(nursery, autojump_clock, closed):
    """A full or dead sink delays no landing; each refusal is counted and the claim given back."""
    rig = Rig(sink_room=0)
    nursery.start_soon(rig.run)
    if closed:
        rig.answers.close()
        rig.cache_writes.close()
    flight = rig.fly()
    for name in SOURCES:
        nursery.start_soon(rig.serve, name)
    assert (await landing(flight)).answer.harvest.complete
    await wait_all_tasks_blocked()
    assert rig.counts["refusals persister"] == 1
    assert rig.counts["refusals cache_writer"] == 1
    assert rig.cache.locks == {}


async def test_bug_in_a_flight_costs_its_own_waiters(rig, nursery, autojump_clock, monkeypatch):
    """A bug ends its flight with an incident id that the log has too; the next flight lands."""
    real = merging.rank

    def broken(groups, asked, *rest):
        if asked.key == "bad":
            raise KeyError("bug")
        return real(groups, asked, *rest)

    monkeypatch.setattr(merging, "rank", broken)
    with capture_logs() as logs, pytest.raises(FlightBugError) as caught:
        await landing(rig.fly("bad", sources=("nobody",)))
    (line,) = logs
    assert (line["event"], line["incident_id"], line["exc_info"]) == ("flight_bug", caught.value.incident_id, True)
    assert rig.counts["flight_bugs"] == 1
    assert rig.cache.locks == {}
    flight = rig.fly("good")
    for name in SOURCES:
        nursery.start_soon(rig.serve, name)
    assert (await landing(flight)).answer.harvest.complete


async def test_bug_after_landing_is_logged_alone(rig, nursery, autojump_clock, monkeypatch):
    """A bug past the landing takes nothing back from the waiters."""
    monkeypatch.setattr(merger.Merger, "_hand_on", lambda *_: 1 / 0)
    flight = rig.fly()
    for name in SOURCES:
        nursery.start_soon(rig.serve, name)
    assert (await landing(flight)).answer.harvest.complete
    await wait_all_tasks_blocked()
    assert rig.counts["flight_bugs"] == 1
    assert (await landing(flight)).asked


async def test_ends_when_the_desk_leaves(autojump_clock):
    """When the desk's end closes, flights in the air land first; then jobs and sinks see the end of their channels."""
    rig = Rig()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.run)
        flight = rig.fly()
        await wait_all_tasks_blocked()
        rig.to_merger.close()
        for name in SOURCES:
            nursery.start_soon(rig.serve, name)
        assert (await landing(flight)).answer.harvest.complete
    assert len([answer async for answer in rig.answers]) == 1
    assert len([write async for write in rig.cache_writes]) == 1
    assert [job async for job in rig.jobs["guardian"]] == []


@pytest.mark.parametrize("step", range(30))
async def test_cancelled_at_every_step(autojump_clock, step):
    """Cancelled at any of its checkpoints, the merger closes every end it owns, and gives its claim back."""
    rig = Rig()
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(rig.run)
            rig.fly()
            for name in SOURCES:
                nursery.start_soon(rig.serve, name)
            for _ in range(step):
                await trio.lowlevel.checkpoint()
            scope.cancel()
    with pytest.raises(trio.BrokenResourceError):
        rig.to_merger.send_nowait(None)
    for receive in (*rig.jobs.values(), rig.answers, rig.cache_writes):
        assert receive.statistics().open_send_channels == 0
    held = [write.lock_token async for write in rig.cache_writes]
    assert set(rig.cache.locks.values()) <= set(held)


@pytest.mark.parametrize("content", ["", "x" * 100_000])
async def test_what_finds_no_room_in_memory_is_passed_over(nursery, autojump_clock, content):
    """By bytes, whatever the number: a source is overloaded then, and a sink is refused. Room is given back with its flight."""
    big = outcome("newsapi", articles=(article("big", source="newsapi", content=content),))
    rig = Rig(room_bytes=outcome_bytes(big) - 1 if content else 2**20)
    nursery.start_soon(rig.run)
    for _ in range(2):
        flight = rig.fly()
        nursery.start_soon(partial(rig.serve, "newsapi", articles=big.articles))
        for name in ("guardian", "reddit"):
            nursery.start_soon(rig.serve, name, Status.EMPTY)
        landed = await landing(flight)
        assert landed.answer.harvest.outcomes[0].status is (Status.OVERLOADED if content else Status.OK)
        await wait_all_tasks_blocked()
        assert rig.rooms.flights.taken_bytes == 0


async def test_a_sink_that_has_no_room_for_its_bytes_is_refused(nursery, autojump_clock):
    """And counted; what it was refused takes no room, what it was given does until it gives it back."""
    rig = Rig()
    whole = outcome_bytes(outcome("guardian"))
    rig.rooms = Rooms(Room(2**20), Room(2**20), Room(whole))
    nursery.start_soon(rig.run)
    flight = rig.fly()
    for name in SOURCES:
        nursery.start_soon(rig.serve, name)
    landed = await landing(flight)
    await wait_all_tasks_blocked()
    assert rig.counts["refusals persister"] == 1
    assert rig.rooms.to_persister.taken_bytes == 0
    assert rig.rooms.to_cache.taken_bytes == answer_bytes(landed.answer)
