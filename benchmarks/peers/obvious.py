"""The obvious design: FastAPI, httpx, asyncio.gather, asyncpg, Redis SETEX.

Each source has a timeout. Redis stores JSON, which each hit decodes and encodes. uvicorn runs it.
With NEWSINTEL_BENCH_SEQUENTIAL=1 it calls one source after the other.
"""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import redis.asyncio as redis
from fastapi import FastAPI

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

SEQUENTIAL = os.environ.get("NEWSINTEL_BENCH_SEQUENTIAL") == "1"
PLACEHOLDERS = ", ".join(f"${n}" for n in range(1, 20))
INSERT = f"INSERT INTO articles ({COLUMNS}) VALUES ({PLACEHOLDERS}) {ON_CONFLICT}"  # noqa: S608 - our own words


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open one client and one pool of each kind for the lifetime of the app."""
    async with (
        httpx.AsyncClient(timeout=DEADLINE_S) as client,
        asyncpg.create_pool(DATABASE_URL, min_size=2, max_size=10) as pool,
    ):
        app.state.client, app.state.pool = client, pool
        app.state.redis = redis.from_url(REDIS_URL)
        app.state.token = await fetch_reddit_token(client)
        yield
        await app.state.redis.aclose()  # noqa: ASYNC102 - asyncio, and the process ends here


app = FastAPI(lifespan=lifespan)


@app.get("/articles")
async def search_articles(q: str, limit: int = 20, page: int = 1) -> Any:
    """Search: from Redis, or from every source."""
    query = build_plain_query(q)
    key = f"obvious:{query.key}:{limit}:{page}"
    if cached := await app.state.redis.get(key):
        return json.loads(cached)
    if SEQUENTIAL:
        outcomes = [await _fetch_source(name, query) for name in SOURCES]
    else:
        outcomes = await asyncio.gather(*(_fetch_source(name, query) for name in SOURCES))
    async with app.state.pool.acquire() as connection:
        await connection.executemany(INSERT, build_rows(outcomes))
    body = build_body(query, outcomes, limit, page)
    await app.state.redis.setex(key, TTL_S, json.dumps(body))
    return body


async def _fetch_source(name: str, query: Query) -> FetchOutcome:
    began = time.perf_counter()
    try:
        return await ask_source(app.state.client, name, query, app.state.token)
    except httpx.TimeoutException:
        return build_outcome(name, Refusal(Status.TIMEOUT, "timeout"), began)
    except httpx.HTTPError:
        return build_outcome(name, Refusal(Status.UNREACHABLE, "error"), began)
