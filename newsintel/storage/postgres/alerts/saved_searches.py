"""The SavedSearches port: people's saved searches, with their channels."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from asyncpg import Record

from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.digests import Every
from newsintel.domain.alerts.model import (
    Channel,
    MatchPage,
    NewChannel,
    Preview,
    SavedSearch,
    SearchDraft,
    WatchedQuery,
)
from newsintel.domain.alerts.ports import Revise
from newsintel.domain.alerts.watched import build_watched, read_watched, write_watched
from newsintel.domain.paging import Position
from newsintel.domain.security.sealing import Sealer
from newsintel.storage.postgres.accounts.accounts import LOCK_ACCOUNT, new_id
from newsintel.storage.postgres.alerts.anchor_keys import check_share, find_anchors, put_anchors
from newsintel.storage.postgres.alerts.channel_rows import add_channels, replace_channels
from newsintel.storage.postgres.alerts.digest_times import move_open_deliveries
from newsintel.storage.postgres.alerts.ending import end_searches
from newsintel.storage.postgres.alerts.listed_stories import build_match, list_stories
from newsintel.storage.postgres.alerts.previewing import preview_query
from newsintel.storage.postgres.changing import change_rows
from newsintel.storage.postgres.pool import Connection, Postgres

TAKEN = "SELECT count(*) FROM saved_searches WHERE user_id = $1"

MAKE = """
INSERT INTO saved_searches
    (public_id, user_id, name, query, every, time_zone, paused, later_members, created_at,
     changed_at, watching_since)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $9) RETURNING id
"""

LIST = """
SELECT search.*, (
    SELECT max(matched_at) FROM search_matches WHERE saved_search_id = search.id
) AS last_matched_at
FROM saved_searches AS search
WHERE user_id = $1 AND ($2::text IS NULL OR public_id = $2) ORDER BY created_at DESC, id DESC
"""

CHANNELS = "SELECT * FROM alert_channels WHERE saved_search_id = ANY($1::bigint[]) ORDER BY id"

LOCK = """
SELECT id FROM saved_searches WHERE user_id = $1 AND public_id = $2 FOR NO KEY UPDATE
"""

CHANGE = """
UPDATE saved_searches SET name = $2, query = $3, every = $4, time_zone = $5, paused = $6,
    later_members = $7, changed_at = $8,
    watching_since = CASE WHEN $9 THEN $8 ELSE watching_since END
