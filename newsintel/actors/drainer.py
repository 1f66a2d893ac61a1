"""The drainer: saves in PostgreSQL what was spooled while PostgreSQL was away.

It has no inbox that could end, so the composition root cancels it when requests have ended. What it
had not finished then stays in the spool. Several processes may run a drainer; each takes different
entries. An entry is removed only after it is saved, and saving is idempotent, so an entry that is
saved twice is harmless.
"""

from newsintel.domain.archive.batch import ArchiveBatch, FetchedArticle
from newsintel.domain.archive.ports import Archive, SpoolEntry
from newsintel.domain.archive.spooled import Spooled, load_spooled
from newsintel.domain.bounds.newest import Newest
from newsintel.domain.personal.ports import History
from newsintel.domain.ports import Count
from newsintel.errors import UnavailableError
from newsintel.runtime.archiving import save_pairs, save_rows
from newsintel.runtime.backlog import Pace, process_backlog
from newsintel.runtime.personal.history_writing import record_searches
from newsintel.runtime.spool import Spool
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.runtime.turns import run_in_turns

log = get_logger(__name__)

EVERY_S = 2.0
"""Pause while the spool is empty or PostgreSQL is away, shortened by up to half at random."""
BUSY_S = 0.02
"""Pause between entries. It leaves some of the time to other work."""
TRIES_ALONE = 3
"""How often an article may exceed PostgreSQL's time limit alone before it is a dead letter.

One attempt could meet a stall of the server; the attempts are seconds apart.
"""
MAX_UNREADABLE = 100
"""How many entries that cannot be read are set aside before the next pause."""
MAX_SLOW = 1_000
"""How many slow articles are remembered."""


async def run(*, spool: Spool, archive: Archive, history: History, count: Count) -> None:
    """Drain until cancelled.

    Args:
        spool: what waits.
        archive: for articles and pairs.
        history: for searches.
        count: counts `drained_rows`, `archive_retries`, and what the archive and the recorder
            count.
    """
    drainer = _Drainer(spool, archive, history, count)
    await process_backlog(
        drainer.drain_entry,
        Pace(EVERY_S, BUSY_S),
        count,
        done="drained_rows",
        failed="archive_retries",
    )


class _Drainer:
    def __init__(self, spool: Spool, archive: Archive, history: History, count: Count) -> None:
        self._spool = spool
        self._archive = archive
        self._history = history
        self._count = count
        self._slow = Newest[str, int](MAX_SLOW)

    async def drain_entry(self) -> int:
        """Save one entry; return the number of its rows, 0 if there is none that can be read."""
        for _ in range(MAX_UNREADABLE):
            entry = await self._spool.take()
            if entry is None:
                return 0
            spooled = await _read(entry)
            if spooled is not None:
                return await self._save_entry(entry, spooled)
            await entry.set_aside()
        return 0

    async def _save_entry(self, entry: SpoolEntry, spooled: Spooled) -> int:
        try:
            await self._save(spooled)
        except UnavailableError as error:
            failure = error
        else:
            await entry.remove()
            return len(spooled)
        await entry.give_back()
        raise failure

    async def _save(self, spooled: Spooled) -> None:
        batch = ArchiveBatch(list(spooled.rows), list(spooled.pairs))
        await save_rows(batch, len(batch.rows), self._archive, self._count, self._is_hopeless)
        await save_pairs(batch, self._archive, self._count)
        if spooled.searches:
            await record_searches(spooled.searches, self._history, self._count)

    def _is_hopeless(self, row: FetchedArticle) -> bool:
        """Return whether an article that was too slow alone has had all its attempts."""
        name = row[0].id
        self._slow[name] = self._slow.get(name, 0) + 1
        return self._slow[name] >= TRIES_ALONE


async def _read(entry: SpoolEntry) -> Spooled | None:
    try:
        return await run_in_turns(load_spooled(entry.data))
    except ValueError as error:
        log.error("spool_unreadable", size_bytes=len(entry.data), reason=str(error))  # noqa: TRY400 - another version wrote it
        return None
