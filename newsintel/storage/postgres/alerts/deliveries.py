"""The Deliveries port: the outbox, the delivery log, and what people do with their channels."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from asyncpg import Record

from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.delivery_model import (
    AlertFeed,
    Attempt,
    ClaimedDelivery,
    DeliveryState,
    FreshMatch,
    LoggedAttempt,
    LoggedDelivery,
    Outcome,
    Settlement,
)
from newsintel.domain.alerts.signing import create_secret, rotate_keys
from newsintel.domain.security.sealing import Sealer
from newsintel.errors import UnknownKeyError
from newsintel.storage.postgres.accounts.accounts import new_id
from newsintel.storage.postgres.alerts import outbox
from newsintel.storage.postgres.alerts.channel_keys import open_keys, seal_keys
from newsintel.storage.postgres.alerts.listed_stories import build_match
from newsintel.storage.postgres.changing import change_rows
from newsintel.storage.postgres.pieces import delete_in_pieces
from newsintel.storage.postgres.pool import Connection, Postgres

LISTED_DELIVERIES = 50
"""Deliveries that the log shows, the newest first."""

MOST_FINISHED = 200
"""Finished deliveries of a channel that are kept."""

PRUNED_CHANNELS = 100
"""Channels whose deliveries one statement looks through: each has MOST_FINISHED, and what has come
since the last time.
"""

TEST_PAUSE = timedelta(minutes=1)
"""Time between two tests of a channel: nobody can flood a receiver with tests. While one waits in
the outbox, there is no other."""

FIND = "SELECT id FROM saved_searches WHERE user_id = $1 AND public_id = $2"

# Before the channels are read: two tests at once would not see each other's deliveries.
LOCK = f"{FIND} FOR NO KEY UPDATE"

LOG = """
SELECT delivery.id, kind, address, state, is_test, created_at, due_at, (
    SELECT count(*) FROM alert_delivery_matches WHERE delivery_id = delivery.id
) AS stories
FROM alert_deliveries AS delivery JOIN alert_channels AS channel ON channel.id = channel_id
WHERE saved_search_id = $1 ORDER BY created_at DESC, delivery.id LIMIT $2
"""

ATTEMPTS = """
SELECT delivery_id, attempted_at, outcome, status_code, detail, latency_ms FROM alert_attempts
WHERE delivery_id = ANY($1::text[]) ORDER BY id DESC
"""

CHANNELS = """
SELECT id FROM alert_channels AS channel
WHERE saved_search_id = $1 AND kind <> 'feed' AND disabled_at IS NULL
AND (NOT $3 OR kind = 'email' AND confirmed_at IS NULL)
AND NOT EXISTS (
    SELECT FROM alert_deliveries WHERE channel_id = channel.id AND is_test
        AND (created_at > $2 OR state = 'pending')
)
ORDER BY id
"""

ADD_TESTS = """
INSERT INTO alert_deliveries (id, channel_id, is_test, created_at, due_at)
SELECT id, channel_id, true, $3, $3 FROM unnest($1::text[], $2::bigint[]) AS row (id, channel_id)
"""

WEBHOOK = """
SELECT id, sealed_keys FROM alert_channels
WHERE saved_search_id = $1 AND kind = 'webhook' AND address = $2 FOR UPDATE
"""

SET_KEYS = "UPDATE alert_channels SET sealed_keys = $2 WHERE id = $1"

CONFIRM = """
UPDATE alert_channels AS channel SET confirmed_at = coalesce(confirmed_at, $2)
FROM saved_searches AS search
WHERE channel.id = $1 AND search.id = saved_search_id AND disabled_at IS NULL
RETURNING search.name
"""

END = """
UPDATE alert_channels AS channel SET confirmed_at = NULL,
    disabled_at = coalesce(disabled_at, $3), disabled_reason = coalesce(disabled_reason, $2)
