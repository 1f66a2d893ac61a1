"""A fetcher: one per source. Takes jobs in, asks the source, sends exactly one outcome per job to the job's own channel.

It owns what a source's terms are about: its slots, pace and quota, and the time until which the source is to be left alone. What it sends
is always a value; a bug in one job costs that job.
"""

import random
from functools import partial

import trio
from attrs import define, evolve

from newsintel.domain.limits.admission import Admission, Start, Turned
from newsintel.domain.limits.quotas import Spent
from newsintel.domain.operations.latencies import Tally
from newsintel.domain.ports import Count, Observe, WallClock
from newsintel.domain.search.outcome import FetchOutcome, HeldFrom, Page, Refusal, Status
from newsintel.domain.search.ports import Upstream
from newsintel.runtime.limits.allowance import Allowance
from newsintel.runtime.search.flight import FetchJob
from newsintel.runtime.telemetry.logs import enter_context, get_logger
from newsintel.runtime.telemetry.source_log import SourceLog

log = get_logger(__name__)

SLOTS = 10
"""Calls to one source at once (reliability: settings card); half of its client's connections."""
RETRY_JITTER_S = 0.05
"""A second try comes up to this much later, so that many do not come at once."""
LATE_S = 0.1
"""A deadline noticed this late tells of this process, which had no time to listen, and nothing of the source."""
HEAD_START_S = 0.1
"""A source's deadline and latency count from the search's beginning, which whoever asked counts from; but by so much at most, since what
lies before the call, looking in Redis above all, is not the source's fault."""
GIVE_BACK_S = 0.5
"""How long giving a start back may hold up a cancelled job: two of Redis's socket timeouts."""
NOT_ASKED = {
    None: "not asked",
    HeldFrom.STRANGERS: "not asked: the rest of the quota is for callers who are signed in",
    HeldFrom.PERSON: "not asked: this person has had as much of the quota as is left for all others",
}


@define
class _Source:
    """What a job's task may reach."""

    name: str
    upstream: Upstream
    admission: Admission
    allowance: Allowance
    slots: trio.CapacityLimiter
    deadline_s: float
    longest_keep_s: float
    count: Count
    observe: Observe
    tally: Tally
    now: WallClock
    log: SourceLog


async def run(
    inbox: trio.MemoryReceiveChannel[FetchJob],
    *,
    source: str,
    upstream: Upstream,
    admission: Admission,
    allowance: Allowance,
    deadline_s: float,
    longest_keep_s: float,
    count: Count,
    observe: Observe,
    tally: Tally,
    now: WallClock,
) -> None:
    """Serve jobs, each in a task of its own, until the inbox ends and the last job has its outcome.

    Owns: its inbox, and the outbox of every job it has taken.

    Args:
        inbox: the jobs.
        source: its name.
        upstream: the source itself.
        admission: when it may be asked.
        allowance: counts the starts of its calls.
        deadline_s: for one job.
        longest_keep_s: for how long an outcome is kept at all; none is fresh for longer, however little of the quota is left.
        count: counts.
        observe: told how long each call took.
        tally: keeps the same for `newsintel deadlines`.
        now: the time of day.
    """
    slots = trio.CapacityLimiter(SLOTS)
    source_log = SourceLog(source, admission)
    world = _Source(source, upstream, admission, allowance, slots, deadline_s, longest_keep_s, count, observe, tally, now, source_log)
    async with trio.open_nursery() as upkeep:
        upkeep.start_soon(upstream.keep_ready, name=f"upkeep({source})")
        async with trio.open_nursery() as jobs:
            with inbox:
                async for job in inbox:
                    jobs.start_soon(_serve, job, world, name=f"fetch({source}) {job.query.key}")
        upkeep.cancel_scope.cancel()


async def _serve(job: FetchJob, source: _Source) -> None:
    """Bring one job to its one outcome. Sending it cannot wait: the flight's channel has room for every source."""
    enter_context(job.context)
    with job:
        began = max(job.began, trio.current_time() - HEAD_START_S)
        try:
            outcome = await _fetch(job, source, began)
        except Exception:
            log.exception("fetch_bug", source=source.name)
            source.count("job_bugs", source=source.name)
            outcome = _outcome(job, source, Refusal(Status.BAD_PAYLOAD, "a bug in newsintel; its log has the traceback"), began)
        _measure(outcome, source)
        try:
            job.outbox.send_nowait(outcome)
        except trio.BrokenResourceError:
            source.count("late_outcomes", source=source.name)


