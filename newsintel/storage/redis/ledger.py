"""The Ledger port on Redis: the starts of calls to each source, scored by Redis' clock.

The starts of a source are in a sorted set, each with a name of its own.

A start is written first and checked afterwards. One MULTI reads all other starts and writes this
one. Then the same decision is made again with what was read. If it still allows this start, no
other start came in between, and every later start sees this one. If not, the start is moved or
deleted. So two processes cannot both take the last call of a quota. This takes two round trips and
no Lua script (some operators forbid scripts). WATCH would take three, and would fail in cases where
this method only moves the start.

The starts of each person are also in a set of their own, which the same MULTI writes and reads; the
name of a start contains its person. A set expires with its last start, so the quota bounds the
number of sets. A person's key has the source's key as its hash tag, so one server of a cluster has
both.

Scores are microseconds of Redis' own clock, which the same transaction reads, so the processes'
clocks need not agree.
"""

import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import trio
from attrs import evolve, field, frozen

from newsintel.domain.limits.admission import Refused, Start
from newsintel.domain.limits.quotas import SourceLimits, Spent, person_of
from newsintel.errors import UnavailableError
from newsintel.storage.redis.link import RedisLink
from newsintel.storage.redis.server import RedisServer

US = 1_000_000
SLACK_S = 60
"""How long a start is kept after its window has ended: longer than two readings of Redis' clock can
differ.
"""
CLEANUP_S = 0.5
"""How long deleting a start may delay a cancelled job: two socket timeouts of Redis."""


@frozen
class _Round:
    """What one transaction is about.

    Attributes:
        source, terms: the source and its limits.
        name: the start that is asked for; it is not read.
        before_us: earlier starts to write first, by name, as microseconds ago.
        at_us: when to write the named start after reading; None is not at all.
    """

    source: str
    terms: SourceLimits
    name: str = ""
    before_us: Mapping[str, int] = field(factory=dict)
    at_us: int | None = None


@frozen
class _Snapshot:
    """What one transaction read; times are microseconds of Redis' clock.

    Attributes:
        now_us: Redis' time.
        used: number of starts in the window.
        newest: score of the newest start.
        full, open: scores of the starts that `SourceLimits.ranks` names.
        own: number of the asking person's starts in the window.
        oldest_own: score of the oldest of these.
    """

    now_us: int
    used: int
    newest: float
    full: float
    open: float
    own: int
    oldest_own: float


class RedisLedger:
    """The ledger of starts in Redis."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._ahead_us: dict[str, int] = {}
        """By source: how far the clock of its server is ahead of this machine's monotonic clock.
        It gives Redis' time without another call, to find outdated starts.
        """

    async def reserve(
        self,
        source: str,
        terms: SourceLimits,
        name: str,
        before: Mapping[str, float],
        decide: Callable[[Spent, float], Start | Refused],
    ) -> Start | Refused:
        """A lost round means that another start won it; the caller's deadline bounds the rounds."""
        asked_s = trio.current_time()
        before_us = {label: round((asked_s - at_s) * US) for label, at_s in before.items()}
        seen = await self._read_and_enter(_Round(source, terms, name, before_us))
        now_s = trio.current_time()
        # The same origin for all rounds, so that their times compare exactly.
        origin_s = now_s - seen.now_us / US
        answer = decide(_build_spent(seen, origin_s), now_s)
        entered = False
        try:
            while isinstance(answer, Start):
                at_us = math.ceil((answer.at_s - origin_s) * US - 0.5)
                entered = True
                seen = await self._read_and_enter(_Round(source, terms, name, at_us=at_us))
                again = decide(_build_spent(seen, origin_s), now_s)
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
        await self._link.call(_build_key(source), _delete_start, source, name)

    async def read_spent(self, source: str, terms: SourceLimits) -> Spent:
        seen = await self._read_and_enter(_Round(source, terms))
        return _build_spent(seen, trio.current_time() - seen.now_us / US)

    async def _read_and_enter(self, wanted: _Round) -> _Snapshot:
        return await self._link.call(_build_key(wanted.source), self._run_round, wanted)

    async def _run_round(self, server: RedisServer, wanted: _Round) -> _Snapshot:
        """Read every start but the named one, and write it, in one transaction."""
        terms, name = wanted.terms, wanted.name
        about_us = await self._estimate_now_us(server, wanted.source)
        floor_us = about_us - round(terms.window_s * US)
        ranks = (1, *terms.ranks)
        key, *of_person = _build_keys(wanted.source, name)
        async with server.redis.pipeline(transaction=True) as together:
            for label, ago_us in wanted.before_us.items():
                for one in _build_keys(wanted.source, label):
                    together.zadd(one, {label: about_us - ago_us})
                    together.pexpire(one, _life_ms(terms))
            for one in (key, *of_person):
                together.zrem(one, name)
                together.zremrangebyscore(one, "-inf", floor_us - SLACK_S * US)
                together.zremrangebyscore(
                    one, about_us + round((terms.window_s + SLACK_S) * US), "+inf"
                )  # not ours
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
                if wanted.at_us is not None:
                    together.zadd(one, {name: wanted.at_us})
                together.pexpire(one, _life_ms(terms))
            replies: list[Any] = await together.execute()
        now, used, *rows = replies[before:after]
        newest, full, open_ = (
            row[0][1] if row and rank else -math.inf for rank, row in zip(ranks, rows, strict=False)
        )
        own, oldest = rows[len(ranks) :] or (0, ())
        return _Snapshot(
            self._note_time(wanted.source, now),
            int(used),
            float(newest),
            float(full),
            float(open_),
            int(own),
            float(oldest[0][1]) if oldest else -math.inf,
        )

    async def _estimate_now_us(self, server: RedisServer, source: str) -> int:
        """Return Redis' time by the known difference of the clocks; ask Redis if it is unknown."""
        if source not in self._ahead_us:
            self._note_time(source, await server.redis.time())
        return time.monotonic_ns() // 1000 + self._ahead_us[source]

    def _note_time(self, source: str, told: tuple[int, int]) -> int:
        """Note Redis' time, just read as seconds and microseconds; return it in microseconds."""
        now_us = told[0] * US + told[1]
        self._ahead_us[source] = now_us - time.monotonic_ns() // 1000
        return now_us


async def _delete_start(server: RedisServer, source: str, name: str) -> None:
    async with server.redis.pipeline(transaction=True) as together:
        for key in _build_keys(source, name):
            together.zrem(key, name)
        await together.execute()


_build_key: Callable[[str], str] = "starts:{}".format


def _build_keys(source: str, name: str) -> tuple[str, ...]:
    """Return the keys of a start's sets: the source's and its person's."""
    key, person = _build_key(source), person_of(name)
    return (key, f"starts:{{{key}}}:{person}") if person else (key,)


def _life_ms(terms: SourceLimits) -> int:
    """Return for how long a set is kept after its last start."""
    return round((terms.window_s + SLACK_S) * 1000)


def _build_spent(seen: _Snapshot, origin_s: float) -> Spent:
    """Convert to trio's clock, which read `origin_s` when Redis' clock read 0."""
    newest_s, full_s, open_s, own_s = (
        origin_s + score / US for score in (seen.newest, seen.full, seen.open, seen.oldest_own)
    )
    return Spent(seen.used, newest_s, full_s, open_s, seen.own, own_s)
