"""The Sessions port on Redis: sessions by the SHA-256 of a secret id that only the browser has.

The value contains its key, which is compared on reading, so a reply that belongs to another request
signs nobody in. A set lists the sessions of each user, so that all of them can be ended. A session
expires `idle_s` after it was last seen, and at the latest `max_s` after its start.
"""

import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import cast

from attrs import evolve

from newsintel.domain.accounts.model import Session
from newsintel.domain.ports import Count, WallClock
from newsintel.domain.security.keys import digest_secret
from newsintel.storage.redis.link import RedisLink

MAX_SESSIONS = 50
"""Most sessions of one account, as many as its API keys: far more than one person has browsers. One
more ends the oldest.
"""

SEEN_EVERY = timedelta(minutes=1)
"""`last_seen_at` is written at most this often."""


class RedisSessions:
    """Sessions in Redis."""

    def __init__(
        self, link: RedisLink, *, idle_s: float, max_s: float, count: Count, now: WallClock
    ) -> None:
        self._link = link
        self._redis = link.redis
        self._idle = timedelta(seconds=idle_s)
        self._max = timedelta(seconds=max_s)
        self._count = count
        self._now = now

    async def start(self, user_id: int, client: str, operator_as: tuple[str, ...] = ()) -> str:
        session_id = secrets.token_urlsafe(32)
        now = self._now()
        session = Session(digest_secret(session_id), user_id, now, now, client, operator_as)
        await self._link.call(self._write, session)
        return session_id

    async def find(self, session_id: str) -> Session | None:
        return await self._link.call(self._read_and_touch, digest_secret(session_id))

    async def list_of_user(self, user_id: int) -> tuple[Session, ...]:
        return await self._link.call(self._list_of_user, user_id)

    async def end_session(self, user_id: int, session_digest: str) -> bool:
        return await self._link.call(self._end, user_id, session_digest)

    async def end_user_sessions(self, user_id: int) -> None:
        await self._link.call(self._end_all, user_id)

    async def _write(self, session: Session) -> None:
        async with self._redis.pipeline(transaction=True) as together:
            together.set(_key(session.digest), dump(session), ex=self._compute_expiry_s(session))
            together.sadd(_list_key(session.user_id), session.digest)
            together.expire(_list_key(session.user_id), max(1, round(self._max.total_seconds())))
            together.smembers(_list_key(session.user_id))
            members = (await together.execute())[-1]
        # Members are read after the new session is added: if two start at once, the later one sees
        # both.
        if len(members) > MAX_SESSIONS:
            await self._end_oldest(session)

    async def _end_oldest(self, newest: Session) -> None:
        """End a user's oldest sessions beyond MAX_SESSIONS; never `newest`, if clocks are wrong."""
        others = [
            session
            for session in await self._list_of_user(newest.user_id)
            if session.digest != newest.digest
        ]
        oldest = sorted(
            others, key=lambda session: (session.created_at, session.digest), reverse=True
        )[MAX_SESSIONS - 1 :]
        if oldest:
            async with self._redis.pipeline(transaction=True) as together:
                together.delete(*(_key(session.digest) for session in oldest))
                together.srem(_list_key(newest.user_id), *(session.digest for session in oldest))
                await together.execute()

    async def _read_and_touch(self, session_digest: str) -> Session | None:
        session = await self._read(session_digest)
        if session is None or self._now() - session.last_seen_at < SEEN_EVERY:
            return session
        seen = evolve(session, last_seen_at=self._now())
        # XX: a session that was ended meanwhile stays ended.
        written = await self._redis.set(
            _key(session_digest), dump(seen), ex=self._compute_expiry_s(seen), xx=True
        )
        return seen if written else None

    async def _read(self, session_digest: str) -> Session | None:
        # The reply is bytes, because the client decodes nothing.
        data = cast(bytes | None, await self._redis.get(_key(session_digest)))
        return await self._check_value(session_digest, data)

    async def _check_value(self, session_digest: str, data: bytes | None) -> Session | None:
        """Return the session that was read under a digest.

        An invalid or foreign value is deleted.
        """
        if data is None:
            return None
        session = load(data)
        if session is not None and session.digest == session_digest:
            return session if self._seconds_left(session) > 0 else None
        self._count("cache_mismatches")
        await self._link.discard(_key(session_digest))
        return None

    async def _list_of_user(self, user_id: int) -> tuple[Session, ...]:
        digests = await self._read_digests(user_id)
        values = (
            cast(list[bytes | None], await self._redis.mget(map(_key, digests))) if digests else []
        )
        found = [await self._check_value(*pair) for pair in zip(digests, values, strict=True)]
        live = [session for session in found if session is not None and session.user_id == user_id]
        if gone := set(digests) - {session.digest for session in live}:
            await self._redis.srem(_list_key(user_id), *gone)
        return tuple(sorted(live, key=lambda session: session.last_seen_at, reverse=True))

    async def _end(self, user_id: int, session_digest: str) -> bool:
        session = await self._read(session_digest)
        if session is None or session.user_id != user_id:
            return False
        async with self._redis.pipeline(transaction=True) as together:
            together.delete(_key(session_digest))
            together.srem(_list_key(user_id), session_digest)
            return bool((await together.execute())[0])

    async def _end_all(self, user_id: int) -> None:
        # Only these leave the list: a session that starts meanwhile must stay visible to its owner.
        if digests := await self._read_digests(user_id):
            async with self._redis.pipeline(transaction=True) as together:
                together.delete(*map(_key, digests))
                together.srem(_list_key(user_id), *digests)
                await together.execute()

    async def _read_digests(self, user_id: int) -> list[str]:
        members = cast(set[bytes], await self._redis.smembers(_list_key(user_id)))
        # Our members are ASCII; any other member names no session.
        return [member.decode("latin-1") for member in members]

    def _compute_expiry_s(self, session: Session) -> int:
        """Return after how many seconds Redis may forget a session: it refuses 0."""
        return max(1, self._seconds_left(session))

    def _seconds_left(self, session: Session) -> int:
        """Return the whole seconds until the session expires if unused; 0 or less if it has."""
        now = self._now()
        idle_left = self._idle - (now - session.last_seen_at)
        return round(min(idle_left, self._max - (now - session.created_at)).total_seconds())


def dump(session: Session) -> bytes:
    """Return a session as bytes for `load`."""
    times = (session.created_at.isoformat(), session.last_seen_at.isoformat())
    # Left out if empty: an older version reads five members, and deletes what it cannot read.
    more = [session.operator_as] if session.operator_as else []
    return json.dumps([session.digest, session.user_id, *times, session.client, *more]).encode()


def load(data: bytes) -> Session | None:
    """Return the session in some bytes; None if they contain none."""
    try:
        found, user_id, created, seen, client, *more = json.loads(data)
        created_at, last_seen_at = (
            datetime.fromisoformat(one).astimezone(UTC) for one in (created, seen)
        )
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    if type(user_id) is not int or not 0 < user_id < 2**63:
        return None
    operator_as = tuple(map(str, more[0])) if more and isinstance(more[0], list) else ()
    return Session(str(found), user_id, created_at, last_seen_at, str(client), operator_as)


_key: Callable[[str], str] = "session:{}".format
_list_key: Callable[[int], str] = "sessions:{}".format
