"""A fetcher: receives jobs, asks its one source, sends one outcome per job to the job's channel.

It keeps to the source's terms: slots, pace, quota, and the time before which the source must not be
asked. Every outcome is a value, never an exception; a bug in one job fails only that job.
"""

import random
from collections.abc import Awaitable, Callable
from functools import partial

import trio
from attrs import define, evolve, field

from newsintel.domain.limits.admission import Admission, Refused, Start
from newsintel.domain.limits.quotas import Spent
from newsintel.domain.operations.latencies import Tally
from newsintel.domain.ports import Count, Observe, WallClock
from newsintel.domain.search.outcome import FetchOutcome, HeldFrom, Refusal, SourcePage, Status
from newsintel.domain.search.ports import Upstream
from newsintel.domain.tracing import Attributes, Span
from newsintel.runtime.heartbeats import at_work
from newsintel.runtime.limits.allowance import Allowance
from newsintel.runtime.search.flight import FetchJob
from newsintel.runtime.telemetry.logs import enter_context, get_logger
from newsintel.runtime.telemetry.source_log import SourceLog

log = get_logger(__name__)

SLOTS = 10
"""Calls to one source at once; half of its client's connections."""
RETRY_JITTER_S = 0.05
"""Longest random delay before a retry, so that many retries do not come at once."""
LATE_S = 0.1
"""A deadline that is noticed this late shows that this process was too busy, not a slow source."""
HEAD_START_S = 0.1
"""A source's deadline and latency count from the start of the search, as they do for the caller.

But they count at most this much before the job starts: what happens before, mostly the look-up in
Redis, is not the source's fault.
"""
GIVE_BACK_S = 0.5
"""How long giving a start back may delay a cancelled job: two of Redis's socket timeouts."""
NOT_ASKED = {
    None: "not asked",
    HeldFrom.ANONYMOUS: "not asked: the rest of the quota is for callers who are signed in",
    HeldFrom.PERSON: "not asked: this person has used as many calls as are left for all others",
}


