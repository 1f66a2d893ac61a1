"""Only a deadline decides when a source is cut off: no other layer has a shorter limit.

Everything is real except the TCP connection and the stores: httpx, httpcore, TLS, authlib, the
adapters, the whole tree, the simulated upstreams. The clock is trio's virtual one, so no test waits
and all times are exact.
"""

import ssl

import httpcore
import httpx
import pytest
import trio

from newsintel import app
from newsintel.domain.accounts.sign_in import create_attempt
from newsintel.domain.search.outcome import SourcePage, Status
from newsintel.domain.search.query import build_query
from newsintel.errors import SignInUnavailableError
from newsintel.outbound import transport as outbound
from newsintel.outbound.oauth.app_token import open_app_token
from newsintel.outbound.oauth.exchange import ATTEMPT_S
from newsintel.outbound.oauth.providers import open_providers
from newsintel.outbound.sources import REGISTRY
from newsintel.outbound.sources.source import Source
from newsintel.wiring.sources import open_source
from tests import faults
from tests.outbound.test_source_client import QUERY, upstream_at
from tests.test_app import ASKER, world  # noqa: F401 - a fixture
from tests.virtual_network import NOON, simulated, virtual_network  # noqa: F401 - a fixture

SLOW_S = 3.5
CALLED = tuple(name for name, source in REGISTRY.items() if isinstance(source, Source))
"""The sources that are asked over the network."""
"""Longer than httpx's former read timeout of 2 s; shorter than the longer deadlines below."""


def answering(first_byte_s=0.0, every_s=0.0):
    """A server that is slow before its answer, or between its bytes."""

    async def serve(stream):
        while await faults._head(stream):
            await trio.sleep(first_byte_s)
            if every_s:
                await faults.trickle(b"{}", every_s)(stream)
            else:
                await faults.reply()(stream)

    return serve


LAYERS = {
    "connecting": ({"connect_s": SLOW_S}, {}),
    "the TLS handshake": ({"tls_s": SLOW_S}, {}),
    "sending": ({"send_s": SLOW_S}, {}),
    "the first byte": ({}, {"first_byte_s": SLOW_S}),
    "between two bytes": ({}, {"every_s": SLOW_S}),
}


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("deadline_s", [8.0, 3.0])
async def test_no_step_of_a_call_has_a_limit_of_its_own(
    autojump_clock, monkeypatch, tmp_path, layer, deadline_s
):
    """A step may take 3.5 s under a deadline of 8 s; one of 3 s cuts it at exactly 3.0 s."""
    way, end = LAYERS[layer]
    secure = "tls_s" in way
    if secure:
        context = faults.self_signed(tmp_path)
        monkeypatch.setattr(
            httpx,
            "create_ssl_context",
            lambda **_: ssl.create_default_context(cafile=tmp_path / "self-signed.pem"),
        )
    async with virtual_network(monkeypatch, answering(**end)) as network:
        for name, value in way.items():
            setattr(network, name, value)
        network.tls = context if secure else None
        async with upstream_at(f"http{'s' if secure else ''}://127.0.0.1") as upstream:
            began, reply = trio.current_time(), None
            with trio.move_on_after(deadline_s):
                reply = await upstream.fetch(QUERY)
            took_s = trio.current_time() - began
    assert isinstance(reply, SourcePage) is (deadline_s > SLOW_S), reply
    assert took_s == pytest.approx(min(SLOW_S, deadline_s))


@pytest.mark.parametrize("deadline_s", [8.0, 0.2])
async def test_a_pool_that_has_lost_its_slots_costs_no_answer(
    autojump_clock, monkeypatch, deadline_s
):
    """The request continues in a new pool well before the deadline, even a short one."""
    monkeypatch.setattr(outbound, "LIMITS", httpx.Limits(max_connections=1))
    async with (
        virtual_network(monkeypatch, answering()) as network,
        upstream_at("http://127.0.0.1") as upstream,
    ):
        assert isinstance(await upstream.fetch(QUERY), SourcePage)
        # A cancel under contention leaves such a connection: it counts as being opened, but no task
        # opens it (encode/httpcore#1093).
        lost = httpcore.AsyncHTTPConnection(httpcore.Origin(b"http", b"127.0.0.1", 80))
        upstream._client._transport._pool.transport._pool._connections = [lost]
        reply = None
        with trio.move_on_after(deadline_s):
            reply = await upstream.fetch(QUERY)
        assert isinstance(reply, SourcePage), reply
    assert network.opened == 2


