"""The Ledger port on Redis: for each source a sorted set of starts, each with a name of its own, scored by Redis' clock.

A start is entered first and looked at afterwards. One MULTI sees all starts but this one, and enters it; the same decision is then made
again upon what was seen. If it still allows this start, no other came in between: every later one sees this one. If not, the start is
moved, or struck out. So two processes cannot both have the last call of a quota, without a Lua script (which careful operators forbid)
and in two round trips; WATCH would take three, and fail where this one only moves.

Each person with a start has a set of these alone, entered and seen in the same MULTI: whose a start is stands in its name. Sets lapse with
their last start, so the quota bounds how many there are.

Scores are microseconds of Redis' own clock, told in the same transaction, so the processes' clocks need not agree.
"""

import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import trio
from attrs import evolve, frozen

from newsintel.domain.limits.admission import Start, Turned
from newsintel.domain.limits.quotas import Spent, Terms, person_of
from newsintel.errors import UnavailableError
from newsintel.storage.redis.link import RedisLink

US = 1_000_000
SLACK_S = 60
"""How long a start is kept after it has stopped to matter: more than two readings of Redis' clock differ."""
CLEANUP_S = 0.5
"""How long striking a start out may hold up a cancelled job: two of Redis's socket timeouts."""


@frozen
class _Seen:
    """What one transaction saw: Redis' time, how many starts, and the scores of those that `Terms.ranks` names; all in microseconds.

    And how many of them are the person's who asks, and the score of the oldest.
    """

    now_us: int
    used: int
    newest: float
    full: float
    open: float
    own: int
    oldest_own: float


class RedisLedger:
    """Starts in Redis."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._redis = link.redis
        self._ahead_us: int | None = None
        """How far Redis' clock is ahead of this machine's monotonic one: tells before it is asked again which starts still matter."""

    async def reserve(
        self, source: str, terms: Terms, name: str, before: Mapping[str, float], decide: Callable[[Spent, float], Start | Turned]
    ) -> Start | Turned:
        """Each round lost is one that another start has won; the caller's deadline bounds them."""
        asked_s = trio.current_time()
        ago_us = {label: round((asked_s - at_s) * US) for label, at_s in before.items()}
        seen = await self._link.call(self._look, source, terms, ago_us, name, None)
        now_s = trio.current_time()
        origin_s = now_s - seen.now_us / US  # one for all rounds, so that they are exact against each other
        answer = decide(_spent(seen, origin_s), now_s)
        entered = False
        try:
            while isinstance(answer, Start):
                at_us = math.ceil((answer.at_s - origin_s) * US - 0.5)
                entered = True
                seen = await self._link.call(self._look, source, terms, {}, name, at_us)
                again = decide(_spent(seen, origin_s), now_s)
                if isinstance(again, Start) and (again.at_s - origin_s) * US <= at_us + 1:
                    entered = False
                    return evolve(answer, at_s=origin_s + at_us / US)
                answer = again
            return answer
        finally:
            if entered:
                with trio.move_on_after(CLEANUP_S, shield=True), suppress(UnavailableError):
                    await self.give_back(source, name)

    async def give_back(self, source: str, name: str) -> None:
        await self._link.call(self._strike, source, name)

    async def spent(self, source: str, terms: Terms) -> Spent:
        seen = await self._link.call(self._look, source, terms, {}, "", None)
        return _spent(seen, trio.current_time() - seen.now_us / US)

    async def _look(self, source: str, terms: Terms, ago_us: Mapping[str, int], name: str, at_us: int | None) -> _Seen:
        """See every start but the named one, after entering those of `ago_us` ago; then enter the named one, if it has a time."""
        about_us = await self._about_us()
        floor_us = about_us - round(terms.window_s * US)
        ranks = (1, *terms.ranks)
        key, *of_person = _keys(source, name)
        async with self._redis.pipeline(transaction=True) as together:
            for label, ago in ago_us.items():
                for one in _keys(source, label):
                    together.zadd(one, {label: about_us - ago})
                    together.pexpire(one, _life_ms(terms))
            for one in (key, *of_person):
                together.zrem(one, name)
                together.zremrangebyscore(one, "-inf", floor_us - SLACK_S * US)
                together.zremrangebyscore(one, about_us + round((terms.window_s + SLACK_S) * US), "+inf")  # no start of ours
            before = len(together)
            together.time()
            together.zcount(key, floor_us, "+inf")
            for rank in ranks:
                together.zrevrange(key, max(0, rank - 1), max(0, rank - 1), withscores=True)
            for one in of_person:
                together.zcount(one, floor_us, "+inf")
                together.zrangebyscore(one, floor_us, "+inf", start=0, num=1, withscores=True)
            after = len(together)
            for one in (key, *of_person):
                if at_us is not None:
                    together.zadd(one, {name: at_us})
                together.pexpire(one, _life_ms(terms))
            replies: list[Any] = await together.execute()
        now, used, *rows = replies[before:after]
        newest, full, open_ = (row[0][1] if row and rank else -math.inf for rank, row in zip(ranks, rows, strict=False))
        own, oldest = rows[len(ranks) :] or (0, ())
        return _Seen(self._note(now), used, newest, full, open_, own, oldest[0][1] if oldest else -math.inf)

    async def _about_us(self) -> int:
        """Redis' time by what is known of it; asked for if nothing is."""
        if self._ahead_us is None:
            self._note(await self._redis.time())
        return time.monotonic_ns() // 1000 + (self._ahead_us or 0)

    def _note(self, told: tuple[int, int]) -> int:
        """Redis' time, as it has just told it in seconds and microseconds."""
        now_us = told[0] * US + told[1]
        self._ahead_us = now_us - time.monotonic_ns() // 1000
        return now_us

    async def _strike(self, source: str, name: str) -> None:
        async with self._redis.pipeline(transaction=True) as together:
            for key in _keys(source, name):
                together.zrem(key, name)
            await together.execute()


def _keys(source: str, name: str) -> tuple[str, ...]:
    """The sets that a start of this name is in: the source's, and its person's."""
    person = person_of(name)
    return (f"starts:{source}", f"starts:{source}:{person}") if person else (f"starts:{source}",)


def _life_ms(terms: Terms) -> int:
    """For how long a set is kept after its last start."""
    return round((terms.window_s + SLACK_S) * 1000)


def _spent(seen: _Seen, origin_s: float) -> Spent:
    """On trio's clock, which read `origin_s` when Redis' one read 0."""
    newest_s, full_s, open_s, own_s = (origin_s + score / US for score in (seen.newest, seen.full, seen.open, seen.oldest_own))
    return Spent(seen.used, newest_s, full_s, open_s, seen.own, own_s)
