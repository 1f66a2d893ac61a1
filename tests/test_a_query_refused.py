"""A query that one source refuses does not affect other searches.

The whole tree runs, with a simulated NewsAPI on its free plan.
"""

from datetime import timedelta

import pytest
import trio

from newsintel import app
from newsintel.domain.search.harvest import Origin
from newsintel.domain.search.outcome import Status
from newsintel.domain.search.query import build_query
from newsintel.outbound.sources import REGISTRY
from newsintel.wiring.sources import open_source
from tests.test_app import ASKER, world  # noqa: F401 - a fixture
from tests.virtual_network import NOON, simulated  # noqa: F401 - a fixture


@pytest.fixture
async def services(autojump_clock, monkeypatch, world, simulated):  # noqa: F811
    """A running tree whose NewsAPI has the limits of the free plan."""
    monkeypatch.setattr(app, "open_source", open_source)
    async with simulated(limited=True) as settings, app.open_pipeline(settings) as running:
        await trio.sleep(1)  # for Reddit's token
        yield running


async def search(services, text, **more):
    """Search every source; return the status of each by name, and the answer."""
    reply = await services.search.desk.search(
        build_query(text, sources=tuple(REGISTRY), **more), ASKER
    )
    return {one.source: one.status for one in reply.answer.harvest.outcomes}, reply.answer


async def test_query_too_far_in_the_past_does_not_block_the_source(services):
    """After any number of refused queries, the source is asked for the next caller at once."""
    for number in range(5):
        statuses, answer = await search(
            services, f"climate OR {number}", start=NOON - timedelta(days=3650)
        )
        assert statuses["newsapi"] is Status.UNSUPPORTED
        assert not answer.harvest.complete
        (refused,) = [one for one in answer.harvest.outcomes if one.source == "newsapi"]
        assert (refused.http_status, refused.retry_at) == (426, None)
        assert "too far in the past" in refused.detail
        statuses, answer = await search(services, f"climate OR {number}")
        assert statuses["newsapi"] is Status.OK
        assert answer.harvest.origin is Origin.LIVE
    assert services.limits.source_states()["newsapi"].blocked is None
