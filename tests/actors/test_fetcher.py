"""A fetcher: one outcome per job, on time, within the source's terms."""

from datetime import timedelta

import pytest
import trio
from attrs import evolve
from structlog.testing import capture_logs
from trio.testing import wait_all_tasks_blocked

from newsintel.actors import fetcher
from newsintel.config.values import Quota
from newsintel.domain.limits.admission import Admission
from newsintel.domain.limits.quotas import Terms
from newsintel.domain.operations.latencies import Latency, Tally
from newsintel.domain.search.outcome import ANYBODY, Asker, HeldFrom, Page, Refusal, Status
from newsintel.runtime.limits.allowance import Allowance
from newsintel.runtime.search.flight import FetchJob
from tests.fakes.basics import Clock, Counts, MemoryLedger, Seen
from tests.make import article, query

DEADLINE_S = 1.0


class ScriptedUpstream:
    """A `ports.Upstream` that replies from a script: a reply, seconds to take before it, an exception, or a call after which to hang."""

    def __init__(self, *script):
        self.script = list(script)
        self.asked_at = []
        self.upkeep_ended = False

    def ignored(self, asked):
        return ("language",)

    async def keep_ready(self):
        try:
            await trio.sleep_forever()
        finally:
            self.upkeep_ended = True

    async def fetch(self, asked):
        self.asked_at.append(trio.current_time())
        step = self.script.pop(0) if self.script else 0.05
        if isinstance(step, Exception):
            raise step
        if callable(step):
            step()
            await trio.sleep_forever()
        if isinstance(step, int | float):
            await trio.sleep(step)
            step = PAGE
        return step


PAGE = Page((article("one"),), returned=3, dropped={"removed": 2}, http_status=200)
DOWN = Refusal(Status.UNREACHABLE, "refused")


MEMBER = Asker(signed_in=True)


class Rig:
    """A running fetcher; the test plays the merger."""

    def __init__(self, *script, pace_s=0.0, quota=None, deadline_s=DEADLINE_S):
        self.upstream, self.counts, self.now, self.ledger = ScriptedUpstream(*script), Counts(), Clock(), MemoryLedger()
        self.seen, self.tally = Seen(), Tally()
        terms = Terms(pace_s, quota)
        self.admission = Admission(terms)
        self.allowance = Allowance("guardian", terms, self.ledger, self.counts)
        self.deadline_s = deadline_s
        self.jobs, self.inbox = trio.open_memory_channel(64)

    async def run(self):
        """The actor."""
        terms = {"admission": self.admission, "allowance": self.allowance, "deadline_s": self.deadline_s, "longest_keep_s": 3900}
        measures = {"count": self.counts, "observe": self.seen, "tally": self.tally}
        await fetcher.Fetcher(self.inbox, source="guardian", upstream=self.upstream, now=self.now, **terms, **measures).run()

    def send(self, within_s=1.5, *, asker=ANYBODY, after_s=0.0):
        """Send a job of a search that began so long ago; returns the channel its outcome comes on."""
        outbox, outcomes = trio.open_memory_channel(1)
        began = trio.current_time()
        self.jobs.send_nowait(FetchJob(query(), began - after_s, began + within_s, outbox, asker))
        return outcomes

    async def ask(self, within_s=1.5, *, asker=ANYBODY):
        """Send a job and wait for its outcome; checks that it is the only one."""
        outcomes = self.send(within_s, asker=asker)
        outcome = await outcomes.receive()
        with pytest.raises(trio.EndOfChannel):
            await outcomes.receive()
        return outcome


async def running(nursery, *script, **terms):
    """A rig whose actor runs."""
    rig = Rig(*script, **terms)
    nursery.start_soon(rig.run)
    await wait_all_tasks_blocked()
    return rig


async def test_page_becomes_an_outcome(nursery, autojump_clock):
    """A page is reported with its counts, its latency in milliseconds and what the source ignored."""
    rig = await running(nursery, 0.2)
    outcome = await rig.ask()
    assert (outcome.source, outcome.status, outcome.articles, outcome.returned) == ("guardian", Status.OK, PAGE.articles, 3)
    assert outcome.latency_ms == pytest.approx(200)
    assert (outcome.ignored, outcome.http_status, outcome.retry_at) == (("language",), 200, None)
    assert rig.counts == {"outcomes guardian ok": 1, "dropped_articles guardian removed": 2}


