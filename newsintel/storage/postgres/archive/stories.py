"""The StoryGroups port: finds the story of each article that waits in `story_queue`.

An article is compared with the founders of the same days that share words with it. Only one process
at a time does this: two that place similar articles at once would found two stories.

A title must never end the process, which would find it again at its next start. So an article whose
title meets a bug is a story of its own that no other article joins.
"""

from collections.abc import Sequence
from datetime import timedelta
from math import inf
from time import perf_counter
from typing import Any

import trio

from newsintel.domain.bounds.batch_size import BatchSize
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.dedup import GroupMatch, Headline, StoryFounders
from newsintel.domain.search.stories.keys import list_own_keys, list_wanted_keys
from newsintel.domain.search.stories.parsed_title import parse_title
from newsintel.domain.search.stories.similarity import MIN_COMMON
from newsintel.errors import ArchiveTimeoutError
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.storage.loop_turns import run_in_loop_turns
from newsintel.storage.postgres.archive.article_rows import transpose_rows
from newsintel.storage.postgres.changing import change_rows
from newsintel.storage.postgres.pool import Connection, Postgres

log = get_logger(__name__)

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

MOST_FOUNDERS = 200
"""Most founders that are compared for one article: those that share the most with it, of equals the
newest. Titles made by a program, such as notices of earthquakes, may be similar to thousands.
"""

PLACE_S = 0.2
"""How long one transaction compares titles; the articles that are left wait for the next one. The
server ends a transaction that is idle for five seconds, and other work wants its share of the time.
The most expensive article takes 0.1 s.
"""

FORGET_EVERY_S = 600.0

FORGOTTEN_AT_ONCE = 20_000
"""Keys that one turn forgets. A service that was off for days has millions to forget."""

CANDIDATES = f"""
SELECT DISTINCT founder_id FROM (
    SELECT kept.founder_id, row_number() OVER (
        PARTITION BY wanted.article_id ORDER BY sum(wanted.weight) DESC, kept.founder_id DESC
    ) AS place
    FROM unnest($1::bigint[], $2::bigint[], $3::float8[]) AS wanted (article_id, key, weight)
    JOIN story_keys AS kept USING (key)
    GROUP BY wanted.article_id, kept.founder_id
    HAVING sum(wanted.weight) >= {MIN_COMMON}
) AS likely WHERE place <= {MOST_FOUNDERS}
"""  # noqa: S608 - our own numbers

WAIT_AGAIN = "INSERT INTO story_queue SELECT unnest($1::bigint[]) ON CONFLICT DO NOTHING"

PLACE = """
INSERT INTO article_stories (article_id, founder_id, rule, similarity)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::float8[])
ON CONFLICT DO NOTHING
"""

ADD_KEYS = """
INSERT INTO story_keys (key, founder_id) SELECT * FROM unnest($1::bigint[], $2::bigint[])
ON CONFLICT DO NOTHING
"""

FORGET_KEYS = """
DELETE FROM story_keys WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM story_keys WHERE added_at < now() - $1::interval
    LIMIT $2 FOR UPDATE SKIP LOCKED
))
"""


Row = tuple[Any, ...]


