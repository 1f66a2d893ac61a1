"""The PrivateFeeds port: secret addresses at which people's lists can be read.

The database stores only the SHA-256 of an address's secret.
"""

from asyncpg import Record
from attrs import evolve

from newsintel.domain.personal.model import FeedList, OwnedFeed, PrivateFeed
from newsintel.storage.postgres.accounts.accounts import LOCK_ACCOUNT, new_id
from newsintel.storage.postgres.changing import change_rows
from newsintel.storage.postgres.pool import Connection, Postgres

TAKEN = "SELECT count(*) FROM private_feeds WHERE user_id = $1"
MAKE = """
INSERT INTO private_feeds (public_id, user_id, digest, name, shows, q, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
LIST = """
SELECT public_id, name, shows, q, created_at FROM private_feeds
WHERE user_id = $1 ORDER BY created_at DESC, id DESC
"""
FIND = """
SELECT users.id AS user_id, users.public_id AS person,
    feed.public_id, feed.name, feed.shows, feed.q, feed.created_at
FROM private_feeds AS feed JOIN users ON users.id = feed.user_id WHERE feed.digest = $1
"""
REVOKE = "DELETE FROM private_feeds WHERE user_id = $1 AND public_id = $2"


class PostgresPrivateFeeds:
    """Private feeds as rows. Every method is one unit of work."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def create(
        self, user_id: int, feed: PrivateFeed, digest: str, most: int
    ) -> PrivateFeed | None:
        named = evolve(feed, public_id=new_id("f"))
        return named if await self._postgres.run_once(_make, user_id, named, digest, most) else None

    async def list_of_user(self, user_id: int) -> tuple[PrivateFeed, ...]:
        return tuple(_feed(row) for row in await self._postgres.run(_list, user_id))

    async def revoke(self, user_id: int, public_id: str) -> bool:
        return await self._postgres.run_once(change_rows, REVOKE, user_id, public_id) > 0

    async def find(self, digest: str) -> OwnedFeed | None:
        row = await self._postgres.run(_find, digest)
        return None if row is None else OwnedFeed(row["user_id"], row["person"], _feed(row))


async def _make(
    connection: Connection, user_id: int, feed: PrivateFeed, digest: str, most: int
) -> bool:
    async with connection.transaction():
        await connection.execute(LOCK_ACCOUNT, user_id)
        if await connection.fetchval(TAKEN, user_id) >= most:
            return False
        shows, created_at = feed.shows.value, feed.created_at
        row = (feed.public_id, user_id, digest, feed.name, shows, feed.q, created_at)
        await connection.execute(MAKE, *row)
        return True


async def _list(connection: Connection, user_id: int) -> list[Record]:
    rows: list[Record] = await connection.fetch(LIST, user_id)
    return rows


async def _find(connection: Connection, digest: str) -> Record | None:
    row: Record | None = await connection.fetchrow(FIND, digest)
    return row


def _feed(row: Record) -> PrivateFeed:
    return PrivateFeed(
        row["public_id"], row["name"], FeedList(row["shows"]), row["q"], row["created_at"]
    )