@pytest.mark.parametrize(("slow_s", "answers"), [(SLOW_S, True), (9.9, True), (10.5, False)])
async def test_token_request_may_take_the_whole_attempt(autojump_clock, simulated, slow_s, answers):  # noqa: F811
    """The token endpoint may take the full ten seconds of an attempt."""
    async with (
        simulated(reddit_auth=slow_s) as settings,
        open_app_token(settings.source["reddit"]) as token,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(token.keep_ready)
        began = trio.current_time()
        found = await token.get_token()
        assert trio.current_time() - began == pytest.approx(min(slow_s, ATTEMPT_S))
        nursery.cancel_scope.cancel()
    assert isinstance(found, str) is answers, found


@pytest.mark.parametrize("slow_s", [SLOW_S, 10.5])
async def test_sign_in_step_may_take_the_whole_attempt(autojump_clock, simulated, slow_s):  # noqa: F811
    """A provider may take ten seconds for a step; then the person gets an error."""
    async with (
        simulated(reddit_auth=slow_s) as settings,
        open_providers(settings, lambda: NOON) as providers,
    ):
        began = trio.current_time()
        # The code is invalid, so Reddit refuses it, but only in its answer.
        with pytest.raises(
            Exception, match=r"no longer accepts this sign-in|takes too long"
        ) as told:
            await providers.by_name["reddit"].finish_sign_in(
                "no code", create_attempt("reddit", "c" * 43, "/me")
            )
        assert trio.current_time() - began == pytest.approx(min(slow_s, ATTEMPT_S))
    assert isinstance(told.value, SignInUnavailableError) is (slow_s > ATTEMPT_S)


def deadlines(search_s, each_s):
    """The settings of the deadlines."""
    return {"NEWSINTEL_SEARCH_DEADLINE_S": str(search_s)} | {
        f"NEWSINTEL_{name.upper()}_DEADLINE_S": str(each_s) for name in CALLED
    }


@pytest.mark.parametrize(
    # The search's deadline, each source's, the sources' latency; the status and time of the end;
    # all in seconds
    "case",
    [
        (8, 8, 3.5, Status.OK, 3.5),
        (8, 4, 3.5, Status.OK, 3.5),
        (60, 45, 44, Status.OK, 44),
        (8, 3, 3.5, Status.TIMEOUT, 3),
        (8, 8, 9, Status.TIMEOUT, 8 - 0.01),
    ],
)
async def test_only_the_deadlines_limit_a_whole_search(
    autojump_clock,
    monkeypatch,
    simulated,  # noqa: F811
    world,  # noqa: F811
    case,
):
    """All layers, from settings and desk to the simulated upstreams, keep to the deadlines."""
    search_s, each_s, slow_s, status, took_s = case
    monkeypatch.setattr(app, "open_source", open_source)
    async with (
        simulated(deadlines(search_s, each_s), **dict.fromkeys(CALLED, slow_s)) as settings,
        app.open_pipeline(settings) as services,
    ):
        await trio.sleep(1)  # the token is fetched at start, outside any search
        began = trio.current_time()
        reply = await services.search.desk.search(build_query("climate", sources=CALLED), ASKER)
        assert trio.current_time() - began == pytest.approx(took_s)
    assert [one.status for one in reply.answer.harvest.outcomes] == [status] * len(CALLED)
    assert all(
        one.latency_ms == pytest.approx(took_s * 1000) for one in reply.answer.harvest.outcomes
    )
