"""The export over a real connection: it arrives in chunks, and an incomplete one is detected."""

import json

import httpx
import pytest

from newsintel.http.routes import exports
from tests.fakes.accounts import browser
from tests.http.personal_world import past_search, world_with_articles
from tests.http.server.test_listener import exchange, get, serving


@pytest.fixture
async def world(monkeypatch):
    """A world in which alice made 50 searches, which are read five at a time."""
    monkeypatch.setattr(exports, "PAGE_ROWS", 5)
    made = world_with_articles()
    made.own_history.kept[1] = [past_search(number) for number in range(50)]
    return made


async def test_the_export_is_sent_in_chunks(world):
    """The chunks together are the whole file."""
    headers = await browser(world)
    async with serving(world) as served, httpx.AsyncClient(base_url=served.url) as client:
        response = await client.get("/me/export", headers=headers)
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert len(json.loads(response.content)["searches"]) == 50


async def test_head_has_no_body(world):
    """It has only the headers of the file."""
    headers = [f"{name}: {value}" for name, value in (await browser(world)).items()]
    async with serving(world) as served:
        received = await exchange(served, get("/me/export", *headers, method="HEAD"))
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"content-disposition: attachment" in head.lower()
    assert body == b""


async def test_a_store_that_fails_midway_breaks_the_transfer_off(world):
    """The client sees that the file is incomplete, and the server keeps running."""
    headers = await browser(world)
    page = world.own_history.list_page

    async def page_then_away(user_id, limit, after):
        world.own_history.away = after is not None
        return await page(user_id, limit, after)

    world.own_history.list_page = page_then_away
    async with serving(world) as served, httpx.AsyncClient(base_url=served.url) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/me/export", headers=headers)
        assert (await client.get("/me", headers=headers)).status_code == 200


async def test_a_client_that_leaves_midway_does_not_disturb_the_server(world):
    """The next request is answered."""
    signed_in = await browser(world)
    headers = [f"{name}: {value}" for name, value in signed_in.items()]
    async with serving(world) as served, httpx.AsyncClient(base_url=served.url) as client:
        async with await served.open() as stream:
            await stream.send_all(get("/me/export", *headers))
            assert (await stream.receive_some(100)).startswith(b"HTTP/1.1 200")
        assert (await client.get("/me", headers=signed_in)).status_code == 200
