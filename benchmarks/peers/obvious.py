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

SEQUENTIAL = os.environ.get("NEWSINTEL_BENCH_SEQUENTIAL") == "1"
INSERT = f"INSERT INTO articles ({COLUMNS}) VALUES ({', '.join(f'${n}' for n in range(1, 20))}) {AGAIN}"  # noqa: S608 - our own words


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open one client and one pool of each kind for the lifetime of the app."""
    async with httpx.AsyncClient(timeout=DEADLINE_S) as client, asyncpg.create_pool(DATABASE_URL, min_size=2, max_size=10) as pool:
        app.state.client, app.state.pool = client, pool
        app.state.redis = redis.from_url(REDIS_URL)
        app.state.token = await reddit_token(client)
        yield
        await app.state.redis.aclose()  # noqa: ASYNC102 - asyncio, and the process ends here


app = FastAPI(lifespan=lifespan)


@app.get("/articles")
async def articles(q: str, limit: int = 20, page: int = 1) -> Any:
    """Search: from Redis, or from every source."""
    query = question(q)
    key = f"obvious:{query.key}:{limit}:{page}"
    if cached := await app.state.redis.get(key):
        return json.loads(cached)
    if SEQUENTIAL:
        outcomes = [await _fetch(name, query) for name in SOURCES]
    else:
        outcomes = await asyncio.gather(*(_fetch(name, query) for name in SOURCES))
    async with app.state.pool.acquire() as connection:
        await connection.executemany(INSERT, rows(outcomes))
    body = body_of(query, outcomes, limit, page)
    await app.state.redis.setex(key, TTL_S, json.dumps(body))
    return body


async def _fetch(name: str, query: Query) -> FetchOutcome:
    began = time.perf_counter()
    try:
        return await ask(app.state.client, name, query, app.state.token)
    except httpx.TimeoutException:
        return outcome(name, Refusal(Status.TIMEOUT, "timeout"), began)
    except httpx.HTTPError:
        return outcome(name, Refusal(Status.UNREACHABLE, "error"), began)
