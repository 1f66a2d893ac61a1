# ruff: noqa: S608 - our own constants
"""Puts saved searches, matches and deliveries into a database, without the code under test."""

from datetime import datetime, timedelta
from itertools import count

from newsintel.storage.postgres.archive.articles import PostgresArchive
from tests.storage.support import NOON

ADDRESS = "https://receiver.example/hook"

_numbers = count(1)


def quoted(value: str | datetime) -> str:
    """An SQL literal."""
    return "'{}'".format(str(value).replace("'", "''"))


def later(seconds: float) -> datetime:
    """A time after NOON."""
    return NOON + timedelta(seconds=seconds)


class Alerts:
    """Rows of alerts, made by plain SQL.

    Args:
        execute, fetch: run SQL on the test's database.
        archive: saves articles.
    """

    def __init__(self, execute, fetch, archive: PostgresArchive) -> None:
        self._execute, self._fetch, self._archive = execute, fetch, archive

    async def save_search(self, user_id: int, name: str = "Storms", **channels: str) -> str:
        """Save a search with a channel for each kind that is given; return its public id."""
        public_id = f"w_{'abcdefghij'[next(_numbers) % 10]}{next(_numbers):019d}".replace("0", "q")
        await self._execute(
            "INSERT INTO saved_searches (public_id, user_id, name, query, every, time_zone, "
            "created_at, changed_at, watching_since) VALUES "
            f"({quoted(public_id)}, {user_id}, {quoted(name)}, '{{}}', 'at_once', 'UTC', "
            f"{quoted(NOON)}, {quoted(NOON)}, {quoted(NOON)})"
        )
        for kind, address in (channels or {"ntfy": "https://ntfy.sh/t"}).items():
            await self._execute(
                "INSERT INTO alert_channels (saved_search_id, kind, address) "
                f"SELECT id, {quoted(kind)}, {quoted(address)} FROM saved_searches "
                f"WHERE public_id = {quoted(public_id)}"
            )
        return public_id

    async def list_channels(self, search: str) -> list[int]:
        """The numbers of a search's channels."""
        rows = await self._fetch(
            "SELECT channel.id FROM alert_channels AS channel JOIN saved_searches AS search "
            f"ON search.id = saved_search_id WHERE public_id = {quoted(search)} ORDER BY 1"
        )
        return [row[0] for row in rows]

    async def match(self, search: str, *articles, at: datetime = NOON) -> None:
        """Save articles, each a story that the search matches."""
        await self._archive.save_articles([(one, NOON) for one in articles], [])
        for number, one in enumerate(articles):
            await self._execute(
                "INSERT INTO search_matches SELECT search.id, article.id, article.id, "
                f"{quoted(at + timedelta(microseconds=number))} "
                "FROM saved_searches AS search, articles AS article "
                f"WHERE search.public_id = {quoted(search)} AND article.public_id = "
                f"{quoted(one.id)}"
            )

    async def put_out(self, channel: int, name: str, *articles, due: datetime = NOON) -> None:
        """Put a delivery of matched articles into the outbox."""
        await self._execute(
            "INSERT INTO alert_deliveries (id, channel_id, created_at, due_at) VALUES "
            f"({quoted(name)}, {channel}, {quoted(NOON)}, {quoted(due)})"
        )
        for one in articles:
            await self._execute(
                "INSERT INTO alert_delivery_matches SELECT "
                f"{quoted(name)}, saved_search_id, group_id "
                "FROM search_matches JOIN articles AS article ON article.id = article_id "
                f"WHERE article.public_id = {quoted(one.id)} AND saved_search_id = "
                f"(SELECT saved_search_id FROM alert_channels WHERE id = {channel})"
            )