@define(eq=False)
class Fetcher:
    """Asks one source.

    Owns: its inbox, and the outbox of every job it has taken.

    Attributes:
        inbox: the jobs.
        source: its name.
        upstream: the source itself.
        admission: decides when it may be asked.
        allowance: counts the starts of its calls.
        deadline_s: of one job.
        longest_keep_s: how long any outcome is kept; none is fresh for longer, even if little of
            the quota is left.
        count: adds to a counter.
        observe: records how long each call took.
        tally: records the same for `newsintel deadlines`.
        now: the time of day.
        recheck: checks archived articles until cancelled; None = the source needs no checks.
    """

    _inbox: trio.MemoryReceiveChannel[FetchJob]
    _source: str = field(kw_only=True)
    _upstream: Upstream = field(kw_only=True)
    _admission: Admission = field(kw_only=True)
    _allowance: Allowance = field(kw_only=True)
    _deadline_s: float = field(kw_only=True)
    _longest_keep_s: float = field(kw_only=True)
    _count: Count = field(kw_only=True)
    _observe: Observe = field(kw_only=True)
    _tally: Tally = field(kw_only=True)
    _now: WallClock = field(kw_only=True)
    _recheck: Callable[[], Awaitable[None]] | None = field(kw_only=True, default=None)
    _slots: trio.CapacityLimiter = field(init=False, factory=lambda: trio.CapacityLimiter(SLOTS))
    _log: SourceLog = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._log = SourceLog(self._source, self._admission)

    async def run(self) -> None:
        """Serve jobs, each in its own task, until the inbox ends and the last job is done."""
        async with trio.open_nursery() as upkeep:
            upkeep.start_soon(self._upstream.keep_ready, name=f"upkeep({self._source})")
            if self._recheck is not None:
                upkeep.start_soon(self._recheck, name=f"recheck({self._source})")
            async with trio.open_nursery() as jobs:
                with self._inbox:
                    async for job in self._inbox:
                        jobs.start_soon(
                            self._serve, job, name=f"fetch({self._source}) {job.query.key}"
                        )
            upkeep.cancel_scope.cancel()

    async def _serve(self, job: FetchJob) -> None:
        """Run one job and send its one outcome.

        Sending never waits: the flight's channel has room for every source.
        """
        enter_context(job.context)
        with job:
            span = job.span.begin_child(f"fetch {self._source}", calls_out=True)
            began = max(job.began, trio.current_time() - HEAD_START_S)
            try:
                with at_work():
                    outcome = await self._fetch(job, began)
            except Exception:
                log.exception("fetch_bug", source=self._source)
                self._count("job_bugs", source=self._source)
                bug = Refusal(Status.BAD_PAYLOAD, "a bug in newsintel; its log has the traceback")
                outcome = self._build_outcome(job, bug, began)
            self._measure(outcome)
            _describe_fetch(span, outcome, self._find_deadline(job, began) - began)
            span.end()
            try:
                job.outbox.send_nowait(outcome)
            except trio.BrokenResourceError:
                self._count("late_outcomes", source=self._source)

    def _measure(self, outcome: FetchOutcome) -> None:
        """Count an outcome, and its latency if the source was asked; log what it changed."""
        self._log.log_change(outcome, trio.current_time())
        self._count("outcomes", source=self._source, status=outcome.status)
        for reason, rows in outcome.dropped.items():
            self._count("dropped_articles", rows, source=self._source, reason=reason)
        if outcome.latency_ms is not None:
            self._observe(
                "fetch_seconds",
                outcome.latency_ms / 1000,
                source=self._source,
                status=outcome.status,
            )
            self._tally.add(self._source, outcome.status, outcome.latency_ms)

    async def _fetch(self, job: FetchJob, began: float) -> FetchOutcome:
        """Ask; retry once if the source was unreachable and more than half of the time is left.

        No other layer retries.
        """
        deadline = self._find_deadline(job, began)
        reply = await self._ask(job, deadline)
        if (
            isinstance(reply, Refusal)
            and reply.status is Status.UNREACHABLE
            and trio.current_time() < (began + deadline) / 2
        ):
            await trio.sleep(random.uniform(0, RETRY_JITTER_S))  # noqa: S311 - spreads load, guards nothing
            again = await self._ask(job, deadline)
            reply = reply if isinstance(again, Refused) else again
        if isinstance(reply, Refused):
            return FetchOutcome(
                self._source,
                reply.status,
                self._now(),
                retry_at=reply.retry_at,
                held_back=reply.held_back,
                ignored=self._upstream.list_ignored_parameters(job.query),
                detail=NOT_ASKED[reply.held_back],
            )
        return self._build_outcome(job, reply, began)

    async def _ask(self, job: FetchJob, deadline: float) -> SourcePage | Refusal | Refused:
        """Make one call if the source's terms let it start in time.

        Waiting for a slot and for the pace counts against the deadline. A call that would not get
        its answer in time is refused at once, so that its search need not wait for the deadline.
        """
        if self._is_queue_too_long(deadline):
            return Refusal(Status.OVERLOADED, "too many calls wait for a slot already")
        reply: SourcePage | Refusal = Refusal(
            Status.OVERLOADED, f"all {SLOTS} slots stayed taken until the deadline"
        )
        came_s = started_s = trio.current_time()
        # The deadline covers the fetch, never the sending: a late outcome is not thrown away.
        with trio.move_on_at(deadline):
            async with self._slots:
                place = await self._allowance.reserve(
                    partial(self._decide, job, deadline), job.asker.person
                )
                if isinstance(place, Refused):
                    return place
                made = False
                try:
                    await trio.sleep_until(place.at_s)
                    if turned := self._admission.recheck(place, trio.current_time(), self._now()):
                        return turned
                    made, started_s = True, trio.current_time()
                    reply = Refusal(Status.TIMEOUT, "no answer before the deadline")
                    reply = await self._upstream.fetch(job.query)
                finally:
                    if _process_was_busy(reply, deadline):
                        reply = Refusal(
                            Status.OVERLOADED,
                            "this process was too busy to read the answer in time",
                        )
                    elif _started_too_late(reply, started_s - came_s, deadline - started_s):
                        reply = Refusal(
                            Status.OVERLOADED,
                            "the call started too late for an answer before the deadline",
                        )
                    elif made and not (
                        isinstance(reply, Refusal) and reply.status is Status.OVERLOADED
                    ):
                        self._admission.record_reply(
                            place,
                            reply,
                            trio.current_time(),
                            random.random(),  # noqa: S311 - spreads load
                        )
                    else:
                        with trio.move_on_after(GIVE_BACK_S, shield=True):
                            await self._allowance.give_back(place)
        return reply

    def _find_deadline(self, job: FetchJob, began: float) -> float:
        return min(job.deadline, began + self._deadline_s)

    def _is_queue_too_long(self, deadline: float) -> bool:
        """Return whether a call at the end of the queue for a slot would surely be too late.

        Each round of SLOTS calls takes the source's usual latency. The round in progress may end
        at once, so it does not count.
        """
        rounds = self._slots.statistics().tasks_waiting // SLOTS
        takes_s = self._admission.expected_latency_s()
        return rounds > 0 and (rounds + 1) * takes_s > deadline - trio.current_time()

    def _decide(
        self, job: FetchJob, deadline: float, spent: Spent, now_s: float
    ) -> Start | Refused:
        return self._admission.reserve(
            spent, now_s, self._now(), deadline, signed_in=job.asker.signed_in
        )

    def _build_outcome(
        self, job: FetchJob, reply: SourcePage | Refusal, began: float
    ) -> FetchOutcome:
        """Turn a reply into the outcome to report."""
        outcome = FetchOutcome(
            self._source,
            Status.EMPTY,
            self._now(),
            latency_ms=(trio.current_time() - began) * 1000,
            http_status=reply.http_status,
            ignored=self._upstream.list_ignored_parameters(job.query),
        )
        if isinstance(reply, SourcePage):
            if reply.bug is not None:
                log.error(
                    "row_bug",
                    source=self._source,
                    rows=reply.dropped.get("bug"),
                    exc_info=reply.bug,
                )
                self._count("job_bugs", source=self._source)
            status = Status.OK if reply.articles else Status.EMPTY
            keep_s = self._admission.min_fresh_s(self._longest_keep_s)
            return evolve(
                outcome,
                status=status,
                articles=reply.articles,
                returned=reply.returned,
                dropped=reply.dropped,
                keep_s=keep_s,
            )
        paused = self._admission.find_pause(trio.current_time(), self._now())
        return evolve(
            outcome,
            status=reply.status,
            detail=reply.detail,
            retry_at=paused.retry_at if paused else None,
        )


