"""A running simulation and clients for each of its APIs.

It uses real sockets, the real clock and no artificial latency.
"""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from newsintel.demo import guardian, newsapi, reddit_auth
from newsintel.demo.server import Simulated, run_simulated_upstreams
from tests.waiting import PATIENCE_S

NOW = datetime(2031, 5, 14, 12, tzinfo=UTC)

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Without certificates: nothing here uses TLS.

Loading them for each test would take longer than most tests.
"""

Get = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def simulated(client: httpx.AsyncClient) -> AsyncIterator[Simulated]:
    """The simulation at a fixed time."""
    async with run_simulated_upstreams(now=NOW, seed=1) as running:
        for name in running.base_urls:
            await client.put(
                f"{running.control_url}/{name}", json={"latency_ms": 0, "jitter_ms": 0}
            )
        yield running


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client with a long timeout."""
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S, verify=NO_TLS) as client:
        yield client


@pytest.fixture
async def control(
    simulated: Simulated, client: httpx.AsyncClient
) -> Callable[..., Awaitable[httpx.Response]]:
    """A function that takes the name of an API and its new settings."""

    async def put(name: str, **settings: Any) -> httpx.Response:
        return await client.put(f"{simulated.control_url}/{name}", json=settings)

    return put


@pytest.fixture
async def news(simulated: Simulated, client: httpx.AsyncClient) -> Get:
    """Sends a request to NewsAPI with a valid key; parameters are keywords, `from_` is `from`."""

    async def get(
        key: str = newsapi.KEY, headers: dict[str, str] | None = None, **params: Any
    ) -> httpx.Response:
        sent = {name.rstrip("_"): value for name, value in params.items()}
        return await client.get(
            simulated.base_urls["newsapi"] + "/v2/everything",
            params=sent,
            headers={"X-Api-Key": key} | (headers or {}),
        )

    return get


@pytest.fixture
async def paper(simulated: Simulated, client: httpx.AsyncClient) -> Get:
    """Sends a request to the Guardian with a valid key; underscores in keywords become hyphens."""

    async def get(key: str = guardian.KEY, **params: Any) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in params.items()}
        return await client.get(
            simulated.base_urls["guardian"] + "/search", params=sent | {"api-key": key}
        )

    return get


@pytest.fixture
async def token(simulated: Simulated, client: httpx.AsyncClient) -> str:
    """A valid Reddit token."""
    reply = await client.post(
        simulated.base_urls["reddit_auth"] + "/api/v1/access_token",
        data={"grant_type": "client_credentials"},
        auth=(reddit_auth.CLIENT_ID, reddit_auth.CLIENT_SECRET),
        headers={"User-Agent": reddit_auth.USER_AGENT},
    )
    return str(reply.json()["access_token"])


@pytest.fixture
async def posts(simulated: Simulated, client: httpx.AsyncClient, token: str) -> Get:
    """Searches Reddit with a token and a valid User-Agent; `path` is a subreddit's or empty."""

    async def get(
        path: str = "", headers: dict[str, str] | None = None, **params: Any
    ) -> httpx.Response:
        sent = {"Authorization": f"bearer {token}", "User-Agent": reddit_auth.USER_AGENT} | (
            headers or {}
        )
        return await client.get(
            f"{simulated.base_urls['reddit']}{path}/search", params=params, headers=sent
        )

    return get
