"""The AlertMatching port: finds the saved searches of each article that waits in `alert_queue`.

An article waits until its story is known, so that a story alerts once. Only one process at a time
does this; the others find the work done.

One transaction takes articles from the queue, stores their matches, and puts them into the outbox.
So a process that is killed loses no alert and repeats none.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from newsintel.domain.bounds.batch_size import BatchSize
from newsintel.domain.ports import WallClock
from newsintel.errors import ArchiveTimeoutError
from newsintel.storage.postgres.alerts.candidates import Candidate, find_candidates
from newsintel.storage.postgres.alerts.match_rows import store_matches
from newsintel.storage.postgres.alerts.verifying import Verifier
from newsintel.storage.postgres.pieces import delete_in_pieces
from newsintel.storage.postgres.pool import Connection, Postgres

LOCK_MATCHING = "SELECT pg_try_advisory_xact_lock(7264054)"
"""An arbitrary number that no other program locks."""

BATCH_ROWS = 100
"""Most articles that one transaction matches."""

BATCH_WORDS = 50_000
"""Most different words that they have together; each is looked for in an index, in about 5 us."""

BATCH_SEARCHES = 10_000
"""Most saved searches that the articles of a transaction may match, unless the first article has
more: about 1 s. The articles that are left wait for the next one."""

# Neither the articles nor their places can be deleted meanwhile; those that are wait again.
WAITING = """
SELECT article_id, length(search) AS words FROM alert_queue
JOIN article_stories USING (article_id) JOIN articles ON articles.id = article_id
ORDER BY article_id LIMIT $1 FOR KEY SHARE OF articles, article_stories SKIP LOCKED
"""

TAKE = "DELETE FROM alert_queue WHERE article_id = ANY($1::bigint[])"

PRUNE = """
DELETE FROM search_matches WHERE (saved_search_id, group_id) IN (
    SELECT saved_search_id, group_id FROM search_matches WHERE matched_at < $1 LIMIT $2
)
"""

# An article alerts within seven days of its publication, and a story is told within three.
FORGET_ORIGINS = """
DELETE FROM story_origins WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM story_origins WHERE added_at < now() - interval '14 days'
    LIMIT $1 FOR UPDATE SKIP LOCKED
))
"""


class PostgresMatching:
    """Matches articles. Several processes may ask for this at once.

    Args:
        postgres: the pool.
        now: the time of day.
    """

    def __init__(self, postgres: Postgres, now: WallClock) -> None:
        self._postgres = postgres
        self._now = now
        self._verifier = Verifier()
        self._size = BatchSize()

    async def match_batch(self) -> int:
        """A batch is up to BATCH_ROWS articles, within the other bounds; at least one.

        After one that took too long the next one is smaller, and so is each of its statements:
        otherwise the searches of a few people could stop the alerts of all.
        """
        try:
            matched = await self._postgres.run(
                _match_batch, self._verifier, self._now(), self._size
            )
        except ArchiveTimeoutError:
            self._size.shrink()
            raise
        self._size.grow()
        return matched

    async def prune_matches(self, before: datetime) -> int:
        """In short transactions. Which stories others continue is forgotten, too."""
        await delete_in_pieces(self._postgres, FORGET_ORIGINS)
        return await delete_in_pieces(self._postgres, PRUNE, before)


async def _match_batch(
    connection: Connection, verifier: Verifier, now: datetime, size: BatchSize
) -> int:
    async with connection.transaction():
        if not await connection.fetchval(LOCK_MATCHING):
            return 0
        waiting = _limit_words(await connection.fetch(WAITING, size.cut(BATCH_ROWS)))
        if not waiting:
            return 0
        taken, candidates = _limit_searches(waiting, await find_candidates(connection, waiting))
        matches = await verifier.verify(connection, candidates, size)
        await store_matches(connection, matches, now)
        await connection.execute(TAKE, taken)
        return len(taken)


def _limit_words(rows: Sequence[Any]) -> list[int]:
    """Return the ids of the first articles, within BATCH_WORDS; at least one if there are any."""
    ids: list[int] = []
    words = 0
    for row in rows:
        words += row["words"]
        if ids and words > BATCH_WORDS:
            break
        ids.append(row["article_id"])
    return ids


def _limit_searches(
    articles: Sequence[int], candidates: Sequence[Candidate]
) -> tuple[list[int], list[Candidate]]:
    """Return the first articles within BATCH_SEARCHES, at least one, and their candidates."""
    of_article: dict[int, list[Candidate]] = {article: [] for article in articles}
    for candidate in candidates:
        of_article[candidate.article].append(candidate)
    taken: list[int] = []
    kept: list[Candidate] = []
    searches = 0
    for article, found in of_article.items():
        searches += sum(len(candidate.searches) for candidate in found)
        if taken and searches > BATCH_SEARCHES:
            break
        taken.append(article)
        kept += found
    return taken, kept