async def test_latency_of_each_call_is_measured_and_of_no_other(nursery, autojump_clock):
    """Answers, failures and calls cut short are observed with how they ended; one that was not made has no latency."""
    rig = await running(nursery, 0.2, Refusal(Status.BAD_PAYLOAD, "html"), 60, Refusal(Status.RATE_LIMITED, "slow down", pause_s=30))
    for status in (Status.OK, Status.BAD_PAYLOAD, Status.TIMEOUT, Status.RATE_LIMITED, Status.RATE_LIMITED):
        assert (await rig.ask()).status is status
    assert rig.seen == {
        "fetch_seconds guardian ok": [pytest.approx(0.2)],
        "fetch_seconds guardian bad_payload": [0],
        "fetch_seconds guardian timeout": [pytest.approx(DEADLINE_S)],
        "fetch_seconds guardian rate_limited": [0],
    }
    counts = rig.tally.take()
    assert sum(counts.values()) == 4
    assert counts[Latency("guardian", Status.TIMEOUT, 1000)] == 1


async def test_no_rows_is_empty_not_failed(nursery, autojump_clock):
    """A page without articles is `empty`."""
    rig = await running(nursery, Page((), 0))
    assert (await rig.ask()).status is Status.EMPTY


async def test_a_process_too_busy_to_listen_blames_no_source(nursery, autojump_clock):
    """A deadline noticed much too late is a want of room of ours: however often, the circuit stays closed, and the call stays spent."""
    quota = Quota(100, 86400)
    rig = await running(nursery, *[lambda: autojump_clock.jump(DEADLINE_S + 0.2)] * 5, quota=quota)
    for _ in range(5):
        outcome = await rig.ask(9)
        assert (outcome.status, outcome.retry_at) == (Status.OVERLOADED, None)
    assert (await rig.ask(9)).status is Status.OK
    assert rig.admission.quota_left() == 94
    rig = await running(nursery, *[lambda: autojump_clock.jump(DEADLINE_S)] * 3)
    assert [(await rig.ask(9)).status for _ in range(3)] == [Status.TIMEOUT] * 3
    assert (await rig.ask(9)).status is Status.CIRCUIT_OPEN


async def test_a_burst_that_waits_for_its_turn_blames_no_source(nursery, autojump_clock):
    """Sixty searches at once at a source that takes 0.4 s of 1 s: the third ten get a slot too late, which is our want of room."""
    rig = await running(nursery, *[0.4] * 60)
    statuses = [(await channel.receive()).status for channel in [rig.send(9) for _ in range(60)]]
    assert statuses.count(Status.OK) == 2 * fetcher.SLOTS
    assert statuses.count(Status.OVERLOADED) == 60 - 2 * fetcher.SLOTS
    assert len(rig.upstream.asked_at) == 3 * fetcher.SLOTS
    assert not rig.admission.circuit_open
    assert (await rig.ask(9)).status is Status.OK


async def test_a_call_held_back_by_the_pace_until_the_deadline_blames_no_source(nursery, autojump_clock):
    """It had a fifth of its time. One that had most of it counts, as ever."""
    rig = await running(nursery, *[0.01, 5] * 9, pace_s=0.8)
    for _ in range(4):
        first, second = rig.send(9), rig.send(9)
        assert (await first.receive()).status is Status.OK
        assert (await second.receive()).status is Status.OVERLOADED
        await trio.sleep(9)
    rig = await running(nursery, *[0.01, 5] * 9, pace_s=0.4)
    for _ in range(3):
        first, second = rig.send(9), rig.send(9)
        await first.receive()
        assert (await second.receive()).status is Status.TIMEOUT
        await trio.sleep(1)


@pytest.mark.parametrize(("after_s", "counts_s"), [(0.0, 0.0), (0.06, 0.06), (0.4, fetcher.HEAD_START_S)])
async def test_what_a_search_has_waited_counts_against_the_deadline(nursery, autojump_clock, after_s, counts_s):
    """The deadline is kept as whoever asked sees it; but a search that was held up for long does not take a source's time away."""
    rig = await running(nursery, 60)
    began = trio.current_time()
    outcome = await rig.send(after_s=after_s).receive()
    assert outcome.status is Status.TIMEOUT
    assert trio.current_time() - began == pytest.approx(DEADLINE_S - counts_s)
    assert outcome.latency_ms == pytest.approx(DEADLINE_S * 1000)


async def test_late_source_is_cut_at_its_own_deadline(nursery, autojump_clock):
    """The source's deadline holds although the search has more time."""
    rig = await running(nursery, 60)
    began = trio.current_time()
    outcome = await rig.ask(within_s=10)
    assert trio.current_time() - began == pytest.approx(DEADLINE_S)
    assert outcome.status is Status.TIMEOUT


