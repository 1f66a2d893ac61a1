"""The merger: how a flight ends, and what each failure costs."""

from functools import partial
from itertools import permutations

import pytest
import trio
from structlog.testing import capture_logs
from trio.testing import wait_all_tasks_blocked

from newsintel.actors import merger
from newsintel.domain.archive.model import Hit
from newsintel.domain.bounds.room import ByteBudget
from newsintel.domain.bounds.slices import run_all
from newsintel.domain.search import merging
from newsintel.domain.search.freshness import Windows
from newsintel.domain.search.harvest import Origin
from newsintel.domain.search.merging import merge_articles
from newsintel.domain.search.outcome import Status
from newsintel.domain.search.popularity import SaveCounter
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.search.sizes import outcome_bytes
from newsintel.domain.search.source_ranks import score_ranks
from newsintel.domain.tracing import enter_span
from newsintel.errors import FlightBugError, InvalidParameterError, UnavailableError
from newsintel.runtime.edges import Rooms
from newsintel.runtime.losses import LossLog
from newsintel.runtime.search.claims import SharedCache
from newsintel.runtime.search.flight import (
    Flight,
    Landed,
    SourceReported,
    StaleFound,
)
from tests.fakes.basics import Clock, Counts, MemoryCache, MemorySearch
from tests.fakes.spans import RecordedSpan
from tests.make import answer, article, landing, outcome, query, wait_for_answer
from tests.whole import merged_as

WINDOWS = Windows(ttl_s=300, revalidate_s=60, stale_s=3600, partial_s=30)
SOURCES = ("newsapi", "guardian", "reddit")
DEADLINE_S = 1.5
STORIES = (
    "Waters rise in the valley",
    "Parliament votes on the budget",
    "A comet passes by tonight",
)


class Rig:
    """A running merger. The test plays the desk, the fetchers and the sinks."""

    def __init__(self, sources=SOURCES, job_room=8, sink_room=8, room_bytes=2**20):
        self.rooms = Rooms(ByteBudget(room_bytes), ByteBudget(room_bytes), ByteBudget(room_bytes))
        self.now, self.counts = Clock(), Counts()
        self.cache, self.search, self.saves = MemoryCache(), MemorySearch(), SaveCounter()
        self.to_merger, self._flights = trio.open_memory_channel(8)
        channels = {name: trio.open_memory_channel(job_room) for name in sources}
        self._to_jobs = {name: send for name, (send, _) in channels.items()}
        self.jobs = {name: receive for name, (_, receive) in channels.items()}
        self._to_cache, self.cache_writes = trio.open_memory_channel(sink_room)
        self._to_persister, self.answers = trio.open_memory_channel(sink_room)

    async def run(self):
        """Run the actor."""
        shared = SharedCache(self.cache, WINDOWS, self.counts, self.now)
        ends = (self._flights, self._to_jobs, self._to_cache, self._to_persister)
        ports = {
            "rooms": self.rooms,
            "shared": shared,
            "search": self.search,
            "saves": self.saves,
            "losses": LossLog(self.counts),
            "count": self.counts,
            "now": self.now,
        }
        await merger.Merger(*ends, every_source=SOURCES, windows=WINDOWS, **ports).run()

    def fly(self, key="k", known=None, sources=SOURCES):
        """Send a flight."""
        flight = Flight(
            query(key, sources),
            trio.current_time() + DEADLINE_S,
            known=known,
            on_answer=lambda *_: None,
        )
        self.to_merger.send_nowait(flight)
        return flight

    async def serve(self, name, status=Status.OK, after_s=0.1, **changes):
        """Play one source's fetcher for one job."""
        job = await self.jobs[name].receive()
        with job:
            await trio.sleep(after_s)
            job.outbox.send_nowait(outcome(name, status, self.now(), **changes))

    async def no_job(self, name):
        """Whether the source gets no job."""
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


