"""The ledger of starts on a real Redis.

Processes share it, and never start too many calls or too close together.
"""

import random
from datetime import UTC, datetime
from itertools import pairwise

import pytest
import trio

from newsintel.config.values import Quota, Secret
from newsintel.domain.limits.admission import Admission, Refused, Start
from newsintel.domain.limits.quotas import SourceLimits
from newsintel.domain.search.outcome import HeldFrom, Status
from newsintel.runtime.limits.allowance import Allowance, States
from newsintel.storage.redis.ledger import US, RedisLedger
from newsintel.storage.redis.link import open_redis
from tests.fakes.basics import Counts, MemoryLedger
from tests.storage.support import ON_ONE_SERVER

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ROUNDING_S = 0.001


class Process:
    """One process that calls one source."""

    def __init__(self, ledger, terms):
        self.admission = Admission(terms)
        self.counts = Counts()
        self.allowance = Allowance("newsapi", terms, ledger, self.counts)

    async def reserve(self, within_s=0.0, *, signed_in=True, person=None):
        """Reserve a start that begins within `within_s` seconds."""

        def decide(spent, now_s):
            return self.admission.reserve(spent, now_s, NOW, now_s + within_s, signed_in=signed_in)

        return await self.allowance.reserve(decide, person)


@pytest.fixture
async def ledgers(bridge, redis_url, link):
    """The ledgers of two processes, each on its own connection."""
    async with open_redis(bridge, Secret(redis_url), None) as other:
        yield RedisLedger(link), RedisLedger(other)


@pytest.fixture
def on_redis(link):
    """The adapter on Redis."""
    return RedisLedger(link)


@pytest.fixture(params=["memory", "redis"])
def ledger(request, redis_kind):
    """Each implementation of the port."""
    return MemoryLedger() if request.param == "memory" else request.getfixturevalue("on_redis")


async def test_starts_of_one_process_count_for_another(ledger):
    """They count for the quota and its last quarter, which is reserved for signed-in people."""
    terms = SourceLimits(0, Quota(4, 3600))
    one, other = Process(ledger, terms), Process(ledger, terms)
    began_s = trio.current_time()
    assert all([isinstance(await one.reserve(signed_in=False), Start) for _ in range(3)])
    turned = await other.reserve(signed_in=False)
    assert (turned.status, turned.held_back) == (Status.QUOTA_EXHAUSTED, HeldFrom.ANONYMOUS)
    assert (
        3600 - (trio.current_time() - began_s)
        <= (turned.retry_at - NOW).total_seconds()
        <= 3600 + ROUNDING_S
    )
    assert isinstance(await other.reserve(), Start)
    assert (await one.reserve()).held_back is None
    assert (await one.allowance.read_spent()).used == (await other.allowance.read_spent()).used == 4


async def test_persons_share_covers_all_processes(ledger):
    """The process of a call does not matter.

    A call that was never made returns its part. Others have their own shares.
    """
    terms = SourceLimits(0, Quota(8, 3600))
    one, other = Process(ledger, terms), Process(ledger, terms)
    assert all(
        [isinstance(await process.reserve(person="p"), Start) for process in (one, other, one)]
    )
    last = await other.reserve(person="p")
    turned = await one.reserve(person="p")
    assert (turned.status, turned.held_back) == (Status.QUOTA_EXHAUSTED, HeldFrom.PERSON)
    assert 3590 < (turned.retry_at - NOW).total_seconds() <= 3600
    assert one.allowance.must_wait("p", NOW)
    assert not one.allowance.must_wait("p", turned.retry_at)
    assert not other.allowance.must_wait("p", NOW)
    assert isinstance(await one.reserve(person="q"), Start)
    assert not one.allowance.must_wait("q", NOW)
    await other.allowance.give_back(last)
    assert isinstance(await one.reserve(person="p"), Start)
    assert not one.allowance.must_wait("p", NOW)


