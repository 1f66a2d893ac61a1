"""Answers that are made once and kept in Redis for a while, for all who ask the same.

Those who ask this process while the answer is being made wait for it. Redis away costs nothing but the keeping: its failures are counted,
and the answer is made again.
"""

import hashlib
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from quart import Response

from newsintel import __version__
from newsintel.domain.search.codec import to_json
from newsintel.errors import UnavailableError
from newsintel.http.response.cache_headers import HIT, MISS, VARY, weak
from newsintel.http.response.conditional import respond_unless_held
from newsintel.http.services import MadeAnswer, Services

KEEP_S = 60
"""For how long, here and on the way to the caller: what arrives in the archive is found a minute later at the latest."""

EMPTY_S = 5
"""The same for an answer that found nothing. What it looks for may be on its way: in the first seconds of a service the words of its
articles are not counted yet, and no list of trends is made."""


async def kept(services: Services, prefix: str, asked: Any, make: Callable[[], Awaitable[Mapping[str, Any]]]) -> Response:
    """Answer with a body that is kept, else with one that is made now.

    Args:
        services: gives the cache, and what is being made.
        prefix: of the cache's keys.
        asked: everything that the body depends on, as JSON values, spelt alike in whatever way it was asked.
        make: makes the body's plain value; what it raises is not kept, and reaches all who wait.
    """
    key = cache_key(prefix, asked)
    reached = True
    try:
        found = await services.search.bytes_cache.get(key)
    except UnavailableError:
        services.count("cache_errors", operation="get")
        found, reached = None, False  # a Redis that has just kept us waiting is not asked again
    if found is not None:
        return _respond(found.data, found.ttl_s, found.age_s)
    body, keep_s = await services.search.answers.make(key, partial(_make, services, key if reached else None, make))
    return _respond(body, keep_s, None)


async def _make(services: Services, key: str | None, make: Callable[[], Awaitable[Mapping[str, Any]]]) -> MadeAnswer:
    """Make an answer, and keep it under a key if there is one."""
    made = await make()
    body, keep_s = to_json(made), _keep_s(made)
    if key is not None:
        try:
            await services.search.bytes_cache.put(key, body, keep_s)
        except UnavailableError:
            services.count("cache_errors", operation="put")
    return body, keep_s


def cache_key(prefix: str, asked: Any) -> str:
    """The key in the cache. The version is in it too: another one's bodies may have other members."""
    return f"{prefix}:{hashlib.sha256(json.dumps([__version__, asked]).encode()).hexdigest()[:32]}"


def _keep_s(body: Mapping[str, Any]) -> int:
    """For how long a body is kept: shortly if its lists have no entries, or only such as count nothing."""
    entries = (entry for value in body.values() if isinstance(value, list) for entry in value)
    return KEEP_S if any(entry.get("count", 1) for entry in entries) else EMPTY_S


def _respond(body: bytes, keep_s: int, age_s: float | None) -> Response:
    """The answer, or a 304.

    Args:
        body: finished.
        keep_s: for how long it is kept in all.
        age_s: for how long it was kept; None = it was made for this answer.
    """
    tag = hashlib.sha256(body).hexdigest()[:32]
    age = math.floor(age_s or 0)
    lines = [
        (b"content-type", b"application/json"),
        (b"etag", weak(tag)),
        (b"age", b"%d" % age),
        (b"cache-control", b"public, max-age=%d" % keep_s),
        (b"x-accel-expires", b"%d" % max(0, keep_s - age)),
        (b"cache-status", MISS if age_s is None else HIT % (keep_s - age)),
        (b"vary", VARY.encode()),
    ]
    return respond_unless_held(body, lines, tag)
