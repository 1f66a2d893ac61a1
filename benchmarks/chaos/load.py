"""The load of a chaos run: people who search, read, save and leave, at a fixed rate."""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Any

import httpx
import trio

from benchmarks.chaos.history import History, Part, Route
from benchmarks.chaos.world import SEARCH_DEADLINE_S, Person, World

QUERIES = (
    *("climate", "election", "football", "storm", "market", "court", "school", "energy", "film"),
    *("police", "housing", "health", "space", "music", "trade", "flood", "rail", "budget", "novel"),
)
NEW = 0.1
"""Share of searches that nobody made before: at 50 requests/s three each second, beside those whose
answer has expired."""
CANCELLED = 0.05
"""Share of requests whose client leaves before the answer."""
MOST_AT_ONCE = 400
"""Bound of requests that wait at once; the next one is left out and counted."""
GIVE_UP_S = 15.0
"""A client that has no answer by then reports it."""
RECENT = 500
FILL_SEARCHES = 1500
FILL_AT_ONCE = 10
"""New searches before the faults, and how many at a time. They fill the answers in memory (100 MiB;
an answer here takes about 120 KiB), so that further growth is a leak."""

STORES = frozenset({Part.POSTGRES, Part.REDIS})
SEARCH = Route("search", frozenset({Part.SOURCES}), SEARCH_DEADLINE_S)
ARCHIVE = Route("archive", frozenset({Part.POSTGRES}))
ARTICLE = Route("article", STORES)
PERSONAL = Route("personal", STORES)
HEALTH = Route("health", frozenset(), 1.0)


class Load:
    """Sends requests and notes what comes back.

    Args:
        world: what runs.
        history: what is noted.
        random: decides everything.
    """

    def __init__(self, world: World, history: History, random: Random) -> None:
        self._world = world
        self._history = history
        self._random = random
        self._recent: deque[str] = deque(maxlen=RECENT)
        self._marks = 0
        self._waiting = 0
        self.left_out = 0

    async def fill_caches(self) -> None:
        """Make FILL_SEARCHES new searches, FILL_AT_ONCE at a time."""

        async def search(client: httpx.AsyncClient) -> None:
            for _ in range(FILL_SEARCHES // FILL_AT_ONCE):
                await self._search(client, new=1.0)

        async with (
            httpx.AsyncClient(
                base_url=self._world.url, timeout=GIVE_UP_S, trust_env=False
            ) as client,
            trio.open_nursery() as nursery,
        ):
            for _ in range(FILL_AT_ONCE):
                nursery.start_soon(search, client)

    async def run(self, per_second: float) -> None:
        """Send requests at a rate until cancelled. A slow answer does not delay the next one."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
        async with (
            httpx.AsyncClient(
                base_url=self._world.url, limits=limits, timeout=GIVE_UP_S, trust_env=False
            ) as client,
            trio.open_nursery() as nursery,
        ):
            while True:
                await trio.sleep(self._random.expovariate(per_second))
                if self._waiting < MOST_AT_ONCE:
                    nursery.start_soon(self._send, client, self._choose())
                else:
                    self.left_out += 1

    def _choose(self) -> Callable[[httpx.AsyncClient], Awaitable[None]]:
        kinds = (self._search, self._read_archive, self._read_article, self._read, self._write)
        (kind,) = self._random.choices((*kinds, self._read_health), weights=(60, 10, 8, 12, 8, 2))
        return kind

    async def _send(
        self,
        client: httpx.AsyncClient,
        request: Callable[[httpx.AsyncClient], Awaitable[None]],
    ) -> None:
        self._waiting += 1
        leaves = self._random.random() < CANCELLED
        try:
            with trio.move_on_after(self._random.uniform(0, 0.5) if leaves else GIVE_UP_S) as scope:
                await request(client)
            if scope.cancelled_caught and not leaves:
                self._history.note_violation("no answer", f"{request.__name__}: {GIVE_UP_S:g} s")
        except httpx.HTTPError as error:
            self._history.note_violation("no answer", f"{request.__name__}: {error!r}")
        finally:
            self._waiting -= 1

    async def _call(
        self, client: httpx.AsyncClient, route: Route, method: str, path: str, **more: Any
    ) -> Mapping[str, Any] | None:
        """Return the JSON of an answer with a status below 300, else None."""
        began = trio.current_time()
        response = await client.request(method, path, **more)
        cause = response.text if response.status_code >= 500 else ""
        self._history.note_answer(
            route, response.status_code, response.headers, began, trio.current_time(), cause=cause
        )
        if not response.is_success:
            return None
        found: Mapping[str, Any] = response.json() if response.content else {}
        return found

    async def _search(self, client: httpx.AsyncClient, new: float = NEW) -> None:
        query = self._random.choice(QUERIES)
        if self._random.random() < new:
            self._marks += 1
            query += f" -zq{self._marks}"
        page = await self._call(client, SEARCH, "GET", "/articles", params={"q": query})
        if page is None:
            return
        for article in page["articles"]:
            ids = [article["id"], *(other["id"] for other in article["duplicates"])]
            self._history.note_articles(ids, trio.current_time())
            self._recent.extend(ids[:1])

    async def _read_archive(self, client: httpx.AsyncClient) -> None:
        query = self._random.choice(QUERIES)
        await self._call(client, ARCHIVE, "GET", "/archive", params={"q": query})

    async def _read_article(self, client: httpx.AsyncClient) -> None:
        if not self._recent:
            return
        wanted = self._random.choice(self._recent)
        found = await self._call(client, ARTICLE, "GET", f"/articles/{wanted}")
        if found is not None and found["id"] != wanted:
            self._history.note_violation("wrong value", f"{wanted} gave {found['id']}")

    async def _read_health(self, client: httpx.AsyncClient) -> None:
        await self._call(client, HEALTH, "GET", "/health")

    async def _read(self, client: httpx.AsyncClient) -> None:
        person = self._random.choice(self._world.people)
        path = self._random.choice(("/me", "/me/saved", "/me/preferences"))
        found = await self._call(client, PERSONAL, "GET", path, headers=_sign(person))
        if found is not None:
            for owner in _list_owners(found):
                if owner != person.name:
                    self._history.note_violation(
                        "wrong user", f"{person.name} read {owner}'s {path}"
                    )

    async def _write(self, client: httpx.AsyncClient) -> None:
        person = self._random.choice(self._world.people)
        if not self._recent or self._random.random() < 0.3:
            await self._call(
                *(client, PERSONAL, "PUT", "/me/preferences/owner"),
                headers=_sign(person),
                json={"value": person.name},
            )
            return
        wanted = self._random.choice(self._recent)
        done = await self._call(
            *(client, PERSONAL, "PUT", f"/me/saved/{wanted}"),
            headers=_sign(person),
            json={"notes": person.name},
        )
        if done is not None:
            self._history.saved.setdefault(person.name, set()).add(wanted)


def _sign(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.key}"}


def _list_owners(found: Mapping[str, Any]) -> list[str]:
    """Return the names in an answer of /me, /me/saved or /me/preferences."""
    if "username" in found:
        return [found["username"]]
    if "articles" in found:
        return [one["saved"]["notes"] for one in found["articles"]]
    return [found["preferences"]["owner"]] if "owner" in found["preferences"] else []