def _describe_fetch(span: Span, outcome: FetchOutcome, deadline_s: float) -> None:
    latency_ms = outcome.latency_ms
    attributes: Attributes = {
        "newsintel.source": outcome.source,
        "newsintel.source.status": outcome.status.value,
        "newsintel.source.latency_ms": None if latency_ms is None else round(latency_ms, 1),
        "newsintel.source.deadline_ms": round(deadline_s * 1000),
        "newsintel.source.returned": outcome.returned,
        "newsintel.source.kept": len(outcome.articles),
        "http.response.status_code": outcome.http_status,
    }
    span.set(attributes)
    if outcome.status.failed:
        span.fail(outcome.status.value, outcome.detail)


def _process_was_busy(reply: SourcePage | Refusal, deadline: float) -> bool:
    """Return whether this process was too busy when the deadline cut the call off.

    The call was made, so its start stays spent.
    """
    return (
        isinstance(reply, Refusal)
        and reply.status is Status.TIMEOUT
        and trio.current_time() > deadline + LATE_S
    )


def _started_too_late(reply: SourcePage | Refusal, waited_s: float, had_s: float) -> bool:
    """Return whether a call that the deadline cut off had waited longer than the source then had.

    It waited for its slot and its turn. Its start stays spent.
    """
    return isinstance(reply, Refusal) and reply.status is Status.TIMEOUT and waited_s > had_s
