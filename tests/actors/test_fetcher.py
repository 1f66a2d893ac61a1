"""A fetcher sends one outcome for each job, in time and within the limits of its source."""

from datetime import timedelta

import pytest
import trio
from attrs import evolve
from structlog.testing import capture_logs
from trio.testing import wait_all_tasks_blocked

from newsintel.actors import fetcher
from newsintel.config.values import Quota
from newsintel.domain.limits.admission import Admission
from newsintel.domain.limits.quotas import SourceLimits
from newsintel.domain.operations.latencies import Latency, Tally
from newsintel.domain.search.outcome import (
    ANONYMOUS_CALLER,
    FetchCaller,
    HeldFrom,
    Refusal,
    SourcePage,
    Status,
)
from newsintel.runtime.limits.allowance import Allowance
from newsintel.runtime.search.flight import FetchJob
from tests.fakes.basics import Clock, Counts, MemoryLedger, Seen
from tests.make import article, query

DEADLINE_S = 1.0


class ScriptedUpstream:
    """A `ports.Upstream` that replies from a script.

    A step is a reply, the seconds before a reply, an exception, or a function to call before
    hanging.
    """

    def __init__(self, *script):
        self.script = list(script)
        self.asked_at = []
        self.upkeep_ended = False

    def list_ignored_parameters(self, asked):
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


PAGE = SourcePage((article("one"),), returned=3, dropped={"removed": 2}, http_status=200)
DOWN = Refusal(Status.UNREACHABLE, "refused")


MEMBER = FetchCaller(signed_in=True)


class Rig:
    """A running fetcher. The test plays the merger."""

    def __init__(self, *script, pace_s=0.0, quota=None, deadline_s=DEADLINE_S, ledger=None):
        self.upstream, self.counts, self.now, self.ledger = (
            ScriptedUpstream(*script),
            Counts(),
            Clock(),
            ledger or MemoryLedger(),
        )
        self.seen, self.tally = Seen(), Tally()
        terms = SourceLimits(pace_s, quota)
        self.admission = Admission(terms)
        self.allowance = Allowance("guardian", terms, self.ledger, self.counts)
        self.deadline_s = deadline_s
        self.jobs, self.inbox = trio.open_memory_channel(64)

    async def run(self):
        """Run the actor."""
        terms = {
            "admission": self.admission,
            "allowance": self.allowance,
            "deadline_s": self.deadline_s,
            "longest_keep_s": 3900,
        }
        measures = {"count": self.counts, "observe": self.seen, "tally": self.tally}
        await fetcher.Fetcher(
            self.inbox, source="guardian", upstream=self.upstream, now=self.now, **terms, **measures
        ).run()

    def send(self, within_s=1.5, *, asker=ANONYMOUS_CALLER, after_s=0.0):
        """Send a job of a search that began `after_s` ago.

        Returns the channel of its outcome.
        """
        outbox, outcomes = trio.open_memory_channel(1)
        began = trio.current_time()
        self.jobs.send_nowait(FetchJob(query(), began - after_s, began + within_s, outbox, asker))
        return outcomes

    async def ask(self, within_s=1.5, *, asker=ANONYMOUS_CALLER):
        """Send a job, wait for its outcome, and check that there is only one."""
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


async def test_a_page_becomes_an_outcome(nursery, autojump_clock):
    """It has the page's counts, its latency in milliseconds and what the source ignored."""
    rig = await running(nursery, 0.2)
    outcome = await rig.ask()
    assert (outcome.source, outcome.status, outcome.articles, outcome.returned) == (
        "guardian",
        Status.OK,
        PAGE.articles,
        3,
    )
    assert outcome.latency_ms == pytest.approx(200)
    assert (outcome.ignored, outcome.http_status, outcome.retry_at) == (("language",), 200, None)
    assert rig.counts == {"outcomes guardian ok": 1, "dropped_articles guardian removed": 2}


async def test_latency_is_measured_for_each_call_that_was_made(nursery, autojump_clock):
    """Answers, failures and calls cut short are observed with their status.

    A call that was not made has no latency.
    """
    rig = await running(
        nursery,
        0.2,
        Refusal(Status.BAD_PAYLOAD, "html"),
        60,
        Refusal(Status.RATE_LIMITED, "slow down", pause_s=30),
    )
    for status in (
        Status.OK,
        Status.BAD_PAYLOAD,
        Status.TIMEOUT,
        Status.RATE_LIMITED,
        Status.RATE_LIMITED,
    ):
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