async def test_a_flight_lands_with_every_source_in_founder_order(rig, nursery, autojump_clock):
    """Outcomes may arrive in any order.

    Each is published as it arrives. The answer then goes to both sinks.
    """
    flight = rig.fly()
    for name, after_s in (("newsapi", 0.3), ("guardian", 0.1), ("reddit", 0.2)):
        nursery.start_soon(lambda name=name, after_s=after_s: rig.serve(name, after_s=after_s))
    landed = await landing(flight)
    events = await flight.wait_for_events(0)
    assert [event.outcome.source for event in events if isinstance(event, SourceReported)] == [
        "guardian",
        "reddit",
        "newsapi",
    ]
    assert [o.source for o in landed.answer.harvest.outcomes] == list(SOURCES)
    assert landed.asked
    assert (await rig.answers.receive()).answer == landed.answer
    assert (await rig.cache_writes.receive()).answer == landed.answer


@pytest.mark.parametrize("arriving", list(permutations(SOURCES)), ids="-".join)
async def test_the_order_of_arrival_does_not_change_the_merge(
    rig, nursery, autojump_clock, arriving
):
    """For stories that every source has, and for those of one source.

    This also holds for each merge that is published before the end.
    """
    flight = rig.fly()
    for place, name in enumerate(arriving):
        found = tuple(
            article(f"{name}{n}", source=name, title=title) for n, title in enumerate(STORIES)
        )
        own = article(name, source=name, title=f"{name} alone")
        nursery.start_soon(
            partial(rig.serve, name, after_s=0.1 * (place + 1), articles=(*found, own))
        )
    landed = (await landing(flight)).answer
    harvest = landed.harvest
    assert landed.merge == merge_articles(
        harvest.query,
        harvest.articles,
        Dedupe.NORMAL,
        harvest.fetched_at,
        ranks=score_ranks(harvest.query, harvest.outcomes),
    )
    assert len(landed.merge.ranked) == 6
    sizes = [
        len(run_all(event.found.rank()).merge.ranked)
        for event in await flight.wait_for_events(0)
        if isinstance(event, SourceReported)
    ]
    assert sizes == [4, 5, 6]


async def test_stories_are_ranked_once_and_when_an_event_is_read(
    rig, nursery, autojump_clock, monkeypatch
):
    """The answer is ranked at the landing, however many sources answered before.

    An event is ranked when it is read.
    """
    ranked, rank = [], merging.rank_groups
    monkeypatch.setattr(
        merging,
        "rank_groups",
        lambda groups, *rest: ranked.append(len(groups)) or rank(groups, *rest),
    )
    flight = rig.fly()
    for place, name in enumerate(SOURCES):
        found = (article(name, source=name, title=STORIES[place]),)
        nursery.start_soon(partial(rig.serve, name, after_s=0.1 * (place + 1), articles=found))
    landed = await landing(flight)
    assert ranked == [3]
    *_, last, _ = await flight.wait_for_events(0)
    assert run_all(last.found.rank()) == landed.answer
    assert ranked == [3, 3]


async def test_a_harvest_keeps_the_saves_known_at_its_landing(rig, nursery, autojump_clock):
    """They count in every view of the harvest. Later saves do not change it."""
    rig.saves.replace({"a_reddit1": 30, "a_elsewhere": 99})
    flight = rig.fly()
    for name in SOURCES:
        nursery.start_soon(rig.serve, name)
    landed = await landing(flight)
    rig.saves.replace({"a_reddit1": 60})
    assert landed.answer.harvest.saves == {"a_reddit1": 30}
    assert {one.group.leader.id: one.popularity > 0 for one in landed.answer.merge.ranked}[
        "a_reddit1"
    ]
    again = {
        one.group.leader.id: one.popularity for one in merged_as(landed.answer, Dedupe.OFF).ranked
    }
    assert again == {one.group.leader.id: one.popularity for one in landed.answer.merge.ranked}


async def test_a_late_source_delays_nothing(rig, nursery, autojump_clock):
    """A source that sends nothing is a timeout at the flight's deadline.

    The answer lands then with the articles of the others.
    """
    began = trio.current_time()
    flight = rig.fly()
    for name in ("newsapi", "guardian"):
        nursery.start_soon(rig.serve, name)
    job = await rig.jobs["reddit"].receive()
    landed = await landing(flight)
    assert trio.current_time() - began == pytest.approx(DEADLINE_S)
    assert job.deadline < flight.deadline
    assert [o.status for o in landed.answer.harvest.outcomes] == [
        Status.OK,
        Status.OK,
        Status.TIMEOUT,
    ]
    with pytest.raises(trio.BrokenResourceError):
        job.outbox.send_nowait(outcome("reddit"))


