"""What a worker asks of a supervisor that is stopped, or gone."""

from functools import partial

import pytest
import trio
import trio.testing

from newsintel.errors import MetricsUnavailableError
from newsintel.runtime.workers.channel import HEAD, Kind
from newsintel.runtime.workers.link import ALL_METRICS_S, Link
from newsintel.runtime.workers.supervisor import SCRAPE_S
from tests.runtime.workers.test_channel import connect, reading


async def test_a_supervisor_that_does_not_answer_is_an_error(autojump_clock):
    """All callers are told in time, and are answered again when it continues."""
    (ours, theirs), (_, far) = connect()
    link, began, ended = Link(ours), trio.current_time(), []

    async def ask():
        with pytest.raises(MetricsUnavailableError, match=r"^The supervisor .* does not answer\.$"):
            await link.read_all_metrics()
        ended.append(trio.current_time() - began)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(ours.run, **reading()))
        async with trio.open_nursery() as asking:
            for _ in range(3):
                asking.start_soon(ask)
        assert ended == [ALL_METRICS_S] * 3
        assert await far.receive_some() == HEAD.pack(Kind.METRICS, 0)  # a single request
        await far.send_all(HEAD.pack(Kind.REPLY, 4) + b"late")
        nursery.start_soon(partial(theirs.run, **reading(b"all")))
        await trio.testing.wait_all_tasks_blocked()
        assert await link.read_all_metrics() == b"all"
        nursery.cancel_scope.cancel()


async def test_a_supervisor_that_is_gone_is_an_error():
    """An empty exposition would look as if nothing had ever been counted."""
    (ours, _), (_, far) = connect()
    await far.aclose()
    await ours.run(**reading())
    with pytest.raises(MetricsUnavailableError, match=r"^The supervisor .* is gone\.$"):
        await Link(ours).read_all_metrics()


def test_the_supervisor_has_time_to_wait_for_a_worker():
    """Else a single worker that is stuck would hide the metrics of all."""
    assert SCRAPE_S < ALL_METRICS_S
