"""Faults between the service and a source: a server behind a port that misbehaves."""

import pytest
import trio

from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from tests.faults import reply, serving
from tests.forwarder import NETWORK_FAULTS, forwarding
from tests.outbound.test_source_client import QUERY, pool_of, upstream_at
from tests.waiting import until

CALLERS = 10
"""As many as a fetcher lets through at once."""

SILENT = ("black hole", "slow", "lost replies")
"""Nothing but the caller's deadline ends these."""


@pytest.mark.parametrize("fault", NETWORK_FAULTS)
async def test_a_fault_is_a_refusal_or_ends_at_the_deadline(fault):
    """Connections that were open before are affected too. Afterwards the source answers again.

    No call and no connection is in use then.
    """
    async with (
        serving(reply()) as served,
        forwarding(("127.0.0.1", int(served.url.rpartition(":")[2]))) as name,
        upstream_at(f"http://127.0.0.1:{name.port}") as upstream,
    ):
        replies = []

        async def fetch(patience_s):
            found = None
            with trio.move_on_after(patience_s):
                found = await upstream.fetch(QUERY)
            replies.append(found)
            return found

        async def fetch_all(patience_s):
            async with trio.open_nursery() as callers:
                for _ in range(CALLERS):
                    callers.start_soon(fetch, patience_s)

        async def answers():
            return isinstance(await fetch(60), SourcePage)

        await fetch_all(60)
        assert all(isinstance(found, SourcePage) for found in replies)
        replies.clear()
        NETWORK_FAULTS[fault](name)
        await fetch_all(0.5 if fault in SILENT else 60)
        assert len(replies) == CALLERS
        if fault in SILENT:
            assert set(replies) == {None}
        for found in replies:
            if isinstance(found, Refusal):
                assert (found.status, found.pause_s) == (Status.UNREACHABLE, None)
        if fault != "flapping":
            assert not any(isinstance(found, SourcePage) for found in replies)
        name.mend()
        await until(answers)
        assert pool_of(upstream) == []