async def test_a_page_without_articles_is_empty(nursery, autojump_clock):
    """It is not a failure."""
    rig = await running(nursery, SourcePage((), 0))
    assert (await rig.ask()).status is Status.EMPTY


async def test_a_busy_process_does_not_blame_the_source(nursery, autojump_clock):
    """A deadline that is noticed much too late is our own overload.

    The circuit stays closed, however often it happens, and the call counts as spent.
    """
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


async def test_a_burst_that_waits_for_slots_does_not_blame_the_source(nursery, autojump_clock):
    """Sixty searches start at once at a source that takes 0.4 s of 1 s.

    The third ten get their slot too late, which is our own overload.
    """
    rig = await running(nursery, *[0.4] * 60)
    statuses = [(await channel.receive()).status for channel in [rig.send(9) for _ in range(60)]]
    assert statuses.count(Status.OK) == 2 * fetcher.SLOTS
    assert statuses.count(Status.OVERLOADED) == 60 - 2 * fetcher.SLOTS
    assert len(rig.upstream.asked_at) == 3 * fetcher.SLOTS
    assert not rig.admission.is_circuit_open
    assert (await rig.ask(9)).status is Status.OK


async def test_a_call_whose_turn_would_come_too_late_is_refused_at_once(nursery, autojump_clock):
    """Its search need not wait for the deadline to say `overloaded`.

    Sixty searches start at a source that is known to take 0.4 s of 1 s: ten run, twenty may still
    be in time if those end early, and thirty cannot be.
    """
    rig = await running(nursery, *[0.4] * 60)
    assert (await rig.ask(9)).status is Status.OK
    began = trio.current_time()
    waiting = [rig.send(9) for _ in range(60)]
    await wait_all_tasks_blocked()
    refused = [await channel.receive() for channel in waiting[3 * fetcher.SLOTS :]]
    assert trio.current_time() == began
    assert {one.status for one in refused} == {Status.OVERLOADED}
    statuses = [(await channel.receive()).status for channel in waiting[: 3 * fetcher.SLOTS]]
    assert statuses.count(Status.OK) == 2 * fetcher.SLOTS
    assert not rig.admission.is_circuit_open


async def test_a_call_delayed_by_the_pace_does_not_blame_the_source(nursery, autojump_clock):
    """It had a fifth of its time. A call that had most of its time counts as a timeout."""
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


@pytest.mark.parametrize(
    ("after_s", "counts_s"), [(0.0, 0.0), (0.06, 0.06), (0.4, fetcher.HEAD_START_S)]
)
async def test_the_time_since_the_search_began_counts_against_the_deadline(
    nursery, autojump_clock, after_s, counts_s
):
    """The deadline counts from the start of the search, as for the caller.

    At most HEAD_START_S of it counts, so a long delay before the job does not take the source's
    time.
    """
    rig = await running(nursery, 60)
    began = trio.current_time()
    outcome = await rig.send(after_s=after_s).receive()
    assert outcome.status is Status.TIMEOUT
    assert trio.current_time() - began == pytest.approx(DEADLINE_S - counts_s)
    assert outcome.latency_ms == pytest.approx(DEADLINE_S * 1000)


async def test_a_late_source_is_cut_at_its_own_deadline(nursery, autojump_clock):
    """Even if the search has more time."""
    rig = await running(nursery, 60)
    began = trio.current_time()
    outcome = await rig.ask(within_s=10)
    assert trio.current_time() - began == pytest.approx(DEADLINE_S)
    assert outcome.status is Status.TIMEOUT


async def test_the_deadline_of_the_job_holds_too(nursery, autojump_clock):
    """A job with less time than the source's deadline is cut at its own."""
    rig = await running(nursery, 60)
    began = trio.current_time()
    assert (await rig.ask(within_s=0.3)).status is Status.TIMEOUT
    assert trio.current_time() - began == pytest.approx(0.3)