async def test_a_fetcher_that_closes_without_an_outcome_does_not_delay_the_flight(
    rig, nursery, autojump_clock
):
    """A source that was asked and sent no outcome is missing."""
    flight = rig.fly()
    for name in ("newsapi", "guardian"):
        nursery.start_soon(rig.serve, name)
    (await rig.jobs["reddit"].receive()).outbox.close()
    began = trio.current_time()
    landed = await landing(flight)
    assert trio.current_time() - began < DEADLINE_S / 2
    assert landed.answer.harvest.outcomes[2].status is Status.TIMEOUT


async def test_a_full_fetcher_inbox_is_overloaded_at_once(nursery, autojump_clock):
    """Only the outcome of that source is lost, and no time."""
    rig = Rig(job_room=0)
    nursery.start_soon(rig.run)
    landed = await landing(rig.fly())
    assert {o.status for o in landed.answer.harvest.outcomes} == {Status.OVERLOADED}
    assert trio.current_time() < 0.1
    assert rig.counts["refusals fetcher reddit"] == 1


async def test_a_dead_fetcher_is_overloaded(rig, nursery, autojump_clock):
    """A closed inbox counts as a full one."""
    rig.jobs["reddit"].close()
    for name in ("newsapi", "guardian"):
        nursery.start_soon(rig.serve, name)
    landed = await landing(rig.fly())
    assert landed.answer.harvest.outcomes[2].status is Status.OVERLOADED


async def test_a_disabled_source_is_not_asked(rig, nursery, autojump_clock):
    """A source without a fetcher is reported as disabled. The harvest is complete without it."""
    flight = rig.fly(sources=("guardian", "gdelt"))
    nursery.start_soon(rig.serve, "guardian")
    landed = await landing(flight)
    assert [o.status for o in landed.answer.harvest.outcomes] == [Status.OK, Status.DISABLED]
    assert landed.answer.harvest.complete


async def test_a_fresh_harvest_in_redis_is_the_answer(rig, autojump_clock):
    """No source is asked."""
    kept = answer(when=rig.now(), asked=query())
    rig.cache.kept["k"] = kept
    landed = await landing(rig.fly())
    assert not landed.asked
    assert landed.answer == kept
    assert all([await rig.no_job(name) for name in SOURCES])
    assert rig.cache.locks == {}


async def test_a_partial_harvest_in_redis_asks_only_the_failed_source(rig, nursery, autojump_clock):
    """This is after CACHE_PARTIAL_S. The good outcomes are kept."""
    good = [outcome(name, when=rig.now()) for name in ("newsapi", "guardian")]
    rig.cache.kept["k"] = answer(
        *good, outcome("reddit", Status.TIMEOUT, rig.now()), when=rig.now(), asked=query()
    )
    await trio.sleep(40)
    nursery.start_soon(rig.serve, "reddit")
    landed = await landing(rig.fly())
    assert landed.answer.harvest.outcomes[:2] == tuple(good)
    assert landed.answer.harvest.complete
    assert await rig.no_job("newsapi")
    assert await rig.no_job("guardian")


async def test_memory_replaces_redis_while_it_is_away(rig, nursery, autojump_clock):
    """The flight starts with the answer in the desk's memory and asks only the failed source."""
    rig.cache.away = True
    good = [outcome(name, when=rig.now()) for name in ("newsapi", "guardian")]
    known = answer(
        *good, outcome("reddit", Status.TIMEOUT, rig.now()), when=rig.now(), asked=query()
    )
    await trio.sleep(40)
    nursery.start_soon(rig.serve, "reddit")
    landed = await landing(rig.fly(known=known))
    assert landed.answer.harvest.complete
    assert rig.counts["cache_errors claim"] == 1


async def test_it_waits_for_another_process(rig, autojump_clock):
    """If another process holds the claim, the flight waits for its harvest and asks no source."""
    rig.cache.locks["k"] = "theirs"
    flight = rig.fly()
    await trio.sleep(0.3)
    await rig.cache.store(answer(when=rig.now(), asked=query()), "theirs")
    assert not (await landing(flight)).asked
    assert await rig.no_job("guardian")