async def test_the_flights_deadline_holds_too(nursery, autojump_clock):
    """A job with less time than the source's deadline is cut at the job's."""
    rig = await running(nursery, 60)
    began = trio.current_time()
    assert (await rig.ask(within_s=0.3)).status is Status.TIMEOUT
    assert trio.current_time() - began == pytest.approx(0.3)


async def test_refusal_says_when_to_come_back(nursery, autojump_clock):
    """A source that names a pause is not asked until then; meanwhile it is refused at once with the same time."""
    rig = await running(nursery, Refusal(Status.RATE_LIMITED, "slow down", 429, pause_s=30))
    outcome = await rig.ask()
    assert (outcome.status, outcome.http_status) == (Status.RATE_LIMITED, 429)
    assert (outcome.retry_at - rig.now()).total_seconds() == pytest.approx(30)
    again = await rig.ask()
    assert (again.status, again.retry_at, again.latency_ms) == (Status.RATE_LIMITED, outcome.retry_at, None)
    await trio.sleep(31)
    assert (await rig.ask()).status is Status.OK
    assert len(rig.upstream.asked_at) == 2


async def test_pace_spaces_calls_and_refuses_what_cannot_start_in_time(nursery, autojump_clock):
    """Calls start a pace apart; one whose turn comes after its deadline is refused at once and takes no place."""
    rig = await running(nursery, pace_s=0.6)
    outcomes = [rig.send(within_s=1.0) for _ in range(4)]
    statuses = [(await channel.receive()).status for channel in outcomes]
    assert statuses == [Status.OK, Status.OK, Status.RATE_LIMITED, Status.RATE_LIMITED]
    assert rig.upstream.asked_at[1] - rig.upstream.asked_at[0] == pytest.approx(0.6)


async def test_pause_that_begins_while_waiting_takes_the_start_back(nursery, autojump_clock):
    """A job that waits for its turn is not sent once the source has asked to be left alone."""
    rig = await running(nursery, Refusal(Status.RATE_LIMITED, "slow down", 429, pause_s=30), pace_s=0.5)
    first, second = rig.send(), rig.send()
    assert (await first.receive()).status is Status.RATE_LIMITED
    outcome = await second.receive()
    assert (outcome.status, outcome.latency_ms) == (Status.RATE_LIMITED, None)
    assert len(rig.upstream.asked_at) == 1


async def test_spent_quota_is_refused_at_once(nursery, autojump_clock):
    """Past the quota no call is made, and the outcome says when the next may be."""
    rig = await running(nursery, quota=Quota(2, 3600))
    for _ in range(2):
        assert (await rig.ask()).status is Status.OK
    began = trio.current_time()
    outcome = await rig.ask()
    assert (outcome.status, trio.current_time()) == (Status.QUOTA_EXHAUSTED, began)
    assert 3500 < (outcome.retry_at - rig.now()).total_seconds() <= 3600
    assert len(rig.upstream.asked_at) == 2


async def test_other_processes_starts_count(nursery, autojump_clock):
    """What another process has spent of the quota is spent; without a reply from Redis this process counts alone, and tells later."""
    rig = await running(nursery, quota=Quota(3, 3600))
    rig.ledger.starts["guardian"] = {"theirs": trio.current_time(), "theirs too": trio.current_time()}
    assert (await rig.ask(asker=MEMBER)).status is Status.OK
    assert (await rig.ask(asker=MEMBER)).status is Status.QUOTA_EXHAUSTED
    assert len(rig.ledger.starts["guardian"]) == 3
    rig.ledger.away = True
    assert [(await rig.ask(asker=MEMBER)).status for _ in range(3)] == [Status.OK, Status.OK, Status.QUOTA_EXHAUSTED]
    assert rig.counts["ledger_errors guardian"] == 3
    rig.ledger.away = False
    assert (await rig.ask(asker=MEMBER)).status is Status.QUOTA_EXHAUSTED
    assert len(rig.ledger.starts["guardian"]) == 5


async def test_a_redis_that_forgot_makes_nobody_forget_his_own(nursery, autojump_clock):
    """A process's own starts count whatever Redis says."""
    rig = await running(nursery, quota=Quota(1, 3600))
    assert (await rig.ask()).status is Status.OK
    rig.ledger.starts.clear()
    assert (await rig.ask()).status is Status.QUOTA_EXHAUSTED