async def test_a_source_is_not_asked_during_the_pause_that_it_named(nursery, autojump_clock):
    """Jobs in the pause are refused at once, with the same retry_at."""
    rig = await running(nursery, Refusal(Status.RATE_LIMITED, "slow down", 429, pause_s=30))
    outcome = await rig.ask()
    assert (outcome.status, outcome.http_status) == (Status.RATE_LIMITED, 429)
    assert (outcome.retry_at - rig.now()).total_seconds() == pytest.approx(30)
    again = await rig.ask()
    assert (again.status, again.retry_at, again.latency_ms) == (
        Status.RATE_LIMITED,
        outcome.retry_at,
        None,
    )
    await trio.sleep(31)
    assert (await rig.ask()).status is Status.OK
    assert len(rig.upstream.asked_at) == 2


async def test_the_pace_spaces_calls_and_refuses_those_that_start_too_late(nursery, autojump_clock):
    """A job whose turn comes after its deadline is refused at once and takes no place."""
    rig = await running(nursery, pace_s=0.6)
    outcomes = [rig.send(within_s=1.0) for _ in range(4)]
    statuses = [(await channel.receive()).status for channel in outcomes]
    assert statuses == [Status.OK, Status.OK, Status.RATE_LIMITED, Status.RATE_LIMITED]
    assert rig.upstream.asked_at[1] - rig.upstream.asked_at[0] == pytest.approx(0.6)


async def test_a_pause_that_begins_while_a_job_waits_recalls_its_start(nursery, autojump_clock):
    """The job is not sent, because the source asked for the pause."""
    rig = await running(
        nursery, Refusal(Status.RATE_LIMITED, "slow down", 429, pause_s=30), pace_s=0.5
    )
    first, second = rig.send(), rig.send()
    assert (await first.receive()).status is Status.RATE_LIMITED
    outcome = await second.receive()
    assert (outcome.status, outcome.latency_ms) == (Status.RATE_LIMITED, None)
    assert len(rig.upstream.asked_at) == 1


async def test_a_spent_quota_refuses_at_once(nursery, autojump_clock):
    """No call is made, and the outcome says when the next one is possible."""
    rig = await running(nursery, quota=Quota(2, 3600))
    for _ in range(2):
        assert (await rig.ask()).status is Status.OK
    began = trio.current_time()
    outcome = await rig.ask()
    assert (outcome.status, trio.current_time()) == (Status.QUOTA_EXHAUSTED, began)
    assert 3500 < (outcome.retry_at - rig.now()).total_seconds() <= 3600
    assert len(rig.upstream.asked_at) == 2


async def test_starts_of_other_processes_count(nursery, autojump_clock):
    """Their calls count as spent.

    While Redis is away, this process counts its own starts and reports them later.
    """
    rig = await running(nursery, quota=Quota(3, 3600))
    rig.ledger.starts["guardian"] = {
        "theirs": trio.current_time(),
        "theirs too": trio.current_time(),
    }
    assert (await rig.ask(asker=MEMBER)).status is Status.OK
    assert (await rig.ask(asker=MEMBER)).status is Status.QUOTA_EXHAUSTED
    assert len(rig.ledger.starts["guardian"]) == 3
    rig.ledger.away = True
    assert [(await rig.ask(asker=MEMBER)).status for _ in range(3)] == [
        Status.OK,
        Status.OK,
        Status.QUOTA_EXHAUSTED,
    ]
    assert rig.counts["ledger_errors guardian"] == 3
    rig.ledger.away = False
    assert (await rig.ask(asker=MEMBER)).status is Status.QUOTA_EXHAUSTED
    assert len(rig.ledger.starts["guardian"]) == 5


async def test_own_starts_count_after_redis_lost_them(nursery, autojump_clock):
    """A process remembers its own starts."""
    rig = await running(nursery, quota=Quota(1, 3600))
    assert (await rig.ask()).status is Status.OK
    rig.ledger.starts.clear()
    assert (await rig.ask()).status is Status.QUOTA_EXHAUSTED


async def test_a_source_without_limits_does_not_use_redis(nursery, autojump_clock):
    """Its starts are not counted."""
    rig = await running(nursery)
    rig.ledger.away = True
    assert (await rig.ask()).status is Status.OK
    assert rig.counts["ledger_errors guardian"] == 0
    assert rig.ledger.starts == {}