async def test_it_fetches_if_the_other_process_is_slow(rig, nursery, autojump_clock):
    """The wait takes at most three quarters of the deadline.

    Then this process asks the sources and leaves the other's claim alone.
    """
    rig.cache.locks["k"] = "theirs"
    flight = rig.fly()
    for name in SOURCES:
        nursery.start_soon(rig.serve, name)
    landed = await landing(flight)
    assert landed.asked
    assert landed.answer.harvest.complete
    assert (await rig.cache_writes.receive()).lock_token is None
    assert rig.cache.locks == {"k": "theirs"}


async def test_it_takes_over_from_a_process_that_gave_up(rig, nursery, autojump_clock):
    """The other process releases its claim without a harvest.

    This process claims the key and asks the sources.
    """
    rig.cache.locks["k"] = "theirs"
    flight = rig.fly()
    await trio.sleep(0.1)
    await rig.cache.release_claim("k", "theirs")
    for name in SOURCES:
        nursery.start_soon(rig.serve, name)
    assert (await landing(flight)).asked
    assert (await rig.cache_writes.receive()).lock_token == rig.cache.locks["k"]


async def test_an_answer_lands_if_redis_fails_during_the_flight(rig, nursery, autojump_clock):
    """The claim cannot be released, which is counted. It expires."""
    flight = rig.fly()
    await wait_all_tasks_blocked()
    rig.cache.away = True
    assert not (await all_fail(rig, nursery, flight)).answer.harvest.answered
    await wait_all_tasks_blocked()
    assert rig.counts["cache_errors unlock"] == 1


async def test_a_harvest_in_the_revalidate_window_is_published_at_once(
    rig, nursery, autojump_clock
):
    """Redis's answer is published once, before any source has answered.

    The flight goes on to its own answer.
    """
    old = rig.cache.kept["k"] = answer(
        outcome("guardian", when=rig.now()), when=rig.now(), asked=query()
    )
    await trio.sleep(310)
    flight = rig.fly()
    for name in SOURCES:
        nursery.start_soon(rig.serve, name)
    began = trio.current_time()
    assert await wait_for_answer(flight) == StaleFound(old)
    assert trio.current_time() == began
    assert (await landing(flight)).answer.harvest.fetched_at > old.harvest.fetched_at
    assert [type(event) for event in await flight.wait_for_events(0)].count(StaleFound) == 1


async def test_a_stale_answer_is_published_while_another_process_renews_it(rig, autojump_clock):
    """Only the flight waits for the other process, not its callers. No source is asked."""
    old = rig.cache.kept["k"] = answer(
        outcome("guardian", when=rig.now()), when=rig.now(), asked=query()
    )
    rig.cache.locks["k"] = "theirs"
    await trio.sleep(310)
    flight = rig.fly()
    began = trio.current_time()
    assert await wait_for_answer(flight) == StaleFound(old)
    assert trio.current_time() == began
    await trio.sleep(0.3)
    await rig.cache.store(answer(when=rig.now(), asked=query()), "theirs")
    assert not (await landing(flight)).asked
    assert [type(event) for event in await flight.wait_for_events(0)] == [StaleFound, Landed]
    assert await rig.no_job("guardian")


@pytest.mark.parametrize("age_s", [299, 361])
async def test_a_fresh_or_too_old_harvest_is_not_published_early(
    rig, nursery, autojump_clock, age_s
):
    """A fresh one is the answer. After the window it only stands in for a failure."""
    rig.cache.kept["k"] = answer(outcome("guardian", when=rig.now()), when=rig.now(), asked=query())
    await trio.sleep(age_s)
    for name in SOURCES:
        nursery.start_soon(rig.serve, name)
    flight = rig.fly()
    assert (await landing(flight)).asked is (age_s > 300)
    assert StaleFound not in [type(event) for event in await flight.wait_for_events(0)]
    nursery.cancel_scope.cancel()


async def all_fail(rig, nursery, flight):
    """Let every source fail, and wait for the flight."""
    for name in SOURCES:
        nursery.start_soon(rig.serve, name, Status.UNREACHABLE)
    return await landing(flight)