class PostgresStories:
    """Places articles into stories. Several processes may ask for this at once."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._forget_at = -inf
        self._forgets = BatchSize()
        self._size = BatchSize()
        self._compares = True

    async def place_batch(self) -> int:
        """A batch is up to BATCH_ROWS articles, the earliest first; at most PLACE_S of work.

        Thousands of founders may share words with each article, so that PostgreSQL ends the search
        for them. Then the next batch is smaller; an article that takes too long alone is a story of
        its own.
        """
        await self._forget_keys()
        rows = self._size.cut(BATCH_ROWS)
        try:
            placed = await self._postgres.run(_place_batch, rows, compare=self._compares)
        except ArchiveTimeoutError:
            self._size.shrink()
            self._compares = rows > 1
            raise
        self._size.grow()
        self._compares = True
        return placed

    async def _forget_keys(self) -> None:
        """Forget some old keys if it is time: the rest in the next turns.

        If that takes too long, fewer are forgotten next time: stories do not wait for it.
        """
        if trio.current_time() < self._forget_at:
            return
        most = self._forgets.cut(FORGOTTEN_AT_ONCE)
        try:
            forgotten = await self._postgres.run(change_rows, FORGET_KEYS, KEYS_KEPT, most)
        except ArchiveTimeoutError:
            self._forgets.shrink()
            return
        self._forgets.grow()
        if forgotten < most:
            self._forget_at = trio.current_time() + FORGET_EVERY_S


async def _place_batch(connection: Connection, rows: int, *, compare: bool) -> int:
    async with connection.transaction():
        if not await connection.fetchval(LOCK_STORIES):
            return 0
        taken = [row["article_id"] for row in await connection.fetch(TAKE, rows)]
        if not taken:
            return 0
        arrived = await connection.fetch(TITLES, taken)
        founders = await _fetch_founders(connection, arrived) if compare else ()
        placed, keys = await run_in_loop_turns(_place(founders, arrived))
        await connection.execute(PLACE, *transpose_rows(placed))
        if keys:
            await connection.execute(ADD_KEYS, *transpose_rows(keys))
        if len(placed) < len(arrived):
            await connection.execute(WAIT_AGAIN, [row["id"] for row in arrived[len(placed) :]])
        return len(placed)


async def _fetch_founders(connection: Connection, arrived: Sequence[Any]) -> Sequence[Any]:
    """Return the founders that may be of the stories of some articles, the earliest first."""
    wanted = await run_in_loop_turns(_list_wanted(arrived))
    if not wanted:
        return ()
    likely = await connection.fetch(CANDIDATES, *transpose_rows(wanted))
    founders: Sequence[Any] = await connection.fetch(TITLES, [row["founder_id"] for row in likely])
    return founders


def _list_wanted(arrived: Sequence[Any]) -> Sliced[list[tuple[int, int, float]]]:
    """Return the keys that each article looks for, with their weights."""
    wanted = []
    for row in arrived:
        try:
            keys = list_wanted_keys(parse_title(row["title"]), row["published_at"])
        except Exception:  # noqa: BLE001 - _place meets the same bug and logs it
            keys = []
        wanted += [(row["id"], key, weight) for key, weight in keys]
        yield
    return wanted


def _place(founders: Sequence[Any], arrived: Sequence[Any]) -> Sliced[tuple[list[Row], list[Row]]]:
    """Place the articles, the earliest first, until PLACE_S is over; at least one.

    Returns:
        The rows of `article_stories`, and those of `story_keys` for the new founders.
    """
    stories = StoryFounders()
    for row in founders:
        try:
            stories.add(_build_headline(row), row["id"])
        except Exception:
            log.exception("title_bug", article=row["id"])
        yield
    placed: list[Row] = []
    keys: list[Row] = []
    end_s = perf_counter() + PLACE_S
    for row in arrived:
        if placed and perf_counter() >= end_s:
            break
        number = row["id"]
        try:
            match, own = yield from _place_row(stories, row)
        except Exception:
            log.exception("title_bug", article=number)
            match, own = GroupMatch(number), []
        placed.append((number, match.founder, match.rule, match.similarity))
        keys += [(key, number) for key in own]
        yield
    return placed, keys


def _place_row(stories: StoryFounders, row: Any) -> Sliced[tuple[GroupMatch, list[int]]]:
    """Return an article's story, and its keys if it founds one."""
    headline = _build_headline(row)
    match = yield from stories.find(headline)
    if match is not None:
        return match, []
    keys = list_own_keys(parse_title(row["title"]), row["published_at"])
    stories.add(headline, row["id"])
    return GroupMatch(row["id"]), keys


def _build_headline(row: Any) -> Headline:
    return Headline.of_article(
        row["title"],
        row["publisher"],
        row["published_at"],
        estimated=row["published_at_estimated"],
    )