FROM saved_searches AS search WHERE channel.id = $1 AND search.id = saved_search_id
RETURNING search.name
"""

FEED = """
SELECT users.id AS user_id, users.public_id AS person, search.public_id AS search_id, search.name
FROM alert_channels AS channel JOIN saved_searches AS search ON search.id = saved_search_id
JOIN users ON users.id = search.user_id
WHERE feed_digest = $1 AND disabled_at IS NULL
"""

# Index alert_deliveries_due has all that is pending.
CORRECT = """
UPDATE alert_deliveries SET due_at = least(due_at, $1), claimed_until = NULL
WHERE state = 'pending' AND (due_at > $2 OR claimed_until > $3)
"""

LONGEST_WAIT = timedelta(days=3)
"""No delivery waits longer: a digest a day, a retry MAX_ASKED_S."""

LONGEST_CLAIM = timedelta(hours=1)
"""No process claims a delivery for longer than some minutes."""

NEXT_CHANNELS = "SELECT id FROM alert_channels WHERE id > $1 ORDER BY id LIMIT $2"

PRUNE = """
DELETE FROM alert_deliveries WHERE id IN (
    SELECT id FROM (
        SELECT id, created_at, row_number() OVER (
            PARTITION BY channel_id ORDER BY created_at DESC
        ) AS place
        FROM alert_deliveries WHERE state <> 'pending' AND channel_id = ANY($3::bigint[])
    ) AS finished WHERE created_at < $1 OR place > $2 LIMIT $4
)
"""

SEALED = """
SELECT id, sealed_keys FROM alert_channels
WHERE id > $1 AND sealed_keys IS NOT NULL ORDER BY id LIMIT $2
"""

# Keys that were rotated meanwhile are left alone: a running service has sealed them.
RESEAL = "UPDATE alert_channels SET sealed_keys = $3 WHERE id = $1 AND sealed_keys = $2"

PAGE_ROWS = 200


class PostgresDeliveries:
    """Deliveries as rows. Every method is one unit of work.

    Args:
        postgres: the pool.
        sealer: returns what encrypts signing keys.
    """

    def __init__(self, postgres: Postgres, sealer: Callable[[], Sealer]) -> None:
        self._postgres = postgres
        self._sealer = sealer

    async def claim(
        self, now: datetime, until: datetime, busy: Sequence[str] = ()
    ) -> ClaimedDelivery | None:
        """A retry after a lost connection may leave one more delivery claimed for a while."""
        return await self._postgres.run(outbox.claim, now, until, busy, self._sealer)

    async def settle(
        self,
        delivery: ClaimedDelivery,
        attempt: Attempt,
        settlement: Settlement,
        now: datetime,
        latency_ms: int,
    ) -> bool:
        return await self._postgres.run(
            outbox.settle, delivery, attempt, settlement, now, latency_ms
        )

    async def list_log(self, user_id: int, search_id: str) -> Sequence[LoggedDelivery] | None:
        return await self._postgres.run(_list_log, user_id, search_id)

    async def create_tests(
        self, user_id: int, search_id: str, now: datetime, *, unconfirmed: bool = False
    ) -> int | None:
        return await self._postgres.run_once(_create_tests, user_id, search_id, now, unconfirmed)

    async def rotate_secret(
        self, user_id: int, search_id: str, address: str, now: datetime
    ) -> str | None:
        return await self._postgres.run_once(
            _rotate_secret, user_id, search_id, address, now, self._sealer
        )

    async def confirm_channel(self, channel: int, now: datetime) -> str | None:
        row = await self._postgres.run(_fetch_row, CONFIRM, channel, now)
        return None if row is None else str(row["name"])

    async def end_channel(self, channel: int, reason: str, now: datetime) -> str | None:
        return await self._postgres.run(_end_channel, channel, reason, now)

    async def find_feed(self, digest: str) -> AlertFeed | None:
        row = await self._postgres.run(_fetch_row, FEED, digest)
        return None if row is None else AlertFeed(**dict(row))

    async def list_fresh(self, user_id: int, since: datetime, most: int) -> Sequence[FreshMatch]:
        rows = await self._postgres.run(_fetch, outbox.FRESH, user_id, since, most)
        return [
            FreshMatch(row["search_id"], row["search_name"], build_match(row))
            for row in reversed(rows)  # FRESH has the latest first
        ]

    async def prune_log(self, before: datetime) -> int:
        pruned, after = 0, 0
        while rows := await self._postgres.run(_fetch, NEXT_CHANNELS, after, PRUNED_CHANNELS):
            ids = [row["id"] for row in rows]
            pruned += await delete_in_pieces(self._postgres, PRUNE, before, MOST_FINISHED, ids)
            after = ids[-1]
        return pruned

    async def correct_times(self, now: datetime) -> int:
        limits = now + LONGEST_WAIT, now + LONGEST_CLAIM
        return await self._postgres.run(change_rows, CORRECT, now, *limits)

    async def reseal_all(self) -> int:
        resealed, after, unknown = 0, 0, None
        while rows := await self._postgres.run(_fetch, SEALED, after, PAGE_ROWS):
            for row in rows:
                after = row["id"]
                try:
                    resealed += await self._reseal(row["id"], row["sealed_keys"])
                except UnknownKeyError as error:
                    unknown = error
        if unknown is not None:
            raise unknown
        return resealed

    async def _reseal(self, channel: int, sealed: bytes) -> bool:
        if self._sealer().is_newest(sealed):
            return False
        new = seal_keys(self._sealer(), channel, open_keys(self._sealer(), channel, sealed))
        await self._postgres.run(_execute, RESEAL, channel, sealed, new)
        return True


async def _list_log(
    connection: Connection, user_id: int, search_id: str
) -> tuple[LoggedDelivery, ...] | None:
    search = await connection.fetchval(FIND, user_id, search_id)
    if search is None:
        return None
    rows = await connection.fetch(LOG, search, LISTED_DELIVERIES)
    attempts: dict[str, list[LoggedAttempt]] = {row["id"]: [] for row in rows}
    for row in await connection.fetch(ATTEMPTS, [*attempts]):
        attempts[row["delivery_id"]].append(
            LoggedAttempt(
                row["attempted_at"],
                Outcome(row["outcome"]),
                *(row["status_code"], row["detail"], row["latency_ms"]),
            )
        )
    return tuple(
        LoggedDelivery(
            row["id"],
            ChannelKind(row["kind"]),
            row["address"],
            DeliveryState(row["state"]),
            *(row["is_test"], row["created_at"], row["due_at"], row["stories"]),
            tuple(attempts[row["id"]]),
        )
        for row in rows
    )


async def _create_tests(
    connection: Connection,
    user_id: int,
    search_id: str,
    now: datetime,
    unconfirmed: bool,  # noqa: FBT001 - passed on by position
) -> int | None:
    async with connection.transaction():
        search = await connection.fetchval(LOCK, user_id, search_id)
        if search is None:
            return None
        rows = await connection.fetch(CHANNELS, search, now - TEST_PAUSE, unconfirmed)
        channels = [row["id"] for row in rows]
        await connection.execute(ADD_TESTS, [new_id("d") for _ in channels], channels, now)
    return len(channels)


async def _rotate_secret(  # noqa: PLR0917 - a unit of work takes its values by position
    connection: Connection,
    user_id: int,
    search_id: str,
    address: str,
    now: datetime,
    sealer: Callable[[], Sealer],
) -> str | None:
    async with connection.transaction():
        search = await connection.fetchval(FIND, user_id, search_id)
        row = await connection.fetchrow(WEBHOOK, search, address)
        if row is None:
            return None
        try:
            old = open_keys(sealer(), row["id"], row["sealed_keys"])
        except UnknownKeyError:
            old = ()  # it cannot sign anyway
        secret = create_secret()
        sealed = seal_keys(sealer(), row["id"], rotate_keys(old, secret, now))
        await connection.execute(SET_KEYS, row["id"], sealed)
    return secret


async def _end_channel(
    connection: Connection, channel: int, reason: str, now: datetime
) -> str | None:
    async with connection.transaction():
        name: str | None = await connection.fetchval(END, channel, reason, now)
        await connection.execute(outbox.CANCEL, channel)
    return name


async def _execute(connection: Connection, statement: str, *arguments: object) -> None:
    await connection.execute(statement, *arguments)


async def _fetch(connection: Connection, statement: str, *arguments: object) -> list[Record]:
    rows: list[Record] = await connection.fetch(statement, *arguments)
    return rows


async def _fetch_row(connection: Connection, statement: str, *arguments: object) -> Record | None:
    row: Record | None = await connection.fetchrow(statement, *arguments)
    return row
