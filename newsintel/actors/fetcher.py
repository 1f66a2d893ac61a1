"""A fetcher: one per source. Takes jobs in, asks the source, sends exactly one outcome per job to the job's own channel.

It owns what a source's terms are about: its slots, pace and quota, and the time until which the source is to be left alone. What it sends
is always a value; a bug in one job costs that job.
"""

import logging
import random

import trio
from attrs import define, evolve

from newsintel.admission import Admission, Turned
from newsintel.flight import FetchJob
from newsintel.latencies import Tally
from newsintel.model import FetchOutcome, Page, Refusal, Status
from newsintel.ports import Count, Observe, Upstream, WallClock

log = logging.getLogger(__name__)

SLOTS = 10
"""Calls to one source at once (reliability: settings card); half of its client's connections."""
RETRY_JITTER_S = 0.05
"""A second try comes up to this much later, so that many do not come at once."""


@define
class _Source:
    """What a job's task may reach."""

    name: str
    upstream: Upstream
    admission: Admission
    slots: trio.CapacityLimiter
    deadline_s: float
    count: Count
    observe: Observe
    tally: Tally
    now: WallClock


async def run(
    inbox: trio.MemoryReceiveChannel[FetchJob],
    *,
    source: str,
    upstream: Upstream,
    admission: Admission,
    deadline_s: float,
    count: Count,
    observe: Observe,
    tally: Tally,
    now: WallClock,
) -> None:
    """Serve jobs, each in a task of its own, until the inbox ends and the last job has its outcome.

    Owns: its inbox, and the outbox of every job it has taken.
    """
    world = _Source(source, upstream, admission, trio.CapacityLimiter(SLOTS), deadline_s, count, observe, tally, now)
    async with trio.open_nursery() as upkeep:
        upkeep.start_soon(upstream.keep_ready, name=f"upkeep({source})")
        async with trio.open_nursery() as jobs:
            with inbox:
                async for job in inbox:
                    jobs.start_soon(_serve, job, world, name=f"fetch({source}) {job.query.key}")
        upkeep.cancel_scope.cancel()


async def _serve(job: FetchJob, source: _Source) -> None:
    """Bring one job to its one outcome. Sending it cannot wait: the flight's channel has room for every source."""
    with job:
        began = trio.current_time()
        try:
            outcome = await _fetch(job, source, began)
        except Exception:
            log.exception("a bug ended a fetch", extra={"source": source.name})
            source.count("job_bugs", source=source.name)
            outcome = _outcome(job, source, Refusal(Status.BAD_PAYLOAD, "a bug in newsintel; its log has the traceback"), began)
        _measure(outcome, source)
        try:
            job.outbox.send_nowait(outcome)
        except trio.BrokenResourceError:
            source.count("late_outcomes", source=source.name)


def _measure(outcome: FetchOutcome, source: _Source) -> None:
    """Count an outcome, and its latency if the source was asked."""
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
            source.name, reply.status, source.now(), retry_at=reply.retry_at, ignored=source.upstream.ignored(job.query), detail="not asked"
        )
    return _outcome(job, source, reply, began)


async def _ask(job: FetchJob, source: _Source, deadline: float) -> Page | Refusal | Turned:
    """One call, if the source's terms let it start in time. Waiting for slot and pace counts against the deadline."""
    reply: Page | Refusal = Refusal(Status.OVERLOADED, f"all {SLOTS} slots stayed taken until the deadline")
    # Round the fetch, never round the sending: an outcome that has come about is not thrown away for being late.
    with trio.move_on_at(deadline):
        async with source.slots:
            place = source.admission.ask(trio.current_time(), source.now(), deadline)
            if isinstance(place, Turned):
                return place
            try:
                await trio.sleep_until(place.at_s)
                if turned := source.admission.recall(place, source.now()):
                    return turned
                reply = Refusal(Status.TIMEOUT, "no answer before the deadline")
                reply = await source.upstream.fetch(job.query)
            finally:
                if isinstance(reply, Refusal) and reply.status is Status.OVERLOADED:
                    source.admission.give_back(place)
                else:
                    source.admission.note(place, reply, trio.current_time(), random.random())  # noqa: S311 - spreads load
    return reply


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
        status = Status.OK if reply.articles else Status.EMPTY
        return evolve(outcome, status=status, articles=reply.articles, returned=reply.returned, dropped=reply.dropped)
    paused = source.admission.paused(trio.current_time(), source.now())
    return evolve(outcome, status=reply.status, detail=reply.detail, retry_at=paused.retry_at if paused else None)
