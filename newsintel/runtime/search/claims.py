"""One fan-out per key among all processes: a process claims the key in Redis first.

While Redis is unavailable, only the sharing stops: each failure is counted, and the flight goes on
without a claim.
"""

import itertools
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio
from attrs import define, frozen

from newsintel.domain.ports import Count, WallClock
from newsintel.domain.search.freshness import Freshness, Windows
from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.outcome import ANONYMOUS_CALLER, FetchCaller
from newsintel.domain.search.ports import HarvestCache
from newsintel.domain.tracing import trace_step
from newsintel.errors import UnavailableError

POLL_S = 0.05
"""Time between two looks for the harvest of another process that holds the claim."""
PATIENCE = 0.75
"""The share of its time for which a flight waits for another process.

By then every source of a live holder has answered or passed its deadline (default: 1.0 s of 1.5 s).
The rest of the time is for our own fan-out if the holder is dead.
"""
SLACK_S = 1.0
"""If a process dies, its claim expires this long after its flight's deadline."""
CLEANUP_S = 0.5
"""How long giving a claim back may delay a cancelled flight: two of Redis's socket timeouts."""


@define
class Claim:
    """What a flight knows about its key. `token` is set while this flight must give it back."""

    answer: Answer | None
    token: str | None = None
    asker: FetchCaller = ANONYMOUS_CALLER


@frozen
class SharedCache:
    """Redis, shared by the flights of several processes."""

    cache: HarvestCache
    windows: Windows
    count: Count
    now: WallClock

    @asynccontextmanager
    async def claim(
        self,
        key: str,
        known: Answer | None,
        deadline: float,
        *,
        meanwhile: Callable[[Answer], None],
        asker: FetchCaller = ANONYMOUS_CALLER,
    ) -> AsyncIterator[Claim]:
        """Look a key up and claim it; if another process holds the claim, wait for its harvest.

        Looking and claiming are one round trip. There is no wait if the answer is fresh. The wait
        is bounded, to leave time for our own fan-out. At the end, a token that is still in the
        claim is given back.

        Args:
            key: the harvest key.
            known: what this process's own memory holds under it.
            deadline: of the flight; absolute, on trio's clock.
            meanwhile: called with the answer if the first look finds one that may be served while
                it is renewed.
            asker: the caller for whom the flight runs.
        """
        claim = Claim(known, asker=asker)
        try:
            with trace_step("claim"):
                await self._claim_or_wait(key, claim, deadline, meanwhile)
            yield claim
        finally:
            if claim.token is not None:
                with trio.move_on_after(CLEANUP_S, shield=True):
                    await self._unlock(key, claim.token)

    async def _claim_or_wait(
        self, key: str, claim: Claim, deadline: float, meanwhile: Callable[[Answer], None]
    ) -> None:
        token = secrets.token_hex(16)
        began = trio.current_time()
        patience = began + PATIENCE * (deadline - began)
        for look in itertools.count():
            # From here on the claim may be ours, also if its reply is lost or we are cancelled.
            claim.token = token
            try:
                claimed = await self.cache.claim(
                    key, token, deadline - trio.current_time() + SLACK_S
                )
            except UnavailableError:
                self.count("cache_errors", operation="claim")
                return
            claim.token = token if claimed.held else None
            self._keep_newer(claim, claimed.answer)
            freshness = self.judge(claim)
            if look == 0 and claim.answer and freshness is Freshness.REVALIDATE:
                meanwhile(claim.answer)
            if claimed.held or freshness is Freshness.FRESH or trio.current_time() >= patience:
                return
            await trio.sleep(POLL_S)

    def _keep_newer(self, claim: Claim, loaded: Answer | None) -> None:
        """Keep the newer of two answers: the known one and the one from Redis."""
        if loaded and (
            claim.answer is None or loaded.harvest.fetched_at > claim.answer.harvest.fetched_at
        ):
            claim.answer = loaded

    async def _unlock(self, key: str, token: str) -> None:
        try:
            await self.cache.release_claim(key, token)
        except UnavailableError:
            self.count("cache_errors", operation="unlock")

    def judge(self, claim: Claim) -> Freshness:
        """Return the freshness of a claim's answer; GONE if there is none."""
        return (
            self.windows.get_freshness(claim.answer.harvest, self.now(), claim.asker)
            if claim.answer
            else Freshness.GONE
        )
