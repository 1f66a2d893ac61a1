"""The Attempts port on Redis: started sign-ins, each valid for one return within ten minutes."""

import json

from attrs import asdict

from newsintel.domain.accounts.model import SignInAttempt
from newsintel.domain.ports import Count
from newsintel.domain.security.keys import digest_secret
from newsintel.storage.redis.link import RedisLink
from newsintel.storage.redis.server import RedisServer

ATTEMPT_KEEP_S = 600
"""As long as the provider's authorization code is valid: ten minutes (Reddit; the most that RFC
6749, 4.1.2 recommends).
"""


class RedisAttempts:
    """Attempts in Redis, by the SHA-256 of their state.

    An attempt holds only the digest of the browser's cookie, so a dump of Redis signs nobody in.
    """

    def __init__(self, link: RedisLink, count: Count) -> None:
        self._link = link
        self._count = count

    async def store(self, attempt: SignInAttempt) -> None:
        key = _build_key(attempt.state)
        await self._link.call(key, _set, key, json.dumps(asdict(attempt)))

    async def take(self, state: str) -> SignInAttempt | None:
        key = _build_key(state)
        data = await self._link.call(key, _take, key)
        if data is None:
            return None
        attempt = _read(data)
        if attempt is not None and attempt.state == state:
            return attempt
        self._count("cache_mismatches")
        return None


def _build_key(state: str) -> str:
    return f"sign-in:{digest_secret(state)}"


async def _set(server: RedisServer, key: str, value: str) -> None:
    await server.redis.set(key, value, ex=ATTEMPT_KEEP_S)


async def _take(server: RedisServer, key: str) -> bytes | str | None:
    return await server.redis.getdel(key)


def _read(data: bytes | str) -> SignInAttempt | None:
    """Return the attempt in some bytes; None if they contain none."""
    try:
        attempt = SignInAttempt(**json.loads(data))
    except (ValueError, TypeError, RecursionError):
        return None
    return attempt if all(isinstance(value, str) for value in asdict(attempt).values()) else None