async def test_the_last_quarter_is_held_back_from_anonymous_callers(nursery, autojump_clock):
    """They get a time to retry. A signed-in caller is served."""
    rig = await running(nursery, quota=Quota(4, 3600))
    for _ in range(3):
        assert not (await rig.ask()).held_back
    turned = await rig.ask()
    assert (turned.status, turned.held_back, turned.latency_ms) == (
        Status.QUOTA_EXHAUSTED,
        HeldFrom.ANONYMOUS,
        None,
    )
    assert (turned.retry_at - rig.now()).total_seconds() == pytest.approx(3600, abs=1)
    assert (await rig.ask(asker=MEMBER)).status is Status.OK
    assert len(rig.upstream.asked_at) == 4


async def test_an_outcome_has_its_keep_time(nursery, autojump_clock):
    """The time grows as the quota falls. Without a quota it is 0."""
    rig = await running(nursery, quota=Quota(4, 3600))
    assert [(await rig.ask(asker=MEMBER)).keep_s for _ in range(4)] == [
        pytest.approx(600),
        pytest.approx(1800),
        3900,
        3900,
    ]
    assert (await (await running(nursery)).ask()).keep_s == 0


async def test_a_call_that_was_not_made_does_not_count(nursery, autojump_clock):
    """If the pool has no free connection, nothing is sent.

    The start is given back, here and in Redis.
    """
    rig = await running(
        nursery, Refusal(Status.OVERLOADED, "no connection was free"), quota=Quota(1, 3600)
    )
    assert (await rig.ask()).status is Status.OVERLOADED
    assert rig.ledger.starts == {"guardian": {}}
    assert (await rig.ask()).status is Status.OK


async def test_an_early_connection_failure_is_retried_once(nursery, autojump_clock):
    """The second answer counts."""
    rig = await running(nursery, DOWN)
    assert (await rig.ask()).status is Status.OK
    assert len(rig.upstream.asked_at) == 2


@pytest.mark.parametrize(
    "reply",
    [
        Refusal(Status.BAD_PAYLOAD, "html"),
        Refusal(Status.UNAUTHORIZED, "key"),
        Refusal(Status.TIMEOUT, ""),
    ],
)
async def test_other_failures_are_not_retried(nursery, autojump_clock, reply):
    """A retry would bring the same."""
    rig = await running(nursery, reply)
    assert (await rig.ask()).status is reply.status
    assert len(rig.upstream.asked_at) == 1


async def test_there_is_no_retry_in_the_second_half_of_the_time(nursery, autojump_clock):
    """The failure is reported as it is."""

    async def slow_failure(_):
        await trio.sleep(0.6)
        return DOWN

    rig = await running(nursery)
    rig.upstream.fetch = slow_failure
    began = trio.current_time()
    assert (await rig.ask()).status is Status.UNREACHABLE
    assert trio.current_time() - began == pytest.approx(0.6)


async def test_three_failures_in_a_row_open_the_circuit(nursery, autojump_clock):
    """The source is then not asked for a while, and the outcomes say so."""
    rig = await running(nursery, *[Refusal(Status.BAD_PAYLOAD, "html")] * 3)
    outcomes = [await rig.ask() for _ in range(4)]
    assert [o.status for o in outcomes] == [Status.BAD_PAYLOAD] * 3 + [Status.CIRCUIT_OPEN]
    assert outcomes[2].retry_at == outcomes[3].retry_at
    assert len(rig.upstream.asked_at) == 3


async def test_slots_bound_the_calls_that_run(nursery, autojump_clock):
    """At most SLOTS calls run at once.

    A job that gets no slot in time is overloaded, not timed out.
    """
    rig = await running(nursery, *[5] * fetcher.SLOTS)
    outcomes = [rig.send(within_s=1.0) for _ in range(fetcher.SLOTS + 1)]
    statuses = [(await channel.receive()).status for channel in outcomes]
    assert sorted(statuses) == sorted([Status.TIMEOUT] * fetcher.SLOTS + [Status.OVERLOADED])
    assert len(rig.upstream.asked_at) == fetcher.SLOTS