async def test_if_all_sources_fail_a_stale_harvest_answers(rig, nursery, autojump_clock):
    """It is marked stale and has the new failures beside it. The claim is released."""
    old = answer(outcome("guardian", when=rig.now()), when=rig.now(), asked=query())
    rig.cache.kept["k"] = old
    await trio.sleep(400)
    flight = rig.fly()
    landed = await all_fail(rig, nursery, flight)
    assert landed.answer.harvest.origin is Origin.STALE
    assert landed.answer.harvest.articles == old.harvest.articles
    assert [o.status for o in landed.answer.refused] == [Status.UNREACHABLE] * 3
    assert not [event for event in await flight.wait_for_events(0) if isinstance(event, StaleFound)]
    await wait_all_tasks_blocked()
    assert rig.cache.locks == {}
    assert rig.cache.kept["k"] == old


async def test_if_all_sources_fail_without_a_stale_harvest_the_archive_answers(
    rig, nursery, autojump_clock
):
    """The answer is marked incomplete."""
    rig.cache.kept["k"] = answer(outcome("guardian", when=rig.now()), when=rig.now(), asked=query())
    rig.search.hits = (Hit(article("old"), rig.now(), rig.now()),)
    await trio.sleep(4000)
    found = (await all_fail(rig, nursery, rig.fly())).answer
    assert (found.harvest.origin, found.harvest.complete) == (Origin.ARCHIVE, False)
    assert [ranked.group.leader.id for ranked in found.merge.ranked] == ["a_old"]


@pytest.mark.parametrize("away", [True, False])
async def test_if_all_sources_and_the_archive_fail_the_failure_is_the_answer(
    rig, nursery, autojump_clock, away
):
    """The archive has nothing or is away. The sinks get no answer."""
    rig.search.raises = UnavailableError("postgresql is away") if away else None
    request = RecordedSpan("request")
    enter_span(request)
    answer = (await all_fail(rig, nursery, rig.fly())).answer
    assert not answer.harvest.answered
    await wait_all_tasks_blocked()
    assert rig.cache_writes.statistics().current_buffer_used == 0
    assert rig.answers.statistics().current_buffer_used == 0
    assert rig.cache.locks == {}
    (flight,) = request.children
    failures = {step.name: step.failure for step in flight.children}
    assert failures == {
        "claim": None,
        "rank": None,
        "archive search": "UnavailableError" if away else None,
    }


async def test_a_slow_archive_does_not_stand_in(rig, nursery, autojump_clock, monkeypatch):
    """The caller has waited for the whole deadline, and gets the failure STAND_IN_S later."""

    async def hang(*_asked):
        await trio.sleep_forever()

    monkeypatch.setattr(rig.search, "search", hang)
    flight = rig.fly()
    answer = (await all_fail(rig, nursery, flight)).answer
    assert not answer.harvest.answered
    assert trio.current_time() <= flight.deadline + merger.STAND_IN_S


async def test_without_an_enabled_source_the_archive_answers(nursery, autojump_clock):
    """Its answer is complete, even if it is empty."""
    rig = Rig(sources=())
    nursery.start_soon(rig.run)
    answer = (await landing(rig.fly())).answer
    assert (answer.harvest.origin, answer.harvest.complete, answer.harvest.answered) == (
        Origin.ARCHIVE,
        True,
        True,
    )
    rig.search.raises = InvalidParameterError("q", "only_stop_words", "too common")
    assert (await landing(rig.fly("the"))).answer.harvest.origin is Origin.ARCHIVE
    rig.search.raises = UnavailableError("postgresql is away")
    with pytest.raises(UnavailableError):
        await landing(rig.fly("other"))


async def test_a_partial_result_does_not_replace_a_complete_harvest_in_redis(
    rig, nursery, autojump_clock
):
    """The complete harvest is still served. The partial result goes to the archive."""
    rig.cache.kept["k"] = answer(
        *(outcome(name, when=rig.now()) for name in SOURCES), when=rig.now(), asked=query()
    )
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
async def test_full_or_dead_sinks_do_not_delay_a_landing(nursery, autojump_clock, closed):
    """Each refusal is counted, and the claim is released."""
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
    assert rig.counts["lost_articles"] == len(SOURCES)
    assert rig.counts["refusals cache_writer"] == 1
    assert rig.cache.locks == {}