WHERE id = $1
"""

DELETE = "DELETE FROM saved_searches WHERE user_id = $1 AND public_id = $2"

FIND = "SELECT id FROM saved_searches WHERE user_id = $1 AND public_id = $2"

MATCHES = list_stories("""
SELECT * FROM search_matches WHERE saved_search_id = $1 AND article_id IS NOT NULL AND (
    $2::timestamptz IS NULL OR (matched_at, group_id) < ($2, $3::bigint)
)
ORDER BY matched_at DESC, group_id DESC LIMIT $4
""")


class PostgresSavedSearches:
    """Saved searches as rows. Every method but `delete` is one unit of work.

    Args:
        postgres: the pool.
        sealer: returns what encrypts signing keys.
    """

    def __init__(self, postgres: Postgres, sealer: Callable[[], Sealer]) -> None:
        self._postgres = postgres
        self._sealer = sealer

    async def create(
        self,
        user_id: int,
        draft: SearchDraft,
        channels: Sequence[NewChannel],
        most: int,
        at: datetime,
    ) -> SavedSearch | None:
        return await self._postgres.run_once(
            _create, user_id, draft, channels, most=most, at=at, sealer=self._sealer
        )

    async def list_of_user(self, user_id: int) -> tuple[SavedSearch, ...]:
        return await self._postgres.run(_list, user_id, None)

    async def find(self, user_id: int, public_id: str) -> SavedSearch | None:
        return await self._postgres.run(_find, user_id, public_id)

    async def change(
        self, user_id: int, public_id: str, revise: Revise, at: datetime
    ) -> SavedSearch | None:
        return await self._postgres.run_once(
            _change, user_id, public_id, revise, at=at, sealer=self._sealer
        )

    async def delete(self, user_id: int, public_id: str) -> bool:
        """What it matched is deleted before, in pieces: if one fails, the search is paused."""
        await end_searches(self._postgres, user_id, public_id)
        return await self._postgres.run_once(change_rows, DELETE, user_id, public_id) > 0

    async def list_matches(
        self, user_id: int, public_id: str, limit: int, after: Position | None
    ) -> MatchPage | None:
        return await self._postgres.run(_list_matches, user_id, public_id, limit, after)

    async def preview(self, query: WatchedQuery, now: datetime) -> Preview:
        return await self._postgres.run(preview_query, query, now)


async def _create(
    connection: Connection,
    user_id: int,
    draft: SearchDraft,
    channels: Sequence[NewChannel],
    *,
    most: int,
    at: datetime,
    sealer: Callable[[], Sealer],
) -> SavedSearch | None:
    query = build_watched(draft.query)
    anchors = await find_anchors(connection, query)
    await check_share(connection, query)
    async with connection.transaction():
        await connection.execute(LOCK_ACCOUNT, user_id)
        if await connection.fetchval(TAKEN, user_id) >= most:
            return None
        public_id = new_id("w")
        search = await connection.fetchval(MAKE, public_id, user_id, *_list_values(draft), at)
        await put_anchors(connection, search, anchors)
        await add_channels(connection, search, channels, sealer)
    return await _find(connection, user_id, public_id)


async def _change(
    connection: Connection,
    user_id: int,
    public_id: str,
    revise: Revise,
    *,
    at: datetime,
    sealer: Callable[[], Sealer],
) -> SavedSearch | None:
    async with connection.transaction():
        search = await connection.fetchval(LOCK, user_id, public_id)
        old = await _find(connection, user_id, public_id)
        if search is None or old is None:
            return None
        draft, channels = revise(old)
        asks_otherwise = old.query != draft.query
        if asks_otherwise:
            query = build_watched(draft.query)
            await put_anchors(connection, search, await find_anchors(connection, query))
            await check_share(connection, query)
        fresh = asks_otherwise or (old.paused and not draft.paused)
        await connection.execute(CHANGE, search, *_list_values(draft), at, fresh)
        if channels is not None:
            await replace_channels(connection, search, channels, sealer)
        if (old.every, old.time_zone) != (draft.every, draft.time_zone):
            await move_open_deliveries(connection, search, draft.every, draft.time_zone, at)
    return await _find(connection, user_id, public_id)


async def _find(connection: Connection, user_id: int, public_id: str) -> SavedSearch | None:
    found = await _list(connection, user_id, public_id)
    return found[0] if found else None


async def _list(
    connection: Connection, user_id: int, public_id: str | None
) -> tuple[SavedSearch, ...]:
    rows = await connection.fetch(LIST, user_id, public_id)
    channels: dict[int, list[Channel]] = {row["id"]: [] for row in rows}
    for row in await connection.fetch(CHANNELS, list(channels)):
        channels[row["saved_search_id"]].append(_build_channel(row))
    return tuple(_build_search(row, tuple(channels[row["id"]])) for row in rows)


async def _list_matches(
    connection: Connection, user_id: int, public_id: str, limit: int, after: Position | None
) -> MatchPage | None:
    search = await connection.fetchval(FIND, user_id, public_id)
    if search is None:
        return None
    at, group = (
        (datetime.fromisoformat(str(after.keys[0])), int(after.keys[1])) if after else (None, None)
    )
    rows = await connection.fetch(MATCHES, search, at, group, limit + 1)
    matches = tuple(map(build_match, rows[:limit]))
    if len(rows) <= limit:
        return MatchPage(matches, None)
    last = rows[limit - 1]
    return MatchPage(matches, Position((last["matched_at"].isoformat(), str(last["group_id"]))))


def _list_values(draft: SearchDraft) -> tuple[Any, ...]:
    """Return the values of the columns from name to later_members."""
    query = json.dumps(write_watched(draft.query))
    return (
        *(draft.name, query, draft.every.value, draft.time_zone),
        *(draft.paused, draft.later_members),
    )


def _read_query(row: Record) -> WatchedQuery:
    return read_watched(json.loads(row["query"]))


def _build_search(row: Record, channels: tuple[Channel, ...]) -> SavedSearch:
    return SavedSearch(
        public_id=row["public_id"],
        name=row["name"],
        query=_read_query(row),
        channels=channels,
        every=Every(row["every"]),
        time_zone=row["time_zone"],
        paused=row["paused"],
        later_members=row["later_members"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
        last_matched_at=row["last_matched_at"],
    )


def _build_channel(row: Record) -> Channel:
    return Channel(
        row["id"],
        ChannelKind(row["kind"]),
        row["address"],
        confirmed_at=row["confirmed_at"],
        disabled_at=row["disabled_at"],
        disabled_reason=row["disabled_reason"],
        failing_since=row["failing_since"],
        last_delivered_at=row["last_delivered_at"],
    )
