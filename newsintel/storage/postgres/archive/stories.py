"""The StoryGroups port: finds the story of each article that waits in `story_queue`.

An article is compared with the founders of the same days that share words with it. Only one process
at a time does this: two that place similar articles at once would found two stories.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.dedup import Headline, name_outlet, read_headline
from newsintel.domain.search.stories.keys import list_own_keys, list_wanted_keys
from newsintel.domain.search.stories.placing import Numbered, Placed, place_articles
from newsintel.domain.search.stories.similarity import MIN_COMMON
from newsintel.storage.loop_turns import run_in_loop_turns
from newsintel.storage.postgres.pool import Connection, Postgres

LOCK_STORIES = "SELECT pg_try_advisory_xact_lock(7264053)"
"""An arbitrary number that no other program locks."""

BATCH_ROWS = 100
"""Articles that one transaction places, in about 0.1 s."""

KEYS_KEPT = timedelta(days=7)
"""How long a founder's keys are kept after it was placed. Duplicates are published within three
days; sources and imports bring them late by days."""

TAKE = """
DELETE FROM story_queue
WHERE article_id IN (SELECT article_id FROM story_queue ORDER BY article_id LIMIT $1)
RETURNING article_id
"""

TITLES = """
SELECT id, title, publisher, published_at, published_at_estimated
FROM articles WHERE id = ANY($1::bigint[]) ORDER BY id
"""

CANDIDATES = f"""
SELECT DISTINCT founder_id FROM (
    SELECT kept.founder_id
    FROM unnest($1::bigint[], $2::bigint[], $3::float8[]) AS wanted (article_id, key, weight)
    JOIN story_keys AS kept USING (key)
    GROUP BY wanted.article_id, kept.founder_id
    HAVING sum(wanted.weight) >= {MIN_COMMON}
) AS likely
"""  # noqa: S608 - our own number

PLACE = """
INSERT INTO article_stories (article_id, founder_id, rule, similarity)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::float8[])
ON CONFLICT DO NOTHING
"""

ADD_KEYS = """
INSERT INTO story_keys (key, founder_id) SELECT * FROM unnest($1::bigint[], $2::bigint[])
ON CONFLICT DO NOTHING
"""

FORGET_KEYS = "DELETE FROM story_keys WHERE added_at < now() - $1::interval"


class PostgresStories:
    """Places articles into stories. Several processes may ask for this at once."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def place_batch(self) -> int:
        """A batch is up to BATCH_ROWS articles, the earliest first."""
        return await self._postgres.run(_place_batch)


async def _place_batch(connection: Connection) -> int:
    async with connection.transaction():
        if not await connection.fetchval(LOCK_STORIES):
            return 0
        taken = [row["article_id"] for row in await connection.fetch(TAKE, BATCH_ROWS)]
        if not taken:
            await connection.execute(FORGET_KEYS, KEYS_KEPT)
            return 0
        rows = await connection.fetch(TITLES, taken)
        arrived, asked = await run_in_loop_turns(_read_arrived(rows))
        likely = await connection.fetch(CANDIDATES, *_transpose(asked, 3))
        rows = await connection.fetch(TITLES, [row["founder_id"] for row in likely])
        placed, keys = await run_in_loop_turns(_place(rows, arrived))
        found = [(one.number, one.founder, one.rule, one.similarity) for one in placed]
        await connection.execute(PLACE, *_transpose(found, 4))
        await connection.execute(ADD_KEYS, *_transpose(keys, 2))
        return len(taken)


Arrived = tuple[Any, Numbered]
"""An article's row, and what decides on its story."""


def _read_arrived(
    rows: Sequence[Any],
) -> Sliced[tuple[list[Arrived], list[tuple[int, int, float]]]]:
    """Read the titles; return also the keys that each article looks for, with their weights."""
    arrived, asked = [], []
    for row in rows:
        article = _read_row(row)
        wanted = list_wanted_keys(article.told.title, row["published_at"])
        asked += [(article.number, key, weight) for key, weight in wanted]
        arrived.append((row, article))
        yield
    return arrived, asked


def _place(
    founders: Sequence[Any], arrived: Sequence[Arrived]
) -> Sliced[tuple[list[Placed], list[tuple[int, int]]]]:
    """Place the articles; return also the keys of the new founders."""
    known = []
    for row in founders:
        known.append(_read_row(row))
        yield
    placed = yield from place_articles(known, [article for _, article in arrived])
    keys: list[tuple[int, int]] = []
    for (row, article), place in zip(arrived, placed, strict=True):
        if place.founder == article.number:
            own = list_own_keys(article.told.title, row["published_at"])
            keys += [(key, article.number) for key in own]
            yield
    return placed, keys


def _read_row(row: Any) -> Numbered:
    at = None if row["published_at_estimated"] else row["published_at"]
    headline = Headline(row["title"], name_outlet(row["publisher"]), at)
    return Numbered(row["id"], read_headline(headline))


def _transpose(rows: Sequence[tuple[Any, ...]], columns: int) -> list[list[Any]]:
    """Return the columns of rows, also if there is no row."""
    return [[row[column] for row in rows] for column in range(columns)]