async def test_a_full_persister_inbox_is_logged_once_with_the_number_of_articles(
    nursery, autojump_clock
):
    """The first loss is logged at once, and the others of an outage as one sum."""
    rig = Rig(sink_room=0)
    rig.cache_writes.close()
    with capture_logs() as logs:
        nursery.start_soon(rig.run)
        for key in ("one", "two", "three"):
            flight = rig.fly(key)
            for name in SOURCES:
                nursery.start_soon(rig.serve, name)
            await landing(flight)
        rig.to_merger.close()
        await wait_all_tasks_blocked()
    lost = [line for line in logs if line["event"] == "articles_lost"]
    assert [line["articles"] for line in lost] == [3, 6]
    assert {line["reason"] for line in lost} == {"the persister's inbox is full"}


async def test_a_bug_in_a_flight_fails_only_its_own_callers(
    rig, nursery, autojump_clock, monkeypatch
):
    """The error has an incident id that the log has too. The next flight lands."""
    real = merging.rank_groups

    def broken(groups, asked, *rest):
        if asked.key == "bad":
            raise KeyError("bug")
        return real(groups, asked, *rest)

    monkeypatch.setattr(merging, "rank_groups", broken)
    with capture_logs() as logs, pytest.raises(FlightBugError) as caught:
        await landing(rig.fly("bad", sources=("nobody",)))
    (line,) = logs
    assert (line["event"], line["incident_id"], line["exc_info"]) == (
        "flight_bug",
        caught.value.incident_id,
        True,
    )
    assert rig.counts["flight_bugs"] == 1
    assert rig.cache.locks == {}
    flight = rig.fly("good")
    for name in SOURCES:
        nursery.start_soon(rig.serve, name)
    assert (await landing(flight)).answer.harvest.complete


async def test_a_bug_after_the_landing_is_only_logged(rig, nursery, autojump_clock, monkeypatch):
    """The callers keep their answer."""
    monkeypatch.setattr(merger.Merger, "_offer_to_sinks", lambda *_: 1 / 0)
    flight = rig.fly()
    for name in SOURCES:
        nursery.start_soon(rig.serve, name)
    assert (await landing(flight)).answer.harvest.complete
    await wait_all_tasks_blocked()
    assert rig.counts["flight_bugs"] == 1
    assert (await landing(flight)).asked


async def test_it_ends_when_the_desk_ends(autojump_clock):
    """Running flights land first. Then the fetchers and the sinks see the end of their channels."""
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
async def test_cancelled_at_any_checkpoint_it_closes_its_channels(autojump_clock, step):
    """It closes every end that it owns and releases its claim."""
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
async def test_an_outcome_without_room_in_memory_is_overloaded(nursery, autojump_clock, content):
    """Room is counted in bytes, whatever the number of articles.

    A flight gives its room back at its end.
    """
    big = outcome("newsapi", articles=(article("big", source="newsapi", content=content),))
    rig = Rig(room_bytes=outcome_bytes(big) - 1 if content else 2**20)
    nursery.start_soon(rig.run)
    for _ in range(2):
        flight = rig.fly()
        nursery.start_soon(partial(rig.serve, "newsapi", articles=big.articles))
        for name in ("guardian", "reddit"):
            nursery.start_soon(rig.serve, name, Status.EMPTY)
        landed = await landing(flight)
        assert landed.answer.harvest.outcomes[0].status is (
            Status.OVERLOADED if content else Status.OK
        )
        await wait_all_tasks_blocked()
        assert rig.rooms.flights.reserved_bytes == 0


async def test_a_sink_without_room_in_memory_is_refused(nursery, autojump_clock):
    """The refusal is counted and takes no room.

    What a sink accepted takes room until the sink gives it back.
    """
    rig = Rig()
    whole = outcome_bytes(outcome("guardian"))
    rig.rooms = Rooms(ByteBudget(2**20), ByteBudget(2**20), ByteBudget(whole))
    nursery.start_soon(rig.run)
    flight = rig.fly()
    for name in SOURCES:
        nursery.start_soon(rig.serve, name)
    landed = await landing(flight)
    await wait_all_tasks_blocked()
    assert rig.counts["refusals persister"] == 1
    assert rig.rooms.to_persister.reserved_bytes == 0
    assert rig.rooms.to_cache.reserved_bytes == landed.answer.size_bytes
