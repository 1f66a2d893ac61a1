"""GDELT's pace over two processes that share a real Redis, also when it refuses a call."""

from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
import trio
from attrs import evolve

from newsintel.actors.fetcher import Fetcher
from newsintel.config.reading import read_settings
from newsintel.config.values import Secret
from newsintel.domain.limits.admission import LATE_START_S, Admission
from newsintel.domain.limits.quotas import SourceLimits
from newsintel.domain.operations.latencies import Tally
from newsintel.domain.search.outcome import Status
from newsintel.domain.search.query import build_query
from newsintel.outbound.source_client import open_upstream
from newsintel.outbound.sources import REGISTRY
from newsintel.runtime.clock import utc_now
from newsintel.runtime.limits.allowance import Allowance
from newsintel.runtime.search.flight import FetchJob
from newsintel.storage.redis.ledger import RedisLedger
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
    """GDELT over HTTP; it refuses the second call.

    Attributes:
        calls: how many came.
    """

    def __init__(self):
        self.calls = 0

    async def answer(self, stream):
        """Answer as recorded."""
        self.calls += 1
        limited = reply(next(iter(MESSAGES)).encode(), "429 Too Many Requests")
        await (limited if self.calls == 2 else reply(RECORDED))(stream)


class Noted:
    """A source's client; `begun` gets the time at which each call begins."""

    def __init__(self, upstream, begun):
        self._upstream = upstream
        self._begun = begun

    def __getattr__(self, name):
        return getattr(self._upstream, name)

    async def fetch(self, query):
        """Make a call."""
        self._begun.append(trio.current_time())
        return await self._upstream.fetch(query)


@asynccontextmanager
async def fetching(ledger, url, begun):
    """A process that asks GDELT, with its own settings; yields a function that asks."""
    terms, counts = SourceLimits(SETTINGS.pace_s, SETTINGS.quota), Counts()
    jobs, inbox = trio.open_memory_channel(8)

    async def ask(within_s):
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
            upstream=Noted(upstream, begun),
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
async def test_two_processes_never_call_sooner_than_gdelt_allows(bridge, redis_url, link):
    """The one that was refused pauses, and the other one goes on at the pace."""
    gdelt, begun, outcomes = Gdelt(), [], {"one": [], "two": []}
    async with (
        open_redis(bridge, Secret(redis_url), None) as other,
        serving(gdelt.answer) as served,
        fetching(RedisLedger(link), served.url, begun) as ask_one,
        fetching(RedisLedger(other), served.url, begun) as ask_two,
    ):

        async def ask(name, of_process):
            outcomes[name].append(await of_process(4 * SETTINGS.pace_s))

        with trio.fail_after(PATIENCE_S):
            while len(begun) < 5:
                async with trio.open_nursery() as nursery:
                    for name, of_process in [("one", ask_one), ("two", ask_two)] * 2:
                        nursery.start_soon(ask, name, of_process)
    (refused,) = [one for got in outcomes.values() for one in got if one.http_status == 429]
    (of_refused,) = [got for got in outcomes.values() if refused in got]
    assert refused.status is Status.RATE_LIMITED
    assert (refused.retry_at - refused.fetched_at).total_seconds() > 59
    assert not any(one.status is Status.OK for one in of_refused[of_refused.index(refused) :])
    assert gdelt.calls == len(begun)
    least_s = SETTINGS.pace_s - LATE_START_S
    assert all(after - before >= least_s > NAMED_S for before, after in pairwise(begun))
