"""Sessions in a real Redis: whose they are, and how long they last.

A dump of Redis is useless to an attacker.
"""

import hashlib
import json
from datetime import datetime, timedelta

import pytest
import trio
from attrs import define

from newsintel.domain.accounts.model import Session
from newsintel.domain.security.keys import digest_secret
from newsintel.errors import UnavailableError
from newsintel.storage.redis.sessions import MAX_SESSIONS, RedisSessions
from tests.make import account_id
from tests.storage.support import NOON, ON_ONE_SERVER
from tests.waiting import PATIENCE_S

ALICE, BOB = account_id(7), account_id(8)


@define
class HandClock:
    """A wall clock that the test sets."""

    at: datetime = NOON

    def __call__(self):
        """The current time."""
        return self.at


@pytest.fixture
def clock():
    """A clock at noon."""
    return HandClock()


@pytest.fixture
def sessions(link, tally, clock):
    """Sessions that expire an hour after their last use, and a day after their start."""
    return RedisSessions(link, idle_s=3600, max_s=86400, count=tally, now=clock)


async def test_asvs_03_id_has_256_bits_and_is_not_stored(sessions, redis):
    """A dump of Redis signs nobody in."""
    ids = [await sessions.start(ALICE, "a browser") for _ in range(20)]
    assert len(set(ids)) == 20
    assert {len(one) for one in ids} == {43}
    keys = await redis("KEYS", "*")
    values = [await redis("GET", key) for key in keys if key.startswith(b"session:")]
    assert len(values) == 20
    assert not any(one.encode() in b"".join([*keys, *values]) for one in ids)
    assert f"session:{digest_secret(ids[0])}".encode() in keys


async def test_session_is_found_until_it_is_ended(sessions):
    """Only its id finds it, and only its owner can end it."""
    one, other = await sessions.start(ALICE, "a browser"), await sessions.start(ALICE, "another")
    found = await sessions.find(one)
    assert (found.person, found.client, found.digest, found.created_at) == (
        ALICE,
        "a browser",
        digest_secret(one),
        NOON,
    )
    assert await sessions.find("x" * 43) is None
    assert not await sessions.end_session(BOB, digest_secret(one))
    assert await sessions.end_session(ALICE, digest_secret(one))
    assert not await sessions.end_session(ALICE, digest_secret(one))
    assert await sessions.find(one) is None
    assert await sessions.find(other) is not None


async def test_an_operators_session_keeps_the_entry_that_matched(sessions, clock, redis):
    """Also after its next use. An older version can read the sessions of all others."""
    operator = await sessions.start(ALICE, "a browser", ("reddit:alice", "oidc:a@b.org"))
    other = await sessions.start(ALICE, "a browser")
    for _ in range(2):
        assert (await sessions.find(operator)).operator_as == ("reddit:alice", "oidc:a@b.org")
        assert (await sessions.find(other)).operator_as == ()
        clock.at += timedelta(minutes=2)
    stored = await redis("GET", f"session:{digest_secret(other)}")
    assert len(json.loads(stored)) == 5


@pytest.mark.parametrize("more", [b"1", b'"reddit:alice"', b"null", b"{}", b"[]"])
async def test_an_invalid_list_of_entries_makes_no_operator(sessions, redis, more):
    """The session itself stays valid."""
    session_id = await sessions.start(ALICE, "a browser")
    key = f"session:{digest_secret(session_id)}"
    value = await redis("GET", key)
    await redis("SET", key, value[:-1] + b"," + more + b"]")
    assert (await sessions.find(session_id)).operator_as == ()


async def test_asvs_04_session_expires_an_hour_after_its_last_use(sessions, clock, redis):
    """Each use extends it, and its key in Redis expires with it."""
    session_id = await sessions.start(ALICE, "")
    assert await redis("TTL", f"session:{digest_secret(session_id)}") == 3600
    for _ in range(5):
        clock.at += timedelta(minutes=59)
        assert await sessions.find(session_id) is not None
    clock.at += timedelta(minutes=60)
    assert await sessions.find(session_id) is None


async def test_asvs_04_session_of_less_than_a_second_can_start(link, tally, clock):
    """Redis refuses to keep a value for 0 seconds. Such a session is over at once."""
    sessions = RedisSessions(link, idle_s=0.3, max_s=0.4, count=tally, now=clock)
    assert await sessions.find(await sessions.start(ALICE, "a browser")) is None


async def test_asvs_04_session_expires_a_day_after_its_start_at_the_latest(sessions, clock, redis):
    """The number of uses does not matter."""
    session_id = await sessions.start(ALICE, "")
    for _ in range(47):
        clock.at += timedelta(minutes=30)
        assert await sessions.find(session_id) is not None
    assert await redis("TTL", f"session:{digest_secret(session_id)}") <= 1800
    clock.at += timedelta(minutes=30)
    assert await sessions.find(session_id) is None


