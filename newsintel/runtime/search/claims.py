"""One fan-out per key among processes: the claim on a key in Redis, round the port that knows Redis.

Redis away costs nothing but the sharing: every failure of it is counted and treated as "nothing known, nobody claims".
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
from newsintel.domain.search.outcome import ANYBODY, Asker
from newsintel.domain.search.ports import HarvestCache
from newsintel.errors import UnavailableError

POLL_S = 0.05
"""How often to look for the harvest of another process that holds the claim."""
PATIENCE = 0.75
"""The share of its time for which a flight waits for another process. By their default deadlines (1.0 s of 1.5) all sources of a holder
that lives have answered or been given up by then; what is left is for a fan-out of our own if it does not."""
SLACK_S = 1.0
"""A claim lapses this long after its flight's deadline if its process dies."""
CLEANUP_S = 0.5
"""How long giving a claim back may hold up a cancelled flight: two of Redis's socket timeouts."""


@define
class Claim:
    """What a flight knows of its key. `token` is set while the claim is this flight's to give back."""

    answer: Answer | None
    token: str | None = None
    asker: Asker = ANYBODY


@frozen
class SharedCache:
    """Redis as the flights of several processes share it."""

    cache: HarvestCache
    windows: Windows
    count: Count
    now: WallClock

    @asynccontextmanager
    async def claim(
        self, key: str, known: Answer | None, deadline: float, *, meanwhile: Callable[[Answer], None], asker: Asker = ANYBODY
    ) -> AsyncIterator[Claim]:
        """Look a key up and claim it; unless what is found is fresh, wait for the process that holds the claim if another does.

        Looking and claiming are one round trip. The wait is bounded, so that there is time left for a fan-out of our own. A token left in
        the claim at the end is given back.

        Args:
            key: the harvest key.
            known: what this process's own memory holds under it.
            deadline: the flight's, absolute, trio's clock.
            meanwhile: given what may answer at once while it is renewed, if that is what the first look finds.
            asker: for whom it is.
        """
        claim = Claim(known, asker=asker)
        try:
            await self._contend(key, claim, deadline, meanwhile)
            yield claim
        finally:
            if claim.token is not None:
                with trio.move_on_after(CLEANUP_S, shield=True):
                    await self._unlock(key, claim.token)

    async def _contend(self, key: str, claim: Claim, deadline: float, meanwhile: Callable[[Answer], None]) -> None:
        token = secrets.token_hex(16)
        began = trio.current_time()
        patience = began + PATIENCE * (deadline - began)
        for look in itertools.count():
            try:
                claimed = await self.cache.claim(key, token, deadline - trio.current_time() + SLACK_S)
            except UnavailableError:
                self.count("cache_errors", operation="claim")
                return
            claim.token = token if claimed.held else None
            self._learn(claim, claimed.answer)
            freshness = self.judge(claim)
            if look == 0 and claim.answer and freshness is Freshness.REVALIDATE:
                meanwhile(claim.answer)
            if claimed.held or freshness is Freshness.FRESH or trio.current_time() >= patience:
                return
            await trio.sleep(POLL_S)

    def _learn(self, claim: Claim, loaded: Answer | None) -> None:
        """Keep the newer of what is known and what Redis holds."""
        if loaded and (claim.answer is None or loaded.harvest.fetched_at > claim.answer.harvest.fetched_at):
            claim.answer = loaded

    async def _unlock(self, key: str, token: str) -> None:
        try:
            await self.cache.unlock(key, token)
        except UnavailableError:
            self.count("cache_errors", operation="unlock")

    def judge(self, claim: Claim) -> Freshness:
        """What a claim's answer is good for now; nothing known is as good as gone."""
        return self.windows.judge(claim.answer.harvest, self.now(), claim.asker) if claim.answer else Freshness.GONE