async def test_persons_starts_expire_with_the_window(link, redis):
    """A person's set outlives its last start by the window and a minute at most.

    A source without a quota makes no such set.
    """
    await Process(RedisLedger(link), SourceLimits(0, Quota(8, 3600))).reserve(person="p")
    assert 3600 < await redis("TTL", "starts:{starts:newsapi}:p") <= 3660
    await redis("FLUSHALL")
    await Process(RedisLedger(link), SourceLimits(0.01)).reserve(person="p")
    assert await redis("KEYS", "*") == [b"starts:newsapi"]


async def test_pace_holds_across_processes(ledger):
    """The next start is one pace after the other process's.

    If that is too late, the refusal says when.
    """
    terms = SourceLimits(5000)
    one, other = Process(ledger, terms), Process(ledger, terms)
    began_s = trio.current_time()
    first, second = await one.reserve(), await other.reserve(6000)
    third = await one.reserve(6000)
    # The clocks are compared to within a round trip.
    took_s = trio.current_time() - began_s + ROUNDING_S
    assert 5000 - took_s <= second.at_s - first.at_s <= 5000 + took_s
    assert 10_000 - took_s <= (third.retry_at - NOW).total_seconds() <= 10_000 + took_s


async def test_returned_start_is_free_for_any_process(ledger):
    """Its call was never made."""
    terms = SourceLimits(0, Quota(1, 3600))
    one, other = Process(ledger, terms), Process(ledger, terms)
    start = await one.reserve()
    assert isinstance(await other.reserve(), Refused)
    await one.allowance.give_back(start)
    assert isinstance(await other.reserve(), Start)


async def test_starts_outlive_their_process_but_not_their_window(link, redis):
    """A new process finds them. Redis deletes them a minute after they stop counting."""
    await Process(RedisLedger(link), SourceLimits(0, Quota(1, 3600))).reserve()
    assert isinstance(
        await Process(RedisLedger(link), SourceLimits(0, Quota(1, 3600))).reserve(), Refused
    )
    assert 3600 < await redis("TTL", "starts:newsapi") <= 3660
    (name,) = await redis("ZRANGE", "starts:newsapi", 0, -1)
    await redis("ZINCRBY", "starts:newsapi", -3600 * US, name)  # an hour later
    assert isinstance(
        await Process(RedisLedger(link), SourceLimits(0, Quota(1, 3600))).reserve(), Start
    )


@pytest.mark.parametrize("score", ["+inf", "-inf", "1e300", "-1e300", "9e15", "3e15"])
async def test_start_at_an_impossible_time_is_ignored(link, redis, score):
    """Something else may have written it. It is deleted, and the source is called."""
    await redis("ZADD", "starts:newsapi", score, "p/x")
    process = Process(RedisLedger(link), SourceLimits(1.0, Quota(1, 3600)))
    assert isinstance(await process.reserve(person="p"), Start)
    await redis("ZADD", "starts:{starts:newsapi}:p", score, "p/y")
    assert isinstance(await process.reserve(person="p"), Refused)
    assert b"p/x" not in await redis("ZRANGE", "starts:newsapi", 0, -1)
    assert b"p/y" not in await redis("ZRANGE", "starts:{starts:newsapi}:p", 0, -1)


@pytest.mark.slow
async def test_concurrent_processes_never_start_too_many_or_too_close(ledgers, redis):
    """Both processes compete, and calls are returned at random.

    The pace holds between any two starts, and the quota in any window.
    """
    dice = random.Random(seed := random.randrange(10**6))
    print("seed", seed)  # noqa: T201
    terms = SourceLimits(0.01, Quota(25, 1))
    processes = [Process(ledger, terms) for ledger in ledgers]
    made = []

    async def ask():
        while len(made) < 75:
            process = dice.choice(processes)
            start = await process.reserve(dice.uniform(0, 1.2))
            if isinstance(start, Refused):
                await trio.sleep(dice.uniform(0, 0.05))
            elif dice.random() < 0.15:
                await process.allowance.give_back(start)
            else:
                made.append(start)

    async with trio.open_nursery() as nursery:
        for _ in range(16):
            nursery.start_soon(ask)
    assert not any(process.counts for process in processes)
    starts = sorted(
        int(score) for score in (await redis("ZRANGE", "starts:newsapi", 0, -1, "WITHSCORES"))[1::2]
    )
    assert len(made) >= 75
    assert all(b - a >= 10_000 for a, b in pairwise(starts))
    assert all(
        later - earlier >= 1_000_000 for earlier, later in zip(starts, starts[25:], strict=False)
    )


