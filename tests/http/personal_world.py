"""Helpers for the tests of personal routes: people who are signed in, and what they can do."""

from datetime import timedelta

import trio

from newsintel.domain.personal.model import PastSearch
from newsintel.domain.search.article import ArchivedArticle
from newsintel.http.application import create_app
from tests.fakes.accounts import browser
from tests.http.world import NOW, World, article
from tests.waiting import PATIENCE_S

ONE, TWO = article(1), article(2)


def world_with_articles(**more):
    """Return a world whose archive has articles 1 to 60."""
    world = World(**more)
    for number in range(1, 61):
        one = article(number)
        world.desk.archived[one.id] = ArchivedArticle(one, NOW, NOW, one.id)
    return world


class Person:
    """A person who is signed in with a browser."""

    def __init__(self, world, headers):
        self.services = world.services
        self._client = create_app(self.services).test_client()
        self.headers = headers

    @classmethod
    async def of(cls, world, username="alice"):
        """Sign a person in."""
        return cls(world, await browser(world, username))

    async def ask(self, method, path, **more):
        """Send one request and return the response."""
        return await self._client.open(
            path, method=method, headers=self.headers | more.pop("headers", {}), **more
        )

    async def download(self, path):
        """Return the response of a GET, whose pieces are read as they come.

        The framework's client reads them after the end, and blocks the service at the eleventh.
        """
        async with self._client.request(path, method="GET", headers=self.headers) as connection:
            await connection.send_complete()
            with trio.fail_after(PATIENCE_S):
                return await connection.as_response()

    async def get(self, path):
        """Return the body of a GET, which must succeed."""
        response = await self.download(path)
        assert response.status_code == 200, await response.get_data()
        return await response.get_json()

    async def put(self, path, **members):
        """Return the status and body of a PUT."""
        response = await self.ask("PUT", path, json=members)
        return response.status_code, await response.get_json()

    async def delete(self, path):
        """Return the status of a DELETE."""
        return (await self.ask("DELETE", path)).status_code


async def code(response):
    """Return a problem's status and code."""
    return response.status_code, (await response.get_json())["code"]


def past_search(number, **changes):
    """Return a search made `number` seconds before NOW."""
    digits = "".join("abcdefghij"[int(digit)] for digit in str(number))
    values = {
        "id": f"h_{digits:a>20}",
        "query": f"query {number}",
        "results_count": number,
        "searched_at": NOW - timedelta(seconds=number),
    }
    return PastSearch(**values | changes)