def _measure(outcome: FetchOutcome, source: _Source) -> None:
    """Count an outcome, and its latency if the source was asked; log what it changed."""
    source.log.note(outcome, trio.current_time())
    source.count("outcomes", source=source.name, status=outcome.status)
    for reason, rows in outcome.dropped.items():
        source.count("dropped_articles", rows, source=source.name, reason=reason)
    if outcome.latency_ms is not None:
        source.observe("fetch_seconds", outcome.latency_ms / 1000, source=source.name, status=outcome.status)
        source.tally.note(source.name, outcome.status, outcome.latency_ms)


async def _fetch(job: FetchJob, source: _Source, began: float) -> FetchOutcome:
    """Ask; and once more if the source broke down with more than half of the time left (one retry, at this layer alone)."""
    deadline = min(job.deadline, began + source.deadline_s)
    reply = await _ask(job, source, deadline)
    if isinstance(reply, Refusal) and reply.status is Status.UNREACHABLE and trio.current_time() < (began + deadline) / 2:
        await trio.sleep(random.uniform(0, RETRY_JITTER_S))  # noqa: S311 - spreads load, guards nothing
        again = await _ask(job, source, deadline)
        reply = reply if isinstance(again, Turned) else again
    if isinstance(reply, Turned):
        return FetchOutcome(
            source.name,
            reply.status,
            source.now(),
            retry_at=reply.retry_at,
            held_back=reply.held_back,
            ignored=source.upstream.ignored(job.query),
            detail=NOT_ASKED[reply.held_back],
        )
    return _outcome(job, source, reply, began)


async def _ask(job: FetchJob, source: _Source, deadline: float) -> Page | Refusal | Turned:
    """One call, if the source's terms let it start in time. Waiting for slot and pace counts against the deadline."""
    reply: Page | Refusal = Refusal(Status.OVERLOADED, f"all {SLOTS} slots stayed taken until the deadline")
    came_s = started_s = trio.current_time()
    # Round the fetch, never round the sending: an outcome that has come about is not thrown away for being late.
    with trio.move_on_at(deadline):
        async with source.slots:
            place = await source.allowance.reserve(partial(_decide, job, source, deadline), job.asker.person)
            if isinstance(place, Turned):
                return place
            made = False
            try:
                await trio.sleep_until(place.at_s)
                if turned := source.admission.recall(place, source.now()):
                    return turned
                made, reply, started_s = True, Refusal(Status.TIMEOUT, "no answer before the deadline"), trio.current_time()
                reply = await source.upstream.fetch(job.query)
            finally:
                if _unheard(reply, deadline):
                    reply = Refusal(Status.OVERLOADED, "this process was too busy to hear the answer")
                elif _rushed(reply, started_s - came_s, deadline - started_s):
                    reply = Refusal(Status.OVERLOADED, "its turn came too late for an answer before the deadline")
                elif made and not (isinstance(reply, Refusal) and reply.status is Status.OVERLOADED):
                    source.admission.note(place, reply, trio.current_time(), random.random())  # noqa: S311 - spreads load
                else:
                    with trio.move_on_after(GIVE_BACK_S, shield=True):
                        await source.allowance.give_back(place)
    return reply


def _unheard(reply: Page | Refusal, deadline: float) -> bool:
    """True of a call cut off by its deadline when nobody was listening any more. It was made, so it stays spent."""
    return isinstance(reply, Refusal) and reply.status is Status.TIMEOUT and trio.current_time() > deadline + LATE_S


def _rushed(reply: Page | Refusal, waited_s: float, had_s: float) -> bool:
    """True of a call cut off by its deadline that had waited longer for its slot and turn than the source then had. It stays spent."""
    return isinstance(reply, Refusal) and reply.status is Status.TIMEOUT and waited_s > had_s


def _decide(job: FetchJob, source: _Source, deadline: float, spent: Spent, now_s: float) -> Start | Turned:
    return source.admission.ask(spent, now_s, source.now(), deadline, signed_in=job.asker.signed_in)


def _outcome(job: FetchJob, source: _Source, reply: Page | Refusal, began: float) -> FetchOutcome:
    """A reply as it is reported."""
    outcome = FetchOutcome(
        source.name,
        Status.EMPTY,
        source.now(),
        latency_ms=(trio.current_time() - began) * 1000,
        http_status=reply.http_status,
        ignored=source.upstream.ignored(job.query),
    )
    if isinstance(reply, Page):
        if reply.bug is not None:
            log.error("row_bug", source=source.name, rows=reply.dropped.get("bug"), exc_info=reply.bug)
            source.count("job_bugs", source=source.name)
        status = Status.OK if reply.articles else Status.EMPTY
        keep_s = source.admission.keep_s(source.longest_keep_s)
        return evolve(outcome, status=status, articles=reply.articles, returned=reply.returned, dropped=reply.dropped, keep_s=keep_s)
    paused = source.admission.paused(trio.current_time(), source.now())
    return evolve(outcome, status=reply.status, detail=reply.detail, retry_at=paused.retry_at if paused else None)
