"""The HarvestCache port on Redis: answers by the key of their query, and claims on these keys.

The value contains its key, which is compared on reading, so a reply that belongs to another request
is never shown. A claim is a lock among all processes: a key with the holder's token, set with NX. A
holder deletes it only if the token is still its own, checked under WATCH. So it never deletes a
later holder's claim, needs no Lua script (some operators forbid scripts), and deletes the claim in
the same MULTI that writes the answer. This costs the cache writer two more round trips, but no
request waits for them.

A claim's key has the answer's key as its hash tag, so one server of a cluster has both.

Then each article is noted with the key of its answer, in a hash for INDEX_S. So every process finds
an article that another has just answered with, before the archive has it.
"""

import time
from collections.abc import Callable, Sequence

from attrs import frozen
from redis.exceptions import RedisError, WatchError

from newsintel.domain.bounds.chunks import cut_into_chunks
from newsintel.domain.ports import Count
from newsintel.domain.search.article import ArchivedArticle
from newsintel.domain.search.codec import dump_answer, load_answer
from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.ports import ClaimResult
from newsintel.errors import UnavailableError
from newsintel.runtime.turns import run_in_turns
from newsintel.storage.redis.failures import REDIRECTIONS
from newsintel.storage.redis.link import RedisLink
from newsintel.storage.redis.replies import check_bytes
from newsintel.storage.redis.server import RedisServer


@frozen
class _Stored:
    """An answer as it is written: its key and its bytes."""

    key: str
    data: bytes


INDEX_S = 300
"""Articles are noted together for this time, and found from then on for as long again. The archive
has them after a second, unless it is unavailable."""

DELETED_AT_ONCE = 200
"""Answers that one round trip deletes, in some milliseconds. A history may name thousands."""


class RedisCache:
    """Answers in Redis."""

    def __init__(
        self,
        link: RedisLink,
        *,
        keep_s: float,
        count: Count,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._link = link
        self._keep_s = max(1, round(keep_s))  # EX takes only whole seconds
        self._count = count
        self._now_s = now_s

    async def store(self, answer: Answer, lock_token: str | None) -> None:
        try:
            data = await run_in_turns(dump_answer(answer))
        except ValueError as error:
            raise UnavailableError(f"an answer cannot be cached: {error}") from error
        key, ids = answer.harvest.query.key, [one.id for one in answer.harvest.articles]
        await self._link.call(_answer_key(key), self._set, _Stored(key, data), lock_token)
        if ids:
            name = _index_key(self._find_period())
            await self._link.call(name, _note, name, ids, key)

    async def claim(self, key: str, token: str, ttl_s: float) -> ClaimResult:
        """One round trip."""
        ttl_ms = max(1, round(ttl_s * 1000))
        held, data = await self._link.call(_answer_key(key), _claim, key, token, ttl_ms)
        return ClaimResult(held, await self._read(key, data))

    async def release_claim(self, key: str, token: str) -> None:
        await self._link.call(_answer_key(key), self._end_claim, key, token)

    async def find_article(self, article_id: str) -> ArchivedArticle | None:
        """Two round trips; the second reads the whole answer."""
        key = await self._find_key(article_id)
        if key is None:
            return None
        answer = await self._read(key, await self._link.call(_answer_key(key), _get, key))
        return None if answer is None else answer.find_article(article_id)

    async def delete_answers(self, keys: Sequence[str]) -> None:
        for some in cut_into_chunks(keys, DELETED_AT_ONCE):
            await self._link.each([("DEL", _answer_key(key)) for key in some], int)

    async def _read(self, key: str, data: bytes | None) -> Answer | None:
        """Return the cached answer of any age.

        A value that is unreadable or belongs to another key is deleted and counted, and None is
        returned.
        """
        if data is None:
            return None
        try:
            answer = await run_in_turns(load_answer(data))
        except ValueError:
            answer = None
        if answer is not None and answer.harvest.query.key == key:
            return answer
        self._count("cache_mismatches")
        await self._link.call(_answer_key(key), RedisServer.discard, _answer_key(key))
        return None

    async def _set(self, server: RedisServer, stored: _Stored, token: str | None) -> None:
        if token is None or not await self._end_claim(server, stored.key, token, stored):
            await server.redis.set(_answer_key(stored.key), stored.data, ex=self._keep_s)

    def _find_period(self) -> int:
        return int(self._now_s() // INDEX_S)

    async def _find_key(self, article_id: str) -> str | None:
        """Return the key of the latest answer that has an article."""
        period = self._find_period()
        found = await self._link.each(
            [("HGET", _index_key(one), article_id) for one in (period, period - 1)], check_bytes
        )
        key = next((one for one in found if one is not None), None)
        return None if key is None else key.decode("ascii", "replace")

    async def _end_claim(
        self, server: RedisServer, key: str, token: str, stored: _Stored | None = None
    ) -> bool:
        """Delete the claim and store an answer, if any, in one transaction.

        Returns:
            False if the claim is not (or no longer) ours; then nothing was changed.
        """
        lock = _lock_key(key)
        async with server.redis.pipeline(transaction=True) as together:
            await together.watch(lock)
            if await together.get(lock) != token.encode():
                return False
            together.multi()  # type: ignore[no-untyped-call]
            if stored is not None:
                together.set(_answer_key(key), stored.data, ex=self._keep_s)
            together.delete(lock)
            try:
                await together.execute()
            except WatchError:  # the claim has just expired, and another process holds it
                return False
        return True


_answer_key: Callable[[str], str] = "articles:{}".format
_lock_key: Callable[[str], str] = "lock:{{articles:{}}}".format
_index_key: Callable[[int], str] = "found:{}".format


async def _get(server: RedisServer, key: str) -> bytes | None:
    return check_bytes(await server.redis.get(_answer_key(key)))


async def _claim(
    server: RedisServer, key: str, token: str, ttl_ms: int
) -> tuple[bool, bytes | None]:
    # No transaction is needed: a holder that writes between the two commands writes the answer
    # that we want, and deletes its claim with it.
    async with server.redis.pipeline(transaction=False) as together:
        together.set(_lock_key(key), token, nx=True, px=ttl_ms)
        together.get(_answer_key(key))
        held, data = await together.execute(raise_on_error=False)
    if isinstance(data, RedisError):
        raise data
    if isinstance(held, REDIRECTIONS):
        raise held
    if isinstance(held, RedisError):
        await server.handle_failure(held)
    # If Redis takes no writes (full, or a read-only replica), no process can claim a key, so
    # all go ahead. Reads may still work.
    return bool(held), check_bytes(data)


async def _note(server: RedisServer, name: str, ids: Sequence[str], key: str) -> None:
    """Note articles with the key of their answer."""
    async with server.redis.pipeline(transaction=True) as together:
        together.hset(name, mapping=dict.fromkeys(ids, key))
        together.expire(name, 2 * INDEX_S)
        await together.execute()
