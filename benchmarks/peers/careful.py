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
    AGAIN,
    COLUMNS,
    DATABASE_URL,
    DEADLINE_S,
    REDIS_URL,
    SOURCES,
    TTL_S,
    ask,
    body_of,
    outcome,
    question,
    reddit_token,
    rows,
)
from newsintel.domain.search.outcome import FetchOutcome, Refusal, Status
from newsintel.domain.search.query_model import Query

KINDS = ("text",) * 13 + ("timestamptz", "boolean", "integer", "integer", "timestamptz", "timestamptz")
ARRAYS = ", ".join(f"${at}::{kind}[]" for at, kind in enumerate(KINDS, 1))
INSERT = f"INSERT INTO articles ({COLUMNS}) SELECT * FROM unnest({ARRAYS}) {AGAIN}"  # noqa: S608 - our own words


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open one client and one pool of each kind for the lifetime of the app."""
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    async with (
        httpx.AsyncClient(timeout=DEADLINE_S, limits=limits, trust_env=False) as client,
        asyncpg.create_pool(DATABASE_URL, min_size=2, max_size=10) as pool,
    ):
        app.state.client, app.state.pool = client, pool
        app.state.redis = redis.Redis(connection_pool=redis.BlockingConnectionPool.from_url(REDIS_URL, max_connections=50))
        app.state.token = await reddit_token(client)
        yield
        await app.state.redis.aclose()  # noqa: ASYNC102 - asyncio, and the process ends here


app = FastAPI(lifespan=lifespan)


@app.get("/articles")
async def articles(q: str, limit: int = 20, page: int = 1) -> Response:
    """Search: from Redis, or from every source."""
    query = question(q)
    key = f"careful:{query.key}:{limit}:{page}"
    if cached := await app.state.redis.get(key):
        return Response(cached, media_type="application/json")
    outcomes = await asyncio.gather(*(_fetch(name, query) for name in SOURCES))
    body = orjson.dumps(body_of(query, outcomes, limit, page))
    if found := rows(outcomes):
        async with app.state.pool.acquire() as connection:
            await connection.execute(INSERT, *map(list, zip(*found, strict=True)))
    await app.state.redis.setex(key, TTL_S, body)
    return Response(body, media_type="application/json")


async def _fetch(name: str, query: Query) -> FetchOutcome:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await ask(app.state.client, name, query, app.state.token)
    except (TimeoutError, httpx.TimeoutException):
        return outcome(name, Refusal(Status.TIMEOUT, "timeout"), began)
    except httpx.HTTPError:
        return outcome(name, Refusal(Status.UNREACHABLE, "error"), began)
