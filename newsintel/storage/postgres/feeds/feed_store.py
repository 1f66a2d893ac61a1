"""The FeedStore port: feeds as rows, and leases of their hosts.

A process polls a feed only while it holds the lease of the feed's host. So no two processes poll
one feed, or one host, at once; and the pause between two polls of a host is the same for all.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from asyncpg import Record

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.feeds.model import (
    MAX_FEEDS,
    FeedState,
    LeasedFeed,
    Origin,
    PollResult,
    PollStatus,
    Subscription,
    Validators,
    find_host,
)
from newsintel.domain.limits.pauses import MAX_PAUSE_S
from newsintel.runtime.turns import run_in_turns
from newsintel.storage.postgres.archive.article_rows import transpose_rows
from newsintel.storage.postgres.changing import change_rows
from newsintel.storage.postgres.pool import Connection, Postgres

ADD_HOSTS = """
INSERT INTO feed_hosts (host, free_at)
SELECT DISTINCT host, $2::timestamptz FROM unnest($1::text[]) AS host ORDER BY host
ON CONFLICT DO NOTHING
"""

# A removed feed comes back by a command only. Its state says whether it was new: `xmax = 0` is true
# for a row that this statement inserted.
ADD = """
INSERT INTO feeds AS kept (
    address, url, host, publisher, language, country, licence, state_media, title, origin, next_at
)
SELECT DISTINCT ON (address)
    address, address, host, publisher, language, country, licence, state_media, title, $9, $10
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[],
    $8::text[]
) AS row (address, host, publisher, language, country, licence, state_media, title)
ORDER BY address
ON CONFLICT (address) DO UPDATE SET
    publisher = coalesce(excluded.publisher, kept.publisher),
    language = coalesce(excluded.language, kept.language),
    country = coalesce(excluded.country, kept.country),
    licence = coalesce(excluded.licence, kept.licence),
    state_media = kept.state_media OR excluded.state_media,
    title = coalesce(kept.title, excluded.title),
    origin = CASE WHEN kept.origin = 'command' THEN kept.origin ELSE excluded.origin END,
    removed = kept.removed AND excluded.origin = 'setting',
    next_at = CASE WHEN kept.removed AND excluded.origin = 'command'
        THEN excluded.next_at ELSE kept.next_at END
RETURNING xmax = 0 AS new
"""

KEEP = "DELETE FROM feeds WHERE origin = 'setting' AND address <> ALL($1::text[])"

REMOVE = "UPDATE feeds SET removed = true WHERE address = $1 AND NOT removed"

CLOCK_AHEAD = timedelta(seconds=2 * MAX_PAUSE_S)
"""No time of a poll, and no end of a lease or of a host's pause, is this far ahead, unless a clock
was."""

LIST = "SELECT * FROM feeds WHERE NOT removed ORDER BY address LIMIT $1"

# What was added, polled or leased while a clock was far ahead is due when it is right again.
LEASE = """
WITH due AS (
    SELECT feeds.id, feeds.host FROM feeds JOIN feed_hosts USING (host)
    WHERE NOT feeds.removed
        AND (
            feeds.next_at <= $1
            OR feeds.next_at IS NOT NULL AND coalesce(feeds.polled_at, 'infinity') > $4
        )
        AND (feed_hosts.free_at <= $1 OR feed_hosts.free_at > $4)
    ORDER BY feeds.next_at, feeds.id LIMIT 1 FOR UPDATE OF feed_hosts SKIP LOCKED
),
leased AS (
    UPDATE feed_hosts SET free_at = $2, lease = $3 FROM due WHERE feed_hosts.host = due.host
)
SELECT feeds.* FROM feeds JOIN due USING (id)
"""

FREE = """
UPDATE feed_hosts SET free_at = $3, lease = NULL WHERE host = $1 AND lease = $2 RETURNING host
"""

SETTLE = """
UPDATE feeds SET
    status = $2, reason = $3, next_at = $4, failures = $5, polled_at = $6,
    answered_at = CASE WHEN $7 THEN $6 ELSE answered_at END,
    url = coalesce($8, url), host = coalesce($9, host),
    etag = coalesce($10, etag), last_modified = coalesce($11, last_modified),
    digest = coalesce($12, digest), title = coalesce($13, title), items = coalesce($14, items),
    rhythm_s = coalesce($15, rhythm_s), newest_at = greatest($16, newest_at)
