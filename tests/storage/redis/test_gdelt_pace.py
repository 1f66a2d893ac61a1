"""GDELT's pace over two processes that share a real Redis, also when it refuses a call."""

import time
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
import trio
from attrs import evolve

from newsintel.actors.fetcher import Fetcher
from newsintel.config.reading import read_settings
from newsintel.config.values import Secret
from newsintel.domain.limits.admission import Admission
from newsintel.domain.limits.quotas import SourceLimits
from newsintel.domain.operations.latencies import Tally
from newsintel.domain.search.outcome import Status
from newsintel.domain.search.query import build_query
from newsintel.outbound.source_client import open_upstream
from newsintel.outbound.sources import REGISTRY
from newsintel.runtime.clock import utc_now
from newsintel.runtime.limits.allowance import Allowance
from newsintel.runtime.search.flight import FetchJob
from newsintel.storage.redis.ledger import US, RedisLedger
from newsintel.storage.redis.link import open_redis
from tests.fakes.basics import Counts, Seen
from tests.faults import reply, serving
from tests.outbound.sources.test_gdelt import MESSAGES, RECORDED
from tests.storage.support import ON_ONE_SERVER
from tests.waiting import PATIENCE_S

SOURCE = REGISTRY["gdelt"]
SETTINGS = read_settings([SOURCE.options], {}).source["gdelt"]
QUERY = build_query("storm flood", sources=("gdelt",))
NAMED_S = 5.0
"""Its own message: "Please limit requests to one every 5 seconds"."""


class Gdelt:
    """GDELT as HTTP, which refuses the second call; `calls` has their times, in us since 1970."""

    def __init__(self):
        self.calls = []

    async def answer(self, stream):
        """Answer as recorded."""
        self.calls.append(time.time_ns() // 1000)
        refused = reply(next(iter(MESSAGES)).encode(), "429 Too Many Requests")
        await (refused if len(self.calls) == 2 else reply(RECORDED))(stream)


@asynccontextmanager
async def fetching(ledger, url):
    """A process that asks GDELT, with its own settings; yields a function that asks."""
    terms, counts = SourceLimits(SETTINGS.pace_s, SETTINGS.quota), Counts()
    jobs, inbox = trio.open_memory_channel(8)

    async def ask(within_s=PATIENCE_S):
        outbox, outcomes = trio.open_memory_channel(1)
        began = trio.current_time()
        jobs.send_nowait(FetchJob(QUERY, began, began + within_s, outbox))
        return await outcomes.receive()

    async with (
        open_upstream(SOURCE, evolve(SETTINGS, url=url), token=None, now=utc_now) as upstream,
        trio.open_nursery() as nursery,
    ):
        fetcher = Fetcher(
            inbox,
            source="gdelt",
            upstream=upstream,
            admission=Admission(terms),
            allowance=Allowance("gdelt", terms, ledger, counts),
            deadline_s=PATIENCE_S,
            longest_keep_s=3900,
            count=counts,
            observe=Seen(),
            tally=Tally(),
            now=utc_now,
        )
        nursery.start_soon(fetcher.run)
        yield ask
        nursery.cancel_scope.cancel()
    assert not counts["ledger_errors gdelt"]


@ON_ONE_SERVER
@pytest.mark.slow
async def test_two_processes_never_start_a_call_sooner_than_gdelt_allows(
    bridge, redis_url, link, redis
):
    """Each call has a start in Redis, and waits for it. Who was refused does not ask again."""
    gdelt, outcomes = Gdelt(), {"one": [], "two": []}
    async with (
        open_redis(bridge, Secret(redis_url), None) as other,
        serving(gdelt.answer) as served,
        fetching(RedisLedger(link), served.url) as ask_one,
        fetching(RedisLedger(other), served.url) as ask_two,
    ):

        async def ask(name, of_process):
            outcomes[name].append(await of_process())

        async with trio.open_nursery() as nursery:
            for name, of_process in [("one", ask_one), ("two", ask_two)] * 2:
                nursery.start_soon(ask, name, of_process)
        refused = next(name for name, got in outcomes.items() if got[-1].status.failed)
        made = len(gdelt.calls)
        later = await {"one": ask_one, "two": ask_two}[refused](within_s=1)
    assert 2 <= len(gdelt.calls) == made <= 4
    assert later.status is Status.RATE_LIMITED
    assert later.retry_at.timestamp() > gdelt.calls[1] / US + 59
    found = await redis("ZRANGE", "starts:gdelt", 0, -1, "WITHSCORES")
    starts = [int(float(score)) for score in found[1::2]]
    assert len(starts) == len(gdelt.calls)
    assert all(call >= start for call, start in zip(gdelt.calls, starts, strict=True))
    assert all(after - before >= NAMED_S * US for before, after in pairwise(starts))
