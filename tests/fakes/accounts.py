"""The ports of accounts in memory.

They behave like the real ones without a server. Each can be set to be away.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count as numbers

import trio
from attrs import define, evolve, field

from newsintel.domain.accounts.model import (
    Access,
    Account,
    ApiKey,
    Identity,
    Session,
    SignInAttempt,
    Tokens,
)
from newsintel.domain.security.keys import digest_secret
from newsintel.errors import UnavailableError
from tests.make import NOON


class MemoryAccounts:
    """A `ports.Accounts`."""

    def __init__(self) -> None:
        self.kept: dict[int, Account] = {}
        self.identities: dict[tuple[str, str], int] = {}
        self.keys: dict[str, tuple[int, Access, object]] = {}
        self.away = False
        self.hangs = False

    async def get_account(self, public_id):
        await self._answer()
        return next((one for one in self.kept.values() if one.public_id == public_id), None)

    async def find_by_identity(self, provider, subject):
        await self._answer()
        return self.kept.get(self.identities.get((provider, subject)))

    async def find_key_holder(self, digest, now):
        await self._answer()
        user_id, access, expires_at = self.keys.get(digest, (0, Access.READ, None))
        if user_id not in self.kept or (expires_at is not None and expires_at <= now):
            return None
        return self.kept[user_id], access

    async def sign_in(self, provider, subject, username, now):
        await self._answer()
        user_id = self.identities.setdefault((provider, subject), len(self.identities) + 1)
        known = self.kept.get(user_id)
        created_at = known.created_at if known else now
        letters = str(user_id).translate(str.maketrans("0123456789", "abcdefghij"))
        public_id = f"u_{letters:{letters[-1]}<20}"
        self.kept[user_id] = Account(user_id, public_id, username, provider, created_at, now)
        return self.kept[user_id]

    async def _answer(self):
        await trio.lowlevel.checkpoint()
        if self.hangs:
            await trio.sleep_forever()
        if self.away:
            raise UnavailableError("postgresql is away")


class MemorySessions:
    """A `ports.Sessions` with predictable ids. Sessions never expire."""

    def __init__(self) -> None:
        self.kept: dict[str, Session] = {}
        self.away = False
        self._ids = (f"{number:0>43}" for number in numbers(1))

    async def start(self, person, client, operator_as=()):
        await self._answer()
        session_id = next(self._ids)
        now = NOON + timedelta(seconds=len(self.kept))
        self.kept[digest_secret(session_id)] = Session(
            digest_secret(session_id), person, now, now, client, operator_as
        )
        return session_id

    async def find(self, session_id):
        await self._answer()
        return self.kept.get(digest_secret(session_id))

    async def list_of_user(self, person):
        await self._answer()
        found = [session for session in self.kept.values() if session.person == person]
        return tuple(sorted(found, key=lambda session: session.last_seen_at, reverse=True))

    async def end_session(self, person, digest):
        await self._answer()
        if digest not in self.kept or self.kept[digest].person != person:
            return False
        del self.kept[digest]
        return True

    async def end_user_sessions(self, person):
        await self._answer()
        self.kept = {key: session for key, session in self.kept.items() if session.person != person}

    async def _answer(self):
        await trio.lowlevel.checkpoint()
        if self.away:
            raise UnavailableError("redis is away")


async def browser(world, username="alice", *, now=NOON):
    """The headers of a browser in which a person is signed in.

    They are those of a request from our own page. `world` has accounts and sessions.
    """
    account = await world.accounts.sign_in("dev", username, username, now)
    session_id = await world.sessions.start(account.public_id, "a browser")
    return {"Cookie": f"newsintel_dev={session_id}", "Sec-Fetch-Site": "same-origin"}


async def program(world, username="alice", access=Access.WRITE, *, expires_at=None, now=NOON):
    """The headers of a program with an API key of a person."""
    account = await world.accounts.sign_in("dev", username, username, now)
    key = f"ni_{len(world.accounts.keys):0>43}"
    world.accounts.keys[digest_secret(key)] = (account.id, access, expires_at)
    return {"Authorization": f"Bearer {key}"}


class MemoryKeys:
    """A `ports.ApiKeys` over the keys of a MemoryAccounts."""

    def __init__(self, accounts):
        self.kept: dict[str, tuple[int, ApiKey, str]] = {}
        self._accounts = accounts

    async def create(self, user_id, key, digest, most):
        await trio.lowlevel.checkpoint()
        if sum(owner == user_id for owner, _, _ in self.kept.values()) >= most:
            return None
        named = evolve(key, public_id=f"k_{'abcdefghij'[len(self.kept) % 10] * 20}")
        self.kept[named.public_id] = (user_id, named, digest)
        self._accounts.keys[digest] = (user_id, key.access, key.expires_at)
        return named

    async def list_of_user(self, user_id):
        await trio.lowlevel.checkpoint()
        return tuple(key for owner, key, _ in reversed(self.kept.values()) if owner == user_id)

    async def revoke(self, user_id, public_id):
        await trio.lowlevel.checkpoint()
        owner, _, digest = self.kept.get(public_id, (None, None, ""))
        if owner != user_id:
            return False
        del self.kept[public_id], self._accounts.keys[digest]
        return True


class MemoryAttempts:
    """A `ports.Attempts`."""

    def __init__(self):
        self.kept: dict[str, SignInAttempt] = {}
        self.away = False

    async def store(self, attempt):
        await self._answer()
        self.kept[attempt.state] = attempt

    async def take(self, state):
        await self._answer()
        return self.kept.pop(state, None)

    async def _answer(self):
        await trio.lowlevel.checkpoint()
        if self.away:
            raise UnavailableError("redis is away")


class MemoryTokens:
    """A `ports.TokenStore`."""

    def __init__(self):
        self.kept: dict[tuple[int, str], Tokens] = {}

    async def put(self, user_id, provider, tokens):
        await trio.lowlevel.checkpoint()
        self.kept[user_id, provider] = tokens

    async def take(self, user_id, provider):
        await trio.lowlevel.checkpoint()
        return self.kept.pop((user_id, provider), None)

    async def reseal_all(self):
        await trio.lowlevel.checkpoint()
        return 0


@define
class ScriptedProvider:
    """A `ports.Provider` and `TokenIssuer` that signs in the person whom the code names.

    If `raises` is set, it raises that error.
    """

    label: str = "Elsewhere"
    name: str = "reddit"
    raises: Exception | None = None
    finished: list[str] = field(factory=list)
    revoked: list[Tokens] = field(factory=list)
    takes_s: float = 0.0
    now: Callable[[], datetime] = lambda: NOON

    async def start_sign_in(self, attempt):
        await self._answer()
        return f"https://elsewhere.example/authorize?state={attempt.state}"

    async def finish_sign_in(self, code, attempt):
        self.finished.append(code)
        await self._answer()
        return Identity(self.name, code, code, (f"{self.name}:{code}",)), self._tokens(f"of-{code}")

    async def revoke(self, tokens):
        self.revoked.append(tokens)
        await self._answer()

    async def _answer(self):
        await trio.sleep(self.takes_s)
        if self.raises:
            raise self.raises

    def _tokens(self, name):
        return Tokens(f"access-{name}", f"refresh-{name}", self.now() + timedelta(hours=1))