WHERE id = $1
"""

IS_READ = """
SELECT EXISTS (SELECT FROM feeds WHERE answered_at IS NOT NULL)
    OR EXISTS (SELECT FROM feeds)
        AND NOT EXISTS (SELECT FROM feeds WHERE NOT removed AND status = 'waiting')
"""


class PostgresFeeds:
    """Feeds as rows. Every method is one unit of work."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add_feeds(self, feeds: Sequence[Subscription], origin: Origin, now: datetime) -> int:
        return await self._postgres.run(_add, feeds, origin, now) if feeds else 0

    async def keep_configured(self, addresses: Sequence[str]) -> int:
        return await self._postgres.run(change_rows, KEEP, list(addresses))

    async def remove_feed(self, address: str) -> bool:
        return await self._postgres.run(change_rows, REMOVE, address) > 0

    async def list_feeds(self) -> Sequence[FeedState]:
        return await run_in_turns(_build_states(await self._postgres.run(_list)))

    async def lease_feed(self, now: datetime, until: datetime) -> LeasedFeed | None:
        """A retry after a lost connection may leave one more host leased until its time ends."""
        lease = secrets.token_hex(16)
        row = await self._postgres.run(_lease, now, until, lease)
        return None if row is None else _build_leased(row, lease)

    async def settle(self, feed: LeasedFeed, result: PollResult, now: datetime) -> bool:
        return await self._postgres.run(_settle, feed, result, now)

    async def is_read(self) -> bool:
        return await self._postgres.run(_is_read)


async def _add(
    connection: Connection, feeds: Sequence[Subscription], origin: Origin, now: datetime
) -> int:
    rows = [
        (
            *(feed.address, find_host(feed.address), feed.publisher, feed.language, feed.country),
            *(feed.licence, feed.state_media, feed.title),
        )
        for feed in feeds
    ]
    async with connection.transaction():
        await connection.execute(ADD_HOSTS, [row[1] for row in rows], now)
        found = await connection.fetch(ADD, *transpose_rows(rows), origin.value, now)
    return sum(row["new"] for row in found)


async def _list(connection: Connection) -> list[Record]:
    rows: list[Record] = await connection.fetch(LIST, MAX_FEEDS)
    return rows


async def _lease(
    connection: Connection, now: datetime, until: datetime, lease: str
) -> Record | None:
    row: Record | None = await connection.fetchrow(LEASE, now, until, lease, now + CLOCK_AHEAD)
    return row


async def _settle(
    connection: Connection, feed: LeasedFeed, result: PollResult, now: datetime
) -> bool:
    async with connection.transaction():
        host = find_host(feed.url)
        if await connection.fetchval(FREE, host, feed.lease, result.host_free_at) is None:
            return False
        moved = find_host(result.url) if result.url else None
        if moved:
            await connection.execute(ADD_HOSTS, [moved], now)
        held = result.validators
        await connection.execute(
            SETTLE,
            *(feed.number, result.status.value, result.reason, result.next_at, result.failures),
            *(now, not result.status.failed, result.url, moved),
            *((held.etag, held.last_modified, held.digest) if held else (None, None, None)),
            *(result.title, result.items, result.rhythm_s, result.newest_at),
        )
    return True


async def _is_read(connection: Connection) -> bool:
    return bool(await connection.fetchval(IS_READ))


def _build_subscription(row: Record) -> Subscription:
    names = ("address", "publisher", "language", "country", "licence", "state_media", "title")
    return Subscription(**{name: row[name] for name in names})


def _build_leased(row: Record, lease: str) -> LeasedFeed:
    return LeasedFeed(
        row["id"],
        _build_subscription(row),
        row["url"],
        lease,
        Validators(row["etag"], row["last_modified"], row["digest"]),
        row["failures"],
        row["rhythm_s"],
        row["newest_at"],
    )


def _build_states(rows: Sequence[Record]) -> Sliced[list[FeedState]]:
    found = []
    for row in rows:
        found.append(_build_state(row))
        yield
    return found


def _build_state(row: Record) -> FeedState:
    return FeedState(
        _build_subscription(row),
        Origin(row["origin"]),
        row["url"],
        PollStatus(row["status"]),
        row["reason"],
        row["polled_at"],
        row["answered_at"],
        row["next_at"],
        row["items"],
        row["newest_at"],
    )
