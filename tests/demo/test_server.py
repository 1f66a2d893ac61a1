"""The server as a whole: its addresses, its headers and its end."""

from typing import cast

import httpx
import pytest
import trio

from newsintel.demo.api import Api
from newsintel.demo.server import Simulated, run_simulated_upstreams
from newsintel.demo.wire import Reply, Request
from tests.demo.conftest import NOW
from tests.waiting import PATIENCE_S


async def test_environ_points_at_working_apis(
    simulated: Simulated, client: httpx.AsyncClient
) -> None:
    """The addresses and keys of the environment are enough; pace and quota are off."""
    environ = {name.removeprefix("NEWSINTEL_"): value for name, value in simulated.environ.items()}
    news = {"X-Api-Key": environ["NEWSAPI_KEY"]}
    assert (
        await client.get(environ["NEWSAPI_URL"] + "/v2/everything?q=climate", headers=news)
    ).status_code == 200
    assert (
        await client.get(
            environ["GUARDIAN_URL"] + "/search", params={"api-key": environ["GUARDIAN_KEY"]}
        )
    ).status_code == 200
    agent = {"User-Agent": environ["REDDIT_USER_AGENT"]}
    token = await client.post(
        environ["REDDIT_AUTH_URL"] + "/api/v1/access_token",
        data={"grant_type": "client_credentials"},
        auth=(environ["REDDIT_CLIENT_ID"], environ["REDDIT_CLIENT_SECRET"]),
        headers=agent,
    )
    bearer = agent | {"Authorization": f"bearer {token.json()['access_token']}"}
    assert (
        await client.get(environ["REDDIT_URL"] + "/search?q=climate", headers=bearer)
    ).status_code == 200
    assert environ["GUARDIAN_PACE_S"] == environ["REDDIT_PACE_S"] == "0"
    assert environ["NEWSAPI_QUOTA"] == environ["GUARDIAN_QUOTA"] == "off"


async def test_front_page_explains_the_simulation(
    simulated: Simulated, client: httpx.AsyncClient
) -> None:
    """The page says that everything is simulated and how to control it."""
    reply = await client.get(simulated.control_url.removesuffix("/_control") + "/")
    assert reply.headers["x-simulated"] == "newsintel-demo"
    assert "imitates" in reply.text
    assert f"{simulated.control_url}/guardian" in reply.text
    assert "gzip_bomb" in reply.text


async def test_unknown_path_is_404_and_head_has_no_body(
    simulated: Simulated, client: httpx.AsyncClient
) -> None:
    """Any other path is 404; HEAD has no body."""
    root = simulated.control_url.removesuffix("/_control")
    assert (await client.get(root + "/elsewhere")).status_code == 404
    head = await client.head(root + "/")
    assert (head.status_code, head.content) == (200, b"")


async def test_connections_are_reused(simulated: Simulated) -> None:
    """Several requests use one connection, as with the real servers."""
    port = int(simulated.control_url.rsplit(":", 1)[1].split("/")[0])
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    async with stream:
        for _ in range(3):
            await stream.send_all(b"GET /_control/newsapi HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await stream.receive_some(4096)).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n" + b"x" * 99999,
        b"CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        (
            b"GET /reddit-www/api/v1/authorize?redirect_uri=http://[::1 HTTP/1.1\r\n"
            b"Host: a\r\nConnection: close\r\n\r\n"
        ),
    ],
)
async def test_nonsense_ends_only_its_connection(
    simulated: Simulated, client: httpx.AsyncClient, sent: bytes
) -> None:
    """Whatever a client sends, the server keeps running."""
    port = int(simulated.control_url.rsplit(":", 1)[1].split("/")[0])
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        with trio.move_on_after(PATIENCE_S) as scope:
            try:
                await stream.send_all(sent)
                while await stream.receive_some(4096):
                    pass
            except trio.BrokenResourceError:
                pass
        assert not scope.cancelled_caught
    assert (await client.get(simulated.control_url)).status_code == 200


async def test_a_bug_ends_only_its_connection(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    """An API that fails to answer is a bug: it is logged, and the server keeps running."""

    class Broken:
        """Raises instead of answering."""

        def answer_request(self, _request: Request, *, limited: bool) -> Reply:
            raise ValueError(f"not thought of, limited {limited}")

    async with run_simulated_upstreams(now=NOW, wrap=lambda _api: cast(Api, Broken())) as running:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(running.base_urls["guardian"] + "/search")
        assert (await client.get(running.control_url)).status_code == 200
    [record] = [
        record for record in caplog.records if record.getMessage() == "simulated_answer_failed"
    ]
    assert "not thought of" in caplog.text
    assert record.levelname == "ERROR"


async def test_leaving_the_block_ends_the_server_at_once(client: httpx.AsyncClient) -> None:
    """Leaving the block ends the server at once, here during a request that never ends."""
    with trio.fail_after(PATIENCE_S):
        await leave_with_a_request_in_the_air(client)


async def leave_with_a_request_in_the_air(client: httpx.AsyncClient) -> None:
    """Start a request that is never answered, and leave the block."""
    async with trio.open_nursery() as nursery:
        async with run_simulated_upstreams() as running:
            await client.put(f"{running.control_url}/newsapi", json={"fault": "hang"})
            stream = await trio.open_tcp_stream(
                "127.0.0.1", int(running.control_url.rsplit(":", 1)[1].split("/")[0])
            )
            await stream.send_all(b"GET /newsapi/v2/everything HTTP/1.1\r\nHost: a\r\n\r\n")
            await trio.sleep(0.2)
        with trio.fail_after(PATIENCE_S):
            assert await stream.receive_some(1) == b""
        await stream.aclose()
        nursery.cancel_scope.cancel()


async def test_cancelling_ends_the_server() -> None:
    """A cancelled scope around the block is enough."""
    with trio.move_on_after(0.2) as scope:
        async with run_simulated_upstreams():
            await trio.sleep_forever()
    assert scope.cancelled_caught
