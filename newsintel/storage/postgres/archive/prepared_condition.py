"""Builds a search's condition for the languages that the archive holds."""

from newsintel.domain.archive.model import ArchiveQuery
from newsintel.storage.loop_turns import run_in_loop_turns
from newsintel.storage.postgres.archive.conditions import SqlCondition, build_condition
from newsintel.storage.postgres.pool import Connection

LANGUAGES = """
WITH RECURSIVE held AS (
    (SELECT text_language FROM articles
     WHERE text_language IS NOT NULL ORDER BY text_language LIMIT 1)
    UNION ALL
    SELECT (SELECT text_language FROM articles
            WHERE text_language > held.text_language ORDER BY text_language LIMIT 1)
    FROM held WHERE held.text_language IS NOT NULL
)
SELECT text_language FROM held WHERE text_language IS NOT NULL
"""
"""The languages by whose rules texts were indexed: one index look-up for each."""


async def list_languages(connection: Connection) -> tuple[str, ...]:
    """Return the languages by whose rules the archive's texts were indexed, in order."""
    return tuple(row["text_language"] for row in await connection.fetch(LANGUAGES))


async def prepare_condition(connection: Connection, query: ArchiveQuery) -> SqlCondition:
    """Return the condition of a query; raises as `build_condition`."""
    held = await list_languages(connection) if query.alternatives else ()
    return await run_in_loop_turns(build_condition(query, held))