async def test_an_outcome_after_the_landing_is_dropped_and_counted(nursery, autojump_clock):
    """A flight that has ended closed its channel. The late outcome causes no error."""
    rig = await running(nursery, 0.5)
    rig.send().close()
    await trio.sleep(1)
    assert rig.counts["late_outcomes guardian"] == 1
    assert (await rig.ask()).status is Status.OK


async def test_an_outage_is_logged_once(nursery, autojump_clock):
    """The log has the first failure, the open circuit and the recovery."""
    away = Refusal(Status.BAD_PAYLOAD, "no JSON")
    rig = await running(nursery, 0.1, away, away, away, away, away, away, 0.1, 0.1)
    with capture_logs() as logs:
        for _ in range(8):
            await rig.ask()
            await trio.sleep(600)  # longer than the circuit ever stays open
    assert [line["event"] for line in logs] == [
        "source_failing",
        "circuit_opened",
        "source_recovered",
        "circuit_closed",
    ]
    assert {line["source"] for line in logs} == {"guardian"}
    assert (logs[0]["status"], logs[0]["reason"]) == ("bad_payload", "no JSON")


async def test_a_bug_in_a_job_fails_only_that_job(nursery, autojump_clock):
    """An unexpected exception is one failed outcome and a logged traceback.

    The next job is served.
    """
    rig = await running(nursery, ZeroDivisionError("bug"))
    with capture_logs() as logs:
        assert (await rig.ask()).status is Status.BAD_PAYLOAD
    assert [
        (line["event"], line["source"], line["exc_info"])
        for line in logs
        if line["log_level"] == "error"
    ] == [("fetch_bug", "guardian", True)]
    assert rig.counts["job_bugs guardian"] == 1
    assert (await rig.ask()).status is Status.OK


async def test_a_bug_in_a_row_drops_only_that_row(nursery, autojump_clock):
    """The other rows are kept.

    The traceback is logged once for each reply, and the bug is counted.
    """
    bug = ValueError("Invalid IPv6 URL")
    rig = await running(nursery, evolve(PAGE, dropped={"bug": 2}, bug=bug))
    with capture_logs() as logs:
        outcome = await rig.ask()
    assert (outcome.status, len(outcome.articles), outcome.dropped) == (Status.OK, 1, {"bug": 2})
    assert [(line["event"], line["source"], line["rows"], line["exc_info"]) for line in logs] == [
        ("row_bug", "guardian", 2, bug)
    ]
    assert rig.counts["job_bugs guardian"] == 1


async def test_a_bug_in_the_upkeep_ends_the_actor(autojump_clock):
    """The upkeep runs beside the jobs and is part of the actor."""
    rig = Rig()

    async def broken():
        raise ZeroDivisionError

    rig.upstream.keep_ready = broken
    with pytest.RaisesGroup(ZeroDivisionError):
        await rig.run()
    with pytest.raises(trio.BrokenResourceError):
        rig.jobs.send_nowait(None)


async def test_it_ends_when_its_inbox_ends(autojump_clock):
    """It finishes the jobs that it has taken, then ends its upkeep."""
    rig = Rig(0.5)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.run)
        outcomes = rig.send()
        rig.jobs.close()
    assert (await outcomes.receive()).status is Status.OK
    assert rig.upstream.upkeep_ended


@pytest.mark.parametrize("step", range(12))
async def test_cancelled_at_any_checkpoint_it_closes_its_channels(autojump_clock, step):
    """These are its inbox and the outbox of every job that it took."""
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
    """Beyond the share the source is not called, and the outcome has a time to retry.

    Other callers are served.
    """
    rig = await running(nursery, quota=Quota(8, 86400))
    greedy = [await rig.ask(asker=FetchCaller("greedy")) for _ in range(20)]
    assert [one.status for one in greedy] == [Status.OK] * 3 + [Status.QUOTA_EXHAUSTED] * 17
    assert {(one.held_back, one.latency_ms) for one in greedy[3:]} == {(HeldFrom.PERSON, None)}
    assert greedy[3].retry_at - rig.now() > timedelta(hours=23)
    assert "as are left for all others" in greedy[-1].detail
    assert len(rig.upstream.asked_at) == 3
    assert rig.allowance.must_wait("greedy", rig.now())
    assert (await rig.ask(asker=FetchCaller("other"))).status is Status.OK
    assert (await rig.ask()).status is Status.OK
