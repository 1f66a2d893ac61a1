"""The Sessions port on Redis: sessions by the SHA-256 of a secret id that only the browser has.

The value contains its key, which is compared on reading, so a reply that belongs to another request
signs nobody in. A set lists the sessions of each user, so that all of them can be ended. A session
expires `idle_s` after it was last seen, and at the latest `max_s` after its start.

Redis knows accounts by their public ids, which are random. Their internal ids are counted: if
PostgreSQL is restored from a backup, people who sign in for the first time get ids that others had
after the backup, and Redis may still have the sessions of these.
"""

import json
import re
import secrets
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

from attrs import evolve

from newsintel.domain.accounts.model import Session
from newsintel.domain.ports import Count, WallClock
from newsintel.domain.security.keys import digest_secret
from newsintel.storage.redis.link import RedisLink
from newsintel.storage.redis.replies import check_bytes
from newsintel.storage.redis.server import RedisServer

MAX_SESSIONS = 50
"""Most sessions of one account, as many as its API keys: far more than one person has browsers. One
more ends the oldest.
"""

SEEN_EVERY = timedelta(minutes=1)
"""`last_seen_at` is written at most this often."""

_PERSON = re.compile(r"u_[a-z2-7]{20}")
"""The public id of an account."""


class RedisSessions:
    """Sessions in Redis."""

    def __init__(
        self, link: RedisLink, *, idle_s: float, max_s: float, count: Count, now: WallClock
    ) -> None:
        self._link = link
        self._idle = timedelta(seconds=idle_s)
        self._max = timedelta(seconds=max_s)
        self._count = count
        self._now = now

    async def start(self, person: str, client: str, operator_as: tuple[str, ...] = ()) -> str:
        session_id = secrets.token_urlsafe(32)
        now = self._now()
        session = Session(digest_secret(session_id), person, now, now, client, operator_as)
        await self._write(session)
        return session_id

    async def find(self, session_id: str) -> Session | None:
        session = await self._read(digest_secret(session_id))
        if session is None or self._now() - session.last_seen_at < SEEN_EVERY:
            return session
        seen = evolve(session, last_seen_at=self._now())
        # A session that was ended meanwhile stays ended.
        written = await self._set(seen, only_if_present=True)
        return seen if written else None

    async def list_of_user(self, person: str) -> tuple[Session, ...]:
        digests = await self._read_digests(person)
        values = await self._link.each([("GET", _key(one)) for one in digests], check_bytes)
        found = [
            await self._check_value(digest, value)
            for digest, value in zip(digests, values, strict=True)
        ]
        live = [session for session in found if session is not None and session.person == person]
        if gone := set(digests) - {session.digest for session in live}:
            await self._link.call(_list_key(person), _unlist, _list_key(person), gone)
        return tuple(sorted(live, key=lambda session: session.last_seen_at, reverse=True))

    async def end_session(self, person: str, session_digest: str) -> bool:
        session = await self._read(session_digest)
        if session is None or session.person != person:
            return False
        # The next listing removes it from the list.
        (ended,) = await self._link.each([("DEL", _key(session_digest))], int)
        return bool(ended)

    async def end_user_sessions(self, person: str) -> None:
        await self._end_listed(person, await self._read_digests(person))

    async def _write(self, session: Session) -> None:
        """Write a session and list it.

        A session that could not be listed is used by nobody, because its id was not returned.
        """
        await self._set(session, only_if_present=False)
        key = _list_key(session.person)
        number = await self._link.call(
            key, _list_session, key, session.digest, max(1, round(self._max.total_seconds()))
        )
        # They are counted after the new session is added: if two start at once, the later one sees
        # both.
        if number > MAX_SESSIONS:
            await self._end_oldest(session)

    async def _set(self, session: Session, *, only_if_present: bool) -> bool:
        key, expiry_s = _key(session.digest), self._compute_expiry_s(session)
        return await self._link.call(key, _set, key, dump(session), expiry_s, only_if_present)

    async def _end_oldest(self, newest: Session) -> None:
        """End a user's oldest sessions beyond MAX_SESSIONS; never `newest`, if clocks are wrong."""
        others = [
            session
            for session in await self.list_of_user(newest.person)
            if session.digest != newest.digest
        ]
        oldest = sorted(
            others, key=lambda session: (session.created_at, session.digest), reverse=True
        )[MAX_SESSIONS - 1 :]
        await self._end_listed(newest.person, [session.digest for session in oldest])

    async def _end_listed(self, person: str, digests: Sequence[str]) -> None:
        """End some sessions of a user.

        Only these leave the list: a session that starts meanwhile must stay visible to its owner.
        They leave it last, so that after a failure they can still be found and ended.
        """
        if digests:
            await self._link.each([("DEL", _key(one)) for one in digests], int)
            await self._link.call(_list_key(person), _unlist, _list_key(person), digests)

    async def _read(self, session_digest: str) -> Session | None:
        key = _key(session_digest)
        return await self._check_value(session_digest, await self._link.call(key, _get, key))

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
        key = _key(session_digest)
        await self._link.call(key, RedisServer.discard, key)
        return None

    async def _read_digests(self, person: str) -> list[str]:
        key = _list_key(person)
        return await self._link.call(key, _read_members, key)

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
    return json.dumps([session.digest, session.person, *times, session.client, *more]).encode()


def load(data: bytes) -> Session | None:
    """Return the session in some bytes; None if they contain none."""
    try:
        found, person, created, seen, client, *more = json.loads(data)
        created_at, last_seen_at = (
            datetime.fromisoformat(one).astimezone(UTC) for one in (created, seen)
        )
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    if not isinstance(person, str) or not _PERSON.fullmatch(person):
        return None
    operator_as = tuple(map(str, more[0])) if more and isinstance(more[0], list) else ()
    return Session(str(found), person, created_at, last_seen_at, str(client), operator_as)


_key: Callable[[str], str] = "session:{}".format
_list_key: Callable[[str], str] = "sessions:{}".format


async def _get(server: RedisServer, key: str) -> bytes | None:
    return check_bytes(await server.redis.get(key))


async def _set(
    server: RedisServer,
    key: str,
    value: bytes,
    expiry_s: int,
    only_if_present: bool,  # noqa: FBT001 - the link passes by position
) -> bool:
    return bool(await server.redis.set(key, value, ex=expiry_s, xx=only_if_present))


async def _list_session(server: RedisServer, key: str, digest: str, keep_s: int) -> int:
    """Add a session to a list; return the number of sessions in it."""
    async with server.redis.pipeline(transaction=True) as together:
        together.sadd(key, digest)
        together.expire(key, keep_s)
        together.scard(key)
        return int((await together.execute())[-1])


async def _unlist(server: RedisServer, key: str, digests: Collection[str]) -> None:
    await server.redis.srem(key, *digests)


async def _read_members(server: RedisServer, key: str) -> list[str]:
    members = cast(set[bytes], await server.redis.smembers(key))
    # Our members are ASCII; any other member names no session.
    return [member.decode("latin-1") for member in members]
