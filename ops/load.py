"""Steady load: clients that each ask, wait for the answer, pause and ask again, on one connection that they keep."""

import random
from collections import Counter
from itertools import count
from statistics import quantiles

import httpx
import trio
from attrs import define, field

WORDS = ("climate", "energy", "housing", "football", "election", "chips", "health", "ocean", "trade", "museum", "rail", "budget")
MISS_SHARE = 0.1
"""The part of searches that nobody asked for before: they are in the air for as long as the slowest source takes."""

PAUSE_S = 0.05
PATIENCE_S = 20.0
LONGEST_S = 600.0
"""Whatever happens, the load ends then."""


@define
class Load:
    """What was asked and how it went.

    Attributes:
        answered: requests that got a 200.
        failures: how often each other end was met; this is what must stay empty.
        reopened: requests sent again since the connection kept from before was closed as they went out, which RFC 9112 section 9.3.1 lets
            both ends do to each other; a client may then repeat a GET on a new one, and every client does.
        latencies_ms: of those answered.
    """

    url: str
    answered: int = 0
    failures: Counter[str] = field(factory=Counter)
    reopened: int = 0
    latencies_ms: list[float] = field(factory=list)
    _numbers: "count[int]" = field(factory=count)

    async def warm_up(self) -> None:
        """Have every word in the archive, which then answers should a starved machine let every source miss its deadline."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=PATIENCE_S) as client:
            for word in WORDS:
                (await client.get("/articles", params={"q": word})).raise_for_status()

    async def run(self, clients: int, stop: trio.Event, *, seed: int = 0) -> None:
        """Ask until told to stop; each client then finishes the request it has in the air."""
        with trio.move_on_after(LONGEST_S):
            async with trio.open_nursery() as nursery:
                for number in range(clients):
                    nursery.start_soon(self._client, random.Random(seed + number), stop)  # noqa: S311 - what is asked is no secret

    def median_and_p99_ms(self) -> tuple[float, float]:
        """Of all answers."""
        cuts = quantiles(self.latencies_ms, n=100)
        return cuts[49], cuts[98]

    async def _client(self, dice: random.Random, stop: trio.Event) -> None:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=PATIENCE_S, limits=limits) as client:
            while not stop.is_set():
                began = trio.current_time()
                outcome = await self._ask(client, self._query(dice))
                if outcome == "200":
                    self.answered += 1
                    self.latencies_ms.append((trio.current_time() - began) * 1000)
                else:
                    self.failures[outcome] += 1
                await trio.sleep(PAUSE_S)

    async def _ask(self, client: httpx.AsyncClient, query: str) -> str:
        """The status, or the name of what went wrong."""
        for fresh in (False, True):
            try:
                response = await client.get("/articles", params={"q": query, "limit": "5"})
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
                if fresh:
                    return type(error).__name__
                self.reopened += 1
            except httpx.TransportError as error:
                return type(error).__name__
            else:
                return _outcome(response)
        raise AssertionError("unreachable")

    def _query(self, dice: random.Random) -> str:
        word = dice.choice(WORDS)
        return f"{word} OR unheard{next(self._numbers)}" if dice.random() < MISS_SHARE else word


def _outcome(response: httpx.Response) -> str:
    """The status; for one that the service itself gave with its problem's code, to tell it from the balancer's."""
    problem = response.headers.get("content-type") == "application/problem+json"
    return f"{response.status_code} {response.json()['code']}" if problem else str(response.status_code)