async def test_a_source_without_terms_asks_redis_nothing(nursery, autojump_clock):
    """There is nothing to count."""
    rig = await running(nursery)
    rig.ledger.away = True
    assert (await rig.ask()).status is Status.OK
    assert rig.counts["ledger_errors guardian"] == 0
    assert rig.ledger.starts == {}


async def test_the_last_quarter_is_held_back_from_callers_who_are_not_signed_in(nursery, autojump_clock):
    """They are told when it would be theirs again; a caller who is signed in is served."""
    rig = await running(nursery, quota=Quota(4, 3600))
    for _ in range(3):
        assert not (await rig.ask()).held_back
    turned = await rig.ask()
    assert (turned.status, turned.held_back, turned.latency_ms) == (Status.QUOTA_EXHAUSTED, HeldFrom.STRANGERS, None)
    assert (turned.retry_at - rig.now()).total_seconds() == pytest.approx(3600, abs=1)
    assert (await rig.ask(asker=MEMBER)).status is Status.OK
    assert len(rig.upstream.asked_at) == 4


async def test_an_outcome_says_how_long_it_is_to_be_kept(nursery, autojump_clock):
    """The less is left, the longer; for a source without a quota not at all."""
    rig = await running(nursery, quota=Quota(4, 3600))
    assert [(await rig.ask(asker=MEMBER)).keep_s for _ in range(4)] == [pytest.approx(600), pytest.approx(1800), 3900, 3900]
    assert (await (await running(nursery)).ask()).keep_s == 0


async def test_a_call_that_was_not_made_is_not_spent(nursery, autojump_clock):
    """A pool without a free connection sends nothing, so the quota keeps its call, here and in Redis."""
    rig = await running(nursery, Refusal(Status.OVERLOADED, "no connection was free"), quota=Quota(1, 3600))
    assert (await rig.ask()).status is Status.OVERLOADED
    assert rig.ledger.starts == {"guardian": {}}
    assert (await rig.ask()).status is Status.OK


async def test_breakdown_is_tried_once_more_early(nursery, autojump_clock):
    """A connection that breaks at once is tried a second time, and the second answer counts."""
    rig = await running(nursery, DOWN)
    assert (await rig.ask()).status is Status.OK
    assert len(rig.upstream.asked_at) == 2


@pytest.mark.parametrize("reply", [Refusal(Status.BAD_PAYLOAD, "html"), Refusal(Status.UNAUTHORIZED, "key"), Refusal(Status.TIMEOUT, "")])
async def test_other_failures_are_not_tried_again(nursery, autojump_clock, reply):
    """Asking again would bring the same."""
    rig = await running(nursery, reply)
    assert (await rig.ask()).status is reply.status
    assert len(rig.upstream.asked_at) == 1


async def test_no_second_try_in_the_second_half(nursery, autojump_clock):
    """With half of the time gone a breakdown is reported as it is."""

    async def slow_failure(_):
        await trio.sleep(0.6)
        return DOWN

    rig = await running(nursery)
    rig.upstream.fetch = slow_failure
    began = trio.current_time()
    assert (await rig.ask()).status is Status.UNREACHABLE
    assert trio.current_time() - began == pytest.approx(0.6)


async def test_three_failures_open_the_circuit(nursery, autojump_clock):
    """After three failures in a row the source is left alone for a while, and says so."""
    rig = await running(nursery, *[Refusal(Status.BAD_PAYLOAD, "html")] * 3)
    outcomes = [await rig.ask() for _ in range(4)]
    assert [o.status for o in outcomes] == [Status.BAD_PAYLOAD] * 3 + [Status.CIRCUIT_OPEN]
    assert outcomes[2].retry_at == outcomes[3].retry_at
    assert len(rig.upstream.asked_at) == 3


async def test_slots_bound_calls_in_the_air(nursery, autojump_clock):
    """No more than SLOTS calls run at once; a job that gets no slot in time is overloaded, not timed out."""
    rig = await running(nursery, *[5] * fetcher.SLOTS)
    outcomes = [rig.send(within_s=1.0) for _ in range(fetcher.SLOTS + 1)]
    statuses = [(await channel.receive()).status for channel in outcomes]
    assert sorted(statuses) == sorted([Status.TIMEOUT] * fetcher.SLOTS + [Status.OVERLOADED])
    assert len(rig.upstream.asked_at) == fetcher.SLOTS


async def test_outcome_after_the_landing_is_dropped_and_counted(nursery, autojump_clock):
    """A flight that has landed closed its channel; the late outcome disturbs nobody."""
    rig = await running(nursery, 0.5)
    rig.send().close()
    await trio.sleep(1)
    assert rig.counts["late_outcomes guardian"] == 1
    assert (await rig.ask()).status is Status.OK


