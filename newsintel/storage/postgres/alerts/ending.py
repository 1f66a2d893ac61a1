"""Deletes what saved searches have matched and sent, in pieces, before they are deleted themselves.

A search may have hundreds of thousands of matches: deleting them with its row, in one transaction,
would exceed PostgreSQL's time limit each time, so that nobody could delete the search or its
account.
"""

from newsintel.storage.postgres.pieces import delete_in_pieces
from newsintel.storage.postgres.pool import Connection, Postgres

# A paused search gets no new match and sends none. Without that it would be told stories again
# whose matches are deleted.
PAUSE = """
UPDATE saved_searches SET paused = true
WHERE user_id = $1 AND ($2::text IS NULL OR public_id = $2) RETURNING id
"""

DELIVERIES = """
DELETE FROM alert_deliveries WHERE id IN (
    SELECT sent.id FROM alert_deliveries AS sent
    JOIN alert_channels AS channel ON channel.id = channel_id
    WHERE saved_search_id = $1 LIMIT $2
)
"""

MATCHES = """
DELETE FROM search_matches WHERE saved_search_id = $1 AND group_id IN (
    SELECT group_id FROM search_matches WHERE saved_search_id = $1 LIMIT $2
)
"""

DELIVERIES_AT_ONCE = 200
"""A digest may have thousands of stories."""


async def end_searches(postgres: Postgres, user_id: int, public_id: str | None = None) -> None:
    """Pause an account's saved searches, and delete their deliveries and matches.

    Args:
        postgres: the pool. Each piece is one unit of work; all are safe to repeat.
        user_id: the account.
        public_id: of the only search that ends; None = all.
    """
    for search in await postgres.run(_pause, user_id, public_id):
        await delete_in_pieces(postgres, DELIVERIES, search, most=DELIVERIES_AT_ONCE)
        await delete_in_pieces(postgres, MATCHES, search)


async def _pause(connection: Connection, user_id: int, public_id: str | None) -> list[int]:
    return [row["id"] for row in await connection.fetch(PAUSE, user_id, public_id)]