async def test_last_call_of_a_quota_is_given_once(ledgers):
    """Many tasks ask for it at the same time.

    Who sees an entry that is about to be withdrawn is refused, so a crowd may leave a call over.
    """
    terms = SourceLimits(0, Quota(3, 3600))
    processes = [Process(ledger, terms) for ledger in ledgers]
    got = []

    async def ask(process):
        got.append(isinstance(await process.reserve(), Start))

    async with trio.open_nursery() as nursery:
        for number in range(18):
            nursery.start_soon(ask, processes[number % 2])
    assert 1 <= sum(got) <= 3
    for _ in range(3 - sum(got)):
        await ask(processes[0])
    assert sum(got) == 3
    await ask(processes[1])
    assert sum(got) == 3


@ON_ONE_SERVER
async def test_start_needs_two_round_trips(link, redis):
    """One reads and one writes. A refusal needs one, and a source without limits needs none."""
    process = Process(RedisLedger(link), SourceLimits(0, Quota(1, 3600)))
    await process.allowance.read_spent()  # opens a connection and reads Redis' time

    async def transactions(what):
        before = int((await redis("INFO", "commandstats"))["cmdstat_exec"]["calls"])
        await what()
        return int((await redis("INFO", "commandstats"))["cmdstat_exec"]["calls"]) - before

    assert await transactions(process.reserve) == 2
    assert await transactions(process.reserve) == 1
    assert await transactions(Process(RedisLedger(link), SourceLimits()).reserve) == 0


async def test_cancelled_reservation_spends_nothing(link, redis):
    """The moment of the cancel does not matter: a start that no caller will use is deleted."""
    process = Process(RedisLedger(link), SourceLimits(0, Quota(1000, 3600)))
    used = 0
    for number in range(60):
        with trio.move_on_after(number * 0.0001):
            await process.reserve()
            used += 1
        await link._lane.wait_until_idle()
    assert not process.counts
    assert await redis("ZCARD", "starts:newsapi") == used


@ON_ONE_SERVER
async def test_without_redis_a_process_counts_alone_and_reports_later(cut_off, name, on_redis):
    """The quota holds by the process's own count.

    Later its starts are in the ledger for all, once each.
    """
    terms = SourceLimits(0, Quota(3, 3600))
    one, other = Process(RedisLedger(cut_off), terms), Process(on_redis, terms)
    await one.reserve()
    name.cut()
    assert isinstance(await one.reserve(), Start)
    states = States({"newsapi": (one.admission, one.allowance)}, lambda: NOW)
    await states.refresh_quotas()
    assert states()["newsapi"].quota_left == 1
    name.mend()
    assert one.counts["ledger_errors newsapi"] == 2
    assert isinstance(await one.reserve(), Start)
    assert (await other.allowance.read_spent()).used == 3
    assert isinstance(await other.reserve(), Refused)


@ON_ONE_SERVER
async def test_share_taken_without_redis_is_counted_later(cut_off, name, on_redis):
    """The next start that Redis accepts adds it, also one for another person."""
    terms = SourceLimits(0, Quota(6, 3600))
    one, other = Process(RedisLedger(cut_off), terms), Process(on_redis, terms)
    name.cut()
    assert [isinstance(await one.reserve(person="p"), Start) for _ in range(2)] == [True, True]
    name.mend()
    assert isinstance(await one.reserve(person="q"), Start)
    assert isinstance(await other.reserve(person="p"), Start)
    assert (await other.reserve(person="p")).held_back is HeldFrom.PERSON
