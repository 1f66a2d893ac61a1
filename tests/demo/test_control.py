"""The control endpoint: it validates settings, counts calls and resets everything."""

import httpx
import pytest

from newsintel.demo.server import Simulated
from tests.demo.conftest import Get


async def test_get_shows_settings_and_calls(
    simulated: Simulated, client: httpx.AsyncClient, news: Get, paper: Get
) -> None:
    """Each API has its settings and its own count of calls."""
    for _ in range(3):
        await news(q="climate")
    await paper(q="climate")
    shown = (await client.get(simulated.control_url)).json()
    assert {name: state["calls"] for name, state in shown.items()} == {
        "newsapi": 3,
        "guardian": 1,
        "reddit": 0,
        "reddit_auth": 0,
        "hackernews": 0,
        "gdelt": 0,
    }
    expected = {"latency_ms": 0, "jitter_ms": 0, "slow_ms": 0, "slow_rate": 0}
    expected |= {
        "fault": "none",
        "fault_rate": 1,
        "retry_after": None,
        "limited": False,
        "calls": 3,
    }
    assert (
        shown["newsapi"]
        == expected
        == (await client.get(f"{simulated.control_url}/newsapi")).json()
    )


async def test_put_changes_what_it_names(control) -> None:
    """Other settings stay as they are."""
    await control("newsapi", latency_ms=5)
    reply = await control("newsapi", fault="429", retry_after="Wed, 21 Oct 2015 07:28:00 GMT")
    assert reply.status_code == 200
    assert (reply.json()["latency_ms"], reply.json()["fault"]) == (5, "429")


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"fault": "flood"}, "fault"),
        ({"fault": ["hang"]}, "fault"),
        ({"fault": {}}, "fault"),
        ({"latency_ms": -1}, "latency_ms"),
        ({"latency_ms": "fast"}, "latency_ms"),
        ({"jitter_ms": True}, "jitter_ms"),
        ({"latency_ms": 1e9}, "latency_ms"),
        ({"fault_rate": 1.5}, "fault_rate"),
        ({"slow_rate": -0.1}, "slow_rate"),
        ({"slow_ms": "slow"}, "slow_ms"),
        ({"retry_after": "1\r\nSet-Cookie: a=b"}, "retry_after"),
        ({"retry_after": []}, "retry_after"),
        ({"limited": 1}, "limited"),
        ({"calls": 0}, "calls"),
        ({"latency_ms": 7, "fault": "flood"}, "fault"),
    ],
)
async def test_wrong_settings_are_named(
    simulated: Simulated, client: httpx.AsyncClient, control, settings: dict, field: str
) -> None:
    """An invalid setting gives a 400 with its name, and nothing of the request is applied."""
    before = (await client.get(simulated.control_url)).json()
    reply = await control("newsapi", **settings)
    assert (reply.status_code, reply.json()["field"]) == (400, field)
    assert (await client.get(simulated.control_url)).json() == before


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"NaN"])
async def test_invalid_bodies_are_refused(
    simulated: Simulated, client: httpx.AsyncClient, body: bytes
) -> None:
    """A body that is not a JSON object gives a 400."""
    assert (await client.put(f"{simulated.control_url}/newsapi", content=body)).status_code == 400


async def test_unknown_names_and_methods_are_refused(
    simulated: Simulated, client: httpx.AsyncClient
) -> None:
    """An unknown API gives 404, an unknown method 405."""
    assert (await client.put(f"{simulated.control_url}/usenet", json={})).status_code == 404
    assert (await client.post(f"{simulated.control_url}/newsapi", json={})).status_code == 405
    assert (await client.delete(f"{simulated.control_url}/newsapi")).status_code == 405


async def test_delete_resets_counters_or_everything(
    simulated: Simulated, client: httpx.AsyncClient, control, news: Get
) -> None:
    """Counters only, or everything."""
    await control("newsapi", fault="500")
    await news(q="climate")
    assert (await client.delete(f"{simulated.control_url}/calls")).status_code == 204
    state = (await client.get(f"{simulated.control_url}/newsapi")).json()
    assert (state["calls"], state["fault"]) == (0, "500")
    assert (await client.delete(simulated.control_url)).status_code == 204
    state = (await client.get(f"{simulated.control_url}/newsapi")).json()
    assert (state["calls"], state["fault"], state["latency_ms"]) == (0, "none", 120)
