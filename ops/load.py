"""Steady load: each client sends a request, waits for the answer and pauses, on one connection."""

import random
from collections import Counter
from itertools import count
from statistics import quantiles

import httpx
import trio
from attrs import define, field

WORDS = (
    "climate",
    "energy",
    "housing",
    "football",
    "election",
    "chips",
    "health",
    "ocean",
    "trade",
    "museum",
    "rail",
    "budget",
)
MISS_SHARE = 0.1
"""Share of new searches (cache misses): they take as long as the slowest source."""

PAUSE_S = 0.05
PATIENCE_S = 20.0
LONGEST_S = 600.0
"""The load ends after this time in any case."""


@define
class LoadGenerator:
    """The load and its results.

    Attributes:
        answered: requests that got a 200.
        failures: count of every other outcome; must stay empty.
        reopened: requests sent again because the server closed the idle connection while they were
            sent. RFC 9112 section 9.3.1 allows this, and lets a client repeat a GET on a new
            connection, as every client does.
        latencies_ms: of the answered requests.
    """

    url: str
    answered: int = 0
    failures: Counter[str] = field(factory=Counter)
    reopened: int = 0
    latencies_ms: list[float] = field(factory=list)
    _numbers: "count[int]" = field(factory=count)

    async def warm_up(self) -> None:
        """Search for every word once, so that the archive can answer if all sources miss deadlines.

        That happens on an overloaded machine.
        """
        async with httpx.AsyncClient(
            base_url=self.url, trust_env=False, timeout=PATIENCE_S
        ) as client:
            for word in WORDS:
                (await client.get("/articles", params={"q": word})).raise_for_status()

    async def run(self, clients: int, stop: trio.Event, *, seed: int = 0) -> None:
        """Send requests until `stop` is set; each client then finishes its running request."""
        with trio.move_on_after(LONGEST_S):
            async with trio.open_nursery() as nursery:
                for number in range(clients):
                    nursery.start_soon(self._run_client, random.Random(seed + number), stop)  # noqa: S311 - what is asked is no secret

    def median_and_p99_ms(self) -> tuple[float, float]:
        """Return median and 99th percentile of all latencies, in milliseconds."""
        cuts = quantiles(self.latencies_ms, n=100)
        return cuts[49], cuts[98]

    async def _run_client(self, dice: random.Random, stop: trio.Event) -> None:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        async with httpx.AsyncClient(
            base_url=self.url, trust_env=False, timeout=PATIENCE_S, limits=limits
        ) as client:
            while not stop.is_set():
                began = trio.current_time()
                outcome = await self._send_query(client, self._draw_query(dice))
                if outcome == "200":
                    self.answered += 1
                    self.latencies_ms.append((trio.current_time() - began) * 1000)
                else:
                    self.failures[outcome] += 1
                await trio.sleep(PAUSE_S)

    async def _send_query(self, client: httpx.AsyncClient, query: str) -> str:
        """Send one query. Returns the status or the name of the error."""
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
                return _name_outcome(response)
        raise AssertionError("unreachable")

    def _draw_query(self, dice: random.Random) -> str:
        word = dice.choice(WORDS)
        return f"{word} OR unheard{next(self._numbers)}" if dice.random() < MISS_SHARE else word


def _name_outcome(response: httpx.Response) -> str:
    """Return the status, with the problem code if it is the service's and not the balancer's."""
    problem = response.headers.get("content-type") == "application/problem+json"
    return (
        f"{response.status_code} {response.json()['code']}"
        if problem
        else str(response.status_code)
    )
