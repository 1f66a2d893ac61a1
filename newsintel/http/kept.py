"""Answers that are made once and kept in Redis for a while, for whoever asks the same.

Redis away costs nothing but the sharing: its failures are counted and the answer is made afresh.
"""

import hashlib
import json
import math
from collections.abc import Awaitable, Callable
from typing import Any

from quart import Response

from newsintel import __version__
from newsintel.codec import to_json
from newsintel.errors import UnavailableError
from newsintel.http.conditional import unchanged
from newsintel.http.headers import VARY
from newsintel.http.services import Services

KEEP_S = 60
"""For how long, here and on the way to the caller: what arrives in the archive is found a minute later at the latest."""


async def kept(services: Services, prefix: str, asked: Any, make: Callable[[], Awaitable[Any]]) -> Response:
    """Answer with a body that is kept, else with one that is made now.

    Args:
        services: gives the cache.
        prefix: of the cache's keys.
        asked: everything that the body depends on, as JSON values, spelt alike in whatever way it was asked.
        make: makes the body's plain value; what it raises is not kept.
    """
    key = cache_key(prefix, asked)
    try:
        found = await services.bytes_cache.get(key)
    except UnavailableError:
        services.count("cache_errors", operation="get")
        return _respond(to_json(await make()), None)  # a Redis that has just kept us waiting is not asked again
    if found is not None:
        return _respond(found.data, found.age_s)
    body = to_json(await make())
    try:
        await services.bytes_cache.put(key, body, KEEP_S)
    except UnavailableError:
        services.count("cache_errors", operation="put")
    return _respond(body, None)


def cache_key(prefix: str, asked: Any) -> str:
    """The key in the cache. The version is in it too: another one's bodies may have other members."""
    return f"{prefix}:{hashlib.sha256(json.dumps([__version__, asked]).encode()).hexdigest()[:32]}"


def _respond(body: bytes, age_s: float | None) -> Response:
    """The answer, or a 304.

    Args:
        body: finished.
        age_s: for how long it was kept; None = it was made for this answer.
    """
    tag = hashlib.sha256(body).hexdigest()[:32]
    age = math.floor(age_s or 0)
    headers = {
        "ETag": f'W/"{tag}"',
        "Age": str(age),
        "Cache-Control": f"public, max-age={KEEP_S}",
        "X-Accel-Expires": str(max(0, KEEP_S - age)),
        "Cache-Status": "newsintel; fwd=miss" if age_s is None else f"newsintel; hit; ttl={KEEP_S - age}",
        "Vary": VARY,
    }
    same = unchanged(tag, headers)
    return Response(body, headers=headers, content_type="application/json") if same is None else same
