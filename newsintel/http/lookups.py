"""How often stores are asked whose a key or a session is. A look-up takes a place at PostgreSQL or Redis, and a made-up key costs nothing.

What was found before is remembered by the credential's digest: who showed a good one is looked up each time, since it may have ended,
and what was no good is not looked up again for a while. Of credentials never seen, an address may show so many that are no good.
Everything here is this process's own, and bounded.
"""

import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from newsintel.account_model import Caller
from newsintel.errors import RateLimitedError, UnavailableError
from newsintel.ports import Count

T = TypeVar("T")

Ask = Callable[[], Awaitable[Caller | None]]
"""Asks a store whose a credential is; None = nobody's."""

LONGEST_S = 0.5
"""A store that takes longer to say who is asking counts as away. Redis answers or fails in 0.25 s; a frozen PostgreSQL would take 2 s."""

WINDOW_S = 60
FAILURES = 20
"""Credentials that are no good, of one address in one window of WINDOW_S. A mistyped key or an expired cookie counts once, however often it
is sent; a company behind one address has a few of either in a minute, and somebody who guesses has as many as they can send."""

FAILED_S = 600
"""For how long a credential that is no good is not looked up again. It cannot become good: keys and session ids are made up here."""

MOST = 10_000
"""Credentials remembered of either kind, and addresses in a window, the oldest first out: about 3 MiB each."""


class LookUps:
    """Asks whose a credential is, or answers from what is remembered.

    Args:
        at_once: places at the stores for credentials never seen, all addresses together; whoever is known needs none of them.
        count: counts what is refused.
    """

    def __init__(self, at_once: int, count: Count) -> None:
        self._count = count
        self._places = trio.CapacityLimiter(at_once)
        self._known: OrderedDict[str, str] = OrderedDict()
        self._failed: OrderedDict[str, float] = OrderedDict()
        self._window = -1
        self._charged: OrderedDict[str, int] = OrderedDict()

    def person(self, credential: str) -> str | None:
        """The person whom a credential stood for last; not to be believed, since it may have ended."""
        return self._known.get(credential)

    def know(self, credential: str, person: str) -> None:
        """Remember for whom a credential stands."""
        _remember(self._known, credential, person)

    async def look_up(self, credential: str, address: str, ask: Ask) -> Caller | None:
        """Whose a credential is.

        Args:
            credential: its digest.
            address: the person of the client's address.
            ask: asks the store.

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
            found = await self._first(address, ask)
        if found is None:
            self._known.pop(credential, None)
            _remember(self._failed, credential, trio.current_time() + FAILED_S)
        else:
            self.know(credential, found.person)
        return found

    async def _first(self, address: str, ask: Ask) -> Caller | None:
        """Look up a credential never seen: charged to the address beforehand, so that many at once are no more than many in a row.

        Whoever leaves before the answer stays charged.
        """
        window = self._charge(address)

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

    def _charge(self, address: str) -> int:
        """Count one more of an address; returns the window it counts in."""
        window = int(trio.current_time() // WINDOW_S)
        if window != self._window:
            self._window = window
            self._charged.clear()
        charged = self._charged.get(address, 0)
        if charged >= FAILURES:
            self._count("limited", policy="look_up")
            raise RateLimitedError(WINDOW_S)
        _remember(self._charged, address, charged + 1)
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


def _remember(kept: OrderedDict[str, T], key: str, value: T) -> None:
    """Keep a value as the newest of MOST."""
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > MOST:
        kept.popitem(last=False)
