"""Bounds how often the stores are asked whose a key or a session (a credential) is.

A look-up takes a place at PostgreSQL or Redis, and a made-up key costs its sender nothing. So each
process remembers credentials by their digests:

- One that was good is looked up at each request all the same, since it may have ended.
- One that was no good is not looked up again for a while.
- Of those never seen, one address may show only so many that are no good.
"""

import math
from collections.abc import Awaitable, Callable

import trio

from newsintel.domain.accounts.model import Caller
from newsintel.domain.bounds.newest import Newest
from newsintel.domain.ports import Count
from newsintel.errors import RateLimitedError, UnavailableError

Ask = Callable[[], Awaitable[Caller | None]]
"""Asks a store whose a credential is; None = nobody's."""

LONGEST_S = 1.5
"""A store that takes longer to say who is asking counts as away. Redis answers or fails in 0.25 s; a frozen PostgreSQL would take 2 s. Not
less: with 60 connections that ask without a pause, one after the other, the two look-ups of a session took up to a second."""

WINDOW_S = 60
FAILURES, FAILURES_OVER_LIMIT = 20, 1
"""Credentials of one address in one window that are no good. A mistyped key or an expired cookie
counts once, however often it is sent: a company behind one address has a few of them in a minute,
somebody who guesses has as many as the line can carry. Of an address whose limit is spent the second
is not looked up: but people with an account there, who have limits of their own, still are."""

FAILED_S = 600
"""For how long a credential that is no good is not looked up again. It cannot become good: the
service itself makes up keys and session ids."""

MOST = 10_000
"""Good credentials, others, and addresses that are remembered, the oldest first out: about 3 MiB each."""


class LookUps:
    """Asks whose a credential is, or answers from what is remembered.

    Args:
        at_once: places at the stores for credentials never seen, all addresses together; a known one needs none.
        count: counts what is refused.
    """

    def __init__(self, at_once: int, count: Count) -> None:
        self._count = count
        self._places = trio.CapacityLimiter(at_once)
        self._known = Newest[str, str](MOST)
        self._failed = Newest[str, float](MOST)
        self._window = -1
        self._charged = Newest[str, int](MOST)

    def person(self, credential: str) -> str | None:
        """The person whom a credential stood for last; not to be believed, since it may have ended."""
        return self._known.get(credential)

    def know(self, credential: str, person: str) -> None:
        """Remember for whom a credential stands."""
        self._known[credential] = person

    async def look_up(self, credential: str, address: str, ask: Ask, *, over_limit: bool = False) -> Caller | None:
        """Whose a credential is.

        Args:
            credential: its digest.
            address: the person of the client's address.
            ask: asks the store.
            over_limit: whether that person's limit is spent.

        Returns:
            None if it is nobody's.

        Raises:
            RateLimitedError: the address has shown too many that are no good, and this one was never seen.
            UnavailableError: the store is away or slow, or every place was taken for LONGEST_S.
        """
        if credential in self._known:
            found = await _in_time(ask)
        elif self._failed.get(credential, -math.inf) > trio.current_time():
            return None
        else:
            found = await self._first(address, ask, FAILURES_OVER_LIMIT if over_limit else FAILURES)
        if found is None:
            self._known.pop(credential, None)
            self._failed[credential] = trio.current_time() + FAILED_S
        else:
            self.know(credential, found.person)
        return found

    async def _first(self, address: str, ask: Ask, failures: int) -> Caller | None:
        """Look up a credential never seen: charged to the address beforehand, so that many at once are no more than many in a row.

        A client that leaves before the answer stays charged.
        """
        window = self._charge(address, failures)

        async def in_turn() -> Caller | None:
            async with self._places:
                return await ask()

        try:
            found = await _in_time(in_turn)
        except UnavailableError:
            self._discharge(address, window)
            raise
        if found is not None:
            self._discharge(address, window)
        return found

    def _charge(self, address: str, failures: int) -> int:
        """Count one more of an address that may have so many; returns the window it counts in."""
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
        """Count one less: it was good, or nobody can tell."""
        if window == self._window and address in self._charged:
            self._charged[address] -= 1


async def _in_time(ask: Ask) -> Caller | None:
    try:
        with trio.fail_after(LONGEST_S):
            return await ask()
    except trio.TooSlowError:
        raise UnavailableError(f"who is asking was not found out within {LONGEST_S:g} s") from None
