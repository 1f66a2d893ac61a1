"""The deliverer: sends the alerts that are due, from the outbox in PostgreSQL.

It has no inbox that could end, so the composition root cancels it when requests have ended. Several
processes may run one: each claims a delivery for a while before it sends it. A process that is
killed in between loses nothing: its claims end, and another process sends again, with the same
delivery id. A receiver may so get an alert twice, and can see that it is the same.

At most SLOTS deliveries are sent at once, of one person MOST_OF_PERSON, and of one channel one.
While no slot is free nothing is claimed, so what waits is in the outbox, not in memory. People
whose receivers are slow come after the others.
"""

import random
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

import trio
from attrs import define, field

from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.delivery_model import Attempt, ClaimedDelivery, Outcome, Settlement
from newsintel.domain.alerts.delivery_ports import Deliveries, Sender
from newsintel.domain.alerts.settling import judge_attempt
from newsintel.domain.bounds.newest import Newest
from newsintel.domain.ports import Count, WallClock
from newsintel.errors import UnavailableError
from newsintel.runtime.heartbeats import at_work
from newsintel.runtime.periodic import sleep_with_jitter
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

SLOTS = 16
"""Deliveries of one process at once. A receiver that does not answer keeps one for 20 s."""

MOST_OF_PERSON = SLOTS // 4
"""Those of one person. Hundreds of receivers that do not answer would otherwise hold all slots, and
the alerts of everybody else would wait."""

FAIR_S, FAIR_PERIOD_S = 15.0, 300.0
"""A person whose deliveries held slots for FAIR_S in a period comes after all others until its end.
Otherwise a few people whose receivers do not answer would take turns at all slots."""

MOST_NOTED = 10_000
"""People whose time is noted in a period."""

CLAIM_S = 120.0
"""How long a delivery is claimed: an attempt and storing what came of it, with time to spare."""

IDLE_S = 1.0
"""Pause while nothing is due or PostgreSQL is away, shortened by up to half at random."""


@define(eq=False)
class Deliverer:
    """Sends alerts.

    Attributes:
        store: the outbox and the delivery log.
        senders: the ways out, by kind. A kind without one fails: e-mail without SMTP_URL.
        count: counts `alert_attempts` and `delivery_failures`.
        now: the time of day.
    """

    _store: Deliveries
    _senders: Mapping[ChannelKind, Sender]
    _count: Count
    _now: WallClock
    _slots: trio.Semaphore = field(init=False, factory=lambda: trio.Semaphore(SLOTS))
    _running: Counter[str] = field(init=False, factory=Counter)
    """How many deliveries of each person are being sent."""
    _held_s: Newest[str, float] = field(init=False, factory=lambda: Newest(MOST_NOTED))
    """How long each person's deliveries have held slots in this period."""
    _period_ends_s: float = field(init=False, default=0.0)

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with trio.open_nursery() as deliveries:
            while True:
                await self._slots.acquire()
                with at_work():
                    claimed = await self._claim()
                if claimed is None:
                    self._slots.release()
                    await sleep_with_jitter(IDLE_S)
                else:
                    self._running[claimed.person] += 1
                    deliveries.start_soon(self._deliver, claimed, name=f"deliver {claimed.id}")

    async def _claim(self) -> ClaimedDelivery | None:
        now = self._now()
        until = now + timedelta(seconds=CLAIM_S)
        busy = [one for one, running in self._running.items() if running >= MOST_OF_PERSON]
        last = [one for one, held_s in self._held_s.items() if held_s >= FAIR_S]
        try:
            first = await self._store.claim(now, until, [*busy, *last]) if last else None
            return first or await self._store.claim(now, until, busy)
        except UnavailableError:
            self._count("delivery_failures")
            return None

    async def _deliver(self, delivery: ClaimedDelivery) -> None:
        began = trio.current_time()
        try:
            with at_work():
                attempt = await self._attempt(delivery)
                latency_ms = round(1000 * (trio.current_time() - began))
                self._count("alert_attempts", kind=delivery.kind, outcome=attempt.outcome)
                await self._settle(delivery, attempt, latency_ms)
        finally:
            self._running -= Counter([delivery.person])  # drops those at 0
            self._note_time(delivery.person, trio.current_time() - began)
            self._slots.release()

    def _note_time(self, person: str, held_s: float) -> None:
        if trio.current_time() >= self._period_ends_s:
            self._held_s.clear()
            self._period_ends_s = trio.current_time() + FAIR_PERIOD_S
        self._held_s[person] = self._held_s.get(person, 0.0) + held_s

    async def _attempt(self, delivery: ClaimedDelivery) -> Attempt:
        """Send a delivery once. A bug in a sender fails only this attempt."""
        sender = self._senders.get(delivery.kind)
        if sender is None:
            return Attempt(Outcome.UNREACHABLE, detail=f"{delivery.kind} is off in this service")
        try:
            return await sender.send(delivery)
        except Exception:
            log.exception("delivery_bug", delivery=delivery.id)
            return Attempt(Outcome.REFUSED, detail="a bug in newsintel; its log has more")

    async def _settle(self, delivery: ClaimedDelivery, attempt: Attempt, latency_ms: int) -> None:
        """Store what came of an attempt. If it fails, the claim ends and it is sent again."""
        now = self._now()
        settlement = judge_attempt(delivery, attempt, now, random.random())  # noqa: S311 - jitter
        try:
            if await self._store.settle(delivery, attempt, settlement, now, latency_ms):
                _log_end(delivery, attempt, settlement)
                return
            log.warning("delivery_claim_lost", delivery=delivery.id)
        except UnavailableError:
            self._count("delivery_failures")


def _log_end(delivery: ClaimedDelivery, attempt: Attempt, settlement: Settlement) -> None:
    """Log what operators want to know: a delivery fails for the first time, or a channel ends."""
    named = {"delivery": delivery.id, "search": delivery.search_id, "kind": delivery.kind}
    if settlement.disable is not None:
        log.warning("alert_channel_disabled", **named, reason=settlement.disable)
    elif attempt.outcome is not Outcome.DELIVERED and not delivery.attempts:
        log.info("alert_failing", **named, outcome=attempt.outcome, detail=attempt.detail)
