"""Limits how often PostgreSQL and Redis are asked for the owner of a credential.

A credential is an API key, a session or the address of a private feed. A look-up takes a slot of
the store, and sending an invented key costs nothing. So each process remembers credentials by their
digests:

- A credential that was valid is still looked up for every request, since it may have ended.
- A credential that was invalid is not looked up again for a while.
- One address may send only a limited number of unknown invalid credentials.

Each kind of credential is remembered by itself. The secret of a feed's address has the form of a
session's id, and a person who knows it may send it as one: not a valid session, but still a valid
address.
"""

import math
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeVar

import trio

from newsintel.domain.bounds.newest import Newest
from newsintel.domain.ports import Count
from newsintel.errors import RateLimitedError, UnavailableError


class CredentialKind(StrEnum):
    """What a secret is shown as."""

    KEY = "key"
    SESSION = "session"
    FEED = "feed"


class Credential(NamedTuple):
    """A secret that was shown: what as, and its SHA-256 in hexadecimal."""

    kind: CredentialKind
    digest: str


class Owned(Protocol):
    """What a credential leads to; `person` is its owner."""

    @property
    def person(self) -> str:
        """Identifies the owner for limits."""
        ...


T = TypeVar("T", bound=Owned)

Ask = Callable[[], Awaitable[T | None]]
"""Asks a store for what a credential leads to; None = the credential is invalid."""

LONGEST_S = 1.5
"""Time limit for identifying a caller; a slower store counts as unavailable.

Redis answers or fails within 0.25 s; a frozen PostgreSQL would take 2 s. The limit cannot be much
lower: with 60 connections that send requests without a pause, the two look-ups of a session took up
to a second.
"""

WINDOW_S = 60
FAILURES, FAILURES_OVER_LIMIT = 20, 1
"""Invalid credentials that one address may send per window.

A mistyped key or an expired cookie counts once, however often it is sent: a company behind one
address has a few of them per minute, but somebody who guesses sends as many as the line carries. If
the address's rate limit is used up, only FAILURES_OVER_LIMIT applies. Known people with an account
there have their own limits and are still looked up.
"""

FAILED_S = 600
"""How long an invalid credential is not looked up again.

It cannot become valid, since the service itself creates keys and session ids.
"""

MAX_REMEMBERED = 10_000
"""Maximum number of remembered valid credentials, invalid ones, and addresses.

Each takes about 3 MiB; the oldest entries are removed first.
"""


class LookUps:
    """Finds the owner of a credential in a store, or answers from memory.

    Args:
        at_once: look-ups of unknown credentials that may run at once, over all addresses; known
            credentials are not limited.
        count: counts refusals.
    """

    def __init__(self, at_once: int, count: Count) -> None:
        self._count = count
        self._places = trio.CapacityLimiter(at_once)
        self._known = Newest[Credential, str](MAX_REMEMBERED)
        self._failed = Newest[Credential, float](MAX_REMEMBERED)
        self._window = -1
        self._charged = Newest[str, int](MAX_REMEMBERED)

    def get_known_person(self, credential: Credential) -> str | None:
        """Return the last known owner of a credential. The credential may have ended since."""
        return self._known.get(credential)

    def remember(self, credential: Credential, person: str) -> None:
        """Remember the owner of a credential."""
        self._known[credential] = person

    async def look_up(
        self, credential: Credential, address: str, ask: Ask[T], *, over_limit: bool = False
    ) -> T | None:
        """Return what a credential leads to, such as its owner.

        Args:
            credential: what was shown.
            address: the person of the client's address.
            ask: asks the store.
            over_limit: whether the rate limit of `address` is used up.

        Returns:
            None if the credential is invalid.

        Raises:
            RateLimitedError: the address has sent too many invalid credentials, and this one is
                unknown.
            UnavailableError: the store is unavailable or slow, or no look-up could start within
                LONGEST_S.
        """
        if credential in self._known:
            found = await _ask_in_time(ask)
        elif self._failed.get(credential, -math.inf) > trio.current_time():
            return None
        else:
            found = await self._look_up_unknown(
                address, ask, FAILURES_OVER_LIMIT if over_limit else FAILURES
            )
        if found is None:
            self._known.pop(credential, None)
            self._failed[credential] = trio.current_time() + FAILED_S
        else:
            self.remember(credential, found.person)
        return found

    async def _look_up_unknown(self, address: str, ask: Ask[T], failures: int) -> T | None:
        """Look up an unknown credential.

        The address is charged first, so parallel look-ups have the same limit as sequential ones. A
        client that disconnects before the answer stays charged.
        """
        window = self._charge(address, failures)

        async def in_turn() -> T | None:
            async with self._places:
                return await ask()

        try:
            found = await _ask_in_time(in_turn)
        except UnavailableError:
            self._discharge(address, window)
            raise
        if found is not None:
            self._discharge(address, window)
        return found

    def _charge(self, address: str, failures: int) -> int:
        """Charge an address with one credential of at most `failures`.

        Returns:
            The window in which it counts.

        Raises:
            RateLimitedError: the address has reached the limit.
        """
        window = int(trio.current_time() // WINDOW_S)
        if window != self._window:
            self._window = window
            self._charged.clear()
        charged = self._charged.get(address, 0)
        if charged >= failures:
            self._count("limited", policy="look_up")
            raise RateLimitedError(WINDOW_S)
        self._charged[address] = charged + 1
        return window

    def _discharge(self, address: str, window: int) -> None:
        """Undo a charge: the credential was valid, or the store could not tell."""
        if window == self._window and address in self._charged:
            self._charged[address] -= 1


async def _ask_in_time(ask: Ask[T]) -> T | None:
    try:
        with trio.fail_after(LONGEST_S):
            return await ask()
    except trio.TooSlowError:
        raise UnavailableError(f"the caller was not identified within {LONGEST_S:g} s") from None