async def test_last_use_is_written_once_a_minute(sessions, clock, redis):
    """So most requests only read."""
    session_id = await sessions.start(ALICE, "")
    clock.at += timedelta(seconds=59)
    assert (await sessions.find(session_id)).last_seen_at == NOON
    clock.at += timedelta(seconds=1)
    assert (await sessions.find(session_id)).last_seen_at == clock.at
    clock.at += timedelta(seconds=30)
    assert (await sessions.find(session_id)).last_seen_at == clock.at - timedelta(seconds=30)


async def test_session_ended_during_a_use_stays_ended(sessions, clock, redis, monkeypatch):
    """The write that extends it does not create it again."""
    session_id = await sessions.start(ALICE, "")
    session = await sessions.find(session_id)
    clock.at += timedelta(minutes=5)
    await redis("DEL", f"session:{session.digest}")

    async def as_it_was(_digest):
        return session

    monkeypatch.setattr(sessions, "_read", as_it_was)
    assert await sessions.find(session_id) is None
    assert await redis("EXISTS", f"session:{session.digest}") == 0


async def test_sessions_of_a_user_are_listed_and_all_ended(sessions, clock, redis):
    """The list starts with the last used one.

    Expired sessions are left out, and those of other users stay.
    """
    first = await sessions.start(ALICE, "first")
    clock.at += timedelta(minutes=2)
    lapsed = await sessions.start(ALICE, "lapsed")
    await sessions.start(ALICE, "second")
    bob = await sessions.start(BOB, "bob")
    await redis("DEL", f"session:{digest_secret(lapsed)}")
    clock.at += timedelta(minutes=2)
    await sessions.find(first)
    assert [session.client for session in await sessions.list_of_user(ALICE)] == ["first", "second"]
    await sessions.end_user_sessions(ALICE)
    assert await sessions.list_of_user(ALICE) == ()
    assert await sessions.find(first) is None
    assert await sessions.find(bob) is not None
    assert await redis("KEYS", f"sessions:{ALICE}") == []
    await sessions.end_user_sessions(ALICE)


async def test_session_started_while_all_end_is_listed_and_can_be_ended(sessions, monkeypatch):
    """It is newer than the request to end all, so it may stay. It must not become invisible."""
    started = []

    async def read_then_start(person):
        found = await read(person)
        if not started:
            session = Session("ab" * 32, person, NOON, NOON, "meanwhile")
            started.append(session)
            await sessions._write(session)
        return found

    await sessions.start(ALICE, "before")
    read = sessions._read_digests
    monkeypatch.setattr(sessions, "_read_digests", read_then_start)
    await sessions.end_user_sessions(ALICE)
    assert [session.client for session in await sessions.list_of_user(ALICE)] == ["meanwhile"]
    await sessions.end_user_sessions(ALICE)
    assert await sessions.list_of_user(ALICE) == ()


async def test_session_beyond_the_limit_ends_the_oldest(sessions, clock):
    """The last uses do not matter.

    A new session always has a place, and no other account loses one.
    """
    bob = await sessions.start(BOB, "bob")
    ids = []
    for number in range(MAX_SESSIONS + 5):
        clock.at += timedelta(seconds=1)
        ids.append(await sessions.start(ALICE, str(number)))
    assert [session.client for session in await sessions.list_of_user(ALICE)] == [
        str(number) for number in reversed(range(5, MAX_SESSIONS + 5))
    ]
    assert [await sessions.find(one) is not None for one in ids] == [False] * 5 + [
        True
    ] * MAX_SESSIONS
    assert await sessions.find(bob) is not None
    clock.at -= timedelta(hours=1)  # the clock of another machine is behind
    late = await sessions.start(ALICE, "behind")
    assert await sessions.find(late) is not None
    assert len(await sessions.list_of_user(ALICE)) == MAX_SESSIONS


async def test_concurrent_sign_ins_do_not_exceed_the_limit(sessions):
    """Each sign-in adds its session before it reads the list."""
    for number in range(MAX_SESSIONS):
        await sessions.start(ALICE, str(number))
    async with trio.open_nursery() as nursery:
        for number in range(15):
            nursery.start_soon(sessions.start, ALICE, str(number))
    assert len(await sessions.list_of_user(ALICE)) <= MAX_SESSIONS


@ON_ONE_SERVER
async def test_listing_reads_each_session_once(sessions, redis):
    """An account may have thousands of sessions from before there was a limit.

    The next sign-in ends them.
    """
    one = await sessions.start(ALICE, "one")
    value = await redis("GET", f"session:{digest_secret(one)}")
    many = {hashlib.sha256(b"%d" % number).hexdigest(): number for number in range(3000)}
    await redis("SADD", f"sessions:{ALICE}", *many)
    await redis(
        "MSET",
        *(
            word
            for name in many
            for word in (
                f"session:{name}",
                value.replace(digest_secret(one).encode(), name.encode()),
            )
        ),
    )
    await redis("CONFIG", "RESETSTAT")
    assert len(await sessions.list_of_user(ALICE)) == 3001
    stats = await redis("INFO", "commandstats")
    assert {name: stats[f"cmdstat_{name}"]["calls"] for name in ("smembers", "get")} == {
        "smembers": 1,
        "get": 3001,
    }
    await sessions.start(ALICE, "next")
    assert len(await sessions.list_of_user(ALICE)) == MAX_SESSIONS
    assert len(await redis("KEYS", "session:*")) == MAX_SESSIONS


