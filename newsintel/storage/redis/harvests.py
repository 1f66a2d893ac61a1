"""The HarvestCache port on Redis: answers by the key of their query, and claims on these keys.

The value contains its key, which is compared on reading, so a reply that belongs to another request
is never shown. A claim is a lock among all processes: a key with the holder's token, set with NX. A
holder deletes it only if the token is still its own, checked under WATCH. So it never deletes a
later holder's claim, needs no Lua script (some operators forbid scripts), and deletes the claim in
the same MULTI that writes the answer. This costs the cache writer two more round trips, but no
request waits for them.
"""

from collections.abc import Sequence

from redis.exceptions import RedisError, WatchError

from newsintel.domain.ports import Count
from newsintel.domain.search.codec import dump_answer, load_answer
from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.ports import ClaimResult
from newsintel.errors import UnavailableError
from newsintel.runtime.turns import run_in_turns
from newsintel.storage.redis.link import RedisLink


class RedisCache:
    """Answers in Redis."""

    def __init__(self, link: RedisLink, *, keep_s: float, count: Count) -> None:
        self._link = link
        self._redis = link.redis
        self._keep_s = max(1, round(keep_s))  # EX takes only whole seconds
        self._count = count

    async def store(self, answer: Answer, lock_token: str | None) -> None:
        try:
            data = await run_in_turns(dump_answer(answer))
        except ValueError as error:
            raise UnavailableError(f"an answer cannot be cached: {error}") from error
        await self._link.call(self._set, answer.harvest.query.key, data, lock_token)

    async def claim(self, key: str, token: str, ttl_s: float) -> ClaimResult:
        """One round trip."""
        held, data = await self._link.call(self._claim, key, token, max(1, round(ttl_s * 1000)))
        return ClaimResult(held, await self._read(key, data))

    async def release_claim(self, key: str, token: str) -> None:
        await self._link.call(self._release_claim, key, token)

    async def delete_answers(self, keys: Sequence[str]) -> None:
        if keys:
            await self._link.call(self._delete, [f"articles:{key}" for key in keys])

    async def _delete(self, names: list[str]) -> None:
        await self._redis.delete(*names)

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
        await self._link.call(self._link.discard, f"articles:{key}")
        return None

    async def _set(self, key: str, data: bytes, token: str | None) -> None:
        if token is None or not await self._end_claim(key, token, data):
            await self._redis.set(f"articles:{key}", data, ex=self._keep_s)

    async def _claim(self, key: str, token: str, ttl_ms: int) -> tuple[bool, bytes | None]:
        # No transaction is needed: a holder that writes between the two commands writes the answer
        # that we want, and deletes its claim with it.
        async with self._redis.pipeline(transaction=False) as together:
            together.set(f"lock:{key}", token, nx=True, px=ttl_ms)
            together.get(f"articles:{key}")
            held, data = await together.execute(raise_on_error=False)
        if isinstance(data, RedisError):
            raise data
        if isinstance(held, RedisError):
            await self._link.handle_failure(held)
        # If Redis takes no writes (full, or a read-only replica), no process can claim a key, so
        # all go ahead. Reads may still work.
        return bool(held), data

    async def _release_claim(self, key: str, token: str) -> None:
        await self._end_claim(key, token)

    async def _end_claim(self, key: str, token: str, data: bytes | None = None) -> bool:
        """Delete the claim and write `data`, if any, in one transaction.

        Returns:
            False if the claim is not (or no longer) ours; then nothing was changed.
        """
        async with self._redis.pipeline(transaction=True) as together:
            await together.watch(f"lock:{key}")
            if await together.get(f"lock:{key}") != token.encode():
                return False
            together.multi()  # type: ignore[no-untyped-call]
            if data is not None:
                together.set(f"articles:{key}", data, ex=self._keep_s)
            together.delete(f"lock:{key}")
            try:
                await together.execute()
            except WatchError:  # the claim has just expired, and another process holds it
                return False
        return True