async def test_outage_is_logged_and_not_each_call(nursery, autojump_clock):
    """The first failure, the circuit, the recovery."""
    away = Refusal(Status.BAD_PAYLOAD, "no JSON")
    rig = await running(nursery, 0.1, away, away, away, away, away, away, 0.1, 0.1)
    with capture_logs() as logs:
        for _ in range(8):
            await rig.ask()
            await trio.sleep(600)  # longer than the circuit is ever open
    assert [line["event"] for line in logs] == ["source_failing", "circuit_opened", "source_recovered", "circuit_closed"]
    assert {line["source"] for line in logs} == {"guardian"}
    assert (logs[0]["status"], logs[0]["reason"]) == ("bad_payload", "no JSON")


async def test_bug_in_a_job_costs_that_job(nursery, autojump_clock):
    """An exception that nobody foresaw is one bad outcome with a logged traceback; the next job is served."""
    rig = await running(nursery, ZeroDivisionError("bug"))
    with capture_logs() as logs:
        assert (await rig.ask()).status is Status.BAD_PAYLOAD
    assert [(line["event"], line["source"], line["exc_info"]) for line in logs if line["log_level"] == "error"] == [
        ("fetch_bug", "guardian", True)
    ]
    assert rig.counts["job_bugs guardian"] == 1
    assert (await rig.ask()).status is Status.OK


async def test_bug_in_a_row_costs_that_row(nursery, autojump_clock):
    """The others are kept; the traceback is logged, once for a reply, and counted."""
    bug = ValueError("Invalid IPv6 URL")
    rig = await running(nursery, evolve(PAGE, dropped={"bug": 2}, bug=bug))
    with capture_logs() as logs:
        outcome = await rig.ask()
    assert (outcome.status, len(outcome.articles), outcome.dropped) == (Status.OK, 1, {"bug": 2})
    assert [(line["event"], line["source"], line["rows"], line["exc_info"]) for line in logs] == [("row_bug", "guardian", 2, bug)]
    assert rig.counts["job_bugs guardian"] == 1


async def test_bug_in_the_upkeep_ends_the_actor(autojump_clock):
    """What runs beside the jobs is part of the actor: its bug is not swallowed."""
    rig = Rig()

    async def broken():
        raise ZeroDivisionError

    rig.upstream.keep_ready = broken
    with pytest.RaisesGroup(ZeroDivisionError):
        await rig.run()
    with pytest.raises(trio.BrokenResourceError):
        rig.jobs.send_nowait(None)


async def test_ends_with_its_inbox(autojump_clock):
    """At the end of its channel it finishes the jobs it has taken, then ends its upkeep."""
    rig = Rig(0.5)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.run)
        outcomes = rig.send()
        rig.jobs.close()
    assert (await outcomes.receive()).status is Status.OK
    assert rig.upstream.upkeep_ended


@pytest.mark.parametrize("step", range(12))
async def test_cancelled_at_every_step(autojump_clock, step):
    """Cancelled at any checkpoint, it closes its inbox and the outbox of every job it took."""
    rig = Rig(0.5, pace_s=0.2)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.run)
        channels = [rig.send() for _ in range(3)]
        for _ in range(step + 1):
            await trio.lowlevel.checkpoint()
        taken = 3 - rig.inbox.statistics().current_buffer_used
        nursery.cancel_scope.cancel()
    assert sum(channel.statistics().open_send_channels == 0 for channel in channels) >= taken
    with pytest.raises(trio.BrokenResourceError):
        rig.jobs.send_nowait(None)


async def test_one_person_cannot_spend_a_quota_alone(nursery, autojump_clock):
    """Past the share the source is not called, and says so with a time; anybody else is answered."""
    rig = await running(nursery, quota=Quota(8, 86400))
    greedy = [await rig.ask(asker=Asker("greedy")) for _ in range(20)]
    assert [one.status for one in greedy] == [Status.OK] * 3 + [Status.QUOTA_EXHAUSTED] * 17
    assert {(one.held_back, one.latency_ms) for one in greedy[3:]} == {(HeldFrom.PERSON, None)}
    assert greedy[3].retry_at - rig.now() > timedelta(hours=23)
    assert "as are left for all others" in greedy[-1].detail
    assert len(rig.upstream.asked_at) == 3
    assert rig.allowance.holds_back("greedy", rig.now())
    assert (await rig.ask(asker=Asker("other"))).status is Status.OK
    assert (await rig.ask()).status is Status.OK