def written(person=f'"{ALICE}"', created="2026-11-23T12:00:00+00:00", digest="a"):
    """The stored value of a session, with one part wrong."""
    return f'["{digest}",{person},"{created}","{NOON.isoformat()}",""]'.encode()


RUBBISH = [
    b"junk", b"[]", b"[1,2,3,4,5]", b'["a","%s","2026-01-01","no","x"]' % ALICE.encode(),
    b"\xff", b"{}", b"[" * 100_000, b'["a","%s",[],[],""]' % ALICE.encode(),
    *(
        written(person)
        for person in (
            *('"x"', "null", "1e999", "1.5", "true", "-1", "7", "9" * 5000, "[7]"),
            *('"u_7"', f'"{ALICE}\\u0000"', f'"{ALICE.upper()}"'),
        )
    ),
    written(created="0001-01-01T00:00:00+14:00"), written(created="9999-12-31T23:59:59-14:00"),
]  # fmt: skip


@pytest.mark.parametrize("value", RUBBISH)
async def test_asvs_20_invalid_value_signs_nobody_in(sessions, redis, tally, value):
    """The value is deleted and counted."""
    session_id = await sessions.start(ALICE, "")
    await redis("SET", f"session:{digest_secret(session_id)}", value)
    assert await sessions.find(session_id) is None
    assert await redis("EXISTS", f"session:{digest_secret(session_id)}") == 0
    assert tally.counts == {"cache_mismatches": 1}
    await redis("SET", f"session:{digest_secret(session_id)}", value)
    assert await sessions.list_of_user(ALICE) == ()
    assert await redis("EXISTS", f"session:{digest_secret(session_id)}") == 0
    assert tally.counts == {"cache_mismatches": 2}


async def test_foreign_value_under_our_keys_is_never_a_bug(sessions, redis):
    """It may name no account, or have the year 9999.

    The names of sessions may not be text.
    """
    session_id = await sessions.start(ALICE, "")
    key = digest_secret(session_id)
    for value in (
        written("7", digest=key),
        written("true", digest=key),
        written("null", digest=key),
    ):
        await redis("SET", f"session:{key}", value)
        assert await sessions.find(session_id) is None
    await redis("SET", f"session:{key}", written(created="9999-12-31T23:59:59+00:00", digest=key))
    assert (await sessions.find(session_id)) is not None
    await redis("SADD", f"sessions:{ALICE}", b"\xff\xfe", b"[")
    assert [one.digest for one in await sessions.list_of_user(ALICE)] == [key]
    await redis("SADD", f"sessions:{ALICE}", b"\xff\xfe")
    await sessions.end_user_sessions(ALICE)
    assert await sessions.find(session_id) is None


async def test_fault_21_value_of_another_key_signs_nobody_in(sessions, redis, tally):
    """This would happen if a reply reached the wrong caller."""
    alice, bob = await sessions.start(ALICE, ""), await sessions.start(BOB, "")
    await redis(
        "SET",
        f"session:{digest_secret(alice)}",
        await redis("GET", f"session:{digest_secret(bob)}"),
    )
    assert await sessions.find(alice) is None
    assert tally.counts == {"cache_mismatches": 1}
    assert (await sessions.find(bob)).person == BOB


async def test_fault_21_cancelled_readers_never_get_another_session(sessions):
    """Hundreds of readers run, and a third of them are cancelled at various moments.

    All others get their own session.
    """
    ids = {user: await sessions.start(account_id(user), "") for user in range(1, 30)}
    seen = []

    async def read(user, deadline_s):
        with trio.move_on_after(deadline_s):
            try:
                seen.append((account_id(user), (await sessions.find(ids[user])).person))
            except UnavailableError:
                return

    for turn in range(10):
        async with trio.open_nursery() as nursery:
            for user in ids:
                nursery.start_soon(
                    read, user, 0.0005 * (turn + user % 3) if user % 3 == 0 else PATIENCE_S
                )
    assert len(seen) > 100
    assert all(asked == got for asked, got in seen)


@ON_ONE_SERVER
async def test_fault_19_full_redis_is_an_outage(sessions, configured):
    """Nobody can sign in until there is room. Existing sessions still work."""
    session_id = await sessions.start(ALICE, "")
    full = [
        ("CONFIG", "SET", "maxmemory-policy", "noeviction"),
        ("CONFIG", "SET", "maxmemory", "1"),
    ]
    async with configured(full, [("CONFIG", "SET", "maxmemory", "0")]):
        with pytest.raises(UnavailableError):
            await sessions.start(ALICE, "")
        assert await sessions.find(session_id) is not None
