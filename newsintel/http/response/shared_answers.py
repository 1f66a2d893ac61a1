"""Answers that are made once and cached in Redis, for all callers who ask the same.

While this process makes an answer, other callers of this process wait for it. While Redis is
unavailable, nothing is cached: its failures are counted, and each answer is made again.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from quart import Response, request

from newsintel import __version__
from newsintel.errors import UnavailableError
from newsintel.http.bodies.formats import AS_JSON, Encoding, Format
from newsintel.http.response.kept_answer import KeptAnswer
from newsintel.http.response.kept_response import answer_kept
from newsintel.http.services import MadeAnswer, Services
from newsintel.runtime.turns import run_in_turns

CACHE_S = 60
"""How long an answer is cached, here and on its way to the caller.

A new article in the archive is thus found after a minute at the latest.
"""

CACHE_EMPTY_S = 5
"""How long an answer without results is cached.

The results may come soon: in the first seconds of a service, the words of its articles are not
counted yet, and there is no list of trends.
"""


async def answer_shared(
    services: Services,
    prefix: str,
    asked: Any,
    make: Callable[[], Awaitable[Mapping[str, Any]]],
    encoding: Encoding = AS_JSON,
) -> Response:
    """Answer with a cached body, else with one that is made now.

    Args:
        services: has the cache, and the answers that are being made.
        prefix: of the cache's keys.
        asked: everything that the body depends on, as JSON values in canonical form.
        make: makes the body's plain value; an error is not cached, and all waiters raise it.
        encoding: the format. `asked` has what else the encoded body depends on.
    """
    body, keep_s, age_s = await _get_shared(services, prefix, asked, make, encoding)
    return await _answer_body(services, encoding, body, keep_s, age_s)


async def read_shared(
    services: Services, prefix: str, asked: Any, make: Callable[[], Awaitable[Mapping[str, Any]]]
) -> dict[str, Any]:
    """Return the body that `answer_shared` answers with as JSON, for the page that shows it."""
    body, *_ = await _get_shared(services, prefix, asked, make, AS_JSON)
    read: dict[str, Any] = json.loads(body)
    return read


async def _get_shared(
    services: Services,
    prefix: str,
    asked: Any,
    make: Callable[[], Awaitable[Mapping[str, Any]]],
    encoding: Encoding,
) -> tuple[bytes, int, float | None]:
    """Return a body, for how long it is cached in all, and since when: None = made just now."""
    key = build_cache_key(prefix, asked, encoding.format)
    reached = True
    try:
        found = await services.search.bytes_cache.get(key)
    except UnavailableError:
        services.count("cache_errors", operation="get")
        found, reached = None, False  # Redis has just failed: do not make the caller wait again
    if found is not None:
        return found.data, found.ttl_s, found.age_s
    body, keep_s = await services.search.answers.make(
        key, partial(_make_and_cache, services, key if reached else None, make, encoding)
    )
    return body, keep_s, None


async def _make_and_cache(
    services: Services,
    key: str | None,
    make: Callable[[], Awaitable[Mapping[str, Any]]],
    encoding: Encoding,
) -> MadeAnswer:
    """Make an answer, and cache it if there is a key."""
    made = await make()
    body, keep_s = await run_in_turns(encoding.encode(made)), _choose_cache_s(made)
    if key is not None:
        try:
            await services.search.bytes_cache.put(key, body, keep_s)
        except UnavailableError:
            services.count("cache_errors", operation="put")
    return body, keep_s


def build_cache_key(prefix: str, asked: Any, body_format: Format = Format.JSON) -> str:
    """Return the cache key. It includes the version, since bodies may differ between versions."""
    asked = json.dumps([__version__, body_format, asked])
    return f"{prefix}:{hashlib.sha256(asked.encode()).hexdigest()[:32]}"


def _choose_cache_s(body: Mapping[str, Any]) -> int:
    """Return how long to cache a body: CACHE_EMPTY_S if its lists are empty or all counts are 0."""
    entries = (entry for value in body.values() if isinstance(value, list) for entry in value)
    found = any(isinstance(entry, Mapping) and entry.get("count", 1) for entry in entries)
    return CACHE_S if found else CACHE_EMPTY_S


async def _answer_body(
    services: Services, encoding: Encoding, body: bytes, keep_s: int, age_s: float | None
) -> Response:
    """Answer with a body, or with a 304. The hit path keeps the answer in memory.

    Args:
        services: has the clock.
        encoding: of the body.
        body: the finished body.
        keep_s: for how long it is cached in all.
        age_s: for how long it has been cached; None = it was made for this request.
    """
    scope, now_s = request.scope, services.now().timestamp()
    route = scope["state"]["route"]
    kept = KeptAnswer.of_body(
        body, route, now_s, keep_s=keep_s, age_s=age_s or 0.0, media_type=encoding.media_type
    )
    return await answer_kept(services, kept, now_s, hit=age_s is not None)
