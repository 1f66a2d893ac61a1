"""The same service by a careful engineer.

A hit sends the bytes from Redis unchanged. It uses orjson, one INSERT for all rows, a timeout
around each whole call, and pools that wait for a free connection.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import orjson
import redis.asyncio as redis
from fastapi import FastAPI, Response

from benchmarks.peers.common import (
    COLUMNS,
    DATABASE_URL,
    DEADLINE_S,
    ON_CONFLICT,
    REDIS_URL,
    SOURCES,
    TTL_S,
    ask_source,
    build_body,
    build_outcome,
    build_plain_query,
    build_rows,
    fetch_reddit_token,
)
from newsintel.domain.search.outcome import FetchOutcome, Refusal, Status
from newsintel.domain.search.query_model import Query

KINDS = ("text",) * 13 + (
    "timestamptz",
    "boolean",
    "integer",
    "integer",
    "timestamptz",
    "timestamptz",
)
ARRAYS = ", ".join(f"${at}::{kind}[]" for at, kind in enumerate(KINDS, 1))
INSERT = f"INSERT INTO articles ({COLUMNS}) SELECT * FROM unnest({ARRAYS}) {ON_CONFLICT}"  # noqa: S608 - our own words


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open one client and one pool of each kind for the lifetime of the app."""
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    async with (
        httpx.AsyncClient(timeout=DEADLINE_S, limits=limits, trust_env=False) as client,
        asyncpg.create_pool(DATABASE_URL, min_size=2, max_size=10) as pool,
    ):
        app.state.client, app.state.pool = client, pool
        app.state.redis = redis.Redis(
            connection_pool=redis.BlockingConnectionPool.from_url(REDIS_URL, max_connections=50)
        )
        app.state.token = await fetch_reddit_token(client)
        yield
        await app.state.redis.aclose()  # noqa: ASYNC102 - asyncio, and the process ends here


app = FastAPI(lifespan=lifespan)


@app.get("/articles")
async def search_articles(q: str, limit: int = 20, page: int = 1) -> Response:
    """Search: from Redis, or from every source."""
    query = build_plain_query(q)
    key = f"careful:{query.key}:{limit}:{page}"
    if cached := await app.state.redis.get(key):
        return Response(cached, media_type="application/json")
    outcomes = await asyncio.gather(*(_fetch_source(name, query) for name in SOURCES))
    body = orjson.dumps(build_body(query, outcomes, limit, page))
    if found := build_rows(outcomes):
        async with app.state.pool.acquire() as connection:
            await connection.execute(INSERT, *map(list, zip(*found, strict=True)))
    await app.state.redis.setex(key, TTL_S, body)
    return Response(body, media_type="application/json")


async def _fetch_source(name: str, query: Query) -> FetchOutcome:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await ask_source(app.state.client, name, query, app.state.token)
    except (TimeoutError, httpx.TimeoutException):
        return build_outcome(name, Refusal(Status.TIMEOUT, "timeout"), began)
    except httpx.HTTPError:
        return build_outcome(name, Refusal(Status.UNREACHABLE, "error"), began)
